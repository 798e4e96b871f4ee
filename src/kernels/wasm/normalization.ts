import type { Dense, KernelSet } from "../kernelSet.js";
import type { Loops } from "../reference/index.js";
import { at, elementCount } from "../strides.js";
import * as id from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";

type NormalizationKernels = Pick<
  KernelSet,
  "softmax" | "softmaxGrad" | "channelStats" | "batchNorm" | "batchNormGrad" | "groupNorm" | "groupNormGrad"
>;

/** Channels from which on threads share whole channels, rather than first channels and then stretches of them. */
const CHANNELS_PER_THREAD = 4;

/** Most blocks of samples, each with sums of its own, in the gradient of a group norm. */
const BLOCKS = 32;

/** Softmax and normalisation of float32. */
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

    batchNorm(x, mean, variance, weight, bias, eps, out, relu = false) {
      if (x.dtype !== "float32") {
        fallback.batchNorm(x, mean, variance, weight, bias, eps, out, relu);
        return;
      }
      writeAddresses([x, mean, variance, weight, bias, out]);
      const { words, fractions } = engine;
      words[6] = at(x.shape, 1);
      words[7] = at(x.shape, 2);
      fractions[8] = eps;
      fractions[9] = relu ? 0 : Number.NEGATIVE_INFINITY;
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

    groupNorm(x, groups, weight, bias, eps, out, mean, variance) {
      if (x.dtype !== "float32") {
        fallback.groupNorm(x, groups, weight, bias, eps, out, mean, variance);
        return;
      }
      writeAddresses([x, weight, bias, out, mean, variance]);
      const { words, fractions } = engine;
      words[6] = groups;
      words[7] = at(x.shape, 1) / groups;
      fractions[8] = eps;
      words[9] = at(x.shape, 2);
      engine.launch(id.GROUP_NORM, at(x.shape, 0) * groups, 2 * elementCount(x.shape));
    },

    groupNormGrad(outGrad, x, mean, variance, groups, weight, eps, xGrad, weightGrad, biasGrad) {
      if (x.dtype !== "float32") {
        fallback.groupNormGrad(outGrad, x, mean, variance, groups, weight, eps, xGrad, weightGrad, biasGrad);
        return;
      }
      const [batch, channels] = [at(x.shape, 0), at(x.shape, 1)];
      const samples = Math.max(Math.ceil(batch / BLOCKS), 1);
      const blocks = Math.ceil(batch / samples);
      engine.withScratch(Math.max(8 * blocks * channels, 8), (sums) => {
        writeAddresses([outGrad, x, mean, variance, weight, xGrad, weightGrad, biasGrad]);
        engine.fractions[8] = eps;
        engine.words.set([batch, groups, channels / groups, at(x.shape, 2), samples, sums, blocks], 9);
        engine.launch(id.GROUP_NORM_GRAD, blocks, 3 * elementCount(x.shape));
        engine.launch(id.GROUP_NORM_FINISH, channels, blocks * channels);
      });
    },
  };
}
