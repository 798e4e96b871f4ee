import "../../../src/tensor/methods.js";
import { cat, stack } from "../../../src/tensor/ops/joining.js";
import type { GradCase } from "../gradCase.js";

export const cases: GradCase[] = [
  {
    op: "cat",
    name: "last axis",
    shapes: [
      [2, 3],
      [2, 1],
      [2, 2],
    ],
    fn: (a, b, c) => cat([a, b, c], -1).square(),
  },
  {
    op: "cat",
    name: "transposed, and one of them twice",
    shapes: [
      [2, 3],
      [2, 2],
    ],
    fn: (a, b) => cat([b, a.transpose(0, 1), b]).square(),
  },
  { op: "cat", name: "with an empty one", shapes: [[0], [2, 2]], fn: (a, b) => cat([a, b], 1).square() },
  {
    op: "stack",
    name: "first axis",
    shapes: [
      [2, 2],
      [2, 2],
    ],
    fn: (a, b) => stack([a, b.transpose(0, 1)]).square(),
  },
  {
    op: "stack",
    name: "new last axis",
    shapes: [
      [2, 3],
      [2, 3],
    ],
    fn: (a, b) => stack([a, b, a], -1).square(),
  },
  { op: "stack", name: "scalars", shapes: [[], []], fn: (a, b) => stack([a, b]).square() },
];
