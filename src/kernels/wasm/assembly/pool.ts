/** Maximum pooling. Four windows that lie side by side are looked at together wherever all their taps are inside the input. */
import { pointer } from "./environment";
import {
  dilationHeight, dilationWidth, endInside, endTap, firstInside, firstTap, inHeight, inWidth, kernelHeight, kernelWidth,
  outHeight, outWidth, padLeft, padTop, strideHeight, strideWidth,
} from "./windowsGeometry";
import { gated4 } from "./vector";

/** Four floats that lie `step` floats apart; nothing behind the last one is read. */
@inline
export function strided4(at: usize, step: i32): v128 {
  if (step == 1) return v128.load(at);
  if (step == 2) return i32x4.shuffle(v128.load(at), v128.load(at, 12), 0, 2, 5, 7);
  const bytes = <usize>step << 2;
  let lanes = f32x4.splat(load<f32>(at));
  lanes = f32x4.replace_lane(lanes, 1, load<f32>(at + bytes));
  lanes = f32x4.replace_lane(lanes, 2, load<f32>(at + 2 * bytes));
  return f32x4.replace_lane(lanes, 3, load<f32>(at + 3 * bytes));
}

/** Whether the windows are 2x2, side by side, and all inside the input. */
@inline
export function areQuarters(): bool {
  return (
    kernelHeight() == 2 && kernelWidth() == 2 && strideHeight() == 2 && strideWidth() == 2 &&
    dilationHeight() == 1 && dilationWidth() == 1 && padTop() == 0 && padLeft() == 0 &&
    2 * outHeight() <= inHeight() && 2 * outWidth() <= inWidth()
  );
}

/** Lanes where `value` takes the place of `best`: where it is greater, or NaN, which wins over every number and earlier NaN. */
@inline
function wins4(value: v128, best: v128): v128 {
  return v128.or(f32x4.gt(value, best), f32x4.ne(value, value));
}

/** Arguments: 0 x, 1 out, 2 indices, and the geometry. Unit: an output row of a plane. */
export function maxPool(begin: i32, end: i32): void {
  if (areQuarters() && outWidth() >= 4) return maxOfQuarters(begin, end);
  const rows = outHeight();
  const width = outWidth();
  const stride = strideWidth();
  const first = firstInside(0, stride, padLeft(), width);
  const last = max(first, endInside((kernelWidth() - 1) * dilationWidth(), stride, padLeft(), width, inWidth()));
  for (let row = begin; row < end; row++) {
    const plane = row / rows;
    const x = pointer(0) + ((<usize>plane * (inHeight() * inWidth())) << 2);
    const top = (row - plane * rows) * strideHeight() - padTop();
    const out = pointer(1) + ((<usize>row * width) << 2);
    const indices = pointer(2) + ((<usize>row * width) << 2);
    if (last - first < 4) {
      for (let i = 0; i < width; i++) maxOfWindow(x, top, i, out, indices);
      continue;
    }
    for (let i = 0; i < first; i++) maxOfWindow(x, top, i, out, indices);
    if (stride == 1) maxOfRow(1, x, top, first, last, out, indices);
    else if (stride == 2) maxOfRow(2, x, top, first, last, out, indices);
    else maxOfRow(stride, x, top, first, last, out, indices);
    for (let i = last; i < width; i++) maxOfWindow(x, top, i, out, indices);
  }
}

/** The window at row `top` of the input and place `i` of the output row. */
function maxOfWindow(x: usize, top: i32, i: i32, out: usize, indices: usize): void {
  const width = inWidth();
  const left = i * strideWidth() - padLeft();
  const kyEnd = endTap(top, dilationHeight(), kernelHeight(), inHeight());
  const kxFirst = firstTap(left, dilationWidth());
  const kxEnd = endTap(left, dilationWidth(), kernelWidth(), width);
  let ky = firstTap(top, dilationHeight());
  let place = (top + ky * dilationHeight()) * width + left + kxFirst * dilationWidth();
  let best = load<f32>(x + (<usize>place << 2));
  for (; ky < kyEnd; ky++) {
    let p = (top + ky * dilationHeight()) * width + left + kxFirst * dilationWidth();
    for (let kx = kxFirst; kx < kxEnd; kx++, p += dilationWidth()) {
      const value = load<f32>(x + (<usize>p << 2));
      if (value > best || value != value) {
        best = value;
        place = p;
      }
    }
  }
  store<f32>(out + (<usize>i << 2), best);
  store<i32>(indices + (<usize>i << 2), place);
}

