/** Element types. `float64` exists on the CPU only, `float16` on GPUs with the feature shader-f16 only; `bool` is one byte of 0 or 1. */
export type DType = "float16" | "float32" | "float64" | "int32" | "bool";

/** The typed arrays that carry elements in and out, one for each {@link DType}; float16 goes as float32. */
export type TypedArray =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

const arrayTypes = {
  float16: Float32Array,
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const;

/** A new typed array of `length` zeros. */
export function newTypedArray(dtype: DType, length: number): TypedArray {
  return new arrayTypes[dtype](length);
}

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return dtype === "float16" ? 2 : arrayTypes[dtype].BYTES_PER_ELEMENT;
}

/** Whether the dtype has fractions, and so gradients. */
export function isFloating(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64" || dtype === "float16";
}
