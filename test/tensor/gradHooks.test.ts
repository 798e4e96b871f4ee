/** Hooks of tensors, and gradients of tensors that are no leaves. */
import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import {
  ArgumentError,
  AutogradError,
  DTypeError,
  grad,
  memoryStats,
  noGrad,
  ones,
  optim,
  ReleasedTensorError,
  ShapeError,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { createReferenceKernels } from "../../src/kernels/reference/index.js";
import { registerKernels } from "../../src/tensor/device.js";
import { settledMemory } from "../support/collectGarbage.js";

// Whoever reads memory that was given back reads NaN.
beforeEach(() => registerKernels("cpu", createReferenceKernels({ poison: true })));

const LARGE = 2000;
const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });
const listOf = (x: Tensor | null | undefined): unknown => x?.toArraySync();

const golden = JSON.parse(readFileSync(new URL("../golden/tape/hooks.json", import.meta.url), "utf8")) as {
  readonly steps: readonly Readonly<Record<string, readonly number[]>>[];
  readonly seen: readonly (readonly [string, readonly number[]])[];
  readonly inPlace: { readonly old: readonly (readonly number[])[]; readonly grad: readonly number[] };
};

describe("as in PyTorch", () => {
  test("hooks see the whole gradient, in their order, and replace it; retained gradients come after them and add up", () => {
    const seen: unknown[] = [];
    const see =
      (name: string, replace?: (g: Tensor) => Tensor) =>
      (g: Tensor): Tensor | undefined => {
        seen.push([name, listOf(g)]);
        return replace?.(g);
      };
    const w = leaf(1, 2, 3);
    const h = w.mul(2);
    expect(h.retainGrad()).toBe(h);
    h.registerHook(see("h", (g) => g.mul(10)));
    h.registerHook(see("h again"));
    w.registerHook(see("w", (g) => g.add(1)));
    const y = h.mul(h).sum().add(h.sum());
    const steps: unknown[] = [];
    steps.push({ "by h": listOf(grad(y, h, { retainGraph: true })[0]), "h.grad": listOf(h.grad) });
    steps.push({ "by w": listOf(grad(y, w, { retainGraph: true })[0]), "h.grad": listOf(h.grad) });
    y.backward(null, { retainGraph: true });
    steps.push({ "w.grad": listOf(w.grad), "h.grad": listOf(h.grad) });
    y.backward();
    steps.push({ "w.grad": listOf(w.grad), "h.grad": listOf(h.grad) });
    expect(steps).toEqual(golden.steps);
    expect(seen).toEqual(golden.seen);
  });

  test("an in-place change leaves the hook with the old values, and takes the retained gradient along", () => {
    const changed = leaf(1, 2, 3).mul(2);
    changed.retainGrad();
    const old: unknown[] = [];
    changed.registerHook((g) => void old.push(listOf(g)));
    changed.mul_(2);
    changed.mul(3).sum().backward();
    expect({ old, grad: listOf(changed.grad) }).toEqual(golden.inPlace);
  });
});

