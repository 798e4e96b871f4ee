/** Elementary functions on four floats at once, accurate to a few units in the last place. */
import { fma } from "./environment";

@inline
function constant(value: f32): v128 {
  return f32x4.splat(value);
}

@inline
function select(mask: v128, whenTrue: v128, whenFalse: v128): v128 {
  return v128.bitselect(whenTrue, whenFalse, mask);
}

/** 1.5·2²³: a number of moderate size plus this is rounded to a whole one, which its lowest bits then hold. */
const ROUNDER: f32 = 12582912;
const ROUNDER_BITS: i32 = 0x4b400000;

/** eʳ for r = x − n·ln 2 within ±ln 2 / 2, by its best polynomial of degree 6. */
@inline
function expRest(x: v128, n: v128): v128 {
  let r = fma(n, constant(-0.693145751953125), x);
  r = fma(n, constant(-1.42860682030941723e-6), r);
  let p = constant(1.3814540579915047e-3);
  p = fma(p, r, constant(8.36874544620514e-3));
  p = fma(p, r, constant(4.166838899254799e-2));
  p = fma(p, r, constant(1.666652113199234e-1));
  p = fma(p, r, constant(0.4999999403953552));
  p = fma(p, r, constant(1.0));
  return fma(p, r, constant(1.0));
}

/** eˣ: 2ⁿ·eʳ. Overflows to ∞ and underflows to 0 as it should; NaN stays NaN. */
@inline
export function exp4(x: v128): v128 {
  const held = f32x4.pmax(f32x4.pmin(x, constant(88.8)), constant(-104.0));
  const rounded = fma(held, constant(1.44269504088896341), constant(ROUNDER));
  const p = expRest(held, f32x4.sub(rounded, constant(ROUNDER)));
  // 2ⁿ as two factors, so that neither leaves the range of exponents where the product does not.
  const whole = i32x4.sub(rounded, i32x4.splat(ROUNDER_BITS - 254));
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(p, i32x4.shl(half, 23)), i32x4.shl(i32x4.sub(whole, half), 23));
}

/**
 * eˣ for x ≤ 0, cheaper, as sums of exponentials need it: below −87.7, where the result would be a denormal, it is 0. The
 * polynomial has degree 5. A fused multiply-add makes up for what ln 2 was rounded by; without one it takes two steps.
 */
@inline
export function expOfNegative4(x: v128): v128 {
  const held = f32x4.pmax(x, constant(-88.0));
  const rounded = fma(held, constant(1.44269504088896341), constant(ROUNDER));
  const n = f32x4.sub(rounded, constant(ROUNDER));
  let r: v128;
  if (ASC_FEATURE_RELAXED_SIMD) {
    r = fma(n, constant(-0.6931471805599453), held);
  } else {
    r = fma(n, constant(-0.693145751953125), held);
    r = fma(n, constant(-1.42860682030941723e-6), r);
  }
  let p = constant(8.290272206068039e-3);
  p = fma(p, r, constant(4.189816117286682e-2));
  p = fma(p, r, constant(1.666763871908188e-1));
  p = fma(p, r, constant(0.4999914765357971));
  p = fma(p, r, constant(0.9999997019767761));
  p = fma(p, r, constant(1.0));
  // At n = −127 the bits of the exponent are 0, and so is the factor.
  return f32x4.mul(p, i32x4.shl(i32x4.sub(rounded, i32x4.splat(ROUNDER_BITS - 127)), 23));
}

/** eˣ − 1, exact near 0: 2ⁿ·(eʳ − 1) + (2ⁿ − 1), and twice that with half of the power, which stays in range. */
@inline
export function expm14(x: v128): v128 {
  const held = f32x4.pmax(f32x4.pmin(x, constant(88.8)), constant(-30.0));
  const rounded = fma(held, constant(1.44269504088896341), constant(ROUNDER));
  const n = f32x4.sub(rounded, constant(ROUNDER));
  let r = fma(n, constant(-0.693145751953125), held);
  r = fma(n, constant(-1.42860682030941723e-6), r);
  let p = constant(1.3814540579915047e-3);
  p = fma(p, r, constant(8.36874544620514e-3));
  p = fma(p, r, constant(4.166838899254799e-2));
  p = fma(p, r, constant(1.666652113199234e-1));
  p = fma(p, r, constant(0.4999999403953552));
  p = fma(f32x4.mul(p, r), r, r);
  const half = i32x4.shl(i32x4.sub(rounded, i32x4.splat(ROUNDER_BITS - 126)), 23);
  const y = fma(half, p, f32x4.sub(half, constant(0.5)));
  // −0 stays what it is.
  return v128.or(f32x4.add(y, y), v128.and(x, i32x4.splat(0x80000000)));
}

