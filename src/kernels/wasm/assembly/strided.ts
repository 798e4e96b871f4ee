/** Floats that lie evenly apart, four at a time, and where the rows of a job begin. */
import { argument } from "./environment";

/** Four floats that lie `step` floats apart. */
@inline
export function gather4(at: usize, step: i32): v128 {
  if (step == 1) return v128.load(at);
  if (step == 0) return v128.load32_splat(at);
  const bytes = <isize>step << 2;
  let lanes = f32x4.splat(load<f32>(at));
  lanes = f32x4.replace_lane(lanes, 1, load<f32>(at + bytes));
  lanes = f32x4.replace_lane(lanes, 2, load<f32>(at + 2 * bytes));
  return f32x4.replace_lane(lanes, 3, load<f32>(at + 3 * bytes));
}

@inline
export function scatter4(at: usize, step: i32, value: v128): void {
  if (step == 1) {
    v128.store(at, value);
    return;
  }
  const bytes = <isize>step << 2;
  store<f32>(at, f32x4.extract_lane(value, 0));
  store<f32>(at + bytes, f32x4.extract_lane(value, 1));
  store<f32>(at + 2 * bytes, f32x4.extract_lane(value, 2));
  store<f32>(at + 3 * bytes, f32x4.extract_lane(value, 3));
}

/** Where argument `slot` (out 0, a 1, b 2, condition 3) of a row lies, in elements from its first. */
@inline
export function rowOffset(slot: i32, row: i32): isize {
  const rank = argument(2);
  if (rank == 1) return <isize>row * <isize>argument(24 + 8 * slot);
  let offset: isize = 0;
  let rest = row;
  for (let axis = rank - 1; axis >= 0; axis--) {
    const extent = argument(16 + axis);
    const next = rest / extent;
    offset += <isize>(rest - next * extent) * <isize>argument(24 + 8 * slot + axis);
    rest = next;
  }
  return offset;
}
