/** Who owns memory and when it is given back: the nine rules, one after the other. */
import { beforeEach, describe, expect, test, vi } from "vitest";
import {
  cat,
  data,
  enableGrad,
  grad,
  memoryStats,
  nn,
  noGrad,
  ones,
  optim,
  ReleasedTensorError,
  randn,
  resetPeakMemory,
  stack,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from "../../src/index.js";
import { createReferenceKernels } from "../../src/kernels/reference/index.js";
import { registerKernels } from "../../src/tensor/device.js";
import * as allOps from "../../src/tensor/ops/index.js";
import * as joining from "../../src/tensor/ops/joining.js";
import { collectGarbage } from "../support/collectGarbage.js";

const ops: Readonly<Record<string, (...args: never[]) => unknown>> = allOps;

beforeEach(() => registerKernels("cpu", createReferenceKernels({ poison: true })));

/** Elements of a float32 tensor that is just larger than 4 KiB. */
const LARGE = 1025;
const large = (value = 1): Tensor => ones([LARGE]).mul_(value);
const parameter = (value = 1): Tensor => large(value).requiresGrad_();
const first = (x: Tensor | null): number | undefined => x?.dataSync()[0];
const held = () => ({ tensors: memoryStats().tensors, bytes: memoryStats().bytes });

/** Collects garbage until `isDone`, and lets the finalizers run. */
async function collectUntil(isDone: () => boolean): Promise<boolean> {
  for (let i = 0; i < 50 && !isDone(); i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return isDone();
}

describe("rule 1: storage is counted by its handles", () => {
  test("a view keeps it alive, the base as well", () => {
    const before = held();
    const base = large(3);
    const view = base.view([5, 205]);
    expect(memoryStats().tensors).toBe(before.tensors + 1);
    base.dispose();
    expect(first(view)).toBe(3);
    const part = view.select(0, 2);
    view.dispose();
    expect(first(part)).toBe(3);
    part.dispose();
    expect(held()).toEqual(before);
  });

  test("detach, narrow, permute, expand and asStrided share it", () => {
    const before = held();
    const base = large(2);
    const views = [
      base.detach(),
      base.narrow(0, 3, 5),
      base.view([5, 205]).permute([1, 0]),
      base.view([1, LARGE]).expand([7, LARGE]),
      base.asStrided([3, 3], [1, 2]),
      base.reshape([LARGE, 1]),
      base.contiguous(),
    ];
    expect(memoryStats().tensors).toBe(before.tensors + 1);
    base.dispose();
    expect(views.slice(0, -1).map(first)).toEqual([2, 2, 2, 2, 2, 2]);
    expect(views.at(-1)?.isReleased).toBe(true); // contiguous() of a dense tensor is the tensor itself
  });

  test("what the tape saved outlives its handles", () => {
    const x = parameter(3);
    const h = x.mul(2);
    const y = h.square().sum();
    h.dispose();
    expect(h.isReleased).toBe(true);
    large(7); // would overwrite what was freed
    y.backward();
    expect(first(x.grad)).toBe(24);
  });

  test("the tape saves no operand that no derivative will look at", () => {
    const x = parameter(3);
    const before = held();
    const z = tidy(() => x.mul(2).mul(0.5).add(1).div(4).mul(large(2)).sum());
    expect(held()).toEqual({ tensors: before.tensors + 2, bytes: before.bytes + 4 * LARGE + 4 }); // the constant, and z
    z.backward();
    expect(first(x.grad)).toBe(0.5);
  });

  test("disposing twice is disposing once", () => {
    const before = held();
    const base = large();
    const view = base.detach();
    base.dispose();
    base.dispose();
    expect(first(view)).toBe(1);
    view.dispose();
    expect(held()).toEqual(before);
  });

  test("kernels that fail to compute leave nothing behind", () => {
    const before = held();
    const x = large();
    expect(() => x.add(zeros([2, 3]))).toThrow();
    expect(() => x.matmul(large().view([5, 205]))).toThrow();
    x.dispose();
    expect(memoryStats().tensors).toBeLessThanOrEqual(before.tensors + 2); // the operands made in place
  });
});

describe("rule 2: intermediates become spent", () => {
  test("they stay readable after backward and after step, until the next zeroGrad", () => {
    const w = parameter(2);
    const optimizer = new optim.SGD([w], { lr: 0.5 });
    const h = w.mul(3);
    const y = h.square();
    y.sum().backward();
    expect([first(h), first(y)]).toEqual([6, 36]);
    optimizer.step();
    expect([first(h), first(y)]).toEqual([6, 36]);
    const gradient = w.grad;
    optimizer.zeroGrad();
    expect(() => first(h)).toThrow("made by mul and given back by zeroGrad(); expected one that is alive.");
    expect(() => first(y)).toThrow(ReleasedTensorError);
    expect(() => first(gradient)).toThrow("given back by zeroGrad()");
    expect(w.grad).toBeNull();
  });

  test("or until the next backward that touches the same leaf", () => {
    const w = parameter(2);
    const h = w.mul(3);
    h.sum().backward();
    const k = w.mul(5);
    expect(first(h)).toBe(6);
    k.sum().backward();
    expect(() => first(h)).toThrow(
      "tensor: got a tensor of shape [1025] made by mul and given back at the backward pass after the one that consumed it; " +
        "expected one that is alive. Read it earlier, or hold on to it with .keep() or .clone().",
    );
    expect(first(k)).toBe(10);
    expect(first(w.grad)).toBe(8);
  });

  test("one leaf in common is enough", () => {
    const [shared, alone] = [parameter(2), parameter(3)];
    const h = shared.mul(alone);
    h.sum().backward();
    shared.mul(1).sum().backward();
    expect(h.isReleased).toBe(true);
  });

  test("two models side by side never free each other's tensors", () => {
    const [a, b] = [parameter(2), parameter(3)];
    const inputs = large(1);
    const [optimizerA, optimizerB] = [new optim.SGD([a], { lr: 0.1 }), new optim.SGD([b], { lr: 0.1 })];
    const outA = a.mul(inputs);
    const outB = b.mul(inputs);
    outA.square().sum().backward();
    outB.square().sum().backward();
    optimizerA.step();
    optimizerA.zeroGrad();
    expect(outA.isReleased).toBe(true);
    expect(first(outB)).toBe(3);
    b.mul(2).sum().backward();
    expect(outB.isReleased).toBe(true);
    optimizerB.zeroGrad();
    expect(first(inputs)).toBe(1);
  });

  test("what was not consumed is not spent: a fake behind detach()", () => {
    const [generator, discriminator] = [parameter(2), parameter(3)];
    const fake = generator.mul(5);
    discriminator.mul(fake.detach()).sum().backward();
    discriminator.mul(1).sum().backward(); // gives back what the pass before left
    expect(first(fake)).toBe(10);
    discriminator.mul(fake).sum().backward(); // the generator's turn
    expect(first(generator.grad)).toBe(15);
    expect(first(fake)).toBe(10);
    generator.mul(1).sum().backward();
    expect(fake.isReleased).toBe(true);
  });

  test("with retainGraph and createGraph nothing is", () => {
    const w = parameter(2);
    const h = w.square();
    const loss = h.sum();
    loss.backward(null, { retainGraph: true });
    loss.backward(null, { createGraph: true });
    w.mul(1).sum().backward();
    expect(first(h)).toBe(4);
    loss.backward();
    expect(first(h)).toBe(4);
    w.mul(1).sum().backward();
    expect(h.isReleased).toBe(true);
  });

  test("what grad() consumed is spent too", () => {
    const w = parameter(2);
    const h = w.mul(3);
    expect(first(grad(h.square().sum(), w)[0] ?? null)).toBe(36);
    expect(first(h)).toBe(6);
    w.mul(1).sum().backward();
    expect(h.isReleased).toBe(true);
  });

  test("a spent tensor may be the output gradient of the very pass that gives it back", () => {
    const w = parameter(2);
    const h = w.mul(3);
    h.sum().backward();
    w.grad = null;
    w.mul(1).backward(h);
    expect(first(w.grad)).toBe(6);
    expect(h.isReleased).toBe(true);
  });

  test("a spent tensor may go into the graph of the pass that gives it back", () => {
    const w = parameter(2);
    const h = w.mul(3);
    h.sum().backward();
    w.grad = null;
    const y = w.mul(h.detach());
    y.sum().backward();
    expect(first(w.grad)).toBe(6);
  });

  test("truncated backpropagation through time carries a detached state", () => {
    const w = parameter(0.5);
    const optimizer = new optim.SGD([w], { lr: 0 });
    let state = large(1);
    const run = () => {
      for (let chunk = 0; chunk < 3; chunk++) {
        state = state.detach();
        for (let time = 0; time < 4; time++) state = state.mul(w).add(1);
        optimizer.zeroGrad();
        state.sum().backward();
        optimizer.step();
      }
    };
    run();
    expect(first(state)).toBeCloseTo(2 - 0.5 ** 12, 5);
  });

  test("a state that was not detached is refused, not read after its release", () => {
    const w = parameter(0.5);
    let state = large(1).mul(w);
    state.sum().backward();
    state = state.mul(w);
    expect(() => state.sum().backward()).toThrow("got a graph that a backward pass has already gone through (at mul)");
  });

  test("gradients collected over several passes are whole", () => {
    const w = parameter(2);
    const outputs = [1, 2, 3].map((factor) => {
      const out = w.mul(factor);
      out.square().sum().backward();
      return out;
    });
    expect(first(w.grad)).toBe(2 * 2 * (1 + 4 + 9));
    expect(outputs.map((out) => out.isReleased)).toEqual([true, true, false]);
  });

  test("a training step leaves exactly what the step before left", () => {
    const w = parameter(2);
    const optimizer = new optim.Adam([w], { lr: 0.1 });
    const step = () => {
      optimizer.zeroGrad();
      const loss = w.mul(3).add(w).exp().log().square().mean();
      loss.backward();
      optimizer.step();
    };
    step();
    step();
    const before = held();
    for (let i = 0; i < 5; i++) step();
    expect(held()).toEqual(before);
    optimizer.zeroGrad();
    // The parameter and two moments.
    expect(memoryStats().bytes - before.bytes).toBeLessThan(0);
  });

  test("the gradients of a tensor used several times are not left behind where they are added up", () => {
    const w = parameter(2);
    const run = () => {
      let h = w.mul(1);
      for (let i = 0; i < 5; i++) h = h.mul(0.5).add(h).add(w);
      h.sum().backward();
      optimZero(w);
    };
    run();
    const before = held();
    for (let i = 0; i < 5; i++) run();
    expect(held()).toEqual(before);
  });
});

/** What optimizer.zeroGrad() does, for one leaf. */
function optimZero(leaf: Tensor): void {
  new optim.SGD([leaf], { lr: 0 }).zeroGrad();
}

describe("rule 3: small tensors stay readable", () => {
  test("4 KiB is small, one element more is not", () => {
    for (const [dtype, count] of [
      ["float32", 1024],
      ["float64", 512],
    ] as const) {
      const w = ones([count + 1], { dtype, requiresGrad: true });
      const small = w.narrow(0, 0, count).mul(2);
      const big = w.mul(2);
      small.sum().add(big.sum()).backward();
      optimZero(w);
      expect(small.isReleased).toBe(false);
      expect(first(small)).toBe(2);
      expect(big.isReleased).toBe(true);
    }
  });

  test("losses kept in an array are read at the end, and take no device memory", async () => {
    const w = parameter(1);
    const optimizer = new optim.SGD([w], { lr: 0.1 });
    const losses: Tensor[] = [];
    let after = held();
    for (let i = 0; i < 20; i++) {
      optimizer.zeroGrad();
      const loss = w.square().mean();
      loss.backward();
      optimizer.step();
      losses.push(loss);
      if (i === 1) after = held();
      if (i % 5 === 0) await loss.item();
    }
    // Less, where finalizers of what came before had their turn in one of the awaits.
    expect(held().bytes).toBeLessThanOrEqual(after.bytes);
    const values = await Promise.all(losses.map((loss) => loss.item()));
    expect(values.every((value, i) => i === 0 || value < (values[i - 1] ?? 0))).toBe(true);
    expect(losses.map((loss) => loss.itemSync())).toEqual(values);
    expect(held().bytes).toBeLessThanOrEqual(after.bytes);
    expect(noGrad(() => stack(losses).mean().itemSync())).toBeCloseTo(values.reduce((a, b) => a + b) / 20, 5);
  });

  test("a read under way when the tensor is given back still ends", async () => {
    const w = parameter(3);
    const h = w.mul(2);
    h.sum().backward();
    const reading = h.data();
    optimZero(w);
    expect(h.isReleased).toBe(true);
    expect((await reading)[0]).toBe(6);
  });

  test("a small view of something large does not keep it alive, and keeps its values", () => {
    const w = parameter(3);
    const before = held();
    const h = w.mul(2).view([5, 205]);
    const corner = h.transpose(0, 1).narrow(0, 1, 2);
    corner.sum().backward();
    optimZero(w);
    expect(h.isReleased).toBe(true);
    expect(corner.toArraySync()).toEqual([
      [6, 6, 6, 6, 6],
      [6, 6, 6, 6, 6],
    ]);
    expect(corner.isContiguous()).toBe(true);
    expect(held()).toEqual(before);
  });

  test("a small view of a parameter leaves the parameter where it is", () => {
    const w = tensor([1, 2, 3], { requiresGrad: true });
    const before = held();
    const { buffer } = w;
    for (let i = 0; i < 3; i++) {
      const view = w.view([3, 1]);
      view.sum().backward();
      optimZero(w);
      noGrad(() => w.add_(1));
      expect(view.toArraySync()).toEqual([[2 + i], [3 + i], [4 + i]]); // still the same elements
    }
    expect(w.buffer).toBe(buffer);
    expect(held()).toEqual(before);
  });

  test("small handles of one storage move together, once nobody else needs it", () => {
    const w = tensor([1, 2, 3], { requiresGrad: true });
    const before = held();
    const h = w.mul(2);
    const view = h.view([3, 1]);
    const extra = h.detach();
    view.sum().backward();
    optimZero(w);
    expect(memoryStats().tensors).toBe(before.tensors + 1); // extra is nobody's but the user's
    extra.dispose();
    expect(held()).toEqual(before);
    expect(h.toArraySync()).toEqual([2, 4, 6]);
    expect(view.toArraySync()).toEqual([[2], [4], [6]]);
    view.dispose();
    expect(h.toArraySync()).toEqual([2, 4, 6]);
  });

  test("one that has moved takes part in ops again, also in those with gradients", () => {
    const w = tensor([1, 2, 3], { requiresGrad: true });
    const h = w.mul(2);
    h.sum().backward();
    optimZero(w);
    const before = held();
    const y = w.mul(h.detach()).sum();
    y.backward();
    expect(w.grad?.toArraySync()).toEqual([2, 4, 6]);
    h.detach().add_(1);
    expect(h.toArraySync()).toEqual([3, 5, 7]);
    h.dispose();
    expect(memoryStats().tensors).toBeGreaterThan(before.tensors);
  });
});

test("rule 5: a DataLoader gives its previous batch back", async () => {
  const set = new data.TensorDataset(randn([6, LARGE]));
  const seen: Tensor[] = [];
  for await (const [batch] of new data.DataLoader(set, { batchSize: 2 })) {
    if (batch === undefined) throw new Error("no batch");
    expect(seen.every((earlier) => earlier.isReleased)).toBe(true);
    expect(Number.isFinite(first(batch))).toBe(true);
    seen.push(batch);
  }
  expect(seen.map((batch) => batch.isReleased)).toEqual([true, true, true]);
  expect(() => first(seen[0] ?? null)).toThrow("given back when the DataLoader made its next batch");
});

describe("rule 6: the collector is the backstop", () => {
  test("it gives back tensors and graphs that nobody holds any more", async () => {
    const w = parameter(2);
    const before = held();
    (() => {
      for (let i = 0; i < 20; i++) large(i).mul(2);
      for (let i = 0; i < 20; i++) w.mul(3).square().sum(); // recorded, never consumed
      for (let i = 0; i < 5; i++) w.square().sum().backward(null, { createGraph: true });
      w.grad = null;
    })();
    expect(memoryStats().tensors).toBeGreaterThan(before.tensors + 40);
    expect(await collectUntil(() => memoryStats().tensors <= before.tensors)).toBe(true);
    expect(memoryStats().bytes).toBeLessThanOrEqual(before.bytes);
    expect(first(w)).toBe(2);
  });

  test("it leaves alone what a view, a graph or an array holds", async () => {
    const w = parameter(2);
    const view = (() => large(3).mul(2).view([5, 205]))();
    const loss = (() => w.mul(3).square().sum())();
    const list = Array.from({ length: 5 }, (_, i) => large(i));
    for (let i = 0; i < 5; i++) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    for (let i = 0; i < 20; i++) large(99); // would overwrite what was freed
    expect(first(view)).toBe(6);
    expect(list.map(first)).toEqual([0, 1, 2, 3, 4]);
    loss.backward();
    expect(first(w.grad)).toBe(36);
  });

  test("it does not free twice what was disposed of", async () => {
    const before = held();
    for (let i = 0; i < 50; i++) large().dispose();
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(memoryStats().tensors).toBeLessThanOrEqual(before.tensors);
    const survivors = [large(1), large(2)];
    expect(survivors.map(first)).toEqual([1, 2]);
  });
});

describe("rule 7: use after release", () => {
  /** Ops that cannot be called with a tensor alone. */
  const withNumber = new Set(
    ["add", "sub", "mul", "div", "pow"]
      .flatMap((name) => [name, `${name}_`])
      .concat(["maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge", "clamp", "clamp_"]),
  );

  const everyOp = Object.entries({ ...ops, backward: (x: Tensor) => x.backward() });

  test.each(everyOp)("%s refuses a released tensor before it takes any memory", async (name, op) => {
    const released = zeros([2, 3]);
    released.dispose();
    const before = held();
    resetPeakMemory();
    // Asynchronous, as some ops are: they reject.
    const use = async () => Reflect.apply(op, undefined, withNumber.has(name) ? [released, 1] : [released]);
    await expect(use).rejects.toThrow(ReleasedTensorError);
    await expect(use).rejects.toThrow(
      "tensor: got a tensor of shape [2, 3] made by zeros and given back by dispose(); expected one that is alive. " +
        "Read it earlier, or hold on to it with .keep() or .clone().",
    );
    expect({ ...held(), peak: memoryStats().peakBytes }).toEqual({ ...before, peak: before.bytes });
  });

  test.each(Object.entries(joining))("%s refuses a released tensor in its list", (_, op) => {
    const released = zeros([2, 3]);
    released.dispose();
    const alive = zeros([2, 3]);
    const before = held();
    const args = op === joining.einsum ? ["ij,ij", alive, released] : [[alive, released]];
    expect(() => Reflect.apply(op, undefined, args)).toThrow(ReleasedTensorError);
    expect(held()).toEqual(before);
  });

  test.each([
    "add",
    "mul_",
    "where",
    "matmul",
    "linear",
    "crossEntropy",
    "mseLoss",
    "maximum",
    "copy_",
    "conv2d",
  ] as const)("%s refuses a released tensor as its second operand", (name) => {
    const released = zeros([2, 3]);
    released.dispose();
    const alive = zeros([2, 3]);
    const before = held();
    const args = name === "where" ? [alive, released, alive] : [alive, released];
    expect(() => Reflect.apply(ops[name] as (...args: never[]) => unknown, undefined, args)).toThrow(
      ReleasedTensorError,
    );
    expect(held()).toEqual(before);
  });

  test("reading refuses it too, and metadata does not", async () => {
    const x = zeros([2, 3], { dtype: "float64" });
    x.dispose();
    await expect(x.data()).rejects.toThrow(ReleasedTensorError);
    await expect(x.toArray()).rejects.toThrow(ReleasedTensorError);
    expect(() => x.toArraySync()).toThrow(ReleasedTensorError);
    expect([x.shape, x.dtype, x.device, x.numel(), x.isReleased]).toEqual([[2, 3], "float64", "cpu", 6, true]);
  });

  test("cat of the dead names the maker and the release point", () => {
    const w = parameter();
    const h = w.mul(2);
    h.sum().backward();
    optimZero(w);
    expect(() => cat([h, h])).toThrow("made by mul and given back by zeroGrad()");
  });

  test(".keep() and .clone() are the cures that the message names", () => {
    const w = parameter(2);
    const kept = w.mul(2).keep();
    const cloned = w.mul(3);
    kept.sum().add(cloned.sum()).backward();
    const copy = noGrad(() => cloned.clone());
    optimZero(w);
    expect(cloned.isReleased).toBe(true);
    expect([first(kept), first(copy)]).toEqual([4, 6]);
  });
});

describe("rule 8: forward passes that pile up", () => {
  test("warn once, and name noGrad", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const w = tensor([1, 2], { requiresGrad: true });
    noGrad(() => {
      for (let i = 0; i < 3000; i++) w.mul(2);
    });
    for (let i = 0; i < 3000; i++) {
      w.mul(2);
      if (i % 100 === 0) w.sum().backward();
    }
    expect(warn).not.toHaveBeenCalled();
    for (let i = 0; i < 5000; i++) w.mul(2);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(
      "tapegrad: a parameter of shape [2] went through 2000 recorded operations without a backward pass; " +
        "expected backward() to consume them. Wrap evaluation in noGrad(() => …).",
    );
    enableGrad(() => {
      for (let i = 0; i < 5000; i++) w.mul(2);
    });
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });
});

describe("rule 9: memoryStats, using and dispose", () => {
  test("count storages and their bytes exactly", () => {
    const before = memoryStats();
    const a = zeros([10, 10]);
    const b = zeros([3], { dtype: "float64" });
    const c = zeros([5], { dtype: "bool" });
    const d = zeros([], { dtype: "int32" });
    a.view([100]);
    expect(memoryStats().tensors).toBe(before.tensors + 4);
    expect(memoryStats().bytes).toBe(before.bytes + 400 + 24 + 5 + 4);
    for (const x of [b, c, d]) x.dispose();
    expect(memoryStats().bytes).toBe(before.bytes + 400);
  });

  test("remember the peak", () => {
    resetPeakMemory();
    const { bytes, peakBytes } = memoryStats();
    expect(peakBytes).toBe(bytes);
    const x = zeros([1000]);
    x.dispose();
    expect(memoryStats()).toMatchObject({ bytes, peakBytes: bytes + 4000 });
    resetPeakMemory();
    expect(memoryStats().peakBytes).toBe(bytes);
  });

  test("`using` gives back at the end of its block", () => {
    const before = held();
    let escaped: Tensor | undefined;
    {
      using x = large(2);
      escaped = x;
      expect(first(x)).toBe(2);
    }
    expect(held()).toEqual(before);
    expect(() => escaped?.dataSync()).toThrow("given back at the end of its `using` block");
  });

  test("dispose goes before keep", () => {
    const x = large().keep();
    x.dispose();
    expect(x.isReleased).toBe(true);
  });

  test("an epoch of a real network leaves memory as it was", () => {
    const net = new nn.Sequential(
      new nn.Conv2d(1, 4, 3, { padding: 1 }),
      new nn.BatchNorm2d(4),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Dropout(0.2),
      new nn.Linear(4 * 4 * 4, 10),
    );
    const optimizer = new optim.Adam(net.parameters(), { lr: 1e-3 });
    const images = randn([8, 1, 8, 8]);
    const labels = tensor([0, 1, 2, 3, 4, 5, 6, 7], { dtype: "int32" });
    const step = () => {
      optimizer.zeroGrad();
      const loss = nn.functional.crossEntropy(net.forward(images), labels);
      loss.backward();
      optimizer.step();
      return loss.itemSync();
    };
    step();
    step();
    const before = held();
    const losses = Array.from({ length: 5 }, step);
    expect(held()).toEqual(before);
    expect(losses.every(Number.isFinite)).toBe(true);
    noGrad(() => {
      net.eval();
      net.forward(images).argmax(1);
      net.train();
    });
    expect(held()).toEqual(before);
  });
});
