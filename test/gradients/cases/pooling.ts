import "../../../src/tensor/methods.js";
import type { AvgPool2dOptions, MaxPool2dOptions } from "../../../src/tensor/ops/pooling.js";
import type { NumberOrPair } from "../../../src/tensor/window.js";
import type { GradCase } from "../gradCase.js";

const maxPools: [string, number[], NumberOrPair, MaxPool2dOptions][] = [
  ["defaults", [2, 2, 4, 4], 2, {}],
  ["overlapping, padded", [1, 2, 4, 5], [2, 3], { stride: 1, padding: 1 }],
  ["dilated", [1, 1, 5, 6], 2, { dilation: [2, 3], stride: [1, 2] }],
  ["ceil mode", [1, 1, 5, 4], [2, 3], { ceilMode: true }],
  ["one image", [2, 3, 3], 2, { stride: 1 }],
];

const avgPools: [string, number[], NumberOrPair, AvgPool2dOptions][] = [
  ["defaults", [2, 2, 4, 4], 2, {}],
  ["overlapping, padded", [1, 2, 4, 5], [2, 3], { stride: 1, padding: 1 }],
  ["padding not counted", [1, 1, 4, 5], 3, { stride: 2, padding: 1, countIncludePad: false }],
  ["ceil mode", [1, 1, 5, 4], 2, { ceilMode: true, padding: 1 }],
  ["divisor", [1, 1, 4, 4], 2, { divisorOverride: 3 }],
  ["one image", [2, 3, 3], 2, { stride: 1 }],
];

const adaptive: [string, number[], number | [number | null, number | null]][] = [
  ["even", [1, 2, 4, 6], [2, 3]],
  ["alike but overlapping", [1, 1, 5, 5], 2],
  ["uneven", [1, 2, 5, 4], [3, null]],
  ["larger than the input", [1, 1, 2, 3], [3, 4]],
  ["one image", [2, 5, 3], 2],
];

export const cases: GradCase[] = [
  ...maxPools.flatMap(([name, x, kernelSize, options]): GradCase[] => [
    { op: "maxPool2d", name, shapes: [x], fn: (x) => x.square().maxPool2d(kernelSize, options) },
    { op: "maxPool2dWithIndices", name, shapes: [x], fn: (x) => x.maxPool2dWithIndices(kernelSize, options)[0] },
  ]),
  ...avgPools.map(
    ([name, x, kernelSize, options]): GradCase => ({
      op: "avgPool2d",
      name,
      shapes: [x],
      fn: (x) => x.square().avgPool2d(kernelSize, options),
    }),
  ),
  ...adaptive.map(
    ([name, x, size]): GradCase => ({
      op: "adaptiveAvgPool2d",
      name,
      shapes: [x],
      fn: (x) => x.square().adaptiveAvgPool2d(size),
    }),
  ),
];
