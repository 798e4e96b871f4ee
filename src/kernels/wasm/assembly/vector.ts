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

/** Number `index` of a table in memory. To load one takes one step, to make one up takes three, and engines do that in every turn of a loop. */
@inline
function entry(table: usize, index: usize): v128 {
  return v128.load32_splat(table + (index << 2));
}

/** Bounds, 1 / ln 2, a rounder, −ln 2 in two parts, the best polynomial of degree 6 for eʳ from its highest power on, and rounders that put 127 and 126 on top; from where on there is a case to look at. */
const EXP = memory.data<f32>([
  88.8, -104.0, 1.44269504088896341, 12582912.0, -0.693145751953125, -1.42860682030941723e-6, 1.3814540579915047e-3,
  8.36874544620514e-3, 4.166838899254799e-2, 1.666652113199234e-1, 0.4999999403953552, 1.0, 12583039.0, -88.0,
  12583038.0, -30.0, 0.5, 87.3,
]);

/** −ln 2, and the best polynomial of degree 5 for eʳ but for its last term. */
const SHORT_EXP = memory.data<f32>([
  -0.6931471805599453, 8.290272206068039e-3, 4.189816117286682e-2, 1.666763871908188e-1, 0.4999914765357971,
  0.9999997019767761,
]);

/** The series of log(1 + e) for e from 0 to 1. */
const SHARE = memory.data<f32>([
  2.0, 0.28174665692188045, 0.27961426375436493, 0.40024852291090324, 0.6666631600410472, 2.00000000786992833,
]);

/** The smallest normal number, a power of 2 and its exponent, the series of the logarithm, ln 2 in two parts, and results at the ends. */
const LOG = memory.data<f32>([
  1.17549435e-38, 8388608.0, 23.0, 1.0, 2.0, 2.0 / 11.0, 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0, -2.12194440e-4,
  0.693359375, Infinity, -Infinity, NaN,
]);

/** Bounds, two polynomials, and bounds of the result. */
const TANH = memory.data<f32>([
  9.02, -9.02, 1.3319900705e-8, 2.0584151091e-5, 3.49407828854e-3, 1.33797558223e-1, 9.99999979284e-1,
  7.7623800551e-7, 3.28316222749e-4, 2.5871242764e-2, 4.67130711553e-1, 1.0, -1.0,
]);

/** As for tanh. */
const ERF = memory.data<f32>([
  3.925, -3.925, 2.0460620370859417e-6, 2.848382024272944e-4, 3.7723300207654644e-3, 5.276862114729351e-2,
  0.19058868956011465, 1.1283791458877024, 3.804785327001819e-5, 1.1638036152652508e-3, 1.4982758669117783e-2,
  0.11418062081217009, 0.5022375602228347, 1.0, -1.0,
]);

/** From where on π/2 in four parts is too short; the polynomials of sine and cosine; 2/π, and −π/2 in parts of which multiples by numbers up to 2¹³ are exact. */
const SINE = memory.data<f32>([
  12800.0, 2.7183114e-6, -1.9839334e-4, 8.3333293e-3, -0.166666666, 2.4433157e-5, -1.3887316e-3, 4.1666645e-2, -0.5, 1.0,
  0.6366197723675814, -1.5703125, -4.837512969970703e-4, -7.549533620476723e-8, -2.563344151594519e-12,
]);

/** Masks of the exponent, the sign and the mantissa, and the bits of √½. */
const BITS = memory.data<u32>([0x7f800000, 0x80000000, 0x007fffff, 0x3f3504f3]);

/** 1.5·2²³: a number of moderate size plus this is rounded to a whole one, which its lowest bits then hold. */
const ROUNDER: f32 = 12582912;
const ROUNDER_BITS: i32 = 0x4b400000;

/** x − n·ln 2. */
@inline
function restOf(x: v128, n: v128): v128 {
  return fma(n, entry(EXP, 5), fma(n, entry(EXP, 4), x));
}

/** (eʳ − 1 − r) / r² within ±ln 2 / 2. */
@inline
function expBend(r: v128): v128 {
  let p = entry(EXP, 6);
  p = fma(p, r, entry(EXP, 7));
  p = fma(p, r, entry(EXP, 8));
  p = fma(p, r, entry(EXP, 9));
  return fma(p, r, entry(EXP, 10));
}

/** eʳ for r = x − n·ln 2 within ±ln 2 / 2. */
@inline
function expRest(x: v128, n: v128): v128 {
  const r = restOf(x, n);
  return fma(fma(expBend(r), r, entry(EXP, 11)), r, entry(EXP, 11));
}

