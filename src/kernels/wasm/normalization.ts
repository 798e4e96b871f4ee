import type { Dense, KernelSet } from "../kernelSet.js";
import type { Loops } from "../reference/index.js";
import { at, elementCount } from "../strides.js";
import * as id from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";

type NormalizationKernels = Pick<KernelSet, "softmax" | "softmaxGrad" | "channelStats" | "batchNorm" | "batchNormGrad">;

/** Channels from which on threads share whole channels, rather than first channels and then stretches of them. */
const CHANNELS_PER_THREAD = 4;

/** Softmax and batch normalisation of float32. */
export function normalizationKernels(engine: Engine, fallback: Loops): NormalizationKernels {
  function writeAddresses(arrays: readonly (Dense | null)[]): void {
    arrays.forEach((array, slot) => {
      engine.words[slot] = array === null ? 0 : addressOf(array);
    });
  }

  /** Launches over the rows of a softmax. */
  function overRows(kernel: number, x: Dense, cost: number): void {
    const count = elementCount(x.shape);
    if (count === 0) return;
    engine.launch(kernel, count / (x.shape.at(-1) ?? 1), cost * count);
  }

  return {
    softmax(x, out, logarithm) {
      if (x.dtype !== "float32") {
        fallback.softmax(x, out, logarithm);
        return;
      }
      writeAddresses([x, out]);
      engine.words[2] = x.shape.at(-1) ?? 1;
      engine.words[3] = logarithm ? 1 : 0;
      overRows(id.SOFTMAX, x, 4);
    },

    softmaxGrad(outGrad, y, xGrad, logarithm) {
      if (y.dtype !== "float32") {
        fallback.softmaxGrad(outGrad, y, xGrad, logarithm);
        return;
      }
      writeAddresses([outGrad, y, xGrad]);
      engine.words[3] = y.shape.at(-1) ?? 1;
      engine.words[4] = logarithm ? 1 : 0;
      overRows(id.SOFTMAX_GRAD, y, logarithm ? 6 : 2);
    },

    channelStats(x, mean, variance) {
      if (x.dtype !== "float32") {
        fallback.channelStats(x, mean, variance);
        return;
      }
      writeAddresses([x, mean, variance]);
      const { words } = engine;
      words[3] = at(x.shape, 0);
      words[4] = at(x.shape, 1);
      words[5] = at(x.shape, 2);
      engine.launch(id.CHANNEL_STATS, at(x.shape, 1), elementCount(x.shape));
    },

    batchNorm(x, mean, variance, weight, bias, eps, out) {
      if (x.dtype !== "float32") {
        fallback.batchNorm(x, mean, variance, weight, bias, eps, out);
        return;
      }
      writeAddresses([x, mean, variance, weight, bias, out]);
      const { words, fractions } = engine;
      words[6] = at(x.shape, 1);
      words[7] = at(x.shape, 2);
      fractions[8] = eps;
      engine.launch(id.BATCH_NORM, at(x.shape, 0) * at(x.shape, 1), elementCount(x.shape));
    },

    batchNormGrad(outGrad, x, mean, variance, weight, eps, training, xGrad, weightGrad, biasGrad) {
      if (x.dtype !== "float32") {
        fallback.batchNormGrad(outGrad, x, mean, variance, weight, eps, training, xGrad, weightGrad, biasGrad);
        return;
      }
      writeAddresses([outGrad, x, mean, variance, weight, xGrad, weightGrad, biasGrad]);
      const { words, fractions } = engine;
      fractions[8] = eps;
      words[9] = at(x.shape, 0);
      words[10] = at(x.shape, 1);
      words[11] = at(x.shape, 2);
      words[12] = training ? 1 : 0;
      const [batch, channels] = [at(x.shape, 0), at(x.shape, 1)];
      const count = elementCount(x.shape);
      if (channels >= CHANNELS_PER_THREAD * engine.threads) {
        engine.launch(id.BATCH_NORM_WHOLE_GRAD, channels, 2 * count);
      } else {
        engine.launch(id.BATCH_NORM_SUMS, channels, count);
        engine.launch(id.BATCH_NORM_GRAD, batch * channels, count);
      }
    },
  };
}
