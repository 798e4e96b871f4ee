/** Bools, which are bytes of 0 or 1. */
import { argument, pointer } from "./environment";

/** Additions of pairs of bytes, at most 2 each, that a lane of 16 bits holds for certain. */
const RUN: i32 = 8192;

/** How many of the `argument(2)` bools of each row hold. Arguments: 0 x, 1 out (int32). Unit: a row. */
export function countBools(begin: i32, end: i32): void {
  const n = argument(2);
  for (let row = begin; row < end; row++) {
    const x = pointer(0) + <usize>row * n;
    let total = 0;
    let i = 0;
    while (n - i >= 16) {
      const stop = i + min(n - i, 16 * RUN) - 15;
      let sums = i16x8.splat(0);
      for (; i < stop; i += 16) sums = i16x8.add(sums, i16x8.extadd_pairwise_i8x16_u(v128.load(x + i)));
      const wide = i32x4.extadd_pairwise_i16x8_u(sums);
      total += i32x4.extract_lane(wide, 0) + i32x4.extract_lane(wide, 1);
      total += i32x4.extract_lane(wide, 2) + i32x4.extract_lane(wide, 3);
    }
    for (; i < n; i++) total += load<u8>(x + i);
    store<i32>(pointer(1) + (<usize>row << 2), total);
  }
}

/** out = x ? whenTrue : whenFalse, all bools. Arguments: 0 x, 1 out, 2 whenFalse, 3 whether the two differ. Unit: an element. */
export function mapBools(begin: i32, end: i32): void {
  const flip = i8x16.splat(<i8>argument(2));
  const mask = i8x16.splat(<i8>argument(3));
  const x = pointer(0);
  const out = pointer(1);
  let i = <usize>begin;
  for (; i + 16 <= <usize>end; i += 16) v128.store(out + i, v128.xor(v128.and(v128.load(x + i), mask), flip));
  for (; i < <usize>end; i++) store<u8>(out + i, (load<u8>(x + i) & <u8>argument(3)) ^ <u8>argument(2));
}
