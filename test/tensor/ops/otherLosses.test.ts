/** What the losses of numbers, probabilities and distances refuse, and what they give back. */
import { describe, expect, test } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ShapeError } from "../../../src/errors.js";
import { zeroGrad } from "../../../src/tensor/backward.js";
import { tensor } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import { cosineEmbeddingLoss, marginRankingLoss, tripletMarginLoss } from "../../../src/tensor/ops/marginLosses.js";
import { binaryCrossEntropy, huberLoss, klDiv, smoothL1Loss } from "../../../src/tensor/ops/regressionLosses.js";
import { testRefusals } from "../../support/refusals.js";

describe("refusals", () => {
  testRefusals([
    [
      "a target that would be broadcast",
      (z) => smoothL1Loss(z(4, 1), z(4)),
      new ShapeError(
        "smoothL1Loss: got an input of shape [4, 1] and a target of shape [4]; expected the same shape, because broadcasting would compare every element with every other. Reshape one of them.",
      ),
    ],
    [
      "a negative beta",
      (z) => smoothL1Loss(z(2), z(2), { beta: -1 }),
      new ArgumentError(
        "smoothL1Loss: got beta = -1; expected a finite number 0 or more. It is the difference at which the parabola becomes a line.",
      ),
    ],
    [
      "a delta of 0",
      (z) => huberLoss(z(2), z(2), { delta: 0 }),
      new ArgumentError(
        "huberLoss: got delta = 0; expected a finite number above 0. It is the difference at which the parabola becomes a line.",
      ),
    ],
    [
      "a weight that does not broadcast",
      (z) => huberLoss(z(2), z(2), { weight: z(3, 2) }),
      new ShapeError(
        "huberLoss: got a weight of shape [3, 2] for an input of shape [2]; expected one that broadcasts to the input's shape. Reshape the weight.",
      ),
    ],
    [
      "a reduction that only klDiv has",
      (z) => huberLoss(z(2), z(2), { reduction: "batchmean" as "mean" }),
      new ArgumentError(
        'huberLoss: got the reduction "batchmean"; expected "mean", "sum" or "none". Name one of them.',
      ),
    ],
    [
      "a reduction of another name",
      (z) => klDiv(z(2), z(2), { reduction: "average" as "mean" }),
      new ArgumentError('klDiv: got the reduction "average"; expected "mean", "sum" or "none". Name one of them.'),
    ],
    [
      "three axes of vectors",
      (z) => cosineEmbeddingLoss(z(2, 3, 4), z(2, 3, 4), z(2, 3)),
      new ShapeError(
        "cosineEmbeddingLoss: got inputs of shape [2, 3, 4] and a target of shape [2, 3]; expected [N, D] and [N], or [D] and []. Reshape one of them.",
      ),
    ],
    [
      "one target for two vectors",
      (z) => cosineEmbeddingLoss(z(2, 3), z(2, 3), z(1)),
      new ShapeError(
        "cosineEmbeddingLoss: got inputs of shape [2, 3] and a target of shape [1]; expected [N, D] and [N], or [D] and []. Reshape one of them.",
      ),
    ],
    [
      "ranks of other shapes",
      (z) => marginRankingLoss(z(3), z(3), z(1)),
      new ShapeError(
        "marginRankingLoss: got input1 of shape [3], input2 of shape [3], target of shape [1]; expected one shape. Reshape them, or expand the smaller ones.",
      ),
    ],
    [
      "no margin",
      (z) => tripletMarginLoss(z(3), z(3), z(3), { margin: 0 }),
      new ArgumentError("tripletMarginLoss: got margin = 0; expected a finite number above 0. Correct the margin."),
    ],
    [
      "distances of numbers",
      (z) => tripletMarginLoss(z(), z(), z()),
      new ShapeError(
        "tripletMarginLoss: got inputs without axes; expected [D] or [N, D]. Give them an axis of features.",
      ),
    ],
    [
      "whole numbers",
      (z) => marginRankingLoss(z("int32", 3), z("int32", 3), z(3)),
      new DTypeError(
        "marginRankingLoss: got a tensor of int32; expected float32 or float64. Cast it with .float() first.",
      ),
    ],
    [
      "variances of another shape",
      (z) => z(4, 3).gaussianNllLoss(z(4, 3), z(3)),
      new ShapeError(
        "gaussianNllLoss: got variances of shape [3] for an input of shape [4, 3]; expected the same shape, or it without the last axis, or with extent 1 on one axis. Reshape or expand them.",
      ),
    ],
    [
      "an eps of 0",
      (z) => z(2).poissonNllLoss(z(2), { eps: 0 }),
      new ArgumentError("poissonNllLoss: got eps = 0; expected a finite number above 0. Leave it out."),
    ],
    [
      "targets of another shape",
      (z) => z(4, 1).softMarginLoss(z(4)),
      new ShapeError(
        "softMarginLoss: got an input of shape [4, 1] and a target of shape [4]; expected the same shape, because broadcasting would compare every element with every other. Reshape one of them.",
      ),
    ],
    [
      "several labels of one class",
      (z) => z().multilabelSoftMarginLoss(z()),
      new ShapeError(
        "multilabelSoftMarginLoss: got inputs without axes; expected [C] or [N, C]. Give them an axis of classes.",
      ),
    ],
    [
      "a margin of NaN",
      (z) => z(2).hingeEmbeddingLoss(z(2), { margin: Number.NaN }),
      new ArgumentError("hingeEmbeddingLoss: got margin = NaN; expected a finite number. Correct the margin."),
    ],
  ]);

  test("negative variances", () => {
    const x = tensor([0.5, 1.5]);
    expect(() => x.gaussianNllLoss(x, tensor([1, -2]))).toThrow(
      "gaussianNllLoss: got the variance -2 at position 1; expected 0 or more. Make it of what the network says with .exp() or .softplus().",
    );
  });

  test("logits in the place of probabilities", () => {
    expect(() => binaryCrossEntropy(tensor([0.5, 1.5]), tensor([0, 1]))).toThrow(
      "binaryCrossEntropy: got the input 1.5 at position 1; expected probabilities from 0 to 1. Apply sigmoid, or use binaryCrossEntropyWithLogits.",
    );
    expect(() => binaryCrossEntropy(tensor([Number.NaN]), tensor([0]))).toThrow(ArgumentError);
  });
});

