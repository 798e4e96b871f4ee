import "../../../src/tensor/methods.js";
import type { GradCase } from "../gradCase.js";

export const cases: GradCase[] = [
  {
    op: "bilinear",
    name: "bias",
    shapes: [[3, 2], [3, 4], [2, 2, 4], [2]],
    fn: (a, b, weight, bias) => a.bilinear(b, weight, bias),
  },
  {
    op: "bilinear",
    name: "vectors, no bias",
    shapes: [[2], [3], [2, 2, 3]],
    fn: (a, b, weight) => a.bilinear(b, weight),
  },
];
