import "../../../src/tensor/methods.js";
import type { GradCase } from "../gradCase.js";

export const cases: GradCase[] = [
  { op: "pad", name: "constant", shapes: [[2, 3]], fn: (x) => x.pad([1, 2, 0, 1], "constant", 0.5).square() },
  { op: "pad", name: "constant, cutting off", shapes: [[3, 4]], fn: (x) => x.pad([-1, 1, 1, -2]).square() },
  { op: "pad", name: "reflect, one axis", shapes: [[1, 4]], fn: (x) => x.pad([3, 2], "reflect").square() },
  { op: "pad", name: "reflect, two axes", shapes: [[1, 3, 4]], fn: (x) => x.pad([1, 2, 2, 0], "reflect").square() },
  { op: "pad", name: "reflect, cutting off", shapes: [[1, 4]], fn: (x) => x.pad([2, -1], "reflect").square() },
  { op: "pad", name: "replicate, one axis", shapes: [[2, 3]], fn: (x) => x.pad([4, 1], "replicate").square() },
  {
    op: "pad",
    name: "replicate, three axes",
    shapes: [[1, 2, 2, 2]],
    fn: (x) => x.pad([1, 0, 1, 2, 0, 2], "replicate").square(),
  },
  { op: "pad", name: "circular, cutting off", shapes: [[1, 4]], fn: (x) => x.pad([-1, 3], "circular").square() },
  { op: "pad", name: "circular, one axis", shapes: [[2, 3]], fn: (x) => x.pad([3, 1], "circular").square() },
  {
    op: "pad",
    name: "circular, two axes, transposed",
    shapes: [[3, 2, 1]],
    fn: (x) => x.transpose(0, 2).pad([2, 1, 0, 2], "circular").square(),
  },
];
