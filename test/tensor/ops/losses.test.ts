/** Losses: what the golden values and gradient checks leave open. */
import { describe, expect, test, vi } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ShapeError } from "../../../src/errors.js";
import { tensor } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import {
  binaryCrossEntropyWithLogits,
  crossEntropy,
  l1Loss,
  mseLoss,
  nllLoss,
  type Reduction,
} from "../../../src/tensor/ops/losses.js";
import { rand, randn } from "../../../src/tensor/randomTensors.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import { type Make, type Refusal, testRefusals } from "../../support/refusals.js";

/** int32 zeros with one label of another value. */
function oneLabel(z: Make, shape: readonly number[], position: number, label: number): Tensor {
  const labels = z("int32", ...shape);
  labels.kernels.write(labels.buffer, "int32", position, Int32Array.of(label));
  return labels;
}

const refusals: readonly Refusal[] = [
  [
    "a target that would be broadcast",
    (z) => mseLoss(z(4, 1), z(4)),
    new ShapeError(
      "mseLoss: got an input of shape [4, 1] and a target of shape [4]; expected the same shape, because broadcasting would compare every element with every other. Reshape one of them.",
    ),
  ],
  [
    "targets of another shape",
    (z) => l1Loss(z(2, 3), z(3, 2)),
    new ShapeError(
      "l1Loss: got an input of shape [2, 3] and a target of shape [3, 2]; expected the same shape, because broadcasting would compare every element with every other. Reshape one of them.",
    ),
  ],
  [
    "whole numbers on both sides",
    (z) => mseLoss(z("int32", 3), z("int32", 3)),
    new DTypeError("mseLoss: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
  ],
  [
    "a reduction of another name",
    (z) => l1Loss(z(3), z(3), { reduction: "average" as Reduction }),
    new ArgumentError('l1Loss: got the reduction "average"; expected "mean", "sum" or "none". Name one of them.'),
  ],
  [
    "a label above the classes",
    (z) => crossEntropy(z(4, 10), oneLabel(z, [4], 2, 10)),
    new ArgumentError(
      "crossEntropy: got the label 10 at position 2; expected 0 to 9 for 10 classes, or the ignoreIndex -100. Correct the labels, or give the model more classes.",
    ),
  ],
  [
    "a negative label that is not to be ignored",
    (z) => nllLoss(z(2, 3, 2), oneLabel(z, [2, 2], 3, -1), { ignoreIndex: 1 }),
    new ArgumentError(
      "nllLoss: got the label -1 at position 3; expected 0 to 2 for 3 classes, or the ignoreIndex 1. Correct the labels, or give the model more classes.",
    ),
  ],
  [
    "labels that are no whole numbers",
    (z) => crossEntropy(z(4, 10), z(4)),
    new DTypeError("crossEntropy: got labels of float32 and shape [4]; expected int32. Cast them with .int()."),
  ],
  [
    "labels that are bools",
    (z) => nllLoss(z(4, 10), z("bool", 4)),
    new DTypeError("nllLoss: got labels of bool and shape [4]; expected int32. Cast them with .int()."),
  ],
  [
    "a batch of labels of another size",
    (z) => crossEntropy(z(4, 10), z("int32", 5)),
    new ShapeError(
      "crossEntropy: got labels of shape [5] for an input of shape [4, 10]; expected [4], the input's shape without its class axis. Reshape one of them.",
    ),
  ],
  [
    "labels with a class axis",
    (z) => crossEntropy(z(4, 10), z("int32", 4, 1)),
    new ShapeError(
      "crossEntropy: got labels of shape [4, 1] for an input of shape [4, 10]; expected [4], the input's shape without its class axis. Reshape one of them.",
    ),
  ],
  [
    "class probabilities of another shape",
    (z) => crossEntropy(z(4, 10), z(4, 9)),
    new ShapeError(
      "crossEntropy: got class probabilities of shape [4, 9] for an input of shape [4, 10]; expected the input's shape, or labels of int32 without the class axis. Reshape one of them, or cast labels with .int().",
    ),
  ],
  [
    "class probabilities of which one class is to be ignored",
    (z) => crossEntropy(z(4, 10), z(4, 10), { ignoreIndex: 0 }),
    new ArgumentError(
      "crossEntropy: got ignoreIndex = 0 with class probabilities; expected labels, which alone can be ignored. Leave ignoreIndex out.",
    ),
  ],
  [
    "a label smoothing above 1",
    (z) => crossEntropy(z(4, 10), z("int32", 4), { labelSmoothing: 1.1 }),
    new ArgumentError(
      "crossEntropy: got labelSmoothing = 1.1; expected 0 to 1. It is the share of the target that is spread over all classes.",
    ),
  ],
  [
    "weights for other classes",
    (z) => crossEntropy(z(4, 10), z("int32", 4), { weight: z(9) }),
    new ShapeError(
      "crossEntropy: got class weights of shape [9] for an input of shape [4, 10]; expected [10], one weight per class. Correct the number of weights.",
    ),
  ],
  [
    "weights of another dtype",
    (z) => nllLoss(z(4, 10), z("int32", 4), { weight: z("float64", 10) }),
    new DTypeError(
      'nllLoss: got class weights of float64 for an input of float32; expected one dtype. Cast them with .to("float32").',
    ),
  ],
  [
    "an input without a class axis",
    (z) => nllLoss(z(), z("int32")),
    new ShapeError("nllLoss: got an input without axes; expected [C], [N, C] or [N, C, …]. Give it a class axis."),
  ],
  [
    "logits of whole numbers",
    (z) => crossEntropy(z("int32", 4, 10), z("int32", 4)),
    new DTypeError("crossEntropy: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
  ],
  [
    "a weight that would broadcast the loss",
    (z) => binaryCrossEntropyWithLogits(z(3), z(3), { weight: z(2, 3) }),
    new ShapeError(
      "binaryCrossEntropyWithLogits: got a weight of shape [2, 3] for an input of shape [3]; expected one that broadcasts to the input's shape. Reshape the weight.",
    ),
  ],
];

describe("losses", () => {
  testRefusals(refusals);

  test("a label that is to be ignored may be outside the classes, or one of them", () => {
    const logits = tensor([
      [0, 0],
      [0, 5],
    ]);
    const labels = (...values: number[]) => tensor(values, { dtype: "int32" });
    expect(crossEntropy(logits, labels(0, 7), { ignoreIndex: 7 }).itemSync()).toBeCloseTo(Math.LN2, 6);
    expect(crossEntropy(logits, labels(0, 1), { ignoreIndex: 1 }).itemSync()).toBeCloseTo(Math.LN2, 6);
    expect(crossEntropy(logits, labels(-100, -100)).itemSync()).toBeNaN();
  });

  test("a probability of 0 that an ignored label points at does no harm", () => {
    const logits = tensor(
      [
        [Number.NEGATIVE_INFINITY, 0],
        [1, 1],
      ],
      { requiresGrad: true },
    );
    const loss = crossEntropy(logits, tensor([-100, 1], { dtype: "int32" }));
    expect(loss.itemSync()).toBeCloseTo(Math.LN2, 6);
    loss.backward();
    expect(logits.grad?.toArraySync()).toEqual([
      [0, 0],
      [0.5, -0.5],
    ]);
  });

  test("labels that are a view serve as they are", () => {
    const table = tensor(
      [
        [2, 9],
        [0, 9],
      ],
      { dtype: "int32" },
    );
    const logits = tensor([
      [1, 2, 3],
      [3, 2, 1],
    ]);
    const expected = crossEntropy(logits, tensor([2, 0], { dtype: "int32" })).itemSync();
    expect(crossEntropy(logits, table.select(1, 0)).itemSync()).toBe(expected);
  });

  test("crossEntropy with labels launches few kernels and copies nothing", () => {
    const x = randn([8, 4]).requiresGrad_();
    const names = ["copy", "softmax", "gather", "binary", "reduce", "unary", "where", "compare"] as const;
    const spies = names.map((name) => vi.spyOn(x.kernels, name));
    const loss = crossEntropy(x, tensor([0, 1, 2, 3, 0, 1, 2, 3], { dtype: "int32" }));
    expect(spies.map((spy) => spy.mock.calls.length)).toEqual([0, 1, 1, 1, 1, 0, 0, 0]);
    for (const spy of spies) spy.mockRestore();
    loss.backward();
    expect(x.grad?.sum().itemSync()).toBeCloseTo(0, 6);
  });

  test("leave nothing but their result in memory, with history and without", () => {
    const logits = randn([4, 3, 2]);
    const labels = tensor(
      [
        [0, 1],
        [2, -100],
        [1, 1],
        [0, 2],
      ],
      { dtype: "int32" },
    );
    const weight = tensor([1, 2, 3]);
    const other = randn([4, 3, 2]);
    const posWeight = tensor([2, 1]);
    const losses: readonly ((x: Tensor) => Tensor)[] = [
      (x) => mseLoss(x, other),
      (x) => l1Loss(x, other, { reduction: "none" }),
      (x) => binaryCrossEntropyWithLogits(x, other, { posWeight }),
      (x) => nllLoss(x, labels, { weight }),
      (x) => crossEntropy(x, labels, { weight, labelSmoothing: 0.1, reduction: "none" }),
      (x) => crossEntropy(x, other, { weight, labelSmoothing: 0.1 }),
    ];
    const before = memoryStats().tensors;
    for (const loss of losses) {
      const result = loss(logits);
      expect(memoryStats().tensors - before, loss.toString()).toBe(1);
      result.dispose();
      const leaf = logits.detach().requiresGrad_();
      loss(leaf).sum().backward();
      leaf.grad?.dispose();
      leaf.spent?.giveBack("in a test");
      expect(memoryStats().tensors, loss.toString()).toBe(before);
    }
  });
});

test("the loss of many logits, which go through in stretches, is that of few, and so is its gradient", () => {
  const [x, t] = [randn([70_001]).requiresGrad_(), rand([70_001])];
  const whole = x.binaryCrossEntropyWithLogits(t, { reduction: "none" });
  whole.backward(t);
  for (const [start, length] of [
    [0, 40_000],
    [40_000, 30_001],
  ] as const) {
    const part = x.detach().narrow(0, start, length).clone().requiresGrad_();
    const factors = t.narrow(0, start, length);
    const loss = part.binaryCrossEntropyWithLogits(factors, { reduction: "none" });
    loss.backward(factors);
    expect(loss.dataSync()).toEqual(whole.narrow(0, start, length).dataSync());
    expect(part.grad?.dataSync()).toEqual(x.grad?.narrow(0, start, length).dataSync());
  }
});