/** eˣ: 2ⁿ·eʳ. Overflows to ∞ and underflows to 0 as it should; NaN stays NaN. */
@inline
export function exp4(x: v128): v128 {
  if (v128.any_true(f32x4.gt(f32x4.abs(x), entry(EXP, 17)))) return farExp4(x);
  const rounded = fma(x, entry(EXP, 2), entry(EXP, 12));
  return f32x4.mul(expRest(x, f32x4.sub(rounded, entry(EXP, 12))), i32x4.shl(rounded, 23));
}

/** With 2ⁿ as two factors, so that neither leaves the range of exponents where the product does not. */
function farExp4(x: v128): v128 {
  const held = f32x4.pmax(f32x4.pmin(x, entry(EXP, 0)), entry(EXP, 1));
  const rounded = fma(held, entry(EXP, 2), entry(EXP, 3));
  const p = expRest(held, f32x4.sub(rounded, entry(EXP, 3)));
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
  const held = f32x4.pmax(x, entry(EXP, 13));
  const rounded = fma(held, entry(EXP, 2), entry(EXP, 12));
  const n = f32x4.sub(rounded, entry(EXP, 12));
  let r: v128;
  if (ASC_FEATURE_RELAXED_SIMD) {
    r = fma(n, entry(SHORT_EXP, 0), held);
  } else {
    r = fma(n, entry(EXP, 4), held);
    r = fma(n, entry(EXP, 5), r);
  }
  let p = entry(SHORT_EXP, 1);
  p = fma(p, r, entry(SHORT_EXP, 2));
  p = fma(p, r, entry(SHORT_EXP, 3));
  p = fma(p, r, entry(SHORT_EXP, 4));
  p = fma(p, r, entry(SHORT_EXP, 5));
  p = fma(p, r, entry(EXP, 11));
  // The lowest bits are n + 127: at n = −127 the exponent is 0, and so is the factor.
  return f32x4.mul(p, i32x4.shl(rounded, 23));
}

/** eˣ, cheaper, where results that are denormal may be 0 and those from 2¹²⁷·√2 on may be ∞. */
@inline
export function plainExp4(x: v128): v128 {
  const held = f32x4.pmax(f32x4.pmin(x, entry(EXP, 0)), entry(EXP, 13));
  const rounded = fma(held, entry(EXP, 2), entry(EXP, 12));
  const p = expRest(held, f32x4.sub(rounded, entry(EXP, 12)));
  return f32x4.mul(p, i32x4.shl(rounded, 23));
}

/** eˣ − 1, exact near 0: 2ⁿ·(eʳ − 1) + (2ⁿ − 1), and twice that with half of the power, which stays in range. */
@inline
export function expm14(x: v128): v128 {
  const held = f32x4.pmax(f32x4.pmin(x, entry(EXP, 0)), entry(EXP, 15));
  const rounded = fma(held, entry(EXP, 2), entry(EXP, 14));
  const r = restOf(held, f32x4.sub(rounded, entry(EXP, 14)));
  const p = fma(f32x4.mul(expBend(r), r), r, r);
  const half = i32x4.shl(rounded, 23);
  const y = fma(half, p, f32x4.sub(half, entry(EXP, 16)));
  // −0 stays what it is.
  return v128.or(f32x4.add(y, y), v128.and(x, entry(BITS, 1)));
}

/** log(1 + e) for e from 0 to 1, exact near 0: the series in s = e / (2 + e). */
@inline
function logOfShare4(e: v128): v128 {
  const s = f32x4.div(e, f32x4.add(e, entry(SHARE, 0)));
  const z = f32x4.mul(s, s);
  let p = entry(SHARE, 1);
  p = fma(p, z, entry(SHARE, 2));
  p = fma(p, z, entry(SHARE, 3));
  p = fma(p, z, entry(SHARE, 4));
  p = fma(p, z, entry(SHARE, 5));
  return f32x4.mul(p, s);
}

/** log(1 + eˣ): max(x, 0) + log(1 + e^(−|x|)). */
@inline
export function softplus4(x: v128): v128 {
  return f32x4.add(f32x4.pmax(x, constant(0.0)), logOfShare4(plainExp4(f32x4.neg(f32x4.abs(x)))));
}

/** What |x| is multiplied with in the cross entropy of a logit: 1 − t above 0, else t. */
@inline
function wrongShare4(x: v128, t: v128): v128 {
  return select(f32x4.gt(x, constant(0.0)), f32x4.sub(entry(EXP, 11), t), t);
}

/** The binary cross entropy of logits x and targets t. */
@inline
export function logitLoss4(x: v128, t: v128): v128 {
  const size = f32x4.abs(x);
  return fma(size, wrongShare4(x, t), logOfShare4(plainExp4(f32x4.neg(size))));
}

/** Its derivative by x. */
@inline
export function logitLossGrad4(x: v128, t: v128): v128 {
  const off = f32x4.sub(sigmoid4(f32x4.neg(f32x4.abs(x))), wrongShare4(x, t));
  return v128.xor(off, v128.and(f32x4.gt(x, constant(0.0)), entry(BITS, 1)));
}

