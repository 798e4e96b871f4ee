/** The order of rows, by a merge sort of their places, and running sums. */
import type { KernelSet, TypedArray } from "../kernelSet.js";
import { at, elementCount } from "../strides.js";
import type { ArrayOf } from "./arrays.js";

export function orderKernels(arrayOf: ArrayOf): Pick<KernelSet, "argSort" | "cumsum"> {
  return {
    argSort(x, descending, out) {
      const source = arrayOf(x);
      const target = arrayOf(out);
      const length = x.shape.at(-1) ?? 1;
      if (length === 0) return;
      const wanted = out.shape.at(-1) ?? 1;
      const rows = elementCount(x.shape) / length;
      for (let row = 0; row < rows; row += 1) {
        const start = x.offset + row * length;
        const places = sortedPlaces(source.subarray(start, start + length), descending);
        target.set(places.subarray(0, wanted), out.offset + row * wanted);
      }
    },

    cumsum(x, axis, backwards, out) {
      const [source, target] = [arrayOf(x), arrayOf(out)];
      const extent = at(x.shape, axis);
      const inner = elementCount(x.shape.slice(axis + 1));
      const lines = elementCount(x.shape) / Math.max(extent, 1);
      const step = backwards ? -inner : inner;
      for (let line = 0; line < lines; line += 1) {
        const outer = Math.floor(line / inner);
        let place = outer * inner * extent + (line - outer * inner) + (backwards ? (extent - 1) * inner : 0);
        let sum = 0;
        for (let i = 0; i < extent; i += 1, place += step) {
          sum += source[x.offset + place] as number;
          target[out.offset + place] = sum;
        }
      }
    },
  };
}

function sortedPlaces(keys: TypedArray, descending: boolean): Int32Array {
  let from = Int32Array.from(keys, (_, place) => place);
  let to = new Int32Array(keys.length);
  for (let width = 1; width < keys.length; width *= 2) {
    for (let start = 0; start < keys.length; start += 2 * width) {
      const middle = Math.min(start + width, keys.length);
      merge(keys, descending, from, to, start, middle, Math.min(middle + width, keys.length));
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Merges the sorted runs from `start` and from `middle` on. Of equals those of the first run come first. */
function merge(
  keys: TypedArray,
  descending: boolean,
  from: Int32Array,
  to: Int32Array,
  start: number,
  middle: number,
  end: number,
): void {
  let left = start;
  let right = middle;
  for (let place = start; place < end; place += 1) {
    const takesRight =
      left >= middle ||
      (right < end &&
        precedes(keys[from[right] as number] as number, keys[from[left] as number] as number, descending));
    to[place] = from[takesRight ? right : left] as number;
    if (takesRight) right += 1;
    else left += 1;
  }
}

/** NaN is greater than everything. */
function precedes(a: number, b: number, descending: boolean): boolean {
  if (descending) return a > b || (Number.isNaN(a) && !Number.isNaN(b));
  return a < b || (Number.isNaN(b) && !Number.isNaN(a));
}
