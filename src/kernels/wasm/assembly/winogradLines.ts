/**
 * The transforms of Winograd's convolution F(4x4, 3x3), for one line of four lanes each. A tile's transform does all its
 * columns, then all its rows.
 *
 * The interpolation points are 0, ±a, ±b and infinity with a = 3/4 and b = 3/2: products of values near 1, so that large
 * and small terms do not drown each other, and exact in binary. Rounding errors are a third of those with the usual
 * points 0, ±1, ±2.
 *
 * @see Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2015), equations 5 to 8
 * @see Barabasz et al., Error Analysis and Improving the Accuracy of Winograd Convolution (2018), for the choice of points
 */
import { fma } from "./environment";
import { STRIP_ROW } from "./winogradSizes";

/** Lanes of a, b, a², b², a²b² and a² + b². Held in variables, they stay in registers. */
@inline
export function pointA(): v128 {
  return f32x4.splat(0.75);
}

@inline
export function pointB(): v128 {
  return f32x4.splat(1.5);
}

@inline
export function squareA(): v128 {
  return f32x4.splat(0.5625);
}

@inline
export function squareB(): v128 {
  return f32x4.splat(2.25);
}

@inline
export function squareProduct(): v128 {
  return f32x4.splat(1.265625);
}

@inline
export function squareSum(): v128 {
  return f32x4.splat(2.8125);
}

/** 1 / Π (p − q) over the other points q: at 0, at ±a and at ±b. */
const N0: f32 = 64.0 / 81.0;
const NA: f32 = -128.0 / 243.0;
const NB: f32 = 32.0 / 243.0;

/** c − a·b. */
@inline
export function minus(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

@inline
function times(factor: f32, x: v128): v128 {
  return f32x4.mul(f32x4.splat(factor), x);
}

/** Stores point `index` of a line: into a strip, whose rows lie a constant apart, or `index` · `step` bytes from `to` on. */
@inline
function put(isStrip: bool, to: usize, step: usize, index: usize, x: v128): void {
  if (!isStrip) v128.store(to + index * step, x);
  else if (index == 0) v128.store(to, x);
  else if (index == 1) v128.store(to, x, STRIP_ROW);
  else if (index == 2) v128.store(to, x, 2 * STRIP_ROW);
  else if (index == 3) v128.store(to, x, 3 * STRIP_ROW);
  else if (index == 4) v128.store(to, x, 4 * STRIP_ROW);
  else v128.store(to, x, 5 * STRIP_ROW);
}

/** Six input places → six points. */
@inline
export function inputLine(
  isStrip: bool, x0: v128, x1: v128, x2: v128, x3: v128, x4: v128, x5: v128, to: usize, step: usize,
  a: v128, b: v128, a2: v128, b2: v128, product: v128, sum: v128,
): void {
  put(isStrip, to, step, 0, fma(product, x0, minus(sum, x2, x4)));
  const evenA = minus(b2, x2, x4), oddA = minus(b2, x1, x3);
  put(isStrip, to, step, 1, fma(a, oddA, evenA));
  put(isStrip, to, step, 2, minus(a, oddA, evenA));
  const evenB = minus(a2, x2, x4), oddB = minus(a2, x1, x3);
  put(isStrip, to, step, 3, fma(b, oddB, evenB));
  put(isStrip, to, step, 4, minus(b, oddB, evenB));
  put(isStrip, to, step, 5, fma(product, x1, minus(sum, x3, x5)));
}

/** Four places of the output gradient → six points. */
@inline
export function gradLine(
  isStrip: bool, y0: v128, y1: v128, y2: v128, y3: v128, to: usize, step: usize, a: v128, b: v128, a2: v128, b2: v128,
): void {
  put(isStrip, to, step, 0, y0);
  const evenA = fma(a2, y2, y0), oddA = fma(a2, y3, y1);
  put(isStrip, to, step, 1, fma(a, oddA, evenA));
  put(isStrip, to, step, 2, minus(a, oddA, evenA));
  const evenB = fma(b2, y2, y0), oddB = fma(b2, y3, y1);
  put(isStrip, to, step, 3, fma(b, oddB, evenB));
  put(isStrip, to, step, 4, minus(b, oddB, evenB));
  put(isStrip, to, step, 5, y3);
}

/** Three taps of a filter → six points. */
@inline
export function filterLine(w0: v128, w1: v128, w2: v128, to: usize, step: usize): void {
  v128.store(to, times(N0, w0));
  const evenA = times(NA, fma(squareA(), w2, w0)), oddA = times(NA, f32x4.mul(pointA(), w1));
  v128.store(to + step, f32x4.add(evenA, oddA));
  v128.store(to + 2 * step, f32x4.sub(evenA, oddA));
  const evenB = times(NB, fma(squareB(), w2, w0)), oddB = times(NB, f32x4.mul(pointB(), w1));
  v128.store(to + 3 * step, f32x4.add(evenB, oddB));
  v128.store(to + 4 * step, f32x4.sub(evenB, oddB));
  v128.store(to + 5 * step, w2);
}

/** Six points → three taps of a filter's gradient: the transpose of `filterLine`. */
@inline
export function filterGradLine(from: usize, fromStep: usize, to: usize, step: usize): void {
  const m0 = v128.load(from), m1 = v128.load(from + fromStep), m2 = v128.load(from + 2 * fromStep);
  const m3 = v128.load(from + 3 * fromStep), m4 = v128.load(from + 4 * fromStep), m5 = v128.load(from + 5 * fromStep);
  const evenA = times(NA, f32x4.add(m1, m2)), oddA = times(NA, f32x4.sub(m1, m2));
  const evenB = times(NB, f32x4.add(m3, m4)), oddB = times(NB, f32x4.sub(m3, m4));
  v128.store(to, fma(f32x4.splat(N0), m0, f32x4.add(evenA, evenB)));
  v128.store(to + step, fma(pointA(), oddA, f32x4.mul(pointB(), oddB)));
  v128.store(to + 2 * step, fma(squareA(), evenA, fma(squareB(), evenB, m5)));
}

/** Places 1 to 3 of four of six points: Σ pⁱ · m + added. `even` and `odd` are sums and differences of points ±a and ±b. */
@inline
export function output1(oddA: v128, oddB: v128, added: v128): v128 {
  return fma(pointA(), oddA, fma(pointB(), oddB, added));
}

@inline
export function output2(evenA: v128, evenB: v128, added: v128): v128 {
  return fma(squareA(), evenA, fma(squareB(), evenB, added));
}

@inline
export function output3(oddA: v128, oddB: v128, added: v128): v128 {
  return fma(f32x4.splat(0.421875), oddA, fma(f32x4.splat(3.375), oddB, added));
}
