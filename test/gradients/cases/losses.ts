import "../../../src/tensor/methods.js";
import { tensor } from "../../../src/tensor/create.js";
import type { Reduction } from "../../../src/tensor/ops/losses.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import type { GradCase } from "../gradCase.js";

const reductions: readonly Reduction[] = ["mean", "sum", "none"];

function labels(values: number | number[] | number[][]): Tensor {
  return tensor(values, { dtype: "int32" });
}

const positive = (value: number): number => Math.abs(value) + 0.1;

function pairs(op: "mseLoss" | "l1Loss"): GradCase[] {
  return reductions.map((reduction) => ({
    op,
    name: reduction,
    shapes: [
      [2, 3],
      [2, 3],
    ],
    fn: (a, b) => a[op](b, { reduction }),
  }));
}

function classes(op: "nllLoss" | "crossEntropy"): GradCase[] {
  return reductions.flatMap((reduction): GradCase[] => [
    { op, name: `[N, C], ${reduction}`, shapes: [[3, 4]], fn: (x) => x[op](labels([1, 3, 1]), { reduction }) },
    { op, name: `[C], ${reduction}`, shapes: [[4]], fn: (x) => x[op](labels(2), { reduction }) },
    {
      op,
      name: `[N, C, d], weights, ignored, ${reduction}`,
      shapes: [[2, 3, 2], [3]],
      domain: positive,
      fn: (x, weight) =>
        x[op](
          labels([
            [1, -100],
            [0, 1],
          ]),
          { weight, reduction },
        ),
    },
  ]);
}

function smoothed(): GradCase[] {
  return reductions.flatMap((reduction): GradCase[] => [
    {
      op: "crossEntropy",
      name: `smoothing, weights, ignored, ${reduction}`,
      shapes: [[3, 4], [4]],
      domain: positive,
      fn: (x, weight) => x.crossEntropy(labels([1, -100, 3]), { weight, reduction, labelSmoothing: 0.2 }),
    },
    {
      op: "crossEntropy",
      name: `probabilities, smoothing, weights, ${reduction}`,
      shapes: [[2, 3, 2], [2, 3, 2], [3]],
      fn: (x, target, weight) => x.crossEntropy(target, { weight, reduction, labelSmoothing: 0.2 }),
    },
  ]);
}

function binary(): GradCase[] {
  const op = "binaryCrossEntropyWithLogits";
  return reductions.flatMap((reduction): GradCase[] => [
    {
      op,
      name: reduction,
      shapes: [
        [2, 3],
        [2, 3],
      ],
      fn: (x, t) => x.mul(3).binaryCrossEntropyWithLogits(t, { reduction }),
    },
    {
      op,
      name: `weights, ${reduction}`,
      shapes: [[2, 3], [2, 3], [3], [2, 1]],
      fn: (x, t, weight, posWeight) => x.binaryCrossEntropyWithLogits(t, { weight, posWeight, reduction }),
    },
  ]);
}

const matrices = (count: number): number[][] => new Array<number[]>(count).fill([3, 4]);

/** ±1 in turn. */
function signs(count: number): Tensor {
  return tensor(
    Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 1 : -1)),
    { dtype: "float64" },
  );
}

/** The value of each loss stays clear of its bends: inputs lie in [-1, 1]. */
function others(): GradCase[] {
  const share = (value: number): number => value * 0.4 + 0.5;
  return reductions.flatMap((reduction): GradCase[] => [
    ...[0.5, 3].flatMap((bend): GradCase[] => [
      {
        op: "smoothL1Loss",
        name: `${reduction}, beta ${bend}`,
        shapes: matrices(2),
        fn: (a, b) => a.smoothL1Loss(b, { reduction, beta: bend }),
      },
      {
        op: "huberLoss",
        name: `${reduction}, delta ${bend}`,
        shapes: matrices(3),
        fn: (a, b, weight) => a.huberLoss(b, { reduction, delta: bend, weight }),
      },
    ]),
    {
      op: "binaryCrossEntropy",
      name: reduction,
      shapes: matrices(2),
      domain: share,
      fn: (a, b) => a.binaryCrossEntropy(b, { reduction }),
    },
    {
      op: "binaryCrossEntropy",
      name: `weights, ${reduction}`,
      shapes: [...matrices(2), [4]],
      domain: share,
      fn: (a, b, weight) => a.binaryCrossEntropy(b, { reduction, weight }),
    },
    { op: "klDiv", name: reduction, shapes: matrices(2), domain: share, fn: (a, b) => a.klDiv(b, { reduction }) },
    {
      op: "klDiv",
      name: `log target, ${reduction}`,
      shapes: matrices(2),
      fn: (a, b) => a.klDiv(b, { reduction, logTarget: true }),
    },
    {
      op: "cosineEmbeddingLoss",
      name: reduction,
      shapes: matrices(2),
      fn: (a, b) => a.cosineEmbeddingLoss(b, signs(3), { reduction, margin: -0.9 }),
    },
    {
      op: "marginRankingLoss",
      name: reduction,
      shapes: [[4], [4]],
      fn: (a, b) => a.marginRankingLoss(b, signs(4), { reduction, margin: 0.1 }),
    },
    {
      op: "tripletMarginLoss",
      name: reduction,
      shapes: matrices(3),
      fn: (a, b, c) => a.tripletMarginLoss(b, c, { reduction }),
    },
    {
      op: "tripletMarginLoss",
      name: `swapped, ${reduction}`,
      shapes: matrices(3),
      fn: (a, b, c) => a.tripletMarginLoss(b, c, { reduction, swap: true, p: 3 }),
    },
  ]);
}

export const cases: GradCase[] = [
  ...others(),
  {
    op: "klDiv",
    name: "batchmean",
    shapes: matrices(2),
    fn: (a, b) => a.klDiv(b.square(), { reduction: "batchmean" }),
  },
  ...pairs("mseLoss"),
  ...pairs("l1Loss"),
  ...classes("nllLoss"),
  ...classes("crossEntropy"),
  ...smoothed(),
  ...binary(),
];
