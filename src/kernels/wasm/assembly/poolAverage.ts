/** Average pooling and its gradient. */
import { argument, fraction, pointer } from "./environment";
import { areQuarters, storePairs, strided4 } from "./pool";
import { sumLanes } from "./vector";
import {
  dilationHeight, dilationWidth, endInside, endTap, firstInside, firstTap, inHeight, inWidth, kernelHeight, kernelWidth,
  outHeight, outWidth, padLeft, padTop, strideHeight, strideWidth,
} from "./windowsGeometry";

// Beyond the geometry: 2 padding below, 3 padding to the right, 4 whether padding counts, 5 whether the divisor is given,
// 6 (fraction) the given divisor.

/** What the sum of the window at (top, left) is divided by; 1 for a window that holds nothing, whose average is 0. */
function divisor(top: i32, left: i32): f32 {
  if (argument(5) != 0) return fraction(6);
  const padded = argument(4) != 0;
  const kyFirst = padded ? 0 : firstTap(top, dilationHeight());
  const kxFirst = padded ? 0 : firstTap(left, dilationWidth());
  const kyEnd = endTap(top, dilationHeight(), kernelHeight(), inHeight() + (padded ? argument(2) : 0));
  const kxEnd = endTap(left, dilationWidth(), kernelWidth(), inWidth() + (padded ? argument(3) : 0));
  const taps = max(0, kyEnd - kyFirst) * max(0, kxEnd - kxFirst);
  return taps == 0 ? 1 : <f32>taps;
}

/** Whether taps [kxFirst, kxEnd) of a window cover its rows of the input from end to end, and the rows follow one another. */
@inline
function isWholeRows(kxFirst: i32, kxEnd: i32): bool {
  return kxEnd - kxFirst == inWidth() && dilationWidth() == 1 && dilationHeight() == 1;
}

/** Arguments: 0 x, 1 out. Unit: an output row of a plane. */
export function avgPool(begin: i32, end: i32): void {
  if (areQuarters() && outWidth() >= 4) return averagesOfQuarters(begin, end);
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
    if (last - first < 4) {
      for (let i = 0; i < width; i++) averageOfWindow(x, top, i, out);
      continue;
    }
    for (let i = 0; i < first; i++) averageOfWindow(x, top, i, out);
    if (stride == 1) averagesOfRow(1, x, top, first, last, out);
    else if (stride == 2) averagesOfRow(2, x, top, first, last, out);
    else averagesOfRow(stride, x, top, first, last, out);
    for (let i = last; i < width; i++) averageOfWindow(x, top, i, out);
  }
}

function averageOfWindow(x: usize, top: i32, i: i32, out: usize): void {
  const left = i * strideWidth() - padLeft();
  const across = dilationWidth();
  const kyEnd = endTap(top, dilationHeight(), kernelHeight(), inHeight());
  const kxFirst = firstTap(left, across);
  const kxEnd = endTap(left, across, kernelWidth(), inWidth());
  let sum: f64 = 0;
  let ky = firstTap(top, dilationHeight());
  // Whole rows of the plane are one run.
  const joined = isWholeRows(kxFirst, kxEnd);
  const taps = joined ? (kyEnd - ky) * inWidth() : kxEnd - kxFirst;
  for (; ky < kyEnd; ky++) {
    let p = x + (<isize>((top + ky * dilationHeight()) * inWidth() + left + kxFirst * across) << 2);
    let i = 0;
    if (across == 1 && taps >= 4) {
      let sums = f32x4.splat(0);
      for (; i + 4 <= taps; i += 4, p += 16) sums = f32x4.add(sums, v128.load(p));
      sum += sumLanes(sums);
    }
    for (; i < taps; i++, p += <usize>across << 2) sum += load<f32>(p);
    if (joined) break;
  }
  store<f32>(out + (<usize>i << 2), <f32>(sum / <f64>divisor(top, left)));
}

/** Places [first, last), at least four, whose windows have all their columns inside the input: one divisor suits all. */
@inline
function averagesOfRow(stride: i32, x: usize, top: i32, first: i32, last: i32, out: usize): void {
  const kyFirst = firstTap(top, dilationHeight());
  const kyEnd = endTap(top, dilationHeight(), kernelHeight(), inHeight());
  const taps = kernelWidth();
  const down = <usize>(dilationHeight() * inWidth()) << 2;
  const across = <usize>dilationWidth() << 2;
  const start = x + (<isize>((top + kyFirst * dilationHeight()) * inWidth() - padLeft()) << 2);
  const divisors = f32x4.splat(divisor(top, first * stride - padLeft()));
  for (let i = first; i < last; i += 4) {
    const at = min(i, last - 4);
    let sums = f32x4.splat(0);
    let row = start + (<usize>(at * stride) << 2);
    for (let ky = kyFirst; ky < kyEnd; ky++, row += down) {
      for (let kx = 0, p = row; kx < taps; kx++, p += across) sums = f32x4.add(sums, strided4(p, stride));
    }
    v128.store(out + (<usize>at << 2), f32x4.div(sums, divisors));
  }
}

