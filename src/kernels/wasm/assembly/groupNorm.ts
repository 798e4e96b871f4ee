/**
 * Normalisation of groups of channels of each sample of x [N, C, L]. A row is a group of a sample; it lies in one piece. Where
 * L is 1, as in the norm of rows, each element has its own weight; else weights are the same along stretches of L.
 *
 * @module
 */
import { elementOr, stretchSum, sumLanes64 } from "./batchNorm";
import { argument, fma, fraction, pointer } from "./environment";

/** Elements that are added up in float32 before the sum is carried on in float64. */
const RUN: i32 = 1024;

/**
 * Arguments: 0 x, 1 weight or 0, 2 bias or 0, 3 out, 4 mean, 5 variance, 6 groups, 7 channels of a group, 9 L; fraction 8
 * eps. Unit: a row.
 */
export function groupNorm(begin: i32, end: i32): void {
  const groups = argument(6);
  const channels = argument(7);
  const length = argument(9);
  const size = channels * length;
  for (let row = begin; row < end; row++) {
    const first = (<usize>row * size) << 2;
    const x = pointer(0) + first;
    const sum = stretchSum(x, size, 0, false);
    const center = <f32>(sum / size);
    const rest = sum / size - <f64>center;
    const variance = stretchSum(x, size, center, true) / size - rest * rest;
    store<f32>(pointer(4) + (<usize>row << 2), center);
    store<f32>(pointer(5) + (<usize>row << 2), <f32>variance);
    const inverse = 1 / Math.sqrt(<f64>(<f32>variance) + <f64>fraction(8));
    const channel = (row % groups) * channels;
    if (length == 1) normalizeRow(x, pointer(3) + first, channel, size, center, <f32>inverse);
    else normalizeStretches(x, pointer(3) + first, channel, channels, length, center, inverse);
  }
}

/** Four elements of a [C] argument, or `otherwise` where it is missing. */
@inline
function fourOr(array: usize, at: usize, otherwise: f32): v128 {
  return array == 0 ? f32x4.splat(otherwise) : v128.load(array + at);
}

@inline
function normalizeRow(x: usize, out: usize, channel: i32, n: i32, center: f32, inverse: f32): void {
  const weight = pointer(1) == 0 ? 0 : pointer(1) + (<usize>channel << 2);
  const bias = pointer(2) == 0 ? 0 : pointer(2) + (<usize>channel << 2);
  const centers = f32x4.splat(center);
  const inverses = f32x4.splat(inverse);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const at = <usize>i << 2;
    const normalized = f32x4.mul(f32x4.sub(v128.load(x + at), centers), inverses);
    v128.store(out + at, fma(normalized, fourOr(weight, at, 1), fourOr(bias, at, 0)));
  }
  for (; i < n; i++) {
    const at = <usize>i << 2;
    const normalized = (load<f32>(x + at) - center) * inverse;
    store<f32>(out + at, normalized * elementOr(1, channel + i, 1) + elementOr(2, channel + i, 0));
  }
}

@inline
function normalizeStretches(x: usize, out: usize, channel: i32, channels: i32, n: i32, center: f32, inverse: f64): void {
  const centers = f32x4.splat(center);
  for (let c = channel; c < channel + channels; c++) {
    const scale = <f32>(<f64>elementOr(1, c, 1) * inverse);
    const shift = elementOr(2, c, 0);
    const scales = f32x4.splat(scale);
    const shifts = f32x4.splat(shift);
    let i = 0;
    for (; i + 4 <= n; i += 4) {
      const at = <usize>i << 2;
      v128.store(out + at, fma(f32x4.sub(v128.load(x + at), centers), scales, shifts));
    }
    for (; i < n; i++) {
      const at = <usize>i << 2;
      store<f32>(out + at, (load<f32>(x + at) - center) * scale + shift);
    }
    x += <usize>n << 2;
    out += <usize>n << 2;
  }
}

