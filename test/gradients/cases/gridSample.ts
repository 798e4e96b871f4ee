import "../../../src/tensor/methods.js";
import type { GradCase } from "../gradCase.js";

export const cases: GradCase[] = [
  {
    op: "gridSample",
    name: "bilinear, zeros",
    shapes: [
      [1, 2, 3, 4],
      [1, 2, 3, 2],
    ],
    fn: (x, grid) => x.gridSample(grid.mul(1.3)),
  },
  {
    op: "gridSample",
    name: "bilinear, border, corners",
    shapes: [
      [2, 1, 3, 2],
      [2, 2, 2, 2],
    ],
    fn: (x, grid) => x.gridSample(grid.mul(1.3), { paddingMode: "border", alignCorners: true }),
  },
  {
    op: "gridSample",
    name: "nearest",
    shapes: [
      [1, 2, 3, 4],
      [1, 2, 2, 2],
    ],
    fn: (x, grid) => x.square().gridSample(grid.detach().mul(1.3), { mode: "nearest" }).add(grid.sum()),
  },
  { op: "affineGrid", name: "", shapes: [[2, 2, 3]], fn: (theta) => theta.square().affineGrid([2, 1, 2, 3]) },
  {
    op: "affineGrid",
    name: "corners",
    shapes: [[1, 2, 3]],
    fn: (theta) => theta.affineGrid([1, 4, 3, 2], { alignCorners: true }),
  },
  { op: "adaptiveAvgPool1d", name: "uneven", shapes: [[2, 2, 5]], fn: (x) => x.square().adaptiveAvgPool1d(3) },
  { op: "adaptiveMaxPool1d", name: "uneven", shapes: [[2, 5]], fn: (x) => x.square().adaptiveMaxPool1d(3) },
  {
    op: "adaptiveMaxPool1dWithIndices",
    name: "uneven",
    shapes: [[2, 5]],
    fn: (x) => x.square().adaptiveMaxPool1dWithIndices(3)[0],
  },
  { op: "channelShuffle", name: "", shapes: [[1, 6, 2]], fn: (x) => x.square().channelShuffle(2) },
];
