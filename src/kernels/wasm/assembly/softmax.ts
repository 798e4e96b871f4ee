/** Softmax along dense rows, and its gradient. Units are rows. */
import { argument, fma, pointer } from "./environment";
import { exp4, expOfNegative4, sumLanes } from "./vector";

/** The greatest of a row. Where there is a NaN it may be any element: the sum of exponentials is NaN then, whatever it is. */
@inline
function largest(x: usize, n: i32): f32 {
  let top = -Infinity as f32;
  let i = 0;
  if (n >= 16) {
    let a = v128.load(x);
    let b = v128.load(x, 16);
    let c = v128.load(x, 32);
    let d = v128.load(x, 48);
    for (i = 16; i + 16 <= n; i += 16) {
      const at = x + (<usize>i << 2);
      a = f32x4.pmax(a, v128.load(at));
      b = f32x4.pmax(b, v128.load(at, 16));
      c = f32x4.pmax(c, v128.load(at, 32));
      d = f32x4.pmax(d, v128.load(at, 48));
    }
    a = f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d));
    top = max(
      max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)),
      max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)),
    );
  }
  for (; i < n; i++) top = max(top, load<f32>(x + (<usize>i << 2)));
  return top;
}

/** Σ exp(x − top) of a row; `out` gets the terms unless it is 0. */
@inline
function exponentials(x: usize, n: i32, top: f32, out: usize, keep: bool): f32 {
  const tops = f32x4.splat(top);
  let sums = f32x4.splat(0);
  let others = f32x4.splat(0);
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    const at = <usize>i << 2;
    const e = expOfNegative4(f32x4.sub(v128.load(x + at), tops));
    const f = expOfNegative4(f32x4.sub(v128.load(x + at, 16), tops));
    const g = expOfNegative4(f32x4.sub(v128.load(x + at, 32), tops));
    const h = expOfNegative4(f32x4.sub(v128.load(x + at, 48), tops));
    sums = f32x4.add(sums, f32x4.add(e, f));
    others = f32x4.add(others, f32x4.add(g, h));
    if (keep) {
      v128.store(out + at, e);
      v128.store(out + at, f, 16);
      v128.store(out + at, g, 32);
      v128.store(out + at, h, 48);
    }
  }
  for (; i + 4 <= n; i += 4) {
    const at = <usize>i << 2;
    const e = expOfNegative4(f32x4.sub(v128.load(x + at), tops));
    sums = f32x4.add(sums, e);
    if (keep) v128.store(out + at, e);
  }
  let sum = sumLanes(f32x4.add(sums, others));
  for (; i < n; i++) {
    const at = <usize>i << 2;
    const e = f32x4.extract_lane(expOfNegative4(f32x4.splat(load<f32>(x + at) - top)), 0);
    sum += e;
    if (keep) store<f32>(out + at, e);
  }
  return sum;
}

/** Arguments: 0 x, 1 out, 2 elements in a row, 3 logarithm. */
export function softmax(begin: i32, end: i32): void {
  const n = argument(2);
  const logarithm = argument(3) != 0;
  const bytes = <usize>n << 2;
  for (let row = begin; row < end; row++) {
    const x = pointer(0) + <usize>row * bytes;
    const out = pointer(1) + <usize>row * bytes;
    const top = largest(x, n);
    let i = 0;
    if (logarithm) {
      const logSum = <f32>NativeMath.log(<f64>exponentials(x, n, top, 0, false));
      const tops = f32x4.splat(top);
      const shift = f32x4.splat(logSum);
      for (; i + 4 <= n; i += 4) {
        const at = <usize>i << 2;
        v128.store(out + at, f32x4.sub(f32x4.sub(v128.load(x + at), tops), shift));
      }
      for (; i < n; i++) store<f32>(out + (<usize>i << 2), load<f32>(x + (<usize>i << 2)) - top - logSum);
    } else {
      const factor: f32 = 1 / exponentials(x, n, top, out, true);
      const scale = f32x4.splat(factor);
      for (; i + 16 <= n; i += 16) {
        const at = out + (<usize>i << 2);
        v128.store(at, f32x4.mul(v128.load(at), scale));
        v128.store(at, f32x4.mul(v128.load(at, 16), scale), 16);
        v128.store(at, f32x4.mul(v128.load(at, 32), scale), 32);
        v128.store(at, f32x4.mul(v128.load(at, 48), scale), 48);
      }
      for (; i + 4 <= n; i += 4) {
        const at = out + (<usize>i << 2);
        v128.store(at, f32x4.mul(v128.load(at), scale));
      }
      for (; i < n; i++) store<f32>(out + (<usize>i << 2), load<f32>(out + (<usize>i << 2)) * factor);
    }
  }
}

/** Arguments: 0 output gradient, 1 output, 2 input gradient, 3 elements in a row, 4 logarithm. */
export function softmaxGrad(begin: i32, end: i32): void {
  const bytes = <usize>argument(3) << 2;
  for (let row = <usize>begin; row < <usize>end; row++) {
    const g = pointer(0) + row * bytes;
    const y = pointer(1) + row * bytes;
    const out = pointer(2) + row * bytes;
    if (argument(4) != 0) gradOfRow(true, g, y, out, argument(3));
    else gradOfRow(false, g, y, out, argument(3));
  }
}

@inline
function gradOfRow(logarithm: bool, g: usize, y: usize, out: usize, n: i32): void {
  let sums = f32x4.splat(0);
  let others = f32x4.splat(0);
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const at = <usize>i << 2;
    const a = v128.load(g + at);
    const b = v128.load(g + at, 16);
    sums = logarithm ? f32x4.add(sums, a) : fma(a, v128.load(y + at), sums);
    others = logarithm ? f32x4.add(others, b) : fma(b, v128.load(y + at, 16), others);
  }
  let sum = sumLanes(f32x4.add(sums, others));
  for (; i < n; i++) {
    const gradient = load<f32>(g + (<usize>i << 2));
    sum += logarithm ? gradient : gradient * load<f32>(y + (<usize>i << 2));
  }
  const total = f32x4.splat(sum);
  for (i = 0; i + 4 <= n; i += 4) {
    const at = <usize>i << 2;
    v128.store(out + at, gradient4(logarithm, v128.load(g + at), v128.load(y + at), total));
  }
  for (; i < n; i++) {
    const at = <usize>i << 2;
    const value = gradient4(logarithm, v128.load32_splat(g + at), v128.load32_splat(y + at), total);
    store<f32>(out + at, f32x4.extract_lane(value, 0));
  }
}

@inline
function gradient4(logarithm: bool, g: v128, y: v128, sum: v128): v128 {
  if (logarithm) return f32x4.sub(g, f32x4.mul(exp4(y), sum));
  return f32x4.mul(y, f32x4.sub(g, sum));
}
