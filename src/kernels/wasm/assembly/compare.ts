/** Comparisons, and the choice between two operands, along a row. Bools are bytes. */
import * as id from "./kernelIds";
import { gather4, scatter4 } from "./strided";

@inline
function compare4(op: i32, a: v128, b: v128): v128 {
  if (op == id.EQ) return f32x4.eq(a, b);
  if (op == id.NE) return f32x4.ne(a, b);
  if (op == id.LT) return f32x4.lt(a, b);
  if (op == id.LE) return f32x4.le(a, b);
  if (op == id.GT) return f32x4.gt(a, b);
  return f32x4.ge(a, b);
}

/** Results are bytes. */
@inline
function compareLoop(op: i32, out: usize, outStep: i32, a: usize, aStep: i32, b: usize, bStep: i32, n: i32): void {
  const aBytes = <isize>aStep << 2;
  const bBytes = <isize>bStep << 2;
  const ones = i32x4.splat(1);
  let i = 0;
  if (outStep == 1) {
    for (; i + 4 <= n; i += 4, out += 4, a += 4 * aBytes, b += 4 * bBytes) {
      const bits = v128.and(compare4(op, gather4(a, aStep), gather4(b, bStep)), ones);
      const words = i16x8.narrow_i32x4_s(bits, bits);
      store<i32>(out, i32x4.extract_lane(i8x16.narrow_i16x8_s(words, words), 0));
    }
  }
  for (; i < n; i++, out += <isize>outStep, a += aBytes, b += bBytes) {
    const bits = compare4(op, v128.load32_splat(a), v128.load32_splat(b));
    store<u8>(out, <u8>(i32x4.extract_lane(bits, 0) & 1));
  }
}

export function compareRow(op: i32, out: usize, outStep: i32, a: usize, aStep: i32, b: usize, bStep: i32, n: i32): void {
  switch (op) {
    case id.EQ:
      return compareLoop(id.EQ, out, outStep, a, aStep, b, bStep, n);
    case id.NE:
      return compareLoop(id.NE, out, outStep, a, aStep, b, bStep, n);
    case id.LT:
      return compareLoop(id.LT, out, outStep, a, aStep, b, bStep, n);
    case id.LE:
      return compareLoop(id.LE, out, outStep, a, aStep, b, bStep, n);
    case id.GT:
      return compareLoop(id.GT, out, outStep, a, aStep, b, bStep, n);
    default:
      return compareLoop(id.GE, out, outStep, a, aStep, b, bStep, n);
  }
}

/** The condition is bytes. */
export function whereRow(
  out: usize,
  outStep: i32,
  a: usize,
  aStep: i32,
  b: usize,
  bStep: i32,
  condition: usize,
  conditionStep: i32,
  n: i32,
): void {
  const outBytes = <isize>outStep << 2;
  const aBytes = <isize>aStep << 2;
  const bBytes = <isize>bStep << 2;
  const zero = i32x4.splat(0);
  let i = 0;
  if (conditionStep == 1) {
    for (; i + 4 <= n; i += 4, out += 4 * outBytes, a += 4 * aBytes, b += 4 * bBytes, condition += 4) {
      const bytes = v128.load32_zero(condition);
      const mask = i32x4.ne(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(bytes)), zero);
      scatter4(out, outStep, v128.bitselect(gather4(a, aStep), gather4(b, bStep), mask));
    }
  }
  for (; i < n; i++, out += outBytes, a += aBytes, b += bBytes, condition += <isize>conditionStep) {
    store<f32>(out, load<u8>(condition) != 0 ? load<f32>(a) : load<f32>(b));
  }
}