function averagesOfQuarters(begin: i32, end: i32): void {
  const rows = outHeight();
  const width = <usize>outWidth();
  const below = <usize>inWidth() << 2;
  const planeBytes = <usize>inHeight() * below;
  const divisors = f32x4.splat(divisor(0, 0));
  let plane = begin / rows;
  let y = begin - plane * rows;
  let out = pointer(1) + ((<usize>begin * width) << 2);
  for (let row = begin; row < end; row++, out += width << 2) {
    const top = pointer(0) + <usize>plane * planeBytes + <usize>(2 * y) * below;
    for (let i: usize = 0; i < width; i += 4) {
      // The last four may overlap those before.
      const at = min(i, width - 4);
      const p = top + (at << 3);
      const a = v128.load(p), b = v128.load(p, 16), c = v128.load(p + below), d = v128.load(p + below, 16);
      const upper = f32x4.add(i32x4.shuffle(a, b, 0, 2, 4, 6), i32x4.shuffle(a, b, 1, 3, 5, 7));
      const third = f32x4.add(upper, i32x4.shuffle(c, d, 0, 2, 4, 6));
      const sums = f32x4.add(third, i32x4.shuffle(c, d, 1, 3, 5, 7));
      v128.store(out + (at << 2), f32x4.div(sums, divisors));
    }
    if (++y == rows) {
      y = 0;
      plane++;
    }
  }
}

/** Arguments: 0 output gradient, 1 input gradient. Unit: a plane. */
export function avgPoolGrad(begin: i32, end: i32): void {
  const inSize = inHeight() * inWidth();
  const outSize = outHeight() * outWidth();
  const quarters = areQuarters() && outWidth() >= 4;
  for (let plane = begin; plane < end; plane++) {
    const gradient = pointer(0) + ((<usize>plane * outSize) << 2);
    const target = pointer(1) + ((<usize>plane * inSize) << 2);
    if (quarters) shareAmongQuarters(gradient, target);
    else {
      memory.fill(target, 0, <usize>inSize << 2);
      for (let y = 0, g = gradient; y < outHeight(); y++, g += <usize>outWidth() << 2) shareRow(g, y, target);
    }
  }
}

function shareRow(gradient: usize, y: i32, target: usize): void {
  const across = dilationWidth();
  const top = y * strideHeight() - padTop();
  const kyFirst = firstTap(top, dilationHeight());
  const kyEnd = endTap(top, dilationHeight(), kernelHeight(), inHeight());
  // Windows that have all their columns inside the input share a divisor.
  const stride = strideWidth();
  const first = firstInside(0, stride, padLeft(), outWidth());
  const last = endInside((kernelWidth() - 1) * across, stride, padLeft(), outWidth(), inWidth());
  const common = first < last ? divisor(top, first * stride - padLeft()) : 1;
  for (let i = 0; i < outWidth(); i++) {
    const left = i * stride - padLeft();
    const inside = i >= first && i < last;
    const kxFirst = inside ? 0 : firstTap(left, across);
    const kxEnd = inside ? kernelWidth() : endTap(left, across, kernelWidth(), inWidth());
    const share = load<f32>(gradient + (<usize>i << 2)) / (inside ? common : divisor(top, left));
    const shares = f32x4.splat(share);
    const joined = isWholeRows(kxFirst, kxEnd);
    const taps = joined ? (kyEnd - kyFirst) * inWidth() : kxEnd - kxFirst;
    for (let ky = kyFirst; ky < kyEnd; ky++) {
      let p = target + (<isize>((top + ky * dilationHeight()) * inWidth() + left + kxFirst * across) << 2);
      let tap = 0;
      if (across == 1) {
        for (; tap + 4 <= taps; tap += 4, p += 16) v128.store(p, f32x4.add(v128.load(p), shares));
      }
      for (; tap < taps; tap++, p += <usize>across << 2) store<f32>(p, load<f32>(p) + share);
      if (joined) break;
    }
  }
}

function shareAmongQuarters(gradient: usize, target: usize): void {
  const width = outWidth();
  const inside = inWidth();
  const below = <usize>inside << 2;
  const divisors = f32x4.splat(divisor(0, 0));
  let t = target;
  for (let y = 0; y < outHeight(); y++, t += 2 * below) {
    for (let i = 0; i < width; i += 4) {
      const at = min(i, width - 4);
      const share = f32x4.div(v128.load(gradient + (<usize>(y * width + at) << 2)), divisors);
      const p = t + (<usize>at << 3);
      storePairs(p, share, share);
      storePairs(p + below, share, share);
    }
    for (let i = 2 * width; i < inside; i++) {
      store<f32>(t + (<usize>i << 2), 0);
      store<f32>(t + below + (<usize>i << 2), 0);
    }
  }
  memory.fill(t, 0, <usize>(inHeight() - 2 * outHeight()) * below);
}