/** log(1 + x): what rounding took from 1 + x is given back as the first term of the series. */
@inline
export function log1p4(x: v128): v128 {
  const u = f32x4.add(x, entry(EXP, 11));
  if (!areNormal(u)) return farLog1p4(x);
  const lost = f32x4.div(f32x4.sub(x, f32x4.sub(u, entry(EXP, 11))), u);
  const y = f32x4.add(normalLog4(u, f32x4.splat(0)), lost);
  // −0 stays what it is.
  return v128.or(y, v128.and(x, entry(BITS, 1)));
}

function farLog1p4(x: v128): v128 {
  const u = f32x4.add(x, entry(EXP, 11));
  const lost = f32x4.div(f32x4.sub(x, f32x4.sub(u, entry(EXP, 11))), u);
  const logarithm = farLog4(u);
  const y = f32x4.add(logarithm, lost);
  // Near 0 nothing is added; at −1 and ∞ there is no quotient; beyond, nothing is lost that matters.
  const plain = v128.or(f32x4.eq(u, constant(0.0)), f32x4.gt(x, entry(LOG, 1)));
  return select(f32x4.eq(u, entry(EXP, 11)), x, select(plain, logarithm, y));
}

/** Whether all are positive numbers of which the logarithm is no special case. */
@inline
function areNormal(x: v128): bool {
  return i32x4.all_true(v128.and(f32x4.ge(x, entry(LOG, 0)), f32x4.lt(x, entry(LOG, 12))));
}

/** The natural logarithm. */
@inline
export function log4(x: v128): v128 {
  return areNormal(x) ? normalLog4(x, f32x4.splat(0)) : farLog4(x);
}

/** log x − less·ln 2 of x = m·2ⁿ with m in [√½, √2), and log m from the series in s = (m − 1) / (m + 1). */
@inline
function normalLog4(x: v128, less: v128): v128 {
  const shifted = i32x4.sub(x, entry(BITS, 3));
  const n = f32x4.sub(f32x4.convert_i32x4_s(i32x4.shr_s(shifted, 23)), less);
  const m = i32x4.add(v128.and(shifted, entry(BITS, 2)), entry(BITS, 3));
  const f = f32x4.sub(m, entry(LOG, 3));
  const s = f32x4.div(f, f32x4.add(f, entry(LOG, 4)));
  const z = f32x4.mul(s, s);
  let p = entry(LOG, 5);
  p = fma(p, z, entry(LOG, 6));
  p = fma(p, z, entry(LOG, 7));
  p = fma(p, z, entry(LOG, 8));
  p = fma(p, z, entry(LOG, 9));
  // log m = 2s + s·z·p, written around f so that the leading term is exact: 2s = f − s·f.
  const tail = fma(f32x4.mul(s, z), p, f32x4.neg(f32x4.mul(s, f)));
  const low = fma(n, entry(LOG, 10), tail);
  return fma(n, entry(LOG, 11), f32x4.add(f, low));
}

function farLog4(x: v128): v128 {
  // Denormals are scaled into the normal range first.
  const tiny = f32x4.lt(x, entry(LOG, 0));
  const scaled = select(tiny, f32x4.mul(x, entry(LOG, 1)), x);
  let y = normalLog4(scaled, v128.and(tiny, entry(LOG, 2)));
  y = select(f32x4.eq(x, entry(LOG, 12)), x, y);
  y = select(f32x4.eq(x, constant(0.0)), entry(LOG, 13), y);
  // Below 0 and for NaN.
  return select(f32x4.ge(x, constant(0.0)), y, entry(LOG, 14));
}

/** tanh: the quotient of two polynomials in x², fitted to tanh(x)/x within 2.1·10⁻⁸; from ±9.02 on it is ±1. */
@inline
export function tanh4(x: v128): v128 {
  const held = f32x4.pmax(f32x4.pmin(x, entry(TANH, 0)), entry(TANH, 1));
  const z = f32x4.mul(held, held);
  let p = fma(entry(TANH, 2), z, entry(TANH, 3));
  p = fma(p, z, entry(TANH, 4));
  p = fma(p, z, entry(TANH, 5));
  p = fma(p, z, entry(TANH, 6));
  let q = fma(entry(TANH, 7), z, entry(TANH, 8));
  q = fma(q, z, entry(TANH, 9));
  q = fma(q, z, entry(TANH, 10));
  q = fma(q, z, entry(TANH, 11));
  const y = f32x4.div(f32x4.mul(held, p), q);
  return f32x4.pmax(f32x4.pmin(y, entry(TANH, 11)), entry(TANH, 12));
}

