/** Optimizer steps: one pass over a parameter and its state. Units are vectors of four elements; argument 7 counts the elements. */
import { argument, fma, fraction, pointer } from "./environment";
import { OPTIMIZER_TAIL } from "./kernelIds";
import { sign4 } from "./vector";

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
 * 10 1 − dampening, 11 weight decay, 12 direction, 13 subgradient penalty, 14 proximal threshold.
 */
@inline
function sgd4(p: usize, g: usize, b: usize, hasMomentum: bool, firstStep: bool, nesterov: bool): void {
  const weight = v128.load(p);
  let grad = f32x4.mul(v128.load(g), f32x4.splat(fraction(12)));
  grad = fma(f32x4.splat(fraction(13)), sign4(weight), grad);
  grad = fma(f32x4.splat(fraction(11)), weight, grad);
  if (hasMomentum) {
    const momentum = f32x4.splat(fraction(9));
    const velocity = firstStep
      ? grad
      : fma(momentum, v128.load(b), f32x4.mul(grad, f32x4.splat(fraction(10))));
    v128.store(b, velocity);
    grad = nesterov ? fma(momentum, velocity, grad) : velocity;
  }
  let next = fma(f32x4.splat(-fraction(8)), grad, weight);
  if (fraction(14) > 0) next = softThreshold4(next, f32x4.splat(fraction(14)));
  v128.store(p, next);
}

export function sgdStep(begin: i32, end: i32): void {
  const p = pointer(0);
  const g = pointer(1);
  const b = pointer(2);
  const hasMomentum = b != 0;
  const firstStep = argument(3) != 0;
  const nesterov = argument(4) != 0;
  const whole = argument(7) >> 2;
  for (let i = <usize>begin << 4; i < <usize>min(end, whole) << 4; i += 16) {
    sgd4(p + i, g + i, b + i, hasMomentum, firstStep, nesterov);
  }
  if (end <= whole) return;
  moveTail(3, <usize>whole << 4, argument(7) & 3, false);
  sgd4(tailOf(0), tailOf(1), tailOf(2), hasMomentum, firstStep, nesterov);
  moveTail(3, <usize>whole << 4, argument(7) & 3, true);
}

/**
 * Arguments: 0 parameter, 1 gradient, 2 m, 3 v, 4 greatest v or 0; fractions: 8 β₁, 9 1 − β₁, 10 β₂, 11 1 − β₂, 12 direction,
 * 13 subgradient penalty, 14 proximal threshold, 15 weight decay into the gradient, 16 shrinking factor, 17 −step size,
 * 18 1 / sqrt(1 − β₂ᵗ), 19 eps.
 */
@inline
function adam4(p: usize, g: usize, m: usize, v: usize, top: usize, amsgrad: bool): void {
  const weight = v128.load(p);
  let grad = f32x4.mul(v128.load(g), f32x4.splat(fraction(12)));
  grad = fma(f32x4.splat(fraction(13)), sign4(weight), grad);
  grad = fma(f32x4.splat(fraction(15)), weight, grad);
  const mean = fma(f32x4.splat(fraction(8)), v128.load(m), f32x4.mul(f32x4.splat(fraction(9)), grad));
  const square = fma(
    f32x4.splat(fraction(10)),
    v128.load(v),
    f32x4.mul(f32x4.mul(f32x4.splat(fraction(11)), grad), grad),
  );
  v128.store(m, mean);
  v128.store(v, square);
  let largest = square;
  if (amsgrad) {
    largest = f32x4.max(v128.load(top), square);
    v128.store(top, largest);
  }
  const root = fma(f32x4.sqrt(largest), f32x4.splat(fraction(18)), f32x4.splat(fraction(19)));
  let next = fma(f32x4.splat(fraction(17)), f32x4.div(mean, root), f32x4.mul(weight, f32x4.splat(fraction(16))));
  if (fraction(14) > 0) next = softThreshold4(next, f32x4.splat(fraction(14)));
  v128.store(p, next);
}

export function adamStep(begin: i32, end: i32): void {
  const p = pointer(0);
  const g = pointer(1);
  const m = pointer(2);
  const v = pointer(3);
  const top = pointer(4);
  const amsgrad = top != 0;
  const whole = argument(7) >> 2;
  for (let i = <usize>begin << 4; i < <usize>min(end, whole) << 4; i += 16) {
    adam4(p + i, g + i, m + i, v + i, top + i, amsgrad);
  }
  if (end <= whole) return;
  moveTail(5, <usize>whole << 4, argument(7) & 3, false);
  adam4(tailOf(0), tailOf(1), tailOf(2), tailOf(3), tailOf(4), amsgrad);
  moveTail(5, <usize>whole << 4, argument(7) & 3, true);
}
