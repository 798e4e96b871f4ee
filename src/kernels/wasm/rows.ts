/** How strided arrays of one shape are cut into rows that a kernel walks in step. */
import { at } from "../strides.js";

/** Words of a job: the extents of the outer axes, then their strides in each array. */
const EXTENTS = 16;
const STRIDES = 24;
/** Most outer axes that kernels count through. */
const MAX_RANK = 8;

/** An axis of a walk, and its stride in each array. */
export interface WalkAxis {
  readonly extent: number;
  readonly strides: readonly number[];
}

/** The axes of a walk, innermost first. Axes that lie evenly behind one another in all arrays are one; none has extent 1. */
export function walkAxes(shape: readonly number[], strides: readonly (readonly number[])[]): WalkAxis[] {
  const axes: WalkAxis[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = at(shape, axis);
    if (extent === 1) continue;
    const own = strides.map((list) => at(list, axis));
    const inner = axes.at(-1);
    if (inner !== undefined && own.every((stride, array) => stride === at(inner.strides, array) * inner.extent)) {
      axes[axes.length - 1] = { extent: inner.extent * extent, strides: inner.strides };
    } else {
      axes.push({ extent, strides: own });
    }
  }
  return axes;
}

/**
 * Writes the outer axes of a walk, outermost first: word 2 their count, their extents from 16 on, their strides in the arrays
 * from 24, 32, 40 and 48 on.
 *
 * @returns the places that they count, or null where there are too many axes
 */
export function writeOuterAxes(words: Int32Array, outer: readonly WalkAxis[]): number | null {
  if (outer.length > MAX_RANK) return null;
  words[2] = outer.length;
  let places = 1;
  outer.forEach(({ extent, strides }, place) => {
    places *= extent;
    words[EXTENTS + place] = extent;
    strides.forEach((stride, array) => {
      words[STRIDES + 8 * array + place] = stride;
    });
  });
  return places;
}

/**
 * Writes a walk: word 1 the elements in a row, words 4, 6, 8 and 10 the step along the row in each array, and the outer axes.
 *
 * @returns the elements in a row and the number of rows, or null where there are too many axes
 */
export function writeRows(
  words: Int32Array,
  shape: readonly number[],
  strides: readonly (readonly number[])[],
): { length: number; rows: number } | null {
  const [row, ...rest] = walkAxes(shape, strides);
  const rows = writeOuterAxes(words, rest.reverse());
  if (rows === null) return null;
  const length = row?.extent ?? 1;
  words[1] = length;
  strides.forEach((_, array) => {
    words[4 + 2 * array] = row === undefined ? 1 : at(row.strides, array);
  });
  return { length, rows };
}
