import "../../../src/tensor/methods.js";
import { tensor } from "../../../src/tensor/create.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import type { GradCase } from "../gradCase.js";

function places(rows: number[][]): Tensor {
  return tensor(rows, { dtype: "int32" });
}

export const cases: GradCase[] = [
  {
    op: "gather",
    name: "repeats along axis 1",
    shapes: [[2, 3]],
    fn: (x) =>
      x
        .gather(
          1,
          places([
            [0, 2, 2, 0],
            [1, 1, 1, 0],
          ]),
        )
        .square(),
  },
  {
    op: "gather",
    name: "axis 0, part of axis 1",
    shapes: [[3, 3]],
    fn: (x) =>
      x
        .gather(
          0,
          places([
            [2, 0],
            [2, 1],
          ]),
        )
        .square(),
  },
  {
    op: "gather",
    name: "transposed",
    shapes: [[2, 3]],
    fn: (x) =>
      x
        .transpose(0, 1)
        .gather(-1, places([[1], [0], [1]]))
        .square(),
  },
  {
    op: "scatterAdd",
    name: "repeats along axis 1",
    shapes: [
      [2, 3],
      [2, 2],
    ],
    fn: (x, src) =>
      x
        .scatterAdd(
          1,
          places([
            [0, 0],
            [2, 1],
          ]),
          src,
        )
        .square(),
  },
  {
    op: "scatterAdd",
    name: "part of both",
    shapes: [
      [3, 3],
      [4, 3],
    ],
    fn: (x, src) =>
      x
        .scatterAdd(
          0,
          places([
            [2, 0],
            [2, 1],
            [0, 0],
          ]),
          src,
        )
        .square(),
  },
  {
    op: "scatterAdd_",
    name: "non-leaf",
    shapes: [
      [2, 3],
      [2, 2],
    ],
    fn: (x, src) =>
      x
        .mul(2)
        .scatterAdd_(
          1,
          places([
            [0, 0],
            [2, 1],
          ]),
          src.square(),
        )
        .square(),
  },
  {
    op: "scatterAdd_",
    name: "into itself",
    shapes: [[3]],
    fn: (x) => {
      const y = x.square();
      return y.scatterAdd_(0, tensor([1, 1], { dtype: "int32" }), y).square();
    },
  },
];
