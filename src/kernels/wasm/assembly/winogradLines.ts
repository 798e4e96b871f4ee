/**
 * The transforms of Winograd's convolution F(4x4, 3x3), for one line of four lanes each. A tile's transform does all its
 * rows, then all its columns.
 *
 * The interpolation points are 0, ±3/4, ±3/2 and infinity: products of values near 1, so that large and small terms do
 * not drown each other, and exact in binary. Rounding errors are a third of those with the usual points 0, ±1, ±2.
 *
 * @see Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2015), equations 5 to 8
 * @see Barabasz et al., Error Analysis and Improving the Accuracy of Winograd Convolution (2018), for the choice of points
 */
import { fma } from "./environment";

/** The points a = 3/4 and b = 3/2. */
const A: f32 = 0.75;
const B: f32 = 1.5;
const A2: f32 = 0.5625;
const B2: f32 = 2.25;
/** a²·b² and a² + b². */
const A2_B2: f32 = 1.265625;
const A2_PLUS_B2: f32 = 2.8125;
/** 1 / Π (p − q) over the other points q: at 0, at ±a and at ±b. */
const N0: f32 = 64.0 / 81.0;
const NA: f32 = -128.0 / 243.0;
const NB: f32 = 32.0 / 243.0;

@inline
function times(factor: f32, x: v128): v128 {
  return f32x4.mul(f32x4.splat(factor), x);
}

/** factor · x + y. */
@inline
function plus(factor: f32, x: v128, y: v128): v128 {
  return fma(f32x4.splat(factor), x, y);
}

/** Six input places → six points. */
@inline
export function inputLine(x0: v128, x1: v128, x2: v128, x3: v128, x4: v128, x5: v128, to: usize, step: usize): void {
  v128.store(to, plus(A2_B2, x0, plus(-A2_PLUS_B2, x2, x4)));
  to += step;
  const evenA = plus(-B2, x2, x4), oddA = plus(-B2, x1, x3);
  v128.store(to, plus(A, oddA, evenA));
  to += step;
  v128.store(to, plus(-A, oddA, evenA));
  to += step;
  const evenB = plus(-A2, x2, x4), oddB = plus(-A2, x1, x3);
  v128.store(to, plus(B, oddB, evenB));
  to += step;
  v128.store(to, plus(-B, oddB, evenB));
  to += step;
  v128.store(to, plus(A2_B2, x1, plus(-A2_PLUS_B2, x3, x5)));
}

/** Four places of the output gradient → six points. */
@inline
export function gradLine(y0: v128, y1: v128, y2: v128, y3: v128, to: usize, step: usize): void {
  v128.store(to, y0);
  to += step;
  const evenA = plus(A2, y2, y0), oddA = plus(A2, y3, y1);
  v128.store(to, plus(A, oddA, evenA));
  to += step;
  v128.store(to, plus(-A, oddA, evenA));
  to += step;
  const evenB = plus(B2, y2, y0), oddB = plus(B2, y3, y1);
  v128.store(to, plus(B, oddB, evenB));
  to += step;
  v128.store(to, plus(-B, oddB, evenB));
  to += step;
  v128.store(to, y3);
}

/** Three taps of a filter → six points. */
@inline
export function filterLine(w0: v128, w1: v128, w2: v128, to: usize, step: usize): void {
  v128.store(to, times(N0, w0));
  to += step;
  const evenA = times(NA, plus(A2, w2, w0)), oddA = times(NA * A, w1);
  v128.store(to, f32x4.add(evenA, oddA));
  to += step;
  v128.store(to, f32x4.sub(evenA, oddA));
  to += step;
  const evenB = times(NB, plus(B2, w2, w0)), oddB = times(NB * B, w1);
  v128.store(to, f32x4.add(evenB, oddB));
  to += step;
  v128.store(to, f32x4.sub(evenB, oddB));
  to += step;
  v128.store(to, w2);
}

/** Six points → three taps of a filter's gradient: the transpose of `filterLine`. */
@inline
export function filterGradLine(from: usize, fromStep: usize, to: usize, step: usize): void {
  const m0 = v128.load(from), m1 = v128.load(from + fromStep), m2 = v128.load(from + 2 * fromStep);
  const m3 = v128.load(from + 3 * fromStep), m4 = v128.load(from + 4 * fromStep), m5 = v128.load(from + 5 * fromStep);
  const evenA = times(NA, f32x4.add(m1, m2)), oddA = f32x4.sub(m1, m2);
  const evenB = times(NB, f32x4.add(m3, m4)), oddB = f32x4.sub(m3, m4);
  v128.store(to, plus(N0, m0, f32x4.add(evenA, evenB)));
  v128.store(to + step, plus(NA * A, oddA, times(NB * B, oddB)));
  v128.store(to + 2 * step, plus(A2, evenA, plus(B2, evenB, m5)));
}

/** Output place 0 to 3 of six points: Σ pⁱ · m. `even` and `odd` are sums and differences of the points ±a and ±b. */
@inline
export function output0(m0: v128, evenA: v128, evenB: v128): v128 {
  return f32x4.add(m0, f32x4.add(evenA, evenB));
}

@inline
export function output1(oddA: v128, oddB: v128, added: v128): v128 {
  return plus(A, plus(2, oddB, oddA), added);
}

@inline
export function output2(evenA: v128, evenB: v128, added: v128): v128 {
  return plus(A2, plus(4, evenB, evenA), added);
}

@inline
export function output3(oddA: v128, oddB: v128, added: v128): v128 {
  return plus(A2 * A, plus(8, oddB, oddA), added);
}
