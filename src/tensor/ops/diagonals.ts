/** Diagonals of matrices, and what lies above or below them. Diagonal k begins at column k, or at row −k. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { newTypedArray } from "../../kernels/dtype.js";
import { composite } from "../scopes.js";
import { at, formatShape, normalizeAxis } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { asStrided } from "./asStrided.js";
import { sum } from "./broadcast.js";
import { viewOf } from "./layout.js";
import { where } from "./where.js";

/**
 * The last two axes with 0 above diagonal `diagonal`, in a copy.
 *
 * @throws ShapeError where there are fewer than two axes.
 * @throws ArgumentError where the diagonal is no whole number.
 * @see https://pytorch.org/docs/stable/generated/torch.tril.html
 */
export function tril(x: Tensor, diagonal = 0): Tensor {
  return triangle("tril", x, diagonal, (place) => place <= diagonal);
}

/**
 * The last two axes with 0 below diagonal `diagonal`, in a copy.
 *
 * @throws ShapeError where there are fewer than two axes.
 * @throws ArgumentError where the diagonal is no whole number.
 * @see https://pytorch.org/docs/stable/generated/torch.triu.html
 */
export function triu(x: Tensor, diagonal = 0): Tensor {
  return triangle("triu", x, diagonal, (place) => place >= diagonal);
}

function triangle(name: string, x: Tensor, diagonal: number, keeps: (diagonal: number) => boolean): Tensor {
  commonKernels(name, x);
  checkMatrices(name, x);
  checkDiagonal(name, diagonal);
  return composite(() => {
    const mask = bandOf(x, at(x.shape, x.ndim - 2), at(x.shape, x.ndim - 1), keeps);
    return where(mask, x, zeroOf(x));
  });
}

/**
 * A bool matrix on the device of `x` that is alike along each diagonal, of which number 0 is the main one and 1 the one above it: a
 * view of its last row and, before that, its first column, in which each row begins a place before the last.
 */
export function bandOf(x: Tensor, rows: number, columns: number, test: (diagonal: number) => boolean): Tensor {
  const values = newTypedArray("bool", Math.max(rows + columns - 1, 0));
  for (let place = 0; place < values.length; place++) values[place] = test(place - rows + 1) ? 1 : 0;
  const diagonals = Tensor.allocate([values.length], "bool", x.device, "mask");
  diagonals.kernels.write(diagonals.buffer, "bool", 0, values);
  const mask = viewOf(diagonals, [rows, columns], [-1, 1], Math.max(rows - 1, 0), "mask");
  diagonals.dispose();
  return mask;
}

/** 0 in the dtype of `x`: of a plain number whole tensors would take another. */
function zeroOf(x: Tensor): Tensor {
  const zero = Tensor.allocate([], x.dtype, x.device, "zero");
  zero.kernels.fill(zero, 0);
  return zero;
}

/**
 * A view of a diagonal of the matrices in two axes, as a last axis in place of both.
 *
 * @throws ShapeError where an axis is out of range, or both are one.
 * @throws ArgumentError where the offset is no whole number.
 * @see https://pytorch.org/docs/stable/generated/torch.diagonal.html
 */
export function diagonal(x: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor {
  commonKernels("diagonal", x);
  checkMatrices("diagonal", x);
  checkDiagonal("diagonal", offset);
  const [rowAxis, columnAxis] = [normalizeAxis("diagonal", dim1, x.ndim), normalizeAxis("diagonal", dim2, x.ndim)];
  if (rowAxis === columnAxis) {
    throw new ShapeError(
      `diagonal: got axis ${rowAxis} twice for shape ${formatShape(x.shape)}; expected two different ones. Correct dim1 or dim2.`,
    );
  }
  const [rows, columns] = [at(x.shape, rowAxis), at(x.shape, columnAxis)];
  const [rowStride, columnStride] = [at(x.strides, rowAxis), at(x.strides, columnAxis)];
  const length = Math.max(0, offset >= 0 ? Math.min(rows, columns - offset) : Math.min(rows + offset, columns));
  const start = length === 0 ? 0 : offset >= 0 ? offset * columnStride : -offset * rowStride;
  const others = x.shape.flatMap((_, axis) => (axis === rowAxis || axis === columnAxis ? [] : [axis]));
  return asStrided(
    x,
    [...others.map((axis) => at(x.shape, axis)), length],
    [...others.map((axis) => at(x.strides, axis)), rowStride + columnStride],
    x.offset + start,
  );
}

/**
 * The sum of the main diagonal of a matrix, [N, M] → [].
 *
 * @throws ShapeError where it has not two axes.
 * @see https://pytorch.org/docs/stable/generated/torch.trace.html
 */
export function trace(x: Tensor): Tensor {
  commonKernels("trace", x);
  if (x.ndim !== 2) {
    throw new ShapeError(
      `trace: got shape ${formatShape(x.shape)}; expected a matrix. For batches of them write .diagonal(0, -2, -1).sum(-1).`,
    );
  }
  return composite(() => sum(diagonal(x)));
}

function checkMatrices(name: string, x: Tensor): void {
  if (x.ndim >= 2) return;
  throw new ShapeError(
    `${name}: got shape ${formatShape(x.shape)}; expected at least two axes, those of a matrix. Add one with .unsqueeze(0).`,
  );
}

function checkDiagonal(name: string, diagonal: number): void {
  if (Number.isInteger(diagonal)) return;
  throw new ArgumentError(
    `${name}: got diagonal ${diagonal}; expected a whole number. 0 is the main one, 1 the one above it.`,
  );
}
