/** Normalisation of groups of channels of each sample of arrays [N, C, L]. */
import type { KernelSet } from "../kernelSet.js";
import { at } from "../strides.js";
import type { ArrayOf } from "./arrays.js";

export function groupNormKernels(arrayOf: ArrayOf): Pick<KernelSet, "groupNorm" | "groupNormGrad"> {
  return {
    groupNorm(x, groups, weight, bias, eps, out, mean, variance) {
      const [source, target] = [arrayOf(x), arrayOf(out)];
      const [means, variances] = [arrayOf(mean), arrayOf(variance)];
      const [scales, shifts] = [weight && arrayOf(weight), bias && arrayOf(bias)];
      const { rows, size, length, channels } = sizesOf(x.shape, groups);
      for (let row = 0; row < rows; row += 1) {
        const start = x.offset + row * size;
        let sum = 0;
        for (let i = 0; i < size; i += 1) sum += source[start + i] as number;
        const center = sum / size;
        let squares = 0;
        for (let i = 0; i < size; i += 1) squares += ((source[start + i] as number) - center) ** 2;
        means[mean.offset + row] = center;
        variances[variance.offset + row] = squares / size;
        const inverse = 1 / Math.sqrt(squares / size + eps);
        for (let i = 0; i < size; i += 1) {
          const channel = (row % groups) * channels + Math.floor(i / length);
          const scale = scales === null ? 1 : (scales[(weight?.offset ?? 0) + channel] as number);
          const shift = shifts === null ? 0 : (shifts[(bias?.offset ?? 0) + channel] as number);
          target[out.offset + row * size + i] = ((source[start + i] as number) - center) * inverse * scale + shift;
        }
      }
    },

    groupNormGrad(outGrad, x, mean, variance, groups, weight, eps, xGrad, weightGrad, biasGrad) {
      const [gradient, source, target] = [arrayOf(outGrad), arrayOf(x), arrayOf(xGrad)];
      const [means, variances] = [arrayOf(mean), arrayOf(variance)];
      const scales = weight && arrayOf(weight);
      const { rows, size, length, channels } = sizesOf(x.shape, groups);
      const products = new Float64Array(at(x.shape, 1));
      const sums = new Float64Array(at(x.shape, 1));
      for (let row = 0; row < rows; row += 1) {
        const center = means[mean.offset + row] as number;
        const inverse = 1 / Math.sqrt((variances[variance.offset + row] as number) + eps);
        /** Element i of the row: its gradient, its normalised value, and its channel. */
        const element = (i: number) => {
          const channel = (row % groups) * channels + Math.floor(i / length);
          const scale = scales === null ? 1 : (scales[(weight?.offset ?? 0) + channel] as number);
          const normalized = ((source[x.offset + row * size + i] as number) - center) * inverse;
          return { g: gradient[outGrad.offset + row * size + i] as number, scale, normalized, channel };
        };
        let slope = 0; // Σ w·g·x̂
        let shift = 0; // Σ w·g
        for (let i = 0; i < size; i += 1) {
          const { g, scale, normalized, channel } = element(i);
          slope += scale * g * normalized;
          shift += scale * g;
          products[channel] = (products[channel] as number) + g * normalized;
          sums[channel] = (sums[channel] as number) + g;
        }
        for (let i = 0; i < size; i += 1) {
          const { g, scale, normalized } = element(i);
          target[xGrad.offset + row * size + i] = (scale * g - (shift + normalized * slope) / size) * inverse;
        }
      }
      arrayOf(weightGrad).set(products, weightGrad.offset);
      arrayOf(biasGrad).set(sums, biasGrad.offset);
    },
  };
}

/** A row is a group of a sample. */
function sizesOf(shape: readonly number[], groups: number) {
  const channels = at(shape, 1) / groups;
  const length = at(shape, 2);
  return { rows: at(shape, 0) * groups, size: channels * length, length, channels };
}
