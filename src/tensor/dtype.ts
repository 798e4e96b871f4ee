/** Which dtype an operation on mixed operands has. */
import { DTypeError } from "../errors.js";
import { isFloating } from "../kernels/dtype.js";
import type { DType } from "../kernels/kernelSet.js";

export { bytesPerElement, type DType, isFloating, type TypedArray } from "../kernels/dtype.js";

const order: readonly DType[] = ["bool", "int32", "float16", "float32", "float64"];

/** What promotion looks at: tensors without axes yield to tensors with axes of the same kind of number. */
export interface Promotable {
  readonly dtype: DType;
  readonly ndim: number;
}

/** The smallest dtype that holds both. */
export function promoteTypes(a: DType, b: DType): DType {
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}

/** The dtype of an operation on `a` and `b`. A plain number counts as whole where it is whole, and yields to any tensor of its kind.
 *
 * @see https://pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc
 */
export function resultType(a: Promotable | number, b: Promotable | number): DType {
  if (typeof a === "number") return typeof b === "number" ? "float32" : withNumber(b.dtype, a);
  if (typeof b === "number") return withNumber(a.dtype, b);
  if ((a.ndim === 0) === (b.ndim === 0)) return promoteTypes(a.dtype, b.dtype);
  const [scalar, array] = a.ndim === 0 ? [a.dtype, b.dtype] : [b.dtype, a.dtype];
  return kind(scalar) > kind(array) ? scalar : array;
}

function withNumber(dtype: DType, value: number): DType {
  if (isFloating(dtype)) return dtype;
  return Number.isInteger(value) ? "int32" : "float32";
}

function kind(dtype: DType): number {
  return dtype === "bool" ? 0 : dtype === "int32" ? 1 : 2;
}

/** @throws DTypeError where the dtype has no fractions. */
export function checkFloating(where: string, dtype: DType): void {
  if (!isFloating(dtype)) {
    throw new DTypeError(
      `${where}: got a tensor of ${dtype}; expected float32 or float64. Cast it with .float() first.`,
    );
  }
}
