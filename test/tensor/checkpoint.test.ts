/** Segments that are computed again in the backward pass: the same gradients, with less memory. */
import { beforeEach, describe, expect, test } from "vitest";
import {
  AutogradError,
  autograd,
  checkpoint,
  grad,
  manualSeed,
  memoryStats,
  nn,
  noGrad,
  ones,
  optim,
  rand,
  randn,
  resetPeakMemory,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { createReferenceKernels } from "../../src/kernels/reference/index.js";
import { registerKernels } from "../../src/tensor/device.js";

// Whoever reads memory that was given back reads NaN.
beforeEach(() => registerKernels("cpu", createReferenceKernels({ poison: true })));

const listOf = (x: Tensor | null | undefined): unknown => x?.toArraySync();

type Run = <A extends readonly unknown[], R>(fn: (...inputs: A) => R, ...inputs: A) => R;
const plain: Run = (fn, ...inputs) => fn(...inputs);

/** The loss, what comes next from the generator, and all gradients of a CNN whose parts are run by `run`. */
function train(run: Run): unknown {
  manualSeed(5);
  const first = new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1 }),
    new nn.GroupNorm(2, 4),
    new nn.GELU(),
    new nn.MaxPool2d(2),
    new nn.Dropout(0.5),
  );
  const second = new nn.Sequential(new nn.Flatten(), new nn.Linear(64, 16), new nn.Tanh(), new nn.Dropout(0.2));
  const head = new nn.Linear(16, 3);
  const x = randn([2, 1, 8, 8], { requiresGrad: true });
  const hidden = run((images: Tensor) => first.forward(images), x);
  const features = run((h: Tensor) => second.forward(h).relu_(), hidden);
  const loss = nn.functional.crossEntropy(head.forward(features), tensor([0, 2], { dtype: "int32" }));
  const next = rand([1]);
  loss.backward();
  const parameters = [first, second, head].flatMap((module) => module.parameters());
  return [loss, next, rand([1]), x.grad, ...parameters.map((parameter) => parameter.grad)].map(listOf);
}

/** A chain of `depth` layers, each a segment if `run` makes it one; gives the peak of memory. */
function peakOf(depth: number, run: Run): number {
  const weight = ones([4000], { requiresGrad: true });
  resetPeakMemory();
  const before = memoryStats().bytes;
  let y: Tensor = weight;
  for (let layer = 0; layer < depth; layer++) {
    y = run((h: Tensor) => h.mul(weight).sin().mul(weight).cos().mul(weight).tanh(), y);
  }
  y.sum().backward();
  weight.grad = null;
  return memoryStats().peakBytes - before;
}

