import "../../../src/tensor/methods.js";
import type { GradCase } from "../gradCase.js";

export const cases: GradCase[] = [
  { op: "flip", name: "one axis", shapes: [[2, 3]], fn: (x) => x.flip(1).mul(x) },
  {
    op: "flip",
    name: "two axes, transposed",
    shapes: [[2, 3, 2]],
    fn: (x) => x.transpose(0, 1).flip([0, -1]).square(),
  },
  { op: "roll", name: "without axes", shapes: [[2, 3]], fn: (x) => x.roll(2).mul(x) },
  { op: "roll", name: "two axes", shapes: [[3, 4]], fn: (x) => x.roll([1, -5], [0, 1]).mul(x) },
  { op: "roll", name: "an axis twice", shapes: [[4]], fn: (x) => x.roll([1, 2], [0, 0]).mul(x) },
];
