/** Batch normalisation of arrays [N, C, L], channel by channel. */
import type { Dense, KernelSet, TypedArray } from "../kernelSet.js";
import { at } from "../strides.js";
import { type ArrayOf, dropNegatives } from "./arrays.js";

/** One element of a [C] argument, or `otherwise` where the argument is missing. */
function elementOr(arrayOf: ArrayOf, x: Dense | null, i: number, otherwise: number): number {
  return x === null ? otherwise : (arrayOf(x)[x.offset + i] as number);
}

export function batchNormKernels(arrayOf: ArrayOf): Pick<KernelSet, "channelStats" | "batchNorm" | "batchNormGrad"> {
  return {
    channelStats(x, mean, variance) {
      const source = arrayOf(x);
      const means = arrayOf(mean);
      const variances = arrayOf(variance);
      const batch = at(x.shape, 0);
      const channels = at(x.shape, 1);
      const length = at(x.shape, 2);
      for (let c = 0; c < channels; c += 1) {
        const start = x.offset + c * length;
        const average = sumOfPowers(source, start, batch, channels * length, length, 0, 1) / (batch * length);
        means[mean.offset + c] = average;
        const squares = sumOfPowers(source, start, batch, channels * length, length, average, 2);
        variances[variance.offset + c] = squares / (batch * length);
      }
    },

    batchNorm(x, mean, variance, weight, bias, eps, out, relu = false) {
      const source = arrayOf(x);
      const target = arrayOf(out);
      const batch = at(x.shape, 0);
      const channels = at(x.shape, 1);
      const length = at(x.shape, 2);
      for (let c = 0; c < channels; c += 1) {
        const center = elementOr(arrayOf, mean, c, 0);
        const scale = elementOr(arrayOf, weight, c, 1) / Math.sqrt(elementOr(arrayOf, variance, c, 1) + eps);
        const shift = elementOr(arrayOf, bias, c, 0);
        for (let n = 0; n < batch; n += 1) {
          const p = x.offset + (n * channels + c) * length;
          const t = out.offset + (n * channels + c) * length;
          for (let i = 0; i < length; i += 1) target[t + i] = ((source[p + i] as number) - center) * scale + shift;
        }
      }
      if (relu) dropNegatives(target, out.offset, batch * channels * length);
    },

    batchNormGrad(outGrad, x, mean, variance, weight, eps, training, xGrad, weightGrad, biasGrad) {
      const gradient = arrayOf(outGrad);
      const source = arrayOf(x);
      const target = arrayOf(xGrad);
      const weightGrads = arrayOf(weightGrad);
      const biasGrads = arrayOf(biasGrad);
      const batch = at(x.shape, 0);
      const channels = at(x.shape, 1);
      const length = at(x.shape, 2);
      const count = batch * length;
      for (let c = 0; c < channels; c += 1) {
        const center = elementOr(arrayOf, mean, c, 0);
        const inverse = 1 / Math.sqrt(elementOr(arrayOf, variance, c, 1) + eps);
        let sum = 0; // Σ g
        let product = 0; // Σ g·x̂
        for (let n = 0; n < batch; n += 1) {
          const p = outGrad.offset + (n * channels + c) * length;
          const q = x.offset + (n * channels + c) * length;
          for (let i = 0; i < length; i += 1) {
            const g = gradient[p + i] as number;
            sum += g;
            product += g * ((source[q + i] as number) - center) * inverse;
          }
        }
        weightGrads[weightGrad.offset + c] = product;
        biasGrads[biasGrad.offset + c] = sum;

        const scale = elementOr(arrayOf, weight, c, 1) * inverse;
        const meanGrad = training ? sum / count : 0;
        const slope = training ? (product / count) * inverse : 0;
        for (let n = 0; n < batch; n += 1) {
          const p = outGrad.offset + (n * channels + c) * length;
          const q = x.offset + (n * channels + c) * length;
          const t = xGrad.offset + (n * channels + c) * length;
          for (let i = 0; i < length; i += 1) {
            const deviation = (source[q + i] as number) - center;
            target[t + i] = ((gradient[p + i] as number) - meanGrad - deviation * slope) * scale;
          }
        }
      }
    },
  };
}

/** Σ (x − center)^power over `batch` stretches of `length` elements, `stride` apart; power is 1 or 2. */
function sumOfPowers(
  x: TypedArray,
  start: number,
  batch: number,
  stride: number,
  length: number,
  center: number,
  power: 1 | 2,
): number {
  let sum = 0;
  for (let n = 0; n < batch; n += 1) {
    const p = start + n * stride;
    for (let i = 0; i < length; i += 1) {
      const deviation = (x[p + i] as number) - center;
      sum += power === 1 ? deviation : deviation * deviation;
    }
  }
  return sum;
}
