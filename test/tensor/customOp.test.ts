/** Ops of the user's: their gradients flow as those of any op, and what is wrong with them is said. */
import { beforeEach, describe, expect, test } from "vitest";
import {
  ArgumentError,
  AutogradError,
  autograd,
  DTypeError,
  grad,
  memoryStats,
  noGrad,
  ones,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";
import { createReferenceKernels } from "../../src/kernels/reference/index.js";
import { registerKernels } from "../../src/tensor/device.js";

// Whoever reads memory that was given back reads NaN.
beforeEach(() => registerKernels("cpu", createReferenceKernels({ poison: true })));

const LARGE = 2000;
const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });
const exact = (...values: number[]): Tensor => tensor(values, { dtype: "float64", requiresGrad: true });
const listOf = (x: Tensor | null | undefined): unknown => x?.toArraySync();

/** exp(scale · x). */
const scaledExp = autograd.customOp({
  name: "scaledExp",
  forward: (x: Tensor, scale: number) => x.mul(scale).exp(),
  setupContext: ([, scale], output) => ({ scale, output }),
  backward: ({ scale, output }, grad) => [grad.mul(output).mul(scale), null],
});

/** The polar form of (x, y): radius and angle. */
const polar = autograd.customOp({
  name: "polar",
  forward: (x: Tensor, y: Tensor) => [x.square().add(y.square()).sqrt(), x.div(y)],
  setupContext: ([x, y], [radius]) => ({ legs: [x, y] as const, radius }),
  backward: ({ legs: [x, y], radius }, byRadius, byRatio) => [
    byRadius.mul(x).div(radius).add(byRatio.div(y)),
    byRadius.mul(y).div(radius).sub(byRatio.mul(x).div(y.square())),
  ],
});

const op = (backward: (g: Tensor) => unknown): ((x: Tensor, k: number) => Tensor) =>
  autograd.customOp({
    name: "mine",
    forward: (x: Tensor, k: number) => x.mul(k),
    backward: (_, g) => backward(g) as Tensor[],
  });

