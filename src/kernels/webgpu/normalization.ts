/** Batch normalisation of arrays [N, C, L]: reductions and maps with the channel's numbers broadcast. */
import type { Dense, KernelSet, Strided } from "../kernelSet.js";
import { at, elementCount } from "../strides.js";
import { relaid } from "./axes.js";
import { array, number, type Operand, runMap } from "./map.js";
import { type Combination, runReduction } from "./reduction.js";
import type { Runtime } from "./runtime.js";

type NormalizationKernels = Pick<KernelSet, "channelStats" | "batchNorm" | "batchNormGrad">;

const sum: Combination = { name: "sum", initial: "0.0", expression: "a + b" };

/** [C] as [N, C, L]. */
function spread(perChannel: Dense, shape: readonly number[]): Strided {
  return relaid(perChannel, { shape, strides: [0, 1, 0] });
}

/** [C] as [1, C, 1]. */
function results(perChannel: Dense): Dense {
  const channels = at(perChannel.shape, 0);
  return relaid(perChannel, { shape: [1, channels, 1], strides: [channels, 1, 1] });
}

export function normalizationKernels(runtime: Runtime, { unary }: Pick<KernelSet, "unary">): NormalizationKernels {
  /** out [C] = scale · Σ term over N and L. */
  function total(name: string, term: string, operands: readonly Operand[], x: Dense, out: Dense, scale = 1): void {
    runReduction(runtime, { name, combination: sum, term, operands, shape: x.shape, out: results(out), scale });
  }

  return {
    channelStats(x, mean, variance) {
      const scale = 1 / (at(x.shape, 0) * at(x.shape, 2));
      total("mean", "x", [array("x", x)], x, mean, scale);
      const operands = [array("x", x), array("center", spread(mean, x.shape))];
      total("variance", "(x - center) * (x - center)", operands, x, variance, scale);
    },

    batchNorm(x, mean, variance, weight, bias, eps, out, relu = false) {
      const { shape } = x;
      const operands = [
        array("x", x),
        array("center", spread(mean, shape)),
        array("variance", spread(variance, shape)),
        weight === null ? number("weight", 1) : array("weight", spread(weight, shape)),
        bias === null ? number("bias", 0) : array("bias", spread(bias, shape)),
        number("eps", eps),
      ];
      const expression = "(x - center) * (weight / sqrt(variance + eps)) + bias";
      runMap(runtime, { name: "batchNorm", expression, operands, out });
      if (relu) unary("relu", out, out, 0, 0);
    },

    batchNormGrad(outGrad, x, mean, variance, weight, eps, training, xGrad, weightGrad, biasGrad) {
      const { shape } = x;
      const common = [
        array("g", outGrad),
        array("x", x),
        array("center", spread(mean, shape)),
        array("variance", spread(variance, shape)),
        number("eps", eps),
      ];
      total("biasGrad", "x", [array("x", outGrad)], x, biasGrad);
      total("weightGrad", "g * (x - center) / sqrt(variance + eps)", common, x, weightGrad);
      const scale = weight === null ? number("weight", 1) : array("weight", spread(weight, shape));
      // Through mean and variance too, where they are those of x.
      const through = [
        array("slope", spread(weightGrad, shape)),
        array("shift", spread(biasGrad, shape)),
        number("share", 1 / (at(shape, 0) * at(shape, 2))),
      ];
      const inner = training ? "(g - shift * share - (x - center) / sqrt(variance + eps) * slope * share)" : "g";
      if (elementCount(shape) === 0) return;
      runMap(runtime, {
        name: `batchNormGrad${training ? "" : ", constant statistics"}`,
        expression: `${inner} * (weight / sqrt(variance + eps))`,
        operands: training ? [...common, scale, ...through] : [...common, scale],
        out: xGrad,
      });
    },
  };
}
