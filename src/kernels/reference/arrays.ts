/** How the loops reach the memory of their arguments. */
import type { Strided, TypedArray } from "../kernelSet.js";

/** The typed array that holds an argument's elements; `offset` and `strides` of the argument count in it. */
export type ArrayOf = (x: Strided) => TypedArray;

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** `list[i]`, for lists whose length the contract guarantees. */
export function at(list: readonly number[], i: number): number {
  return list[i] as number;
}

/** Row-major strides of a shape without gaps. */
export function denseStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    strides[axis] = stride;
    stride *= at(shape, axis);
  }
  return strides;
}

/**
 * `value` as the nearest int32 towards zero: what lies outside the range becomes its end, NaN becomes 0. (Typed arrays
 * would wrap round instead.)
 */
export function toInt32(value: number): number {
  if (value >= 2147483647) return 2147483647;
  if (value <= -2147483648) return -2147483648;
  return value | 0;
}