/**
 * Arguments of the gradient: 0 output gradient, 1 x, 2 mean, 3 variance, 4 weight or 0, 5 x gradient, 6 weight gradient, 7 bias
 * gradient, 9 samples, 10 groups, 11 channels of a group, 12 L, 13 samples of a block, 14 sums; fraction 8 eps. This part: the x
 * gradient, and for each block of samples 2·C sums, of which weight and bias gradients are made. Unit: a block.
 */
export function groupNormGrad(begin: i32, end: i32): void {
  const groups = argument(10);
  const channels = argument(11);
  const length = argument(12);
  const size = channels * length;
  for (let block = begin; block < end; block++) {
    const products = pointer(14) + ((<usize>block * 2 * groups * channels) << 2);
    const sums = products + (<usize>(groups * channels) << 2);
    memory.fill(products, 0, (<usize>groups * channels) << 3);
    const last = min((block + 1) * argument(13), argument(9)) * groups;
    for (let row = block * argument(13) * groups; row < last; row++) {
      const first = (<usize>row * size) << 2;
      const center = load<f32>(pointer(2) + (<usize>row << 2));
      const inverse = 1 / Math.sqrt(<f64>load<f32>(pointer(3) + (<usize>row << 2)) + <f64>fraction(8));
      const channel = (row % groups) * channels;
      const at = <usize>channel << 2;
      if (length == 1) {
        gradOfRow(pointer(0) + first, pointer(1) + first, pointer(5) + first, channel, size, center, inverse, products + at, sums + at);
      } else {
        gradOfStretches(
          pointer(0) + first, pointer(1) + first, pointer(5) + first, channel, channels, length, center, inverse, products, sums,
        );
      }
    }
  }
}

/** Each element is a channel: its terms are added to the sums. */
@inline
function gradOfRow(
  g: usize, x: usize, out: usize, channel: i32, n: i32, center: f32, inverse: f64, products: usize, sums: usize,
): void {
  const weight = pointer(4) == 0 ? 0 : pointer(4) + (<usize>channel << 2);
  const centers = f32x4.splat(center);
  const inverses = f32x4.splat(<f32>inverse);
  let slope: f64 = 0;
  let shift: f64 = 0;
  let i = 0;
  while (n - i >= 4) {
    const stop = min(n, i + RUN) - 3;
    let slopes = f32x4.splat(0);
    let shifts = f32x4.splat(0);
    for (; i < stop; i += 4) {
      const at = <usize>i << 2;
      const gradient = v128.load(g + at);
      const normalized = f32x4.mul(f32x4.sub(v128.load(x + at), centers), inverses);
      const weighted = f32x4.mul(gradient, fourOr(weight, at, 1));
      slopes = fma(weighted, normalized, slopes);
      shifts = f32x4.add(shifts, weighted);
      v128.store(products + at, fma(gradient, normalized, v128.load(products + at)));
      v128.store(sums + at, f32x4.add(v128.load(sums + at), gradient));
    }
    slope += sumLanes64(slopes);
    shift += sumLanes64(shifts);
  }
  for (; i < n; i++) {
    const at = <usize>i << 2;
    const gradient = load<f32>(g + at);
    const normalized = (load<f32>(x + at) - center) * <f32>inverse;
    const weighted = gradient * elementOr(4, channel + i, 1);
    slope += weighted * normalized;
    shift += weighted;
    store<f32>(products + at, load<f32>(products + at) + gradient * normalized);
    store<f32>(sums + at, load<f32>(sums + at) + gradient);
  }
  const mean = <f32>(shift / n);
  const means = f32x4.splat(mean);
  const share = <f32>((slope / n) * inverse);
  const shares = f32x4.splat(-share);
  for (i = 0; i + 4 <= n; i += 4) {
    const at = <usize>i << 2;
    const weighted = f32x4.mul(v128.load(g + at), fourOr(weight, at, 1));
    const deviation = f32x4.sub(v128.load(x + at), centers);
    v128.store(out + at, f32x4.mul(fma(deviation, shares, f32x4.sub(weighted, means)), inverses));
  }
  for (; i < n; i++) {
    const at = <usize>i << 2;
    const weighted = load<f32>(g + at) * elementOr(4, channel + i, 1);
    store<f32>(out + at, (weighted - mean - (load<f32>(x + at) - center) * share) * <f32>inverse);
  }
}

