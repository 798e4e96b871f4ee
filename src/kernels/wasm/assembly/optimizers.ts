/** Optimizer steps: one pass over a parameter and its state. Units are vectors of four elements; argument 7 counts the elements. */
import { argument, fma, fraction, pointer } from "./environment";
import { OPTIMIZER_TAIL } from "./kernelIds";
import { sign4 } from "./vector";
import { withoutDenormals4 } from "./vector";

/** Where array `slot` continues in the few bytes for the last, incomplete vector. */
@inline
function tailOf(slot: i32): usize {
  return OPTIMIZER_TAIL + (<usize>slot << 4);
}

/** Copies `count` floats to or from the bytes for the last vector, for all arrays that are there. */
function moveTail(arrays: i32, at: usize, count: i32, back: bool): void {
  for (let slot = 0; slot < arrays; slot++) {
    const array = pointer(slot);
    if (array == 0) continue;
    const bytes = <usize>count << 2;
    if (back) memory.copy(array + at, tailOf(slot), bytes);
    else memory.copy(tailOf(slot), array + at, bytes);
  }
}

/** p moved towards 0 by `by`, and to exactly 0 where it is nearer; NaN stays. */
@inline
function softThreshold4(p: v128, by: v128): v128 {
  const zero = f32x4.splat(0);
  const size = f32x4.max(f32x4.sub(f32x4.abs(p), by), zero);
  return v128.or(size, v128.and(v128.and(p, i32x4.splat(0x80000000)), f32x4.gt(size, zero)));
}

/**
 * Arguments: 0 parameter, 1 gradient, 2 momentum buffer or 0, 3 first step, 4 nesterov; fractions: 8 lr, 9 momentum,
 * 10 1 − dampening, 11 weight decay, 12 direction, 13 subgradient penalty, 14 proximal threshold. Units [begin, end) of arrays
 * that begin at p, g and b.
 */
@inline
function sgdVectors(begin: i32, end: i32, p: usize, g: usize, b: usize, penalised: bool): void {
  const lr = f32x4.splat(-fraction(8));
  const momentum = f32x4.splat(fraction(9));
  const share = f32x4.splat(fraction(10));
  const decay = f32x4.splat(fraction(11));
  const decays = fraction(11) != 0;
  const direction = f32x4.splat(fraction(12));
  const hasMomentum = pointer(2) != 0;
  const firstStep = argument(3) != 0;
  const nesterov = argument(4) != 0;
  for (let i = <usize>begin << 4; i < <usize>end << 4; i += 16) {
    const weight = v128.load(p + i);
    let grad = f32x4.mul(v128.load(g + i), direction);
    if (penalised) grad = fma(f32x4.splat(fraction(13)), sign4(weight), grad);
    if (decays) grad = fma(decay, weight, grad);
    if (hasMomentum) {
      const velocity = withoutDenormals4(
        firstStep ? grad : fma(momentum, v128.load(b + i), f32x4.mul(grad, share)),
      );
      v128.store(b + i, velocity);
      grad = nesterov ? fma(momentum, velocity, grad) : velocity;
    }
    const next = withoutDenormals4(fma(lr, grad, weight));
    v128.store(p + i, penalised ? softThreshold4(next, f32x4.splat(fraction(14))) : next);
  }
}

@inline
function sgdPart(begin: i32, end: i32, p: usize, g: usize, b: usize): void {
  if (isPenalised()) sgdVectors(begin, end, p, g, b, true);
  else sgdVectors(begin, end, p, g, b, false);
}

export function sgdStep(begin: i32, end: i32): void {
  const whole = argument(7) >> 2;
  sgdPart(begin, min(end, whole), pointer(0), pointer(1), pointer(2));
  if (end <= whole) return;
  moveTail(3, <usize>whole << 4, argument(7) & 3, false);
  sgdPart(0, 1, tailOf(0), tailOf(1), tailOf(2));
  moveTail(3, <usize>whole << 4, argument(7) & 3, true);
}

/** Whether there is an l1 penalty of either kind. */
@inline
function isPenalised(): bool {
  return fraction(13) != 0 || fraction(14) != 0;
}

/**
 * Arguments: 0 parameter, 1 gradient, 2 m, 3 v, 4 greatest v or 0; fractions: 8 β₁, 9 1 − β₁, 10 β₂, 11 1 − β₂, 12 direction,
 * 13 subgradient penalty, 14 proximal threshold, 15 weight decay into the gradient, 16 shrinking factor, 17 −step size,
 * 18 1 / sqrt(1 − β₂ᵗ), 19 eps. Units [begin, end) of arrays that begin at p, g, m, v and top.
 */
@inline
function adamVectors(begin: i32, end: i32, p: usize, g: usize, m: usize, v: usize, top: usize, penalised: bool): void {
  const beta1 = f32x4.splat(fraction(8));
  const rest1 = f32x4.splat(fraction(9));
  const beta2 = f32x4.splat(fraction(10));
  const rest2 = f32x4.splat(fraction(11));
  const direction = f32x4.splat(fraction(12));
  const decay = f32x4.splat(fraction(15));
  const decays = fraction(15) != 0;
  const shrink = f32x4.splat(fraction(16));
  const step = f32x4.splat(fraction(17));
  const correction = f32x4.splat(fraction(18));
  const eps = f32x4.splat(fraction(19));
  const amsgrad = pointer(4) != 0;
  for (let i = <usize>begin << 4; i < <usize>end << 4; i += 16) {
    const weight = v128.load(p + i);
    let grad = f32x4.mul(v128.load(g + i), direction);
    if (penalised) grad = fma(f32x4.splat(fraction(13)), sign4(weight), grad);
    if (decays) grad = fma(decay, weight, grad);
    const mean = withoutDenormals4(fma(beta1, v128.load(m + i), f32x4.mul(rest1, grad)));
    const square = withoutDenormals4(fma(beta2, v128.load(v + i), f32x4.mul(f32x4.mul(rest2, grad), grad)));
    v128.store(m + i, mean);
    v128.store(v + i, square);
    let largest = square;
    if (amsgrad) {
      largest = f32x4.max(v128.load(top + i), square);
      v128.store(top + i, largest);
    }
    const root = fma(f32x4.sqrt(largest), correction, eps);
    const next = withoutDenormals4(fma(step, f32x4.div(mean, root), f32x4.mul(weight, shrink)));
    v128.store(p + i, penalised ? softThreshold4(next, f32x4.splat(fraction(14))) : next);
  }
}

@inline
function adamPart(begin: i32, end: i32, p: usize, g: usize, m: usize, v: usize, top: usize): void {
  if (isPenalised()) adamVectors(begin, end, p, g, m, v, top, true);
  else adamVectors(begin, end, p, g, m, v, top, false);
}

export function adamStep(begin: i32, end: i32): void {
  const whole = argument(7) >> 2;
  adamPart(begin, min(end, whole), pointer(0), pointer(1), pointer(2), pointer(3), pointer(4));
  if (end <= whole) return;
  moveTail(5, <usize>whole << 4, argument(7) & 3, false);
  adamPart(0, 1, tailOf(0), tailOf(1), tailOf(2), tailOf(3), tailOf(4));
  moveTail(5, <usize>whole << 4, argument(7) & 3, true);
}
