/** Elementwise kernels: each walks its operands row by row, with the loops over a row in `rowLoops.ts`. */
import { newTypedArray } from "../dtype.js";
import type { DType, KernelSet, Strided, TypedArray } from "../kernelSet.js";
import { type ArrayOf, toInt32 } from "./arrays.js";
import { binaryRow, compareRow, integerBinaryRow, integerUnaryRow, unaryRow, whereRow } from "./rowLoops.js";
import { forEachRow, type Walked } from "./rows.js";

type ElementwiseKernels = Pick<KernelSet, "fill" | "copy" | "unary" | "binary" | "compare" | "where">;

/** Something that is read in step with an output: an argument and its memory. */
interface Operand extends Walked {
  readonly array: TypedArray;
}

/** `value` as an element of `dtype` holds it. */
function cast(value: number, dtype: DType): number {
  if (dtype === "bool") return value === 0 ? 0 : 1;
  if (dtype === "int32") return toInt32(value);
  return value;
}

/** A number as an operand: an array of one element that is walked with strides of 0. */
function repeated(value: number, dtype: DType, rank: number): Operand {
  const array = newTypedArray(dtype, 1);
  array[0] = cast(value, dtype);
  return { array, offset: 0, strides: new Array<number>(rank).fill(0) };
}

export function elementwiseKernels(arrayOf: ArrayOf): ElementwiseKernels {
  function operand(x: Strided | number, dtype: DType, rank: number): Operand {
    if (typeof x === "number") return repeated(x, dtype, rank);
    return { array: arrayOf(x), offset: x.offset, strides: x.strides };
  }

  return {
    fill(out, value) {
      const target = arrayOf(out);
      const element = cast(value, out.dtype);
      forEachRow(out.shape, [out], ([o = 0], [step = 0], length) => {
        if (step === 1) target.fill(element, o, o + length);
        else for (let i = 0, p = o; i < length; i += 1, p += step) target[p] = element;
      });
    },

    copy(x, out) {
      const source = arrayOf(x);
      const target = arrayOf(out);
      const convert = castRow(x.dtype, out.dtype);
      forEachRow(out.shape, [x, out], ([o = 0, t = 0], [step = 0, targetStep = 0], length) => {
        if (convert !== null) convert(source, o, step, target, t, targetStep, length);
        else if (step === 1 && targetStep === 1) target.set(source.subarray(o, o + length), t);
        else copyRow(source, o, step, target, t, targetStep, length);
      });
    },

    unary(op, x, out, alpha, beta) {
      const source = arrayOf(x);
      const target = arrayOf(out);
      const loop = out.dtype === "int32" ? integerUnaryRow : unaryRow;
      forEachRow(out.shape, [x, out], ([o = 0, t = 0], [step = 0, targetStep = 0], length) => {
        loop(op, source, o, step, target, t, targetStep, length, alpha, beta);
      });
    },

    binary(op, a, b, out) {
      const left = operand(a, out.dtype, out.shape.length);
      const right = operand(b, out.dtype, out.shape.length);
      const target = arrayOf(out);
      const loop = out.dtype === "int32" || out.dtype === "bool" ? integerBinaryRow : binaryRow;
      const opOrLogic = out.dtype === "bool" ? logic(op) : op;
      forEachRow(out.shape, [left, right, out], ([p = 0, q = 0, t = 0], [pStep = 0, qStep = 0, tStep = 0], length) => {
        loop(opOrLogic, left.array, p, pStep, right.array, q, qStep, target, t, tStep, length);
      });
    },

    compare(op, a, b, out) {
      const dtype = typeof a === "number" ? (typeof b === "number" ? "float64" : b.dtype) : a.dtype;
      // A number against integers keeps its fraction: 1 < 1.5 must not become 1 < 1.
      const numberType = dtype === "float32" ? "float32" : "float64";
      const left = operand(a, numberType, out.shape.length);
      const right = operand(b, numberType, out.shape.length);
      const target = arrayOf(out);
      forEachRow(out.shape, [left, right, out], ([p = 0, q = 0, t = 0], [pStep = 0, qStep = 0, tStep = 0], length) => {
        compareRow(op, left.array, p, pStep, right.array, q, qStep, target, t, tStep, length);
      });
    },

    where(condition, a, b, out) {
      const choice = arrayOf(condition);
      const left = operand(a, out.dtype, out.shape.length);
      const right = operand(b, out.dtype, out.shape.length);
      const target = arrayOf(out);
      forEachRow(out.shape, [condition, left, right, out], (offsets, steps, length) => {
        const [c = 0, p = 0, q = 0, t = 0] = offsets;
        const [cStep = 0, pStep = 0, qStep = 0, tStep = 0] = steps;
        whereRow(choice, c, cStep, left.array, p, pStep, right.array, q, qStep, target, t, tStep, length);
      });
    },
  };
}

/** On bool, sums and products are "or" and "and". */
function logic(op: Parameters<KernelSet["binary"]>[0]): Parameters<KernelSet["binary"]>[0] {
  if (op === "add") return "maximum";
  return op === "mul" ? "minimum" : op;
}

type CopyRow = typeof copyRow;

/** The loop that converts between two dtypes, or null where writing into the typed array converts as it should. */
function castRow(from: DType, to: DType): CopyRow | null {
  if (to === "bool" && from !== "bool") return copyRowToBool;
  if (to === "int32" && (from === "float32" || from === "float64")) return copyRowToInt32;
  return null;
}

function copyRow(
  x: TypedArray,
  o: number,
  step: number,
  out: TypedArray,
  t: number,
  targetStep: number,
  length: number,
): void {
  for (let i = 0, p = o, q = t; i < length; i += 1, p += step, q += targetStep) out[q] = x[p] as number;
}

function copyRowToBool(
  x: TypedArray,
  o: number,
  step: number,
  out: TypedArray,
  t: number,
  targetStep: number,
  length: number,
): void {
  for (let i = 0, p = o, q = t; i < length; i += 1, p += step, q += targetStep) out[q] = x[p] === 0 ? 0 : 1;
}

function copyRowToInt32(
  x: TypedArray,
  o: number,
  step: number,
  out: TypedArray,
  t: number,
  targetStep: number,
  length: number,
): void {
  for (let i = 0, p = o, q = t; i < length; i += 1, p += step, q += targetStep) out[q] = toInt32(x[p] as number);
}
