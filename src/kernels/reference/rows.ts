/** Walks several strided arrays of one shape in step, row by row. */
import { at } from "./arrays.js";

/** What the walk needs of an argument. */
export interface Walked {
  readonly strides: readonly number[];
  readonly offset: number;
}

/**
 * Calls `row(offsets, steps, length)` for each row: element i of operand k lies at offsets[k] + i·steps[k]. Rows come
 * in row-major order and are as long as the strides allow: axes that lie behind one another without gaps in every
 * operand are walked as one, so that dense arrays are a single row. `offsets` is reused from row to row.
 */
export function forEachRow(
  shape: readonly number[],
  operands: readonly Walked[],
  row: (offsets: readonly number[], steps: readonly number[], length: number) => void,
): void {
  const extents: number[] = [];
  const steps: number[][] = []; // of each kept axis, innermost first
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const extent = at(shape, axis);
    if (extent === 0) return;
    if (extent === 1) continue;
    const axisSteps = operands.map((operand) => at(operand.strides, axis));
    const last = extents.length - 1;
    const inner = steps[last];
    const innerExtent = at(extents, last);
    if (inner?.every((step, k) => step * innerExtent === axisSteps[k])) {
      extents[last] = innerExtent * extent;
    } else {
      extents.push(extent);
      steps.push(axisSteps);
    }
  }

  const offsets = operands.map((operand) => operand.offset);
  const rowSteps = steps[0] ?? operands.map(() => 0);
  const length = extents[0] ?? 1;
  const position = extents.map(() => 0);
  for (;;) {
    row(offsets, rowSteps, length);
    let axis = 1;
    for (; axis < extents.length; axis += 1) {
      const extent = at(extents, axis);
      const axisSteps = steps[axis] as number[];
      const next = at(position, axis) + 1;
      const moved = next < extent ? 1 : 1 - extent;
      for (let k = 0; k < offsets.length; k += 1) offsets[k] = at(offsets, k) + moved * at(axisSteps, k);
      position[axis] = next < extent ? next : 0;
      if (next < extent) break;
    }
    if (axis >= extents.length) return;
  }
}
