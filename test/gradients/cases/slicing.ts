import "../../../src/tensor/methods.js";
import type { GradCase } from "../gradCase.js";

export const cases: GradCase[] = [
  { op: "narrow", name: "inner axis", shapes: [[2, 5]], fn: (x) => x.narrow(1, 1, 3).square() },
  {
    op: "narrow",
    name: "from the end, transposed",
    shapes: [[4, 2]],
    fn: (x) => x.transpose(0, 1).narrow(-1, -2, 2).square(),
  },
  { op: "narrow", name: "empty", shapes: [[3]], fn: (x) => x.narrow(0, 1, 0).sum().add(x.sum()) },
  { op: "select", name: "middle axis", shapes: [[2, 3, 2]], fn: (x) => x.select(1, -1).square() },
  { op: "select", name: "to a scalar", shapes: [[3]], fn: (x) => x.select(0, 1).square() },
  {
    op: "slice",
    name: "index, range, step",
    shapes: [[2, 5, 6]],
    fn: (x) => x.slice(1, [1, -1], [null, null, 2]).square(),
  },
  {
    op: "slice",
    name: "step and offset, permuted",
    shapes: [[5, 4]],
    fn: (x) => x.permute([1, 0]).slice([1], [1, null, 3]).square(),
  },
  { op: "slice", name: "rows that meet", shapes: [[4]], fn: (x) => x.slice([0, 3]).mul(x.slice([1, 4])) },
  {
    op: "asStrided",
    name: "windows of 3×3",
    shapes: [[5, 5]],
    fn: (x) => x.asStrided([3, 3, 3, 3], [5, 1, 5, 1]).square(),
  },
  { op: "asStrided", name: "overlap of one axis", shapes: [[6]], fn: (x) => x.asStrided([4, 3], [1, 1]).square() },
  {
    op: "asStrided",
    name: "repeated and apart, with an offset",
    shapes: [[8]],
    fn: (x) => x.asStrided([2, 3, 2], [3, 0, 2], 1).square(),
  },
  { op: "asStrided", name: "as many as there are", shapes: [[2, 3]], fn: (x) => x.asStrided([3, 2], [1, 3]).square() },
  {
    op: "asStrided",
    name: "of a transposed slice",
    shapes: [[4, 3]],
    fn: (x) => x.square().transpose(0, 1).slice([1], [1]).asStrided([2, 2, 2], [3, 3, 1], 4),
  },
  {
    op: "asStrided",
    name: "of an expanded tensor",
    shapes: [[3, 1]],
    fn: (x) => x.square().expand([3, 4]).asStrided([2, 2], [1, 1]),
  },
  { op: "asStrided", name: "to a scalar", shapes: [[3]], fn: (x) => x.asStrided([], [], 2).square() },
];
