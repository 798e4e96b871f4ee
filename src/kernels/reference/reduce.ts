/** Reductions: x is walked in memory order, and each row is added to the accumulators that it belongs to. */
import type { KernelSet, ReduceOp, TypedArray } from "../kernelSet.js";
import { type ArrayOf, at, denseStrides, sizeOf } from "./arrays.js";
import { forEachRow } from "./rows.js";
import { Scratch } from "./scratch.js";

const accumulators = new Scratch();

const initialValues = { amax: Number.NEGATIVE_INFINITY, amin: Number.POSITIVE_INFINITY, sum: 0 } as const;

export function reduceKernels(arrayOf: ArrayOf): Pick<KernelSet, "reduce" | "argReduce"> {
  return {
    reduce(op, x, out) {
      const source = arrayOf(x);
      const target = arrayOf(out);
      const size = sizeOf(out.shape);
      const totals = accumulators.take(size);
      totals.fill(initialValues[op], 0, size);
      // Along a reduced axis the accumulator stands still.
      const strides = denseStrides(out.shape).map((stride, axis) => (at(out.shape, axis) === 1 ? 0 : stride));
      forEachRow(x.shape, [x, { strides, offset: 0 }], ([p = 0, q = 0], [step = 0, totalStep = 0], length) => {
        reduceRow(op, source, p, step, totals, q, totalStep, length);
      });
      for (let i = 0; i < size; i += 1) target[out.offset + i] = totals[i] as number;
    },

    argReduce(op, x, axis, out) {
      const source = arrayOf(x);
      const target = arrayOf(out);
      const extent = at(x.shape, axis);
      const along = at(x.strides, axis);
      const outer = { strides: x.strides, offset: x.offset };
      forEachRow(
        out.shape,
        [outer, { strides: denseStrides(out.shape), offset: out.offset }],
        (offsets, steps, length) => {
          const [p = 0, t = 0] = offsets;
          const [step = 0, targetStep = 0] = steps;
          for (let i = 0; i < length; i += 1) {
            target[t + i * targetStep] = argExtreme(op === "amax", source, p + i * step, along, extent);
          }
        },
      );
    },
  };
}

function reduceRow(
  op: ReduceOp,
  x: TypedArray,
  xStart: number,
  xStep: number,
  totals: Float64Array,
  totalStart: number,
  totalStep: number,
  length: number,
): void {
  let p = xStart;
  if (totalStep === 0) {
    let total = totals[totalStart] as number;
    if (op === "sum") {
      for (let i = 0; i < length; i += 1, p += xStep) total += x[p] as number;
    } else if (op === "amax") {
      for (let i = 0; i < length; i += 1, p += xStep) total = Math.max(total, x[p] as number);
    } else {
      for (let i = 0; i < length; i += 1, p += xStep) total = Math.min(total, x[p] as number);
    }
    totals[totalStart] = total;
    return;
  }
  const end = totalStart + length * totalStep;
  if (op === "sum") {
    for (let t = totalStart; t < end; t += totalStep, p += xStep) totals[t] = (totals[t] as number) + (x[p] as number);
  } else if (op === "amax") {
    for (let t = totalStart; t < end; t += totalStep, p += xStep) {
      totals[t] = Math.max(totals[t] as number, x[p] as number);
    }
  } else {
    for (let t = totalStart; t < end; t += totalStep, p += xStep) {
      totals[t] = Math.min(totals[t] as number, x[p] as number);
    }
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
