/** Arithmetic on extents and strides that tensors and kernels share. */
import type { Dense } from "./kernelSet.js";

/** Element `index` of a list that is known to have it. */
export function at(list: readonly number[], index: number): number {
  const value = list[index];
  if (value === undefined) throw new RangeError(`index ${index} is outside a list of ${list.length}`);
  return value;
}

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const extent of shape) count *= extent;
  return count;
}

/** Row-major strides of a shape. */
export function denseStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= Math.max(at(shape, axis), 1);
  }
  return strides;
}

/** Whether elements lie in row-major order without gaps. Strides of axes of extent 1 do not matter. */
export function isDense(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = at(shape, axis);
    if (extent !== 1) {
      if (strides[axis] !== expected) return false;
      expected *= extent;
    }
  }
  return true;
}

/** [channels] as [1, channels, 1, 1]. */
export function perChannel({ buffer, dtype, offset, shape }: Dense): Dense {
  const channels = at(shape, 0);
  return { buffer, dtype, offset, shape: [1, channels, 1, 1], strides: [channels, 1, 1, 1] };
}
