import "../../../src/tensor/methods.js";
import { tensor } from "../../../src/tensor/create.js";
import type { GradCase } from "../gradCase.js";

const rows = (values: number[][]) => tensor([values], { dtype: "int32" });

export const cases: GradCase[] = [
  {
    op: "conv1d",
    name: "everything",
    shapes: [[2, 2, 6], [4, 1, 2], [4]],
    fn: (x, w, b) => x.conv1d(w, b, { stride: 2, padding: 1, dilation: 2, groups: 2 }),
  },
  {
    op: "conv1d",
    name: "same, one sequence",
    shapes: [
      [2, 4],
      [1, 2, 3],
    ],
    fn: (x, w) => x.conv1d(w, null, { padding: "same" }),
  },
  {
    op: "convTranspose1d",
    name: "everything",
    shapes: [[2, 2, 3], [2, 2, 3], [2]],
    fn: (x, w, b) => x.convTranspose1d(w, b, { stride: 2, padding: 1, outputPadding: 1 }),
  },
  {
    op: "maxPool1d",
    name: "overlapping",
    shapes: [[2, 7]],
    fn: (x) => x.square().maxPool1d(3, { stride: 2, padding: 1 }),
  },
  {
    op: "avgPool1d",
    name: "overlapping",
    shapes: [[2, 1, 7]],
    fn: (x) => x.square().avgPool1d(3, { stride: 2, ceilMode: true }),
  },
  { op: "adaptiveMaxPool2d", name: "even", shapes: [[1, 4, 4]], fn: (x) => x.square().adaptiveMaxPool2d(2) },
  { op: "adaptiveMaxPool2d", name: "uneven", shapes: [[1, 2, 4, 5]], fn: (x) => x.square().adaptiveMaxPool2d([3, 2]) },
  {
    op: "interpolate",
    name: "nearest",
    shapes: [[1, 2, 3, 2]],
    fn: (x) => x.square().interpolate({ scaleFactor: 1.5 }),
  },
  {
    op: "interpolate",
    name: "bilinear",
    shapes: [[1, 2, 3, 2]],
    fn: (x) => x.square().interpolate({ size: [5, 3], mode: "bilinear" }),
  },
  {
    op: "interpolate",
    name: "linear, corners aligned",
    shapes: [[1, 2, 5]],
    fn: (x) => x.square().interpolate({ size: 3, mode: "linear", alignCorners: true }),
  },
  {
    op: "interpolate",
    name: "bicubic",
    shapes: [[1, 2, 3, 2]],
    fn: (x) => x.square().interpolate({ size: [5, 3], mode: "bicubic" }),
  },
  {
    op: "interpolate",
    name: "area of a sequence",
    shapes: [[1, 2, 5]],
    fn: (x) => x.square().interpolate({ size: 3, mode: "area" }),
  },
  {
    op: "adaptiveMaxPool2dWithIndices",
    name: "even",
    shapes: [[1, 4, 4]],
    fn: (x) => x.square().adaptiveMaxPool2dWithIndices(2)[0],
  },
  {
    op: "adaptiveMaxPool2dWithIndices",
    name: "uneven",
    shapes: [[1, 2, 4, 5]],
    fn: (x) => x.square().adaptiveMaxPool2dWithIndices([3, 2])[0],
  },
  { op: "pixelShuffle", name: "", shapes: [[4, 2, 3]], fn: (x) => x.square().pixelShuffle(2) },
  {
    op: "pixelUnshuffle",
    name: "of a permuted image",
    shapes: [[1, 2, 4, 2]],
    fn: (x) => x.square().transpose(2, 3).pixelUnshuffle(2),
  },
  {
    op: "maxUnpool2d",
    name: "",
    shapes: [[1, 2, 2]],
    fn: (x) =>
      x.square().maxUnpool2d(
        rows([
          [5, 2],
          [8, 15],
        ]),
        2,
      ),
  },
];
