import "../../../src/tensor/methods.js";
import { tensor } from "../../../src/tensor/create.js";
import { einsum } from "../../../src/tensor/ops/joining.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import type { GradCase } from "../gradCase.js";

const places = (values: number[] | number[][]): Tensor => tensor(values, { dtype: "int32" });
const mask = (): Tensor => tensor([true, false, true]);

export const cases: GradCase[] = [
  { op: "split", name: "sizes", shapes: [[2, 5]], fn: (x) => x.square().split([2, 0, 3], 1) },
  { op: "chunk", name: "uneven", shapes: [[5, 2]], fn: (x) => x.square().chunk(2) },
  { op: "unbind", name: "columns", shapes: [[2, 3]], fn: (x) => x.square().unbind(1) },
  { op: "repeat", name: "axes in front", shapes: [[2, 3]], fn: (x) => x.square().repeat([2, 1, 2]) },
  { op: "tile", name: "one count", shapes: [[2, 3]], fn: (x) => x.square().tile([2]) },
  { op: "unflatten", name: "", shapes: [[2, 6]], fn: (x) => x.square().unflatten(1, [2, 3]) },
  { op: "t", name: "matrix", shapes: [[2, 3]], fn: (x) => x.square().t() },
  {
    op: "expandAs",
    name: "row",
    shapes: [
      [1, 3],
      [2, 3],
    ],
    fn: (x, y) => x.square().expandAs(y),
  },
  { op: "viewAs", name: "", shapes: [[2, 3], [6]], fn: (x, y) => x.square().viewAs(y) },
  { op: "reshapeAs", name: "of a transpose", shapes: [[2, 3], [6]], fn: (x, y) => x.square().t().reshapeAs(y) },
  { op: "movedim", name: "", shapes: [[2, 3, 2]], fn: (x) => x.square().movedim(0, 2) },
  { op: "tril", name: "", shapes: [[2, 3, 3]], fn: (x) => x.square().tril(-1) },
  { op: "triu", name: "", shapes: [[3, 4]], fn: (x) => x.square().triu(1) },
  { op: "diagonal", name: "above", shapes: [[3, 4]], fn: (x) => x.square().diagonal(1) },
  {
    op: "diagonal",
    name: "of a permuted batch",
    shapes: [[3, 2, 4]],
    fn: (x) => x.transpose(0, 1).diagonal(-1, 1, 2).square(),
  },
  { op: "maskedFill", name: "number, broadcast", shapes: [[2, 3]], fn: (x) => x.square().maskedFill(mask(), 2) },
  { op: "maskedFill", name: "tensor", shapes: [[2, 3], []], fn: (x, v) => x.maskedFill(mask(), v).square() },
  { op: "indexSelect", name: "repeats", shapes: [[3, 2]], fn: (x) => x.square().indexSelect(0, places([2, 0, 2])) },
  {
    op: "scatter",
    name: "tensor",
    shapes: [
      [3, 2],
      [2, 3],
    ],
    fn: (x, src) =>
      x
        .scatter(
          0,
          places([
            [2, 0],
            [0, 1],
          ]),
          src,
        )
        .square(),
  },
  ...(["add", "multiply"] as const).map((reduce) => ({
    op: "scatter",
    name: `${reduce}, places named twice`,
    shapes: [
      [3, 2],
      [3, 2],
    ],
    fn: (x: Tensor, src: Tensor) =>
      x.square().scatter(
        0,
        places([
          [0, 2],
          [0, 2],
          [1, 2],
        ]),
        src,
        { reduce },
      ),
  })),
  { op: "scatter", name: "number", shapes: [[2, 3]], fn: (x) => x.square().scatter(1, places([[2], [0]]), 5) },
  {
    op: "mm",
    name: "",
    shapes: [
      [2, 3],
      [3, 2],
    ],
    fn: (a, b) => a.mm(b),
  },
  {
    op: "bmm",
    name: "",
    shapes: [
      [2, 2, 3],
      [2, 3, 1],
    ],
    fn: (a, b) => a.bmm(b),
  },
  { op: "dot", name: "", shapes: [[3], [3]], fn: (a, b) => a.dot(b) },
  { op: "outer", name: "", shapes: [[2], [3]], fn: (a, b) => a.outer(b) },
  {
    op: "einsum",
    name: "a batch of products",
    shapes: [
      [2, 2, 3],
      [2, 3, 2],
    ],
    fn: (a, b) => einsum("bij,bjk->bki", a, b),
  },
  {
    op: "einsum",
    name: "three operands, a diagonal",
    shapes: [[2, 3], [2, 2], [3]],
    fn: (a, b, c) => einsum("ij,ii,j->i", a, b, c),
  },
  { op: "einsum", name: "further axes", shapes: [[2, 1, 2], [3]], fn: (a, b) => einsum("...i,j->...j", a, b) },
];
