import "../../../src/tensor/methods.js";
import type { GradCase } from "../gradCase.js";

const operands: [string, number[], number[]][] = [
  ["matrices", [2, 3], [3, 4]],
  ["two vectors", [3], [3]],
  ["matrix by vector", [2, 3], [3]],
  ["vector by matrix", [3], [3, 2]],
  ["batch by matrix", [2, 2, 3], [3, 2]],
  ["matrix by batch", [2, 3], [2, 3, 2]],
  ["batch by vector", [2, 2, 3], [3]],
  ["vector by batch", [3], [2, 3, 2]],
  ["batches that broadcast", [2, 1, 2, 3], [3, 3, 2]],
  ["nothing to add up", [2, 0], [0, 3]],
];

const layers: [string, number[][]][] = [
  ["bias", [[2, 3], [4, 3], [4]]],
  [
    "no bias",
    [
      [2, 3],
      [4, 3],
    ],
  ],
  ["one sample", [[3], [2, 3], [2]]],
  ["more axes", [[2, 2, 3], [2, 3], [2]]],
];

export const cases: GradCase[] = [
  ...operands.map(([name, a, b]): GradCase => ({ op: "matmul", name, shapes: [a, b], fn: (x, y) => x.matmul(y) })),
  { op: "matmul", name: "by its transpose", shapes: [[3, 2]], fn: (a) => a.transpose(0, 1).matmul(a) },
  { op: "matmul", name: "repeated", shapes: [[3, 1]], fn: (a) => a.expand([3, 3]).matmul(a.expand([2, 3, 3])) },
  ...layers.map(([name, shapes]): GradCase => ({ op: "linear", name, shapes, fn: (x, w, b) => x.linear(w, b) })),
  {
    op: "linear",
    name: "transposed input and weight",
    shapes: [[3, 2], [3, 4], [4]],
    fn: (x, w, b) => x.transpose(0, 1).linear(w.transpose(0, 1), b),
  },
];
