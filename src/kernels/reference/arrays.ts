/** How the loops reach the memory of their arguments. */
import type { Dense, Strided, TypedArray } from "../kernelSet.js";
import { elementCount } from "../strides.js";

/** The typed array that holds an argument's elements; `offset` and `strides` of the argument count in it. */
export type ArrayOf = (x: Strided) => TypedArray;

/**
 * `value` as the nearest int32 towards zero: what lies outside the range becomes its end, NaN becomes 0. (Typed arrays
 * would wrap round instead.)
 */
export function toInt32(value: number): number {
  if (value >= 2147483647) return 2147483647;
  if (value <= -2147483648) return -2147483648;
  return value | 0;
}

/** x = max(x, 0) for `count` elements; NaN stays NaN. */
export function dropNegatives(x: TypedArray, start: number, count: number): void {
  for (let i = start; i < start + count; i += 1) if ((x[i] as number) < 0) x[i] = 0;
}

/** x = 0 where the gate, which begins at element `from` of its array, is 0 or less. */
export function closeGate(x: TypedArray, { offset, shape }: Dense, gate: TypedArray, from: number): void {
  const count = elementCount(shape);
  for (let i = 0; i < count; i += 1) if ((gate[from + i] as number) <= 0) x[offset + i] = 0;
}
