/** Elementwise kernels: each walks its operands row by row; the loops over a row are in `rowLoops.ts`. */
import { newTypedArray } from "../dtype.js";
import type { BinaryOp, DType, KernelSet, Strided } from "../kernelSet.js";
import { type ArrayOf, toInt32 } from "./arrays.js";
import {
  activationGradRow,
  binaryRow,
  compareRow,
  copyRow,
  copyRowToBool,
  copyRowToInt32,
  fillRow,
  integerBinaryRow,
  integerUnaryRow,
  unaryRow,
  whereRow,
} from "./rowLoops.js";
import { forEachRow, type Lane, lane, laneOf } from "./rows.js";

type ElementwiseKernels = Pick<
  KernelSet,
  "fill" | "copy" | "unary" | "activationGrad" | "binary" | "compare" | "where"
>;

export function elementwiseKernels(arrayOf: ArrayOf): ElementwiseKernels {
  /** A lane over an operand of `out`; a number becomes an array of one element, walked with strides of 0. */
  function operand(x: Strided | number, dtype: DType, out: Strided): Lane {
    if (typeof x !== "number") return laneOf(arrayOf, x);
    const array = newTypedArray(dtype, 1);
    array[0] = cast(x, dtype);
    return lane(array, 0, new Array<number>(out.shape.length).fill(0));
  }

  return {
    fill(out, value) {
      const target = laneOf(arrayOf, out);
      const element = cast(value, out.dtype);
      forEachRow(out.shape, [target], (length) => fillRow(element, target, length));
    },

    copy(x, out) {
      const source = laneOf(arrayOf, x);
      const target = laneOf(arrayOf, out);
      const loop = copyLoop(x.dtype, out.dtype);
      forEachRow(out.shape, [source, target], (length) => loop(source, target, length));
    },

    unary(op, x, out, alpha, beta) {
      const source = laneOf(arrayOf, x);
      const target = laneOf(arrayOf, out);
      const loop = out.dtype === "int32" ? integerUnaryRow : unaryRow;
      forEachRow(out.shape, [source, target], (length) => loop(op, source, target, length, alpha, beta));
    },

    activationGrad(op, outGrad, x, out, alpha, beta) {
      const [gradient, source, target] = [laneOf(arrayOf, outGrad), laneOf(arrayOf, x), laneOf(arrayOf, out)];
      forEachRow(out.shape, [gradient, source, target], (length) =>
        activationGradRow(op, gradient, source, target, length, alpha, beta),
      );
    },

    binary(op, a, b, out) {
      const left = operand(a, out.dtype, out);
      const right = operand(b, out.dtype, out);
      const target = laneOf(arrayOf, out);
      const loop = out.dtype === "int32" || out.dtype === "bool" ? integerBinaryRow : binaryRow;
      const rowOp = out.dtype === "bool" ? logicalOp(op) : op;
      forEachRow(out.shape, [left, right, target], (length) => loop(rowOp, left, right, target, length));
    },

    compare(op, a, b, out) {
      const dtype = typeof a === "number" ? (typeof b === "number" ? "float64" : b.dtype) : a.dtype;
      // A number against integers keeps its fraction: 1 < 1.5 must not become 1 < 1.
      const numberType = dtype === "float32" ? "float32" : "float64";
      const left = operand(a, numberType, out);
      const right = operand(b, numberType, out);
      const target = laneOf(arrayOf, out);
      forEachRow(out.shape, [left, right, target], (length) => compareRow(op, left, right, target, length));
    },

    where(condition, a, b, out) {
      const choice = laneOf(arrayOf, condition);
      const left = operand(a, out.dtype, out);
      const right = operand(b, out.dtype, out);
      const target = laneOf(arrayOf, out);
      forEachRow(out.shape, [choice, left, right, target], (length) => whereRow(choice, left, right, target, length));
    },
  };
}

/** `value` as `dtype` holds it, but for the rounding of floats, which the typed arrays do. */
function cast(value: number, dtype: DType): number {
  if (dtype === "bool") return value === 0 ? 0 : 1;
  return dtype === "int32" ? toInt32(value) : value;
}

/** On bool, sums and products are "or" and "and". */
function logicalOp(op: BinaryOp): BinaryOp {
  if (op === "add") return "maximum";
  return op === "mul" ? "minimum" : op;
}

/** The loop that converts between two dtypes. */
function copyLoop(from: DType, to: DType): typeof copyRow {
  if (to === "bool" && from !== "bool") return copyRowToBool;
  if (to === "int32" && (from === "float32" || from === "float64")) return copyRowToInt32;
  return copyRow;
}
