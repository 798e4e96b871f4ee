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

export const cases: GradCase[] = [
  ...pairs("mseLoss"),
  ...pairs("l1Loss"),
  ...classes("nllLoss"),
  ...classes("crossEntropy"),
  ...smoothed(),
  ...binary(),
];