/** Places [first, last), at least four, whose windows have all their columns inside the input. */
@inline
function maxOfRow(stride: i32, x: usize, top: i32, first: i32, last: i32, out: usize, indices: usize): void {
  const width = inWidth();
  const kyFirst = firstTap(top, dilationHeight());
  const kyEnd = endTap(top, dilationHeight(), kernelHeight(), inHeight());
  const taps = kernelWidth();
  const down = dilationHeight() * width;
  const across = dilationWidth();
  const start = (top + kyFirst * dilationHeight()) * width - padLeft();
  const places = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(stride));
  for (let i = first; i < last; i += 4) {
    // The last four may overlap those before.
    const at = min(i, last - 4);
    const corner = start + at * stride;
    let best = strided4(x + (<usize>corner << 2), stride);
    let steps = i32x4.splat(0);
    for (let ky = 0, row = 0; ky < kyEnd - kyFirst; ky++, row += down) {
      for (let kx = 0, step = row; kx < taps; kx++, step += across) {
        const value = strided4(x + (<usize>(corner + step) << 2), stride);
        const wins = wins4(value, best);
        best = v128.bitselect(value, best, wins);
        steps = v128.bitselect(i32x4.splat(step), steps, wins);
      }
    }
    v128.store(out + (<usize>at << 2), best);
    v128.store(indices + (<usize>at << 2), i32x4.add(steps, i32x4.add(places, i32x4.splat(corner))));
  }
}

function maxOfQuarters(begin: i32, end: i32): void {
  const rows = outHeight();
  const width = <usize>outWidth();
  const inside = inWidth();
  const below = <usize>inside << 2;
  const planeBytes = <usize>(inHeight() * inside) << 2;
  const down = i32x4.splat(inside);
  const diagonal = i32x4.splat(inside + 1);
  let plane = begin / rows;
  let y = begin - plane * rows;
  for (let row = begin; row < end; row++) {
    const x = pointer(0) + <usize>plane * planeBytes;
    const top = x + <usize>(2 * y) * below;
    const out = pointer(1) + ((<usize>row * width) << 2);
    const indices = pointer(2) + ((<usize>row * width) << 2);
    const corners = i32x4.add(i32x4(0, 2, 4, 6), i32x4.splat(2 * y * inside));
    // A sum is NaN where a term is; where it is for another reason, the slower way does no harm.
    let seen = i32x4.splat(0);
    for (let i: usize = 0; i < width; i += 4) {
      // The last four may overlap those before.
      const at = min(i, width - 4);
      const p = top + (at << 3);
      const a = v128.load(p);
      const b = v128.load(p, 16);
      const c = v128.load(p + below);
      const d = v128.load(p + below, 16);
      const first = i32x4.shuffle(a, b, 0, 2, 4, 6);
      const second = i32x4.shuffle(a, b, 1, 3, 5, 7);
      const third = i32x4.shuffle(c, d, 0, 2, 4, 6);
      const fourth = i32x4.shuffle(c, d, 1, 3, 5, 7);
      const sum = f32x4.add(f32x4.add(first, second), f32x4.add(third, fourth));
      seen = v128.or(seen, f32x4.ne(sum, sum));
      const best = f32x4.pmax(f32x4.pmax(first, second), f32x4.pmax(third, fourth));
      let steps = v128.bitselect(down, diagonal, f32x4.eq(third, best));
      steps = v128.bitselect(i32x4.splat(1), steps, f32x4.eq(second, best));
      steps = v128.andnot(steps, f32x4.eq(first, best));
      v128.store(out + (at << 2), best);
      v128.store(indices + (at << 2), i32x4.add(steps, i32x4.add(corners, i32x4.splat(2 * <i32>at))));
    }
    if (v128.any_true(seen)) {
      for (let i = 0; i < <i32>width; i++) maxOfWindow(x, 2 * y, i, out, indices);
    }
    if (++y == rows) {
      y = 0;
      plane++;
    }
  }
}