/** log(1 + e) for e from 0 to 1, exact near 0: the series in s = e / (2 + e). */
@inline
function logOfShare4(e: v128): v128 {
  const s = f32x4.div(e, f32x4.add(e, constant(2.0)));
  const z = f32x4.mul(s, s);
  let p = constant(0.28174665692188045);
  p = fma(p, z, constant(0.27961426375436493));
  p = fma(p, z, constant(0.40024852291090324));
  p = fma(p, z, constant(0.6666631600410472));
  p = fma(p, z, constant(2.00000000786992833));
  return f32x4.mul(p, s);
}

/** log(1 + eˣ): max(x, 0) + log(1 + e^(−|x|)). */
@inline
export function softplus4(x: v128): v128 {
  return f32x4.add(f32x4.pmax(x, constant(0.0)), logOfShare4(exp4(f32x4.neg(f32x4.abs(x)))));
}

/** log(1 + x): what rounding took from 1 + x is given back as the first term of the series. */
@inline
export function log1p4(x: v128): v128 {
  const u = f32x4.add(x, constant(1.0));
  const lost = f32x4.div(f32x4.sub(x, f32x4.sub(u, constant(1.0))), u);
  const logarithm = log4(u);
  const y = f32x4.add(logarithm, lost);
  // Near 0 nothing is added; at −1 and ∞ there is no quotient; beyond, nothing is lost that matters.
  const plain = v128.or(f32x4.eq(u, constant(0.0)), f32x4.gt(x, constant(16777216.0)));
  return select(f32x4.eq(u, constant(1.0)), x, select(plain, logarithm, y));
}

/** The natural logarithm: m·2ⁿ with m in [√½, √2), and log m from the series in s = (m − 1) / (m + 1). */
@inline
export function log4(x: v128): v128 {
  // Denormals are scaled into the normal range first.
  const tiny = f32x4.lt(x, constant(1.17549435e-38));
  const scaled = select(tiny, f32x4.mul(x, constant(8388608.0)), x);
  const shifted = i32x4.sub(scaled, i32x4.splat(0x3f3504f3));
  let n = f32x4.convert_i32x4_s(i32x4.shr_s(shifted, 23));
  n = f32x4.sub(n, v128.and(tiny, constant(23.0)));
  const m = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const f = f32x4.sub(m, constant(1.0));
  const s = f32x4.div(f, f32x4.add(f, constant(2.0)));
  const z = f32x4.mul(s, s);
  let p = constant(2.0 / 11.0);
  p = fma(p, z, constant(2.0 / 9.0));
  p = fma(p, z, constant(2.0 / 7.0));
  p = fma(p, z, constant(2.0 / 5.0));
  p = fma(p, z, constant(2.0 / 3.0));
  // log m = 2s + s·z·p, written around f so that the leading term is exact: 2s = f − s·f.
  const tail = fma(f32x4.mul(s, z), p, f32x4.neg(f32x4.mul(s, f)));
  const low = fma(n, constant(-2.12194440e-4), tail);
  let y = fma(n, constant(0.693359375), f32x4.add(f, low));
  y = select(f32x4.eq(x, constant(f32.MAX_VALUE * 2)), x, y);
  y = select(f32x4.eq(x, constant(0.0)), constant(-f32.MAX_VALUE * 2), y);
  // Below 0 and for NaN.
  return select(f32x4.ge(x, constant(0.0)), y, constant(NaN));
}

/** tanh: the quotient of two polynomials in x², fitted to tanh(x)/x within 2.1·10⁻⁸; from ±9.02 on it is ±1. */
@inline
export function tanh4(x: v128): v128 {
  const held = f32x4.pmax(f32x4.pmin(x, constant(9.02)), constant(-9.02));
  const z = f32x4.mul(held, held);
  let p = fma(constant(1.3319900705e-8), z, constant(2.0584151091e-5));
  p = fma(p, z, constant(3.49407828854e-3));
  p = fma(p, z, constant(1.33797558223e-1));
  p = fma(p, z, constant(9.99999979284e-1));
  let q = fma(constant(7.7623800551e-7), z, constant(3.28316222749e-4));
  q = fma(q, z, constant(2.5871242764e-2));
  q = fma(q, z, constant(4.67130711553e-1));
  q = fma(q, z, constant(1.0));
  const y = f32x4.div(f32x4.mul(held, p), q);
  return f32x4.pmax(f32x4.pmin(y, constant(1.0)), constant(-1.0));
}

/** From here on π/2 in two parts is too short. */
const FAR: f32 = 1e6;

/** x as a multiple of π/2 and what is left, of two floats; in double precision, which leaves the rest exact to rounding. */
@inline
function rest2(x: v128, n: v128): v128 {
  const near = f64x2.sub(x, f64x2.mul(n, f64x2.splat(1.57079632673412561417)));
  return f64x2.sub(near, f64x2.mul(n, f64x2.splat(6.07710050650619224932e-11)));
}

