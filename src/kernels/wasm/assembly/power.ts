/** Powers of four floats at once, with the special cases of C. */

@inline
function fma2(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

@inline
function constant2(value: f64): v128 {
  return f64x2.splat(value);
}

/** (m·2ⁿ)ʸ of two numbers, m in [√½, √2), as 2 to the power y·log₂(m·2ⁿ), in double precision. */
@inline
function power2(m: v128, n: v128, y: v128): v128 {
  const f = f64x2.sub(m, constant2(1));
  const s = f64x2.div(f, f64x2.add(f, constant2(2)));
  const z = f64x2.mul(s, s);
  // log₂ m = 2/ln 2 · (s + s³/3 + s⁵/5 + …)
  let p = constant2(1.0 / 17);
  p = fma2(p, z, constant2(1.0 / 15));
  p = fma2(p, z, constant2(1.0 / 13));
  p = fma2(p, z, constant2(1.0 / 11));
  p = fma2(p, z, constant2(1.0 / 9));
  p = fma2(p, z, constant2(1.0 / 7));
  p = fma2(p, z, constant2(1.0 / 5));
  p = fma2(p, z, constant2(1.0 / 3));
  p = fma2(p, z, constant2(1));
  const logarithm = fma2(f64x2.mul(p, s), constant2(2.8853900817779268), n);
  const exponent = f64x2.pmin(f64x2.pmax(f64x2.mul(logarithm, y), constant2(-300)), constant2(300));
  const whole = f64x2.nearest(exponent);
  const r = f64x2.mul(f64x2.sub(exponent, whole), constant2(0.6931471805599453));
  let e = constant2(1.0 / 3628800);
  e = fma2(e, r, constant2(1.0 / 362880));
  e = fma2(e, r, constant2(1.0 / 40320));
  e = fma2(e, r, constant2(1.0 / 5040));
  e = fma2(e, r, constant2(1.0 / 720));
  e = fma2(e, r, constant2(1.0 / 120));
  e = fma2(e, r, constant2(1.0 / 24));
  e = fma2(e, r, constant2(1.0 / 6));
  e = fma2(e, r, constant2(0.5));
  e = fma2(e, r, constant2(1));
  e = fma2(e, r, constant2(1));
  const bits = i64x2.extend_low_i32x4_s(i32x4.add(i32x4.trunc_sat_f64x2_s_zero(whole), i32x4.splat(1023)));
  return f64x2.mul(e, i64x2.shl(bits, 52));
}

@inline
function upperHalf(x: v128): v128 {
  return i64x2.shuffle(x, x, 1, 0);
}

/** Positive finite numbers to finite powers, rounded once. */
@inline
function positivePower4(x: v128, y: v128): v128 {
  // Denormals are scaled into the normal range first.
  const tiny = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, tiny);
  const shifted = i32x4.sub(scaled, i32x4.splat(0x3f3504f3));
  const n = i32x4.sub(i32x4.shr_s(shifted, 23), v128.and(tiny, i32x4.splat(23)));
  const m = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const low = power2(f64x2.promote_low_f32x4(m), f64x2.convert_low_i32x4_s(n), f64x2.promote_low_f32x4(y));
  const high = power2(
    f64x2.promote_low_f32x4(upperHalf(m)), f64x2.convert_low_i32x4_s(upperHalf(n)), f64x2.promote_low_f32x4(upperHalf(y)),
  );
  return i64x2.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** xʸ. 1 to any power is 1, and so is any number to the power 0, NaN included; −1 to an infinite power is 1. Too long to be inlined. */
export function power4(x: v128, y: v128): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const infinity = f32x4.splat(Infinity);
  const size = f32x4.abs(x);
  const sizeOfY = f32x4.abs(y);
  const rising = f32x4.gt(y, zero);
  let result = positivePower4(size, y);
  // 0, ∞ and infinite powers give 0 or ∞.
  const extreme = v128.or(v128.or(f32x4.eq(size, zero), f32x4.eq(size, infinity)), f32x4.eq(sizeOfY, infinity));
  const grows = i32x4.eq(f32x4.gt(size, one), rising);
  result = v128.bitselect(v128.and(infinity, grows), result, extreme);
  // Below 0: real for whole powers only, and negative for odd ones.
  const half = f32x4.mul(y, f32x4.splat(0.5));
  const whole = f32x4.eq(f32x4.trunc(y), y);
  const odd = v128.and(whole, f32x4.ne(f32x4.trunc(half), half));
  result = v128.or(result, v128.and(v128.and(x, i32x4.splat(0x80000000)), odd));
  const complex = v128.andnot(v128.and(f32x4.lt(x, zero), f32x4.lt(size, infinity)), whole);
  const none = v128.or(complex, v128.or(f32x4.ne(x, x), f32x4.ne(y, y)));
  result = v128.bitselect(f32x4.splat(NaN), result, none);
  const always = v128.or(f32x4.eq(x, one), v128.or(f32x4.eq(y, zero), v128.and(f32x4.eq(size, one), f32x4.eq(sizeOfY, infinity))));
  return v128.bitselect(one, result, always);
}