describe("gradients", () => {
  test("pass gradcheck and gradgradcheck, from one output and from two", () => {
    const [x, y] = [exact(0.3, -0.5, 1.2), exact(0.7, 1.1, -0.4)];
    const single = (a: Tensor): Tensor => scaledExp(a, 1.5);
    expect(autograd.gradcheck(single, [x])).toBe(true);
    expect(autograd.gradgradcheck(single, [x])).toBe(true);
    expect(autograd.gradcheck(polar, [x, y])).toBe(true);
    expect(autograd.gradgradcheck(polar, [x, y])).toBe(true);
    // Composed, with an output used twice and one not at all.
    const composed = (a: Tensor, b: Tensor): Tensor => {
      const [radius] = polar(scaledExp(a, 0.5), b);
      return radius.mul(radius).add(radius);
    };
    expect(autograd.gradcheck(composed, [x, y])).toBe(true);
    expect(autograd.gradgradcheck(composed, [x, y])).toBe(true);
  });

  test("a wrong backward is caught by gradcheck", () => {
    const wrong = autograd.customOp({
      name: "wrong",
      forward: (x: Tensor) => x.square(),
      setupContext: ([x]) => ({ x }),
      backward: ({ x }, g) => g.mul(x),
    });
    expect(() => autograd.gradcheck(wrong, [exact(2)])).toThrow(AutogradError);
  });

  test("need not be the true ones: rounding that lets gradients through", () => {
    const straightThrough = autograd.customOp({
      name: "roundThrough",
      forward: (x: Tensor) => x.round(),
      backward: (_, g) => g,
    });
    const x = leaf(0.4, 1.6);
    const y = straightThrough(x);
    expect(listOf(y)).toEqual([0, 2]);
    expect(String(y)).toContain("gradFn=<roundThrough>");
    y.mul(tensor([3, 5]))
      .sum()
      .backward();
    expect(listOf(x.grad)).toEqual([3, 5]);
  });

  test("hooks and retained gradients of an output, and grad() by it", () => {
    const [x, y] = [leaf(3), leaf(4)];
    const [radius, ratio] = polar(x, y);
    const seen: unknown[] = [];
    radius.registerHook((g) => void seen.push(listOf(g)));
    radius.retainGrad();
    const loss = radius.mul(10).add(ratio).sum();
    expect(grad(loss, [radius, ratio], { retainGraph: true }).map(listOf)).toEqual([[10], [1]]);
    expect(grad(loss, [x, radius], { retainGraph: true }).map(listOf)).toEqual([[6.25], [10]]);
    loss.backward();
    expect([seen, listOf(radius.grad), listOf(x.grad)]).toEqual([[[10], [10], [10]], [30], [6.25]]);
  });

  test("one backward pass goes through all outputs: a second one is told so", () => {
    const [radius, ratio] = polar(leaf(3), leaf(4));
    radius.backward();
    expect(() => ratio.backward()).toThrow("got a graph that a backward pass has already gone through (at polar)");
  });

  test("say which are asked for", () => {
    const asked: unknown[] = [];
    const product = autograd.customOp({
      name: "product",
      forward: (a: Tensor, b: Tensor, _label?: string) => a.mul(b),
      setupContext: ([a, b]) => ({ a, b }),
      backward: ({ a, b, needsInputGrad }, g) => {
        asked.push(needsInputGrad);
        return [needsInputGrad[0] === true ? g.mul(b) : null, needsInputGrad[1] === true ? g.mul(a) : null];
      },
    });
    const a = leaf(2);
    product(a, tensor([5]))
      .sum()
      .backward();
    expect([asked, listOf(a.grad)]).toEqual([[[true, false]], [5]]);
  });

  test("null for an argument that wants one leaves its .grad as it was", () => {
    const x = leaf(1);
    op(() => [null, null])(x, 2).backward();
    expect(x.grad).toBeNull();
  });

  test("whole numbers among the outputs have none", () => {
    const withCount = autograd.customOp({
      name: "withCount",
      forward: (x: Tensor) => [x.mul(2), x.gt(0).sum()],
      backward: (_, g, count) => {
        expect(count.dtype).toBe("int32");
        return g.mul(2);
      },
    });
    const x = leaf(1, -1);
    const [y, count] = withCount(x);
    expect([count.requiresGrad, listOf(count)]).toEqual([false, 1]);
    y.sum().backward();
    expect(listOf(x.grad)).toEqual([2, 2]);
  });
});

describe("the forward pass", () => {
  test("is not recorded, and neither is a call under noGrad", () => {
    const inside: boolean[] = [];
    const watched = autograd.customOp({
      name: "watched",
      forward: (x: Tensor) => {
        const y = x.mul(2);
        inside.push(y.requiresGrad);
        return y;
      },
      backward: (_, g) => g,
    });
    const x = leaf(1);
    expect([watched(x).requiresGrad, noGrad(() => watched(x)).requiresGrad, watched(ones([1])).requiresGrad]).toEqual([
      true,
      false,
      false,
    ]);
    expect(inside).toEqual([false, false, false]);
  });

  test("may give back its argument, or a tensor of the user's, which get no history", () => {
    const constant = tensor([9]);
    const odd = autograd.customOp({
      name: "odd",
      forward: (x: Tensor) => [x, constant],
      backward: (_, byX) => byX.mul(7),
    });
    const x = leaf(1);
    const [same, nine] = odd(x);
    expect([x.isLeaf, constant.requiresGrad, listOf(nine)]).toEqual([true, false, [9]]);
    same.backward();
    expect(listOf(x.grad)).toEqual([7]);
  });

  test("leaves nothing behind but its outputs and what was saved", () => {
    const x = ones([LARGE], { requiresGrad: true });
    const before = memoryStats().tensors;
    const y = scaledExp(x, 2);
    expect(memoryStats().tensors).toBe(before + 1);
    y.sum().backward();
    const step = (): void => {
      scaledExp(x, 2).sum().backward();
      polar(x, x)[0].sum().backward();
    };
    step();
    const { tensors } = memoryStats();
    for (let turn = 0; turn < 5; turn++) step();
    expect(memoryStats().tensors).toBeLessThanOrEqual(tensors);
  });
});