/** The sine of x plus so many quarter turns. */
export function sineOfQuarters4(x: v128, quarters: i32): v128 {
  if (v128.any_true(f32x4.gt(f32x4.abs(x), constant(FAR)))) {
    let far = x;
    far = f32x4.replace_lane(far, 0, farSine(f32x4.extract_lane(x, 0), quarters));
    far = f32x4.replace_lane(far, 1, farSine(f32x4.extract_lane(x, 1), quarters));
    far = f32x4.replace_lane(far, 2, farSine(f32x4.extract_lane(x, 2), quarters));
    return f32x4.replace_lane(far, 3, farSine(f32x4.extract_lane(x, 3), quarters));
  }
  const low = f64x2.promote_low_f32x4(x);
  const high = f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 0));
  const lowTurns = f64x2.nearest(f64x2.mul(low, f64x2.splat(0.6366197723675814)));
  const highTurns = f64x2.nearest(f64x2.mul(high, f64x2.splat(0.6366197723675814)));
  const lowRest = f32x4.demote_f64x2_zero(rest2(low, lowTurns));
  const r = i64x2.shuffle(lowRest, f32x4.demote_f64x2_zero(rest2(high, highTurns)), 0, 2);
  const lowWhole = i32x4.trunc_sat_f64x2_s_zero(lowTurns);
  const turns = i64x2.shuffle(lowWhole, i32x4.trunc_sat_f64x2_s_zero(highTurns), 0, 2);
  const quadrant = i32x4.add(turns, i32x4.splat(quarters));
  const z = f32x4.mul(r, r);
  let s = fma(constant(2.7183114e-6), z, constant(-1.9839334e-4));
  s = fma(s, z, constant(8.3333293e-3));
  s = fma(s, z, constant(-0.166666666));
  s = fma(f32x4.mul(r, z), s, r);
  let c = fma(constant(2.4433157e-5), z, constant(-1.3887316e-3));
  c = fma(c, z, constant(4.1666645e-2));
  c = fma(f32x4.mul(z, z), c, fma(z, constant(-0.5), constant(1.0)));
  const odd = i32x4.shr_s(i32x4.shl(quadrant, 31), 31);
  const negative = i32x4.shl(i32x4.shr_s(quadrant, 1), 31);
  return v128.xor(select(odd, c, s), negative);
}

function farSine(x: f32, quarters: i32): f32 {
  return <f32>(quarters == 0 ? NativeMath.sin(x) : NativeMath.cos(x));
}

/** erf: the quotient of two polynomials in x², fitted to erf(x)/x; beyond ±3.925 it is ±1. */
@inline
export function erf4(x: v128): v128 {
  const held = f32x4.pmax(f32x4.pmin(x, constant(3.925)), constant(-3.925));
  const z = f32x4.mul(held, held);
  let p = fma(constant(2.0460620370859417e-6), z, constant(2.848382024272944e-4));
  p = fma(p, z, constant(3.7723300207654644e-3));
  p = fma(p, z, constant(5.276862114729351e-2));
  p = fma(p, z, constant(0.19058868956011465));
  p = fma(p, z, constant(1.1283791458877024));
  let q = fma(constant(3.804785327001819e-5), z, constant(1.1638036152652508e-3));
  q = fma(q, z, constant(1.4982758669117783e-2));
  q = fma(q, z, constant(0.11418062081217009));
  q = fma(q, z, constant(0.5022375602228347));
  q = fma(q, z, constant(1.0));
  const y = f32x4.div(f32x4.mul(held, p), q);
  return f32x4.pmax(f32x4.pmin(y, constant(1.0)), constant(-1.0));
}

/** 1 / (1 + e⁻ˣ). */
@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(constant(1.0), f32x4.add(constant(1.0), exp4(f32x4.neg(x))));
}

/** −1, 0 or 1; 0 for NaN. */
@inline
export function sign4(x: v128): v128 {
  const zero = constant(0.0);
  const above = v128.and(f32x4.gt(x, zero), constant(1.0));
  return v128.or(above, v128.and(f32x4.lt(x, zero), constant(-1.0)));
}

/**
 * x with denormals as 0, and NaN kept, for arithmetic with denormals is up to a hundred times slower. What only decays (the
 * state of a weight without gradient, or the weight itself) would otherwise stay denormal for good, and gradients that
 * vanish from layer to layer would be so in all the layers before.
 */
@inline
export function withoutDenormals4(x: v128): v128 {
  const exponent = v128.and(x, i32x4.splat(0x7f800000));
  return v128.andnot(x, i32x4.eq(exponent, i32x4.splat(0)));
}

/** The sum of the four lanes. */
@inline
export function sumLanes(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}
