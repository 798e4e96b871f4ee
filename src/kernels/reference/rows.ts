/** Walks several strided arrays of one shape in step, row by row. */
import type { Strided, TypedArray } from "../kernelSet.js";
import { at } from "../strides.js";
import type { ArrayOf } from "./arrays.js";

/** One array of a walk. During a row, element i lies at `start` + i·`step` of `array`. */
export interface Lane {
  readonly array: TypedArray;
  /** Strides of the walked axes. */
  readonly strides: readonly number[];
  start: number;
  step: number;
}

/** A lane over `array`, from element `offset` on. */
export function lane(array: TypedArray, offset: number, strides: readonly number[]): Lane {
  return { array, strides, start: offset, step: 0 };
}

/** A lane over an argument. */
export function laneOf(arrayOf: ArrayOf, x: Strided): Lane {
  return lane(arrayOf(x), x.offset, x.strides);
}

/**
 * Calls `row(length)` for each row of `shape`, with every lane's `start` and `step` set to it. Rows come in row-major
 * order and are as long as the strides allow: axes that lie behind one another without gaps in every lane are walked as
 * one, so that dense arrays are a single row. Afterwards the lanes are used up.
 */
export function forEachRow(shape: readonly number[], lanes: readonly Lane[], row: (length: number) => void): void {
  const extents: number[] = [];
  const strides: number[][] = []; // of each axis that is left, innermost first, by lane
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const extent = at(shape, axis);
    if (extent === 0) return;
    if (extent === 1) continue;
    const outer = lanes.map((one) => at(one.strides, axis));
    const last = extents.length - 1;
    const innerExtent = extents[last] ?? 1;
    if (strides[last]?.every((stride, k) => stride * innerExtent === outer[k])) {
      extents[last] = innerExtent * extent;
    } else {
      extents.push(extent);
      strides.push(outer);
    }
  }

  lanes.forEach((one, k) => {
    one.step = strides[0]?.[k] ?? 0;
  });
  const length = extents[0] ?? 1;
  const position = extents.map(() => 0);
  for (;;) {
    row(length);
    let axis = 1;
    for (; axis < extents.length; axis += 1) {
      const next = at(position, axis) + 1;
      const wraps = next === at(extents, axis);
      position[axis] = wraps ? 0 : next;
      move(lanes, strides[axis] ?? [], wraps ? 1 - next : 1);
      if (!wraps) break;
    }
    if (axis >= extents.length) return;
  }
}

function move(lanes: readonly Lane[], strides: readonly number[], times: number): void {
  for (let k = 0; k < lanes.length; k += 1) {
    const one = lanes[k] as Lane;
    one.start += times * at(strides, k);
  }
}
