/** Softmax along dense rows, and its gradient. Units are rows. */
import { argument, pointer } from "./environment";
import { exp4 } from "./vector";

@inline
function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0);
}

@inline
function sumOf(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

@inline
function largest(x: usize, n: i32): f32 {
  let top = -Infinity as f32;
  let i = 0;
  if (n >= 4) {
    let tops = v128.load(x);
    for (i = 4; i + 4 <= n; i += 4) tops = f32x4.max(tops, v128.load(x + (<usize>i << 2)));
    top = max(
      max(f32x4.extract_lane(tops, 0), f32x4.extract_lane(tops, 1)),
      max(f32x4.extract_lane(tops, 2), f32x4.extract_lane(tops, 3)),
    );
  }
  for (; i < n; i++) top = max(top, load<f32>(x + (<usize>i << 2)));
  return top;
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
    const tops = f32x4.splat(top);
    let sums = f32x4.splat(0);
    let i = 0;
    for (; i + 4 <= n; i += 4) {
      const e = exp4(f32x4.sub(v128.load(x + (<usize>i << 2)), tops));
      sums = f32x4.add(sums, e);
      if (!logarithm) v128.store(out + (<usize>i << 2), e);
    }
    let sum = sumOf(sums);
    for (; i < n; i++) {
      const e = exp1(load<f32>(x + (<usize>i << 2)) - top);
      sum += e;
      if (!logarithm) store<f32>(out + (<usize>i << 2), e);
    }
    if (logarithm) {
      const logSum = <f32>NativeMath.log(<f64>sum);
      const shift = f32x4.splat(logSum);
      for (i = 0; i + 4 <= n; i += 4) {
        v128.store(out + (<usize>i << 2), f32x4.sub(f32x4.sub(v128.load(x + (<usize>i << 2)), tops), shift));
      }
      for (; i < n; i++) store<f32>(out + (<usize>i << 2), load<f32>(x + (<usize>i << 2)) - top - logSum);
    } else {
      const scale = f32x4.splat(1 / sum);
      for (i = 0; i + 4 <= n; i += 4) {
        v128.store(out + (<usize>i << 2), f32x4.mul(v128.load(out + (<usize>i << 2)), scale));
      }
      for (; i < n; i++) store<f32>(out + (<usize>i << 2), load<f32>(out + (<usize>i << 2)) / sum);
    }
  }
}

/** Arguments: 0 output gradient, 1 output, 2 input gradient, 3 elements in a row, 4 logarithm. */
export function softmaxGrad(begin: i32, end: i32): void {
  const n = argument(3);
  const logarithm = argument(4) != 0;
  const bytes = <usize>n << 2;
  for (let row = begin; row < end; row++) {
    const g = pointer(0) + <usize>row * bytes;
    const y = pointer(1) + <usize>row * bytes;
    const out = pointer(2) + <usize>row * bytes;
    let sums = f32x4.splat(0);
    let i = 0;
    for (; i + 4 <= n; i += 4) {
      const gradient = v128.load(g + (<usize>i << 2));
      sums = f32x4.add(sums, logarithm ? gradient : f32x4.mul(gradient, v128.load(y + (<usize>i << 2))));
    }
    let sum = sumOf(sums);
    for (; i < n; i++) {
      const gradient = load<f32>(g + (<usize>i << 2));
      sum += logarithm ? gradient : gradient * load<f32>(y + (<usize>i << 2));
    }
    const total = f32x4.splat(sum);
    for (i = 0; i + 4 <= n; i += 4) {
      const gradient = v128.load(g + (<usize>i << 2));
      const value = v128.load(y + (<usize>i << 2));
      const result = logarithm
        ? f32x4.sub(gradient, f32x4.mul(exp4(value), total))
        : f32x4.mul(value, f32x4.sub(gradient, total));
      v128.store(out + (<usize>i << 2), result);
    }
    for (; i < n; i++) {
      const gradient = load<f32>(g + (<usize>i << 2));
      const value = load<f32>(y + (<usize>i << 2));
      store<f32>(out + (<usize>i << 2), logarithm ? gradient - exp1(value) * sum : value * (gradient - sum));
    }
  }
}