describe("registerHook", () => {
  test("remove() takes one hook away, also from within it, and twice does nothing", () => {
    const w = leaf(1);
    const calls: string[] = [];
    const first = w.registerHook(() => {
      calls.push("first");
      first.remove();
    });
    w.registerHook(() => void calls.push("second"));
    w.mul(2).sum().backward();
    w.mul(2).sum().backward();
    first.remove();
    expect(calls).toEqual(["first", "second", "second"]);
  });

  test("of the output itself sees the gradient that backward begins with", () => {
    const seen: unknown[] = [];
    const y = leaf(1, 2).mul(3);
    y.registerHook((g) => void seen.push(listOf(g)));
    y.backward(tensor([5, 7]));
    expect(seen).toEqual([[5, 7]]);
  });

  test("is not called for a leaf that was frozen since", () => {
    const [w, v] = [leaf(1), leaf(2)];
    w.registerHook(() => {
      throw new Error("called");
    });
    const y = w.mul(v).sum();
    w.requiresGrad_(false);
    y.backward();
    expect([listOf(w.grad), listOf(v.grad)]).toEqual([undefined, [1]]);
  });

  test("with createGraph what it makes of the gradient is differentiated too", () => {
    const x = tensor(3, { requiresGrad: true });
    const h = x.mul(x);
    h.registerHook((g) => g.mul(x));
    // dy/dh = 1 becomes x, so dy/dx = 2x², and its derivative is 4x.
    const [g] = grad(h, x, { createGraph: true });
    expect([listOf(g), listOf(grad(g as Tensor, x)[0])]).toEqual([18, 12]);
  });

  test("may hand back a tensor of the user's own, which stays his", () => {
    const w = leaf(1, 2);
    const own = tensor([7, 8]);
    w.registerHook(() => own);
    w.sum().backward();
    w.grad?.mul_(2);
    expect([listOf(w.grad), listOf(own)]).toEqual([
      [14, 16],
      [7, 8],
    ]);
  });

  test("small gradients and norms stay readable; large ones are given back unless kept", () => {
    const w = ones([LARGE], { requiresGrad: true });
    const shown: Tensor[] = [];
    const norms: Tensor[] = [];
    const h = w.mul(2);
    h.registerHook((g) => {
      shown.push(g);
      norms.push(g.sum());
    });
    h.registerHook((g) => void shown.push(g.keep()));
    h.sum().backward();
    expect(norms.map((norm) => norm.itemSync())).toEqual([LARGE]);
    expect(() => shown[0]?.dataSync()).toThrow(ReleasedTensorError);
    expect(() => shown[0]?.dataSync()).toThrow(
      "given back at the end of the gradient hook that saw or made it; expected one that is alive. Read it earlier, or hold on to it with .keep() or .clone().",
    );
    expect(shown[1]?.dataSync()[0]).toBe(1);
  });

  test("an exception in a hook leaves nothing behind but the graph's rest", async () => {
    const before = (await settledMemory()).tensors;
    const w = ones([LARGE], { requiresGrad: true });
    const h = w.mul(2);
    h.registerHook(() => {
      throw new RangeError("mine");
    });
    expect(() => h.mul(2).sum().backward()).toThrow("mine");
    expect(w.grad).toBeNull();
    h.dispose();
    w.dispose();
    await expect.poll(async () => (await settledMemory()).tensors).toBeLessThanOrEqual(before);
  });

  test("refuses tensors without gradients, and what is no hook", () => {
    expect(() => ones([2]).registerHook(() => undefined)).toThrow(AutogradError);
    expect(() => ones([2]).registerHook(() => undefined)).toThrow(
      "registerHook: got a tensor of shape [2] made by ones that requires no grad; expected one whose gradient backward() works out. " +
        "Set requiresGrad_() on it, or compute it outside noGrad.",
    );
    expect(() => leaf(1).registerHook("log" as never)).toThrow("registerHook: got log; expected a function.");
  });

  test.each<readonly [string, unknown, new (message: string) => Error, string]>([
    [
      "another shape",
      tensor([1, 2, 3]),
      ShapeError,
      "registerHook (gradient of shape [2]): got shape [3] from the hook; expected [2].",
    ],
    [
      "another dtype",
      ones([2], { dtype: "float64" }),
      DTypeError,
      'got float64 on "cpu" from the hook; expected float32 on "cpu".',
    ],
    [
      "a number",
      3,
      ArgumentError,
      "got 3 from the hook; expected a tensor or undefined. Put braces around what the hook does.",
    ],
    [
      "a promise",
      Promise.resolve(),
      ArgumentError,
      "got a promise from the hook; expected a tensor or undefined, for backward() does not wait.",
    ],
  ])("a hook that returns %s is told so", (_, result, kind, text) => {
    const w = leaf(1, 2);
    w.registerHook(() => result);
    const run = (): void => w.mul(2).sum().backward();
    expect(run).toThrow(kind);
    expect(run).toThrow(text);
  });
});

describe("retainGrad", () => {
  test("says so, and leaves leaves as they are", () => {
    const w = leaf(1);
    w.retainGrad();
    const h = w.mul(2).retainGrad();
    expect([w.retainsGrad, h.retainsGrad, w.mul(2).retainsGrad]).toEqual([false, true, false]);
    expect(() => noGrad(() => w.mul(2).retainGrad())).toThrow(AutogradError);
    expect(() => noGrad(() => w.mul(2).retainGrad())).toThrow(
      "retainGrad: got a tensor of shape [1] made by mul that requires no grad;",
    );
  });

  test("with createGraph the retained gradient can be differentiated", () => {
    const x = tensor(3, { requiresGrad: true });
    const h = x.mul(x).retainGrad();
    h.mul(h).backward(null, { createGraph: true });
    expect(listOf(h.grad)).toBe(18);
    expect(listOf(grad(h.grad as Tensor, x)[0])).toBe(12);
  });

  test("the gradient shares memory with no other", () => {
    const w = leaf(1, 2);
    const h = w.add(0).retainGrad();
    h.sum().backward();
    h.grad?.mul_(5);
    expect([listOf(w.grad), listOf(h.grad)]).toEqual([
      [1, 1],
      [5, 5],
    ]);
  });

  test("goes with its tensor: training that retains gradients runs in flat memory, and keep() keeps", () => {
    const w = ones([LARGE], { requiresGrad: true });
    const optimizer = new optim.SGD([w], { lr: 0.1 });
    const step = (): Tensor => {
      optimizer.zeroGrad();
      const h = w.mul(2).retainGrad();
      h.registerHook((g) => g.mul(2));
      h.sum().backward();
      optimizer.step();
      return h;
    };
    const old = step();
    step();
    const { tensors, bytes } = memoryStats();
    for (let turn = 0; turn < 5; turn++) expect(step().grad?.dataSync()[0]).toBe(2);
    expect(memoryStats()).toMatchObject({ tensors, bytes });
    expect(() => old.grad?.dataSync()).toThrow("and given back by zeroGrad()");
    const kept = step().keep();
    step();
    expect(kept.grad?.dataSync()[0]).toBe(2);
  });
});
