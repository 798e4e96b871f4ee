/** How dtypes look on the GPU, and numbers in them. */
import type { DType } from "../kernelSet.js";

/** The type of an element in WGSL. */
export type WgslType = "f32" | "i32" | "u32";

/** Bools are words of 0 or 1: of single bytes, four threads would share a word. float64 never gets here. */
export function wgslType(dtype: DType): WgslType {
  if (dtype === "bool") return "u32";
  return dtype === "int32" ? "i32" : "f32";
}

/** `value` as an element of that type. */
export function elementOf(type: WgslType, value: number): number {
  if (type === "u32") return value === 0 ? 0 : 1;
  return type === "i32" ? toInt32(value) : value;
}

/** Cut towards zero, held within the range; NaN becomes 0. */
export function toInt32(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.min(Math.max(Math.trunc(value), -(2 ** 31)), 2 ** 31 - 1);
}