@inline
function gradOfStretches(
  g: usize, x: usize, out: usize, channel: i32, channels: i32, n: i32, center: f32, inverse: f64, products: usize, sums: usize,
): void {
  const bytes = <usize>n << 2;
  const centers = f32x4.splat(center);
  let slope: f64 = 0;
  let shift: f64 = 0;
  for (let c = 0; c < channels; c++) {
    const gradients = g + <usize>c * bytes;
    const values = x + <usize>c * bytes;
    let sum: f64 = 0;
    let product: f64 = 0;
    let i = 0;
    while (n - i >= 4) {
      const stop = min(n, i + RUN) - 3;
      let some = f32x4.splat(0);
      let someProducts = f32x4.splat(0);
      for (; i < stop; i += 4) {
        const gradient = v128.load(gradients + (<usize>i << 2));
        some = f32x4.add(some, gradient);
        someProducts = fma(gradient, f32x4.sub(v128.load(values + (<usize>i << 2)), centers), someProducts);
      }
      sum += sumLanes64(some);
      product += sumLanes64(someProducts);
    }
    for (; i < n; i++) {
      const gradient = load<f32>(gradients + (<usize>i << 2));
      sum += gradient;
      product += gradient * (load<f32>(values + (<usize>i << 2)) - center);
    }
    product *= inverse;
    const weight = <f64>elementOr(4, channel + c, 1);
    slope += weight * product;
    shift += weight * sum;
    const at = <usize>(channel + c) << 2;
    store<f32>(products + at, load<f32>(products + at) + <f32>product);
    store<f32>(sums + at, load<f32>(sums + at) + <f32>sum);
  }
  const size = <f64>channels * n;
  const mean = <f32>((shift / size) * inverse);
  const share = <f32>((slope / size) * inverse * inverse);
  for (let c = 0; c < channels; c++) {
    const gradients = g + <usize>c * bytes;
    const values = x + <usize>c * bytes;
    const results = out + <usize>c * bytes;
    const scale = <f32>(<f64>elementOr(4, channel + c, 1) * inverse);
    const scales = f32x4.splat(scale);
    const means = f32x4.splat(-mean);
    const shares = f32x4.splat(-share);
    let i = 0;
    for (; i + 4 <= n; i += 4) {
      const at = <usize>i << 2;
      const through = fma(f32x4.sub(v128.load(values + at), centers), shares, means);
      v128.store(results + at, fma(v128.load(gradients + at), scales, through));
    }
    for (; i < n; i++) {
      const at = <usize>i << 2;
      store<f32>(results + at, load<f32>(gradients + at) * scale - (load<f32>(values + at) - center) * share - mean);
    }
  }
}

/** Weight and bias gradients from the sums of the blocks, which argument 15 counts. Unit: a channel. */
export function groupNormFinish(begin: i32, end: i32): void {
  const channels = argument(10) * argument(11);
  const bytes = <usize>channels << 2;
  for (let c = begin; c < end; c++) {
    let product: f64 = 0;
    let sum: f64 = 0;
    let at = pointer(14) + (<usize>c << 2);
    for (let block = 0; block < argument(15); block++, at += 2 * bytes) {
      product += load<f32>(at);
      sum += load<f32>(at + bytes);
    }
    store<f32>(pointer(6) + (<usize>c << 2), <f32>product);
    store<f32>(pointer(7) + (<usize>c << 2), <f32>sum);
  }
}
