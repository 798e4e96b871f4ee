/**
 * Batch normalisation of x [N, C, L]. Statistics take a channel as the unit and add up in float64, stretch by stretch;
 * what is elementwise takes one of the N·C stretches as the unit.
 *
 * @module
 */
import { argument, fma, fraction, pointer } from "./environment";

@inline
export function sumLanes64(x: v128): f64 {
  return (
    <f64>f32x4.extract_lane(x, 0) +
    <f64>f32x4.extract_lane(x, 1) +
    (<f64>f32x4.extract_lane(x, 2) + <f64>f32x4.extract_lane(x, 3))
  );
}

/** One element of a [C] argument, or `otherwise` where it is missing. */
@inline
export function elementOr(slot: i32, channel: i32, otherwise: f32): f32 {
  const at = pointer(slot);
  return at == 0 ? otherwise : load<f32>(at + (<usize>channel << 2));
}

/** Elements that are added up in float32 before the sum is carried on in float64. */
const RUN: i32 = 1024;

/** A term of the sum of x − center or of its squares, added to `sum`. */
@inline
function addTerm(sum: v128, x: v128, centers: v128, squared: bool): v128 {
  const deviation = f32x4.sub(x, centers);
  return squared ? fma(deviation, deviation, sum) : f32x4.add(sum, deviation);
}

