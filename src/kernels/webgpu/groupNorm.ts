/** Normalisation of groups of channels of each sample: reductions and maps over [N, groups, channels of a group, L]. */
import type { Dense, KernelSet, Strided } from "../kernelSet.js";
import { at, denseStrides, elementCount } from "../strides.js";
import { relaid } from "./axes.js";
import { array, number, type Operand, runMap } from "./map.js";
import { type Combination, runReduction } from "./reduction.js";
import type { Runtime } from "./runtime.js";

const sum: Combination = { name: "sum", initial: "0.0", expression: "a + b" };

export function groupNormKernels(runtime: Runtime): Pick<KernelSet, "groupNorm" | "groupNormGrad"> {
  function total(
    name: string,
    term: string,
    operands: readonly Operand[],
    shape: readonly number[],
    out: Strided,
    scale = 1,
  ) {
    runReduction(runtime, { name, combination: sum, term, operands, shape, out, scale });
  }

  return {
    groupNorm(x, groups, weight, bias, eps, out, mean, variance) {
      const { shape, whole, ofRows, resultOfRows, ofChannels } = layoutsOf(x.shape, groups);
      const share = 1 / (at(shape, 2) * at(shape, 3));
      const input = array("x", whole(x));
      const center = array("center", ofRows(mean));
      total("mean", "x", [input], shape, resultOfRows(mean), share);
      total("variance", "(x - center) * (x - center)", [input, center], shape, resultOfRows(variance), share);
      if (elementCount(shape) === 0) return;
      runMap(runtime, {
        name: "batchNorm",
        expression: "(x - center) * (weight / sqrt(variance + eps)) + bias",
        operands: [
          input,
          center,
          array("variance", ofRows(variance)),
          weight === null ? number("weight", 1) : array("weight", ofChannels(weight)),
          bias === null ? number("bias", 0) : array("bias", ofChannels(bias)),
          number("eps", eps),
        ],
        out: whole(out),
      });
    },

    groupNormGrad(outGrad, x, mean, variance, groups, weight, eps, xGrad, weightGrad, biasGrad) {
      const { shape, whole, ofRows, resultOfRows, ofChannels, resultOfChannels } = layoutsOf(x.shape, groups);
      const g = array("g", whole(outGrad));
      const normalized = [
        array("x", whole(x)),
        array("center", ofRows(mean)),
        array("variance", ofRows(variance)),
        number("eps", eps),
      ];
      total("groupNorm, biasGrad", "g", [g], shape, resultOfChannels(biasGrad));
      const term = "g * (x - center) / sqrt(variance + eps)";
      total("groupNorm, weightGrad", term, [g, ...normalized], shape, resultOfChannels(weightGrad));
      if (elementCount(shape) === 0) return;
      const scale = weight === null ? number("weight", 1) : array("weight", ofChannels(weight));
      const rows = at(shape, 0) * at(shape, 1);
      runtime.scratch(2 * rows * 4, (memory) => {
        const [slope, shift] = [0, rows].map((offset) => relaid(mean, { buffer: memory, offset })) as [Dense, Dense];
        const share = 1 / (at(shape, 2) * at(shape, 3));
        total("groupNorm, shift", "g * weight", [g, scale], shape, resultOfRows(shift), share);
        total("groupNorm, slope", `${term} * weight`, [g, scale, ...normalized], shape, resultOfRows(slope), share);
        runMap(runtime, {
          name: "groupNormGrad",
          expression: "(g * weight - shift - (x - center) / sqrt(variance + eps) * slope) / sqrt(variance + eps)",
          operands: [g, scale, ...normalized, array("slope", ofRows(slope)), array("shift", ofRows(shift))],
          out: whole(xGrad),
        });
      });
    },
  };
}

/** The arguments over [N, groups, channels of a group, L]. */
function layoutsOf([batch = 0, channels = 0, length = 0]: readonly number[], groups: number) {
  const each = channels / groups;
  const shape = [batch, groups, each, length];
  const laid = (strides: readonly number[]) => (x: Strided) => relaid(x, { shape, strides });
  return {
    shape,
    whole: laid(denseStrides(shape)),
    /** [N, groups], repeated. */
    ofRows: laid([groups, 1, 0, 0]),
    /** [C], repeated. */
    ofChannels: laid([0, each, 1, 0]),
    resultOfRows: (x: Strided) => relaid(x, { shape: [batch, groups, 1, 1], strides: [groups, 1, 1, 1] }),
    resultOfChannels: (x: Strided) => relaid(x, { shape: [1, groups, each, 1], strides: [channels, each, 1, 1] }),
  };
}
