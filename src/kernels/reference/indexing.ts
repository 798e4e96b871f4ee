/** Kernels that read or write along an axis at given places. */
import type { KernelSet, Strided } from "../kernelSet.js";
import { at, denseStrides } from "../strides.js";
import type { ArrayOf } from "./arrays.js";
import { forEachRow, type Lane, lane, laneOf } from "./rows.js";

export function indexKernels(arrayOf: ArrayOf): Pick<KernelSet, "gather" | "scatter" | "scatterAdd"> {
  /** A lane that stands still along `axis`, so that an index can choose the place there. */
  function laneWithout(axis: number, x: Strided): Lane {
    return lane(arrayOf(x), x.offset, x.strides.with(axis, 0));
  }

  return {
    gather(x, axis, index, out) {
      const along = at(x.strides, axis);
      const source = laneWithout(axis, x);
      const places = laneOf(arrayOf, index);
      const target = lane(arrayOf(out), out.offset, denseStrides(out.shape));
      forEachRow(out.shape, [source, places, target], (length) => gatherRow(source, along, places, target, length));
    },

    scatter(x, axis, index, out) {
      const along = at(out.strides, axis);
      const source = laneOf(arrayOf, x);
      const places = laneOf(arrayOf, index);
      const target = laneWithout(axis, out);
      forEachRow(x.shape, [source, places, target], (length) => writeRow(source, places, target, along, length));
    },

    scatterAdd(x, axis, index, out) {
      const along = at(out.strides, axis);
      const source = laneOf(arrayOf, x);
      const places = laneOf(arrayOf, index);
      const target = laneWithout(axis, out);
      const largest = out.dtype === "bool" ? 1 : Number.POSITIVE_INFINITY; // a sum of bools is "or"
      forEachRow(x.shape, [source, places, target], (length) => {
        scatterRow(source, places, target, along, largest, length);
      });
    },
  };
}

function gatherRow(x: Lane, along: number, index: Lane, out: Lane, length: number): void {
  const { array: xArray, step: xStep } = x;
  const { array: indexArray, step: indexStep } = index;
  const { array: outArray, step: outStep } = out;
  let p = x.start;
  let q = index.start;
  let t = out.start;
  for (let i = 0; i < length; i += 1, p += xStep, q += indexStep, t += outStep) {
    outArray[t] = xArray[p + (indexArray[q] as number) * along] as number;
  }
}

function writeRow(x: Lane, index: Lane, out: Lane, along: number, length: number): void {
  const { array: xArray, step: xStep } = x;
  const { array: indexArray, step: indexStep } = index;
  const { array: outArray, step: outStep } = out;
  let p = x.start;
  let q = index.start;
  let t = out.start;
  for (let i = 0; i < length; i += 1, p += xStep, q += indexStep, t += outStep) {
    outArray[t + (indexArray[q] as number) * along] = xArray[p] as number;
  }
}

function scatterRow(x: Lane, index: Lane, out: Lane, along: number, largest: number, length: number): void {
  const { array: xArray, step: xStep } = x;
  const { array: indexArray, step: indexStep } = index;
  const { array: outArray, step: outStep } = out;
  let p = x.start;
  let q = index.start;
  let t = out.start;
  for (let i = 0; i < length; i += 1, p += xStep, q += indexStep, t += outStep) {
    const place = t + (indexArray[q] as number) * along;
    outArray[place] = Math.min((outArray[place] as number) + (xArray[p] as number), largest);
  }
}