/** Σ (x − center) or Σ (x − center)² of a stretch. */
@inline
export function stretchSum(x: usize, n: i32, center: f32, squared: bool): f64 {
  const centers = f32x4.splat(center);
  let total: f64 = 0;
  let i = 0;
  while (n - i >= 16) {
    const stop = min(n, i + RUN) - 15;
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (; i < stop; i += 16) {
      const at = x + (<usize>i << 2);
      a = addTerm(a, v128.load(at), centers, squared);
      b = addTerm(b, v128.load(at, 16), centers, squared);
      c = addTerm(c, v128.load(at, 32), centers, squared);
      d = addTerm(d, v128.load(at, 48), centers, squared);
    }
    total += sumLanes64(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  }
  for (; i < n; i++) {
    const deviation = load<f32>(x + (<usize>i << 2)) - center;
    total += squared ? deviation * deviation : deviation;
  }
  return total;
}

/** Arguments: 0 x, 1 mean, 2 variance, 3 N, 4 C, 5 L. Unit: a channel. */
export function channelStats(begin: i32, end: i32): void {
  const batch = argument(3);
  const channels = argument(4);
  const length = argument(5);
  const count = <f64>batch * length;
  const stride = (<usize>channels * length) << 2;
  for (let c = begin; c < end; c++) {
    const first = pointer(0) + ((<usize>c * length) << 2);
    let sum: f64 = 0;
    for (let n = 0; n < batch; n++) sum += stretchSum(first + <usize>n * stride, length, 0, false);
    const mean = <f32>(sum / count);
    let squares: f64 = 0;
    for (let n = 0; n < batch; n++) {
      squares += stretchSum(first + <usize>n * stride, length, mean, true);
    }
    // The mean was rounded: what that adds to the squares is taken off again.
    const rest = sum / count - <f64>mean;
    store<f32>(pointer(1) + (<usize>c << 2), mean);
    store<f32>(pointer(2) + (<usize>c << 2), <f32>(squares / count - rest * rest));
  }
}

/** Arguments: 0 x, 1 mean, 2 variance, 3 weight or 0, 4 bias or 0, 5 out, 6 C, 7 L; fraction 8 eps, 9 what numbers below it are raised to. Unit: a stretch. */
export function batchNorm(begin: i32, end: i32): void {
  const channels = argument(6);
  const length = argument(7);
  const floor = f32x4.splat(fraction(9));
  for (let stretch = begin; stretch < end; stretch++) {
    const c = stretch % channels;
    const center = load<f32>(pointer(1) + (<usize>c << 2));
    const variance = load<f32>(pointer(2) + (<usize>c << 2));
    const scale = <f32>(<f64>elementOr(3, c, 1) / Math.sqrt(<f64>variance + <f64>fraction(8)));
    const shift = elementOr(4, c, 0);
    const x = pointer(0) + ((<usize>stretch * length) << 2);
    const out = pointer(5) + ((<usize>stretch * length) << 2);
    const centers = f32x4.splat(center);
    const scales = f32x4.splat(scale);
    const shifts = f32x4.splat(shift);
    let i = 0;
    for (; i + 4 <= length; i += 4) {
      const at = <usize>i << 2;
      v128.store(out + at, f32x4.pmax(fma(f32x4.sub(v128.load(x + at), centers), scales, shifts), floor));
    }
    for (; i < length; i++) {
      const at = <usize>i << 2;
      const value = f32x4.splat((load<f32>(x + at) - center) * scale + shift);
      store<f32>(out + at, f32x4.extract_lane(f32x4.pmax(value, floor), 0));
    }
  }
}

/**
 * Arguments of the gradient: 0 output gradient, 1 x, 2 mean, 3 variance, 4 weight or 0, 5 x gradient, 6 weight gradient,
 * 7 bias gradient, 9 N, 10 C, 11 L, 12 training; fraction 8 eps. This part: Σ g·x̂ and Σ g. Unit: a channel.
 */
export function batchNormSums(begin: i32, end: i32): void {
  const batch = argument(9);
  const channels = argument(10);
  const length = argument(11);
  for (let c = begin; c < end; c++) {
    const center = load<f32>(pointer(2) + (<usize>c << 2));
    const centers = f32x4.splat(center);
    const inverse = 1 / Math.sqrt(<f64>load<f32>(pointer(3) + (<usize>c << 2)) + <f64>fraction(8));
    let sum: f64 = 0;
    let product: f64 = 0;
    for (let n = 0; n < batch; n++) {
      const first = (<usize>(n * channels + c) * length) << 2;
      const g = pointer(0) + first;
      const x = pointer(1) + first;
      let i = 0;
      while (length - i >= 8) {
        const stop = min(length, i + RUN) - 7;
        let sums = f32x4.splat(0);
        let others = f32x4.splat(0);
        let products = f32x4.splat(0);
        let otherProducts = f32x4.splat(0);
        for (; i < stop; i += 8) {
          const at = <usize>i << 2;
          const gradient = v128.load(g + at);
          const other = v128.load(g + at, 16);
          sums = f32x4.add(sums, gradient);
          others = f32x4.add(others, other);
          products = fma(gradient, f32x4.sub(v128.load(x + at), centers), products);
          otherProducts = fma(other, f32x4.sub(v128.load(x + at, 16), centers), otherProducts);
        }
        sum += sumLanes64(f32x4.add(sums, others));
        product += sumLanes64(f32x4.add(products, otherProducts));
      }
      for (; i < length; i++) {
        const gradient = load<f32>(g + (<usize>i << 2));
        sum += gradient;
        product += gradient * (load<f32>(x + (<usize>i << 2)) - center);
      }
    }
    store<f32>(pointer(6) + (<usize>c << 2), <f32>(product * inverse));
    store<f32>(pointer(7) + (<usize>c << 2), <f32>sum);
  }
}

/** The x gradient, from those sums. Unit: a stretch. */
export function batchNormGrad(begin: i32, end: i32): void {
  const channels = argument(10);
  const length = argument(11);
  const training = argument(12) != 0;
  const count = <f64>argument(9) * length;
  for (let stretch = begin; stretch < end; stretch++) {
    const c = stretch % channels;
    const center = load<f32>(pointer(2) + (<usize>c << 2));
    const inverse = 1 / Math.sqrt(<f64>load<f32>(pointer(3) + (<usize>c << 2)) + <f64>fraction(8));
    const scale = <f32>(<f64>elementOr(4, c, 1) * inverse);
    const mean = training ? <f32>(<f64>load<f32>(pointer(7) + (<usize>c << 2)) / count) : 0;
    const slope = training ? <f32>((<f64>load<f32>(pointer(6) + (<usize>c << 2)) / count) * inverse) : 0;
    const first = (<usize>stretch * length) << 2;
    const g = pointer(0) + first;
    const x = pointer(1) + first;
    const out = pointer(5) + first;
    const centers = f32x4.splat(center);
    const means = f32x4.splat(mean);
    const slopes = f32x4.splat(-slope);
    const scales = f32x4.splat(scale);
    let i = 0;
    for (; i + 4 <= length; i += 4) {
      const at = <usize>i << 2;
      const deviation = f32x4.sub(v128.load(x + at), centers);
      const inner = fma(deviation, slopes, f32x4.sub(v128.load(g + at), means));
      v128.store(out + at, f32x4.mul(inner, scales));
    }
    for (; i < length; i++) {
      const at = <usize>i << 2;
      store<f32>(out + at, (load<f32>(g + at) - mean - (load<f32>(x + at) - center) * slope) * scale);
    }
  }
}

/** Both, channel by channel: what the sums were taken of is still in the cache when it is read again. Unit: a channel. */
export function batchNormWholeGrad(begin: i32, end: i32): void {
  const channels = argument(10);
  const stretches = argument(9) * channels;
  for (let c = begin; c < end; c++) {
    batchNormSums(c, c + 1);
    for (let stretch = c; stretch < stretches; stretch += channels) batchNormGrad(stretch, stretch + 1);
  }
}
