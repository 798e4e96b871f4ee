/** Copies from one dtype to another. Rows and units are those of the elementwise kernels. */
import { argument, pointer } from "./environment";
import { rowOffset } from "./strided";
import * as id from "./kernelIds";

/** Four elements that lie side by side, as words. */
@inline
function cast4(op: i32, x: usize): v128 {
  if (op == id.BOOL_TO_FLOAT) {
    const words = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(x)));
    return f32x4.convert_i32x4_s(words);
  }
  if (op == id.INT_TO_FLOAT) return f32x4.convert_i32x4_s(v128.load(x));
  if (op == id.FLOAT_TO_INT) return i32x4.trunc_sat_f32x4_s(v128.load(x));
  return v128.and(f32x4.ne(v128.load(x), f32x4.splat(0)), i32x4.splat(1));
}

@inline
function cast1(op: i32, x: usize): v128 {
  if (op == id.BOOL_TO_FLOAT) return f32x4.splat(<f32>load<u8>(x));
  if (op == id.INT_TO_FLOAT) return f32x4.splat(<f32>load<i32>(x));
  if (op == id.FLOAT_TO_INT) return i32x4.trunc_sat_f32x4_s(v128.load32_splat(x));
  return v128.and(f32x4.ne(v128.load32_splat(x), f32x4.splat(0)), i32x4.splat(1));
}

/** Sixteen bools at a time from four times four words; else four elements at a time. */
@inline
function castLoop(op: i32, begin: i32, end: i32): void {
  const outShift: usize = op == id.FLOAT_TO_BOOL ? 0 : 2;
  const xShift: usize = op == id.BOOL_TO_FLOAT ? 0 : 2;
  const outStep = <isize>argument(4) << outShift;
  const xStep = <isize>argument(6) << xShift;
  const flat = argument(2) == 0;
  const last = flat ? begin + 1 : end;
  const n = flat ? end - begin : argument(1);
  for (let row = begin; row < last; row++) {
    let out = pointer(3) + (flat ? <isize>begin * outStep : rowOffset(0, row) << outShift);
    let x = pointer(5) + (flat ? <isize>begin * xStep : rowOffset(1, row) << xShift);
    let i = 0;
    if (argument(4) == 1 && argument(6) == 1) {
      if (op == id.FLOAT_TO_BOOL) {
        for (; i + 16 <= n; i += 16, out += 16, x += 64) {
          const low = i16x8.narrow_i32x4_s(cast4(op, x), cast4(op, x + 16));
          const high = i16x8.narrow_i32x4_s(cast4(op, x + 32), cast4(op, x + 48));
          v128.store(out, i8x16.narrow_i16x8_s(low, high));
        }
      } else {
        for (; i + 4 <= n; i += 4, out += 16, x += <usize>4 << xShift) v128.store(out, cast4(op, x));
      }
    }
    for (; i < n; i++, out += outStep, x += xStep) {
      if (op == id.FLOAT_TO_BOOL) store<u8>(out, <u8>i32x4.extract_lane(cast1(op, x), 0));
      else store<i32>(out, i32x4.extract_lane(cast1(op, x), 0));
    }
  }
}

export function cast(begin: i32, end: i32): void {
  switch (argument(0)) {
    case id.BOOL_TO_FLOAT:
      return castLoop(id.BOOL_TO_FLOAT, begin, end);
    case id.INT_TO_FLOAT:
      return castLoop(id.INT_TO_FLOAT, begin, end);
    case id.FLOAT_TO_INT:
      return castLoop(id.FLOAT_TO_INT, begin, end);
    default:
      return castLoop(id.FLOAT_TO_BOOL, begin, end);
  }
}
