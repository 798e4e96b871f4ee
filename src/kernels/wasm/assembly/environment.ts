/** What every kernel needs: its arguments, its thread, and the fused multiply-add where the machine has one. */
import { JOB_ARGUMENTS } from "./kernelIds";

/** Which thread this instance runs on: 0 is the main one. */
let thread: i32 = 0;

export function setThread(index: i32): void {
  thread = index;
}

@inline
export function threadIndex(): i32 {
  return thread;
}

/** Argument `index` of the job as a whole number. */
@inline
export function argument(index: i32): i32 {
  return load<i32>(JOB_ARGUMENTS + (index << 2));
}

/** Argument `index` of the job as an address. */
@inline
export function pointer(index: i32): usize {
  return <usize>load<u32>(JOB_ARGUMENTS + (index << 2));
}

/** Argument `index` of the job as a fraction. */
@inline
export function fraction(index: i32): f32 {
  return load<f32>(JOB_ARGUMENTS + (index << 2));
}

/** a·b + c: one rounding where relaxed SIMD maps to a fused instruction, two elsewhere. */
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}