describe("what users do wrong", () => {
  test.each<readonly [string, (g: Tensor) => unknown, new (message: string) => Error, string]>([
    [
      "too few gradients",
      (g) => [g],
      ArgumentError,
      "backward of mine: got 1 gradients; expected 2, one for each argument of forward. Return null for those that have none.",
    ],
    ["nothing", () => undefined, ArgumentError, "backward of mine: got 1 gradients; expected 2"],
    ["a number", () => [1, null], ArgumentError, "backward of mine, gradient 0: got 1; expected a tensor or null."],
    [
      "a promise",
      () => [Promise.resolve(), null],
      ArgumentError,
      "backward of mine, gradient 0: got a promise; expected a tensor or null.",
    ],
    [
      "a gradient for what is no tensor",
      (g) => [g, g],
      ArgumentError,
      "backward of mine, gradient 1: got a tensor for an argument that is 3; expected null.",
    ],
    [
      "another shape",
      (g) => [g.sum(), null],
      ShapeError,
      "backward of mine, gradient 0: got shape []; expected the argument's shape [2]. Sum over what was broadcast, or reshape.",
    ],
    [
      "another dtype",
      (g) => [g.double(), null],
      DTypeError,
      'backward of mine, gradient 0: got float64 on "cpu"; expected the argument\'s float32 on "cpu".',
    ],
    [
      "the output's gradient, changed in place",
      (g) => [g.mul_(2), null],
      AutogradError,
      "backward of mine: got a backward that changes the gradient of an output in place;",
    ],
  ])("%s", (_, backward, kind, text) => {
    const run = (): void => op(backward)(leaf(1, 2), 3).backward(tensor([1, 1]));
    expect(run).toThrow(kind);
    expect(run).toThrow(text);
  });

  test("a saved tensor that was changed in place since", () => {
    const x = tensor([1, 2]);
    const weight = leaf(3, 4);
    const product = autograd.customOp({
      name: "product",
      forward: (a: Tensor, b: Tensor) => a.mul(b),
      setupContext: ([a]) => ({ a }),
      backward: ({ a }, g) => [null, g.mul(a)],
    });
    const y = product(x, weight).sum();
    x.add_(1);
    expect(() => y.backward()).toThrow(
      "backward of product: got a saved tensor of shape [2] at version 1; expected version 0",
    );
  });

  test("an argument that forward changes, arguments in an array, and results that are no tensors", () => {
    const inPlace = autograd.customOp({ name: "inPlace", forward: (x: Tensor) => x.mul_(2), backward: (_, g) => g });
    expect(() => inPlace(ones([1]))).toThrow("inPlace: got a forward that changes argument 0 in place;");
    const list = autograd.customOp({
      name: "list",
      forward: (_: Tensor, xs: readonly Tensor[]) => xs[0] ?? zeros([1]),
      backward: (_, g) => [g, null],
    });
    expect(() => list(leaf(1), [leaf(2)])).toThrow("list: got an array as argument 1 with tensors that require grad;");
    const wrong = (result: unknown): (() => unknown) => {
      const odd = autograd.customOp({ name: "odd", forward: (_: Tensor) => result as Tensor, backward: (_, g) => g });
      return () => odd(leaf(1));
    };
    expect(wrong([])).toThrow("odd: got an empty array from forward; expected a tensor or an array of tensors.");
    expect(wrong(Promise.resolve(1))).toThrow("odd: got a promise from forward;");
    expect(wrong(undefined)).toThrow("odd: got undefined from forward;");
  });

  test("a definition without a part, and a context that is none", () => {
    expect(() => autograd.customOp({ name: "half", forward: (x: Tensor) => x } as never)).toThrow(
      "customOp half: got undefined as backward; expected a function. Give both forward and backward.",
    );
    expect(() => autograd.customOp({ name: "" } as never)).toThrow(
      'customOp: got the name ""; expected what the op is called.',
    );
    const bare = autograd.customOp({
      name: "bare",
      forward: (x: Tensor) => x.mul(1),
      setupContext: ([x]) => x,
      backward: (_, g) => g,
    });
    expect(() => bare(leaf(1))).toThrow(
      "bare: got a tensor from setupContext; expected a plain object. Give what backward needs by name: ({ x }).",
    );
  });
});