test("a count of 0 has a finite slope", () => {
  const counts = tensor([0, 1, 3]).requiresGrad_();
  tensor([0.5, 0.5, 0.5]).poissonNllLoss(counts, { full: true }).backward();
  expect(counts.grad?.dataSync().every((slope) => Number.isFinite(slope))).toBe(true);
});

test("a loss and its backward pass leave nothing behind", () => {
  const made = (value: number) => tensor(new Float32Array(3000).fill(value), { shape: [30, 100] });
  const [x, y, z] = [made(0.25).requiresGrad_(), made(0.5), made(1)];
  const losses = [
    () => x.smoothL1Loss(y),
    () => x.huberLoss(y),
    () => x.binaryCrossEntropy(y),
    () => x.klDiv(y),
    () => x.tripletMarginLoss(y, z),
    () => x.poissonNllLoss(y, { full: true }),
    () => x.gaussianNllLoss(y, z),
    () => x.softMarginLoss(z),
    () => x.hingeEmbeddingLoss(z),
    () => x.multilabelSoftMarginLoss(z),
  ];
  for (const loss of losses) {
    const step = (): number => {
      zeroGrad([x]);
      loss().backward();
      return memoryStats().bytes;
    };
    for (let i = 0; i < 3; i++) step();
    const early = step();
    let late = 0;
    for (let i = 0; i < 20; i++) late = step();
    // Losses and norms of 4 KiB or less stay readable; the 12,000 bytes of an input do not.
    expect(late - early).toBeLessThan(12_000);
  }
});
