/** Reductions: x is walked in memory order, and each row is added to the accumulators that it belongs to. */
import type { DType, KernelSet, ReduceOp, TypedArray } from "../kernelSet.js";
import { at, denseStrides, elementCount } from "../strides.js";
import type { ArrayOf } from "./arrays.js";
import { forEachRow, type Lane, lane, laneOf } from "./rows.js";
import { Scratch } from "./scratch.js";

const accumulators = new Scratch();

const initialValues = {
  amax: Number.NEGATIVE_INFINITY,
  amin: Number.POSITIVE_INFINITY,
  prod: 1,
  sum: 0,
  sumSquares: 0,
} as const;

export function reduceKernels(arrayOf: ArrayOf): Pick<KernelSet, "reduce" | "argReduce"> {
  return {
    reduce(op, x, out) {
      const target = arrayOf(out);
      const size = elementCount(out.shape);
      const totals = accumulators.take(size);
      totals.fill(initialValues[op], 0, size);
      // Along a reduced axis the accumulator stands still.
      const strides = denseStrides(out.shape).map((stride, axis) => (at(out.shape, axis) === 1 ? 0 : stride));
      const lanes = [laneOf(arrayOf, x), lane(totals, 0, strides)] as const;
      const row = op === "prod" ? productRow(out.dtype) : op === "sumSquares" ? squaresRow : reduceRow;
      forEachRow(x.shape, lanes, (length) => row(op, ...lanes, length));
      for (let i = 0; i < size; i += 1) target[out.offset + i] = totals[i] as number;
    },

    argReduce(op, x, axis, out) {
      const extent = at(x.shape, axis);
      const along = at(x.strides, axis);
      const source = laneOf(arrayOf, x);
      const target = lane(arrayOf(out), out.offset, denseStrides(out.shape));
      forEachRow(out.shape, [source, target], (length) => {
        for (let i = 0; i < length; i += 1) {
          const first = source.start + i * source.step;
          target.array[target.start + i * target.step] = argExtreme(op === "amax", source.array, first, along, extent);
        }
      });
    },
  };
}

/** As {@link reduceRow} for products, of which those of whole numbers wrap. */
function productRow(dtype: DType): typeof reduceRow {
  const times = dtype === "int32" ? Math.imul : (a: number, b: number): number => a * b;
  return (_, { array, start: first, step: xStep }, totals, length) => {
    for (let i = 0, p = first, t = totals.start; i < length; i += 1, p += xStep, t += totals.step) {
      totals.array[t] = times(totals.array[t] as number, array[p] as number);
    }
  };
}

/** As {@link reduceRow} for sums of squares. */
function squaresRow(_: ReduceOp, { array, start: first, step: xStep }: Lane, totals: Lane, length: number): void {
  for (let i = 0, p = first, t = totals.start; i < length; i += 1, p += xStep, t += totals.step) {
    totals.array[t] = (totals.array[t] as number) + (array[p] as number) ** 2;
  }
}

/** Takes a row of `x` into a row of accumulators, which may be a single one. */
function reduceRow(op: ReduceOp, x: Lane, totals: Lane, length: number): void {
  const { array: xArray, step: xStep } = x;
  const { array: totalArray, start, step } = totals;
  let p = x.start;
  if (step === 0) {
    let total = totalArray[start] as number;
    if (op === "sum") {
      for (let i = 0; i < length; i += 1, p += xStep) total += xArray[p] as number;
    } else if (op === "amax") {
      for (let i = 0; i < length; i += 1, p += xStep) total = Math.max(total, xArray[p] as number);
    } else {
      for (let i = 0; i < length; i += 1, p += xStep) total = Math.min(total, xArray[p] as number);
    }
    totalArray[start] = total;
    return;
  }
  const end = start + length * step;
  if (op === "sum") {
    for (let t = start; t < end; t += step, p += xStep)
      totalArray[t] = (totalArray[t] as number) + (xArray[p] as number);
  } else if (op === "amax") {
    for (let t = start; t < end; t += step, p += xStep)
      totalArray[t] = Math.max(totalArray[t] as number, xArray[p] as number);
  } else {
    for (let t = start; t < end; t += step, p += xStep)
      totalArray[t] = Math.min(totalArray[t] as number, xArray[p] as number);
  }
}

/** Place of the first NaN, or else of the first extreme. */
function argExtreme(largest: boolean, x: TypedArray, start: number, step: number, extent: number): number {
  let best = x[start] as number;
  if (Number.isNaN(best)) return 0;
  let place = 0;
  for (let i = 1, p = start + step; i < extent; i += 1, p += step) {
    const value = x[p] as number;
    if (Number.isNaN(value)) return i;
    if (largest ? value > best : value < best) {
      best = value;
      place = i;
    }
  }
  return place;
}
