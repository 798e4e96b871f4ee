/** How strided arrays of one shape are cut into rows that a kernel walks in step. */
import { at } from "../strides.js";

/** Words of a job: the extents of the outer axes, then their strides in each array. */
const EXTENTS = 16;
const STRIDES = 24;
/** Most outer axes that kernels count through. */
const MAX_RANK = 8;

/**
 * Writes the walk's words: 1 elements in a row, 2 outer axes, 4, 6, 8, 10 the step along the row of each array; extents of
 * the outer axes from 16 on, their strides in each array from 24, 32, 40 and 48 on. Axes that lie evenly behind one another
 * in all arrays are one.
 *
 * @returns the elements in a row and the number of rows, or null where there are too many axes
 */
export function writeRows(
  words: Int32Array,
  shape: readonly number[],
  strides: readonly (readonly number[])[],
): { length: number; rows: number } | null {
  // Axes from the innermost outwards, each as its extent and its first axis in the arrays.
  const merged: { extent: number; axis: number }[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = at(shape, axis);
    if (extent === 1) continue;
    const inner = merged.at(-1);
    if (inner !== undefined && strides.every((own) => at(own, axis) === at(own, inner.axis) * inner.extent)) {
      inner.extent *= extent;
    } else {
      merged.push({ extent, axis });
    }
  }
  const [row, ...rest] = merged;
  const outer = rest.reverse();
  if (outer.length > MAX_RANK) return null;
  words[1] = row?.extent ?? 1;
  words[2] = outer.length;
  outer.forEach(({ extent }, place) => {
    words[EXTENTS + place] = extent;
  });
  strides.forEach((own, slot) => {
    words[4 + 2 * slot] = row === undefined ? 1 : at(own, row.axis);
    outer.forEach(({ axis }, place) => {
      words[STRIDES + 8 * slot + place] = at(own, axis);
    });
  });
  return { length: row?.extent ?? 1, rows: outer.reduce((count, { extent }) => count * extent, 1) };
}