/**
 * Arguments: 0 output gradient, 1 indices, 2 input gradient, 3 the gate or 0, and the geometry. Unit: a plane.
 */
export function maxPoolGrad(begin: i32, end: i32): void {
  const inSize = inHeight() * inWidth();
  const outSize = outHeight() * outWidth();
  const quarters = areQuarters() && outWidth() >= 4;
  for (let plane = begin; plane < end; plane++) {
    const gradient = pointer(0) + ((<usize>plane * outSize) << 2);
    const indices = pointer(1) + ((<usize>plane * outSize) << 2);
    const target = pointer(2) + ((<usize>plane * inSize) << 2);
    const gate = pointer(3) == 0 ? 0 : pointer(3) + ((<usize>plane * outSize) << 2);
    if (quarters && (gate == 0 ? gradOfQuarters(false, gradient, indices, target, 0) : gradOfQuarters(true, gradient, indices, target, gate))) continue;
    memory.fill(target, 0, <usize>inSize << 2);
    for (let i: usize = 0; i < <usize>outSize << 2; i += 4) {
      if (gate != 0 && load<f32>(gate + i) <= 0) continue;
      const at = target + (<usize>load<u32>(indices + i) << 2);
      store<f32>(at, load<f32>(at) + load<f32>(gradient + i));
    }
  }
}

/** Stores a0 b0 a1 b1 a2 b2 a3 b3. */
@inline
export function storePairs(at: usize, a: v128, b: v128): void {
  v128.store(at, i32x4.shuffle(a, b, 0, 4, 1, 5));
  v128.store(at, i32x4.shuffle(a, b, 2, 6, 3, 7), 16);
}

/** Each window's gradient to its winner, zeros to the rest, in one pass. False where an index lies outside its window. */
@inline
function gradOfQuarters(gated: bool, gradient: usize, indices: usize, target: usize, gate: usize): bool {
  const width = outWidth();
  const inside = inWidth();
  const below = <usize>inside << 2;
  const lanes = i32x4(0, 2, 4, 6);
  const zero = i32x4.splat(0);
  const one = i32x4.splat(1);
  const down = i32x4.splat(inside);
  const diagonal = i32x4.splat(inside + 1);
  let found = i32x4.splat(-1);
  let t = target;
  for (let y = 0; y < outHeight(); y++, t += 2 * below) {
    for (let i = 0; i < width; i += 4) {
      const at = min(i, width - 4);
      const from = <usize>(y * width + at) << 2;
      let value = v128.load(gradient + from);
      if (gated) value = gated4(value, v128.load(gate + from));
      const corner = i32x4.add(lanes, i32x4.splat(2 * (y * inside + at)));
      const step = i32x4.sub(v128.load(indices + from), corner);
      const a = i32x4.eq(step, zero);
      const b = i32x4.eq(step, one);
      const c = i32x4.eq(step, down);
      const d = i32x4.eq(step, diagonal);
      found = v128.and(found, v128.or(v128.or(a, b), v128.or(c, d)));
      const p = t + (<usize>at << 3);
      storePairs(p, v128.and(value, a), v128.and(value, b));
      storePairs(p + below, v128.and(value, c), v128.and(value, d));
    }
    // Columns and rows that no window covers.
    for (let i = 2 * width; i < inside; i++) {
      store<f32>(t + (<usize>i << 2), 0);
      store<f32>(t + below + (<usize>i << 2), 0);
    }
  }
  memory.fill(t, 0, <usize>(inHeight() - 2 * outHeight()) * below);
  return i32x4.all_true(found);
}