/** The sine of x plus so many quarter turns. */
@inline
export function sineOfQuarters4(x: v128, quarters: i32): v128 {
  if (v128.any_true(f32x4.gt(f32x4.abs(x), entry(SINE, 0)))) return farSine4(x, quarters);
  const rounded = fma(x, entry(SINE, 10), entry(EXP, 3));
  const n = f32x4.sub(rounded, entry(EXP, 3));
  let r = fma(n, entry(SINE, 11), x);
  r = fma(n, entry(SINE, 12), r);
  // So far nothing was rounded. What the next sum loses goes into the last one.
  const third = f32x4.mul(n, entry(SINE, 13));
  const sum = f32x4.add(r, third);
  r = f32x4.add(sum, fma(n, entry(SINE, 14), f32x4.sub(third, f32x4.sub(sum, r))));
  return sineOfRest4(r, quarters == 0 ? rounded : i32x4.add(rounded, i32x4.splat(quarters)));
}

/** The sine of r plus a quarter turn for each of `turns`, of which the lowest bits count; r is within ±π/4. */
@inline
function sineOfRest4(r: v128, turns: v128): v128 {
  const z = f32x4.mul(r, r);
  let s = fma(entry(SINE, 1), z, entry(SINE, 2));
  s = fma(s, z, entry(SINE, 3));
  s = fma(s, z, entry(SINE, 4));
  s = fma(f32x4.mul(r, z), s, r);
  let c = fma(entry(SINE, 5), z, entry(SINE, 6));
  c = fma(c, z, entry(SINE, 7));
  c = fma(f32x4.mul(z, z), c, fma(z, entry(SINE, 8), entry(SINE, 9)));
  const odd = i32x4.shr_s(i32x4.shl(turns, 31), 31);
  return v128.xor(select(odd, c, s), i32x4.shl(i32x4.shr_s(turns, 1), 31));
}

/** Where π/2 must be known to more digits than float32 holds. */
function farSine4(x: v128, quarters: i32): v128 {
  let y = f32x4.splat(farSine(f32x4.extract_lane(x, 0), quarters));
  y = f32x4.replace_lane(y, 1, farSine(f32x4.extract_lane(x, 1), quarters));
  y = f32x4.replace_lane(y, 2, farSine(f32x4.extract_lane(x, 2), quarters));
  return f32x4.replace_lane(y, 3, farSine(f32x4.extract_lane(x, 3), quarters));
}

function farSine(x: f32, quarters: i32): f32 {
  return <f32>(quarters == 0 ? NativeMath.sin(x) : NativeMath.cos(x));
}

/** erf: the quotient of two polynomials in x², fitted to erf(x)/x; beyond ±3.925 it is ±1. */
@inline
export function erf4(x: v128): v128 {
  const held = f32x4.pmax(f32x4.pmin(x, entry(ERF, 0)), entry(ERF, 1));
  const z = f32x4.mul(held, held);
  let p = fma(entry(ERF, 2), z, entry(ERF, 3));
  p = fma(p, z, entry(ERF, 4));
  p = fma(p, z, entry(ERF, 5));
  p = fma(p, z, entry(ERF, 6));
  p = fma(p, z, entry(ERF, 7));
  let q = fma(entry(ERF, 8), z, entry(ERF, 9));
  q = fma(q, z, entry(ERF, 10));
  q = fma(q, z, entry(ERF, 11));
  q = fma(q, z, entry(ERF, 12));
  q = fma(q, z, entry(ERF, 13));
  const y = f32x4.div(f32x4.mul(held, p), q);
  return f32x4.pmax(f32x4.pmin(y, entry(ERF, 13)), entry(ERF, 14));
}

/** 1 / (1 + e⁻ˣ). */
@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(entry(EXP, 11), f32x4.add(entry(EXP, 11), plainExp4(f32x4.neg(x))));
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
  const exponent = v128.and(x, entry(BITS, 0));
  return v128.andnot(x, i32x4.eq(exponent, i32x4.splat(0)));
}

/** The gradient of ReLU: g, but 0 where ReLU's output is 0. */
@inline
export function gated4(g: v128, output: v128): v128 {
  return withoutDenormals4(v128.andnot(g, f32x4.le(output, f32x4.splat(0))));
}

/** x = 0 where the gate is 0 or less, as the gradient of ReLU has it. */
export function closeGate(x: usize, gate: usize, bytes: usize): void {
  const end = x + bytes;
  for (; x + 16 <= end; x += 16, gate += 16) v128.store(x, gated4(v128.load(x), v128.load(gate)));
  for (; x < end; x += 4, gate += 4) {
    store<f32>(x, f32x4.extract_lane(gated4(v128.load32_zero(x), v128.load32_zero(gate)), 0));
  }
}

/** The sum of the four lanes. */
@inline
export function sumLanes(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}
