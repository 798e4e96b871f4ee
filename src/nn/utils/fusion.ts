import { ArgumentError } from "../../errors.js";
import { add, mul, sub } from "../../tensor/ops/arithmetic.js";
import { rsqrt } from "../../tensor/ops/elementary.js";
import { reshape } from "../../tensor/ops/layout.js";
import { defaultGenerator } from "../../tensor/random.js";
import { noGrad } from "../../tensor/scopes.js";
import type { Tensor } from "../../tensor/tensor.js";
import type { BatchNorm1d, BatchNorm2d } from "../batchNorm.js";
import { Conv2d, ConvTranspose2d } from "../convolution.js";
import { Linear } from "../linear.js";
import type { Module } from "../module.js";
import { Parameter } from "../parameter.js";

/**
 * The convolution that computes what a convolution and the batch norm behind it compute in evaluation, with parameters of
 * its own.
 *
 * @throws ArgumentError where one of them is in training mode, is of another kind, or the batch norm has no running statistics.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.fuse_conv_bn_eval.html
 */
export function fuseConvBnEval(conv: Conv2d, bn: BatchNorm2d): Conv2d;
export function fuseConvBnEval(conv: ConvTranspose2d, bn: BatchNorm2d): ConvTranspose2d;
export function fuseConvBnEval(conv: Conv2d | ConvTranspose2d, bn: BatchNorm2d): Conv2d | ConvTranspose2d {
  if (!(conv instanceof Conv2d) && !(conv instanceof ConvTranspose2d))
    throw kindError("fuseConvBnEval", conv, "Conv2d");
  const { scale, shift } = statistics("fuseConvBnEval", conv, bn, conv.outChannels);
  const { inChannels, outChannels, kernelSize, stride, padding, dilation, groups, bias, weight } = conv;
  if (conv instanceof ConvTranspose2d && groups !== 1) {
    throw new ArgumentError(
      `fuseConvBnEval: got a transposed convolution of ${groups} groups; expected one group, as its weight has no axis of all outputs. Keep its batch norm.`,
    );
  }
  const settings = { stride, dilation, groups, bias: true, dtype: asFloat(weight), device: weight.device };
  return undrawn(() => {
    const fused =
      conv instanceof Conv2d
        ? new Conv2d(inChannels, outChannels, kernelSize, { ...settings, padding, paddingMode: conv.paddingMode })
        : new ConvTranspose2d(inChannels, outChannels, kernelSize, {
            ...settings,
            padding: conv.padding,
            outputPadding: conv.outputPadding,
          });
    const axes = conv instanceof Conv2d ? [-1, 1, 1, 1] : [1, -1, 1, 1];
    return withParameters(fused, conv, mul(weight, reshape(scale, axes)), shift(bias));
  });
}

/**
 * The linear layer that computes what a linear layer and the batch norm behind it compute in evaluation.
 *
 * @throws ArgumentError as {@link fuseConvBnEval}.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.fuse_linear_bn_eval.html
 */
export function fuseLinearBnEval(linear: Linear, bn: BatchNorm1d): Linear {
  if (!(linear instanceof Linear)) throw kindError("fuseLinearBnEval", linear, "Linear");
  const { inFeatures, outFeatures, weight, bias } = linear;
  const { scale, shift } = statistics("fuseLinearBnEval", linear, bn, outFeatures);
  return undrawn(() => {
    const fused = new Linear(inFeatures, outFeatures, { dtype: asFloat(weight), device: weight.device });
    return withParameters(fused, linear, mul(weight, reshape(scale, [-1, 1])), shift(bias));
  });
}

/** What a batch norm multiplies each channel by, and the bias that remains. */
function statistics(
  where: string,
  layer: Module,
  bn: BatchNorm1d | BatchNorm2d,
  channels: number,
): { scale: Tensor; shift: (bias: Tensor | null) => Tensor } {
  const { runningMean, runningVar, weight, bias: offset, eps } = bn ?? {};
  if (!runningMean || !runningVar) throw kindError(where, bn, "a batch norm with running statistics");
  if (layer.training || bn.training) {
    throw new ArgumentError(
      `${where}: got a ${layer.training ? "layer" : "batch norm"} in training mode; expected both in evaluation, where the batch norm is fixed. Call eval() first.`,
    );
  }
  if (bn.numFeatures !== channels) {
    throw new ArgumentError(
      `${where}: got a batch norm of ${bn.numFeatures} features for ${channels} outputs; expected the same number. Pass the layer in front of it.`,
    );
  }
  const scale = noGrad(() => {
    const inverse = rsqrt(add(runningVar, eps));
    return weight ? mul(inverse, weight) : inverse;
  });
  const shift = (bias: Tensor | null): Tensor => {
    const scaled = mul(bias === null ? mul(runningMean, -1) : sub(bias, runningMean), scale);
    return offset ? add(scaled, offset) : scaled;
  };
  return { scale, shift };
}

function withParameters<L extends Conv2d | ConvTranspose2d | Linear>(
  fused: L,
  from: L,
  weight: Tensor,
  bias: Tensor,
): L {
  const unused = fused.parameters();
  fused.weight = new Parameter(weight, { requiresGrad: from.weight.requiresGrad });
  fused.bias = new Parameter(bias, { requiresGrad: from.bias?.requiresGrad ?? from.weight.requiresGrad });
  for (const parameter of unused) parameter.dispose();
  fused.eval();
  return fused;
}

/** Makes a layer whose drawn parameters are thrown away: nobody's random numbers shall depend on it. */
function undrawn<L>(make: () => L): L {
  const state = defaultGenerator.getState();
  try {
    return noGrad(make);
  } finally {
    defaultGenerator.setState(state);
  }
}

function asFloat({ dtype }: Tensor): "float32" | "float64" {
  return dtype === "float64" ? "float64" : "float32";
}

function kindError(where: string, got: unknown, expected: string): ArgumentError {
  return new ArgumentError(
    `${where}: got ${String(got)}; expected ${expected}. Pass the layer first, then its batch norm.`,
  );
}