describe("checkpoint", () => {
  test("gives the same loss, gradients and random numbers, to the bit", () => {
    expect(train(checkpoint)).toEqual(train(plain));
  });

  test("nested segments, too", () => {
    const nested: Run = (fn, ...inputs) =>
      checkpoint((...outer) => checkpoint((...inner) => fn(...inner), ...outer), ...inputs);
    expect(train(nested)).toEqual(train(plain));
  });

  test("keeps a segment's input alone: the peak falls, and nothing stays", () => {
    const unit = 4 * 4000;
    const [without, within] = [peakOf(10, plain), peakOf(10, checkpoint)];
    expect(without).toBeGreaterThan(45 * unit);
    expect(within).toBeLessThan(25 * unit);
    const weight = ones([4000], { requiresGrad: true });
    const optimizer = new optim.SGD([weight], { lr: 0.1 });
    const step = (): void => {
      optimizer.zeroGrad();
      checkpoint((x: Tensor) => checkpoint((h: Tensor) => h.sin().cos(), x.mul(2)).tanh(), weight)
        .sum()
        .backward();
      optimizer.step();
    };
    for (let turn = 0; turn < 3; turn++) step();
    const { tensors, bytes } = memoryStats();
    for (let turn = 0; turn < 5; turn++) step();
    expect(memoryStats()).toMatchObject({ tensors, bytes });
  });

  test("runs the function twice, once under noGrad", () => {
    let calls = 0;
    const x = tensor([1, 2], { requiresGrad: true });
    const fn = (a: Tensor): Tensor => {
      calls++;
      return a.sin().cos();
    };
    noGrad(() => checkpoint(fn, x));
    expect(calls).toBe(1);
    const y = checkpoint(fn, x).sum();
    expect(calls).toBe(2);
    y.backward();
    expect(calls).toBe(3);
  });

  test("several outputs, arguments that are no tensors, and weights that the function finds by itself", () => {
    const both = (run: Run): unknown => {
      const x = tensor([0.5, -0.5], { requiresGrad: true });
      const weight = tensor([2, 3], { requiresGrad: true });
      const { a, list } = run((h: Tensor, k: number) => ({ a: h.mul(weight).exp(), list: [h.sin().mul(k)] }), x, 4);
      a.add(list[0] as Tensor)
        .square()
        .sum()
        .backward();
      return [x.grad, weight.grad].map(listOf);
    };
    expect(both(checkpoint)).toEqual(both(plain));
  });

  test("first and second derivatives", () => {
    const x = tensor([0.3, -0.7], { dtype: "float64", requiresGrad: true });
    const w = tensor([1.5, 0.5], { dtype: "float64", requiresGrad: true });
    const fn = (a: Tensor, b: Tensor): Tensor => checkpoint((h: Tensor) => h.mul(b).sin().mul(h).exp(), a.mul(b));
    expect(autograd.gradcheck(fn, [x, w])).toBe(true);
    expect(autograd.gradgradcheck(fn, [x, w])).toBe(true);
  });

  test("retainGraph, a second pass, and gradients of a part", () => {
    const x = tensor([0.5], { requiresGrad: true });
    const [a, b] = checkpoint((h: Tensor) => [h.sin().exp(), h.cos().exp()] as const, x);
    const [byA] = grad(a, x, { retainGraph: true });
    expect(listOf(grad(a, x, { retainGraph: true })[0])).toEqual(listOf(byA));
    const y = tensor([0.5], { requiresGrad: true });
    const [byB] = grad(y.cos().exp(), y);
    expect(listOf(grad(b, x)[0])).toEqual(listOf(byB));
    expect(listOf(grad(a, x)[0])).toEqual(listOf(byA));
    expect(() => grad(a, x)).toThrow("got a graph that a backward pass has already gone through");
  });

  test("what came in between is given back with it, and says so; small tensors stay readable", () => {
    const seen: Tensor[] = [];
    const x = ones([2000], { requiresGrad: true });
    checkpoint((h: Tensor) => {
      const inner = h.sin();
      seen.push(inner, inner.sum());
      return inner.cos();
    }, x);
    expect(() => seen[0]?.dataSync()).toThrow("made by sin and given back at the end of checkpoint()");
    expect(seen[1]?.itemSync()).toBeCloseTo(2000 * Math.sin(1), 1);
  });

  test("an input that was changed in place is noticed", () => {
    const x = tensor([1, 2]);
    const weight = tensor([3, 4], { requiresGrad: true });
    const y = checkpoint((h: Tensor) => h.mul(weight).sin(), x).sum();
    x.add_(1);
    expect(() => y.backward()).toThrow(
      "backward of checkpoint: got a saved tensor of shape [2] at version 1; expected version 0",
    );
  });

  test("a function that computes something else the second time is told so, and the generator is as it was", () => {
    let calls = 0;
    const x = tensor([1, 2], { requiresGrad: true });
    const longer = checkpoint((h: Tensor) => (calls++ === 0 ? h.sin().cos() : h.sin().sin().sin().cos()), x).sum();
    manualSeed(1);
    expect(() => longer.backward()).toThrow(AutogradError);
    const next = listOf(rand([1]));
    manualSeed(1);
    expect(next).toEqual(listOf(rand([1])));
    calls = 0;
    const other = checkpoint((h: Tensor) => h.exp().mul(calls++ === 0 ? h.sin() : h.sum()), x).sum();
    expect(() => other.backward()).toThrow(
      "checkpoint: got float32 of shape [] for float32 of shape [2] of mul to save when the function ran again; expected the 3 tensors that it saved when it ran first. " +
        "Let it compute the same each time: no counters, no caches, no generators of its own.",
    );
  });

  test("an asynchronous function is refused", () => {
    expect(() => checkpoint(async () => 1)).toThrow(
      "checkpoint: got an asynchronous function; expected a synchronous one",
    );
    expect(() => noGrad(() => checkpoint(async () => 1))).toThrow("checkpoint: got an asynchronous function");
  });
});
