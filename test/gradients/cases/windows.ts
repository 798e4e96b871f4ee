import "../../../src/tensor/methods.js";
import type { GradCase } from "../gradCase.js";

export const cases: GradCase[] = [
  { op: "unfold", name: "defaults", shapes: [[2, 2, 3, 4]], fn: (x) => x.unfold([2, 3]) },
  {
    op: "unfold",
    name: "everything",
    shapes: [[1, 2, 4, 5]],
    fn: (x) => x.unfold([2, 3], { dilation: [2, 1], padding: [1, 2], stride: [2, 3] }).square(),
  },
  { op: "unfold", name: "one image", shapes: [[1, 3, 3]], fn: (x) => x.unfold(2, { padding: 1 }) },
  { op: "unfold", name: "transposed", shapes: [[1, 1, 3, 4]], fn: (x) => x.transpose(2, 3).unfold(2) },
  { op: "fold", name: "defaults", shapes: [[2, 12, 4]], fn: (x) => x.fold([3, 4], [2, 3]) },
  {
    op: "fold",
    name: "everything",
    shapes: [[1, 12, 6]],
    fn: (x) => x.fold([4, 5], [2, 3], { dilation: [2, 1], padding: [1, 2], stride: [2, 3] }).square(),
  },
  { op: "fold", name: "one image", shapes: [[4, 16]], fn: (x) => x.fold(3, 2, { padding: 1 }) },
];
