/**
 * What convolutions are made of. A convolution, its input gradient and its weight gradient are three ops, of which each is
 * linear in both operands and has the other two as its gradients: so derivatives exist to any order.
 */
import { ArgumentError, ShapeError } from "../../errors.js";
import type { ConvGeometry } from "../../kernels/kernelSet.js";
import { isGradEnabled, record, recordJoint } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { composite } from "../scopes.js";
import { formatShape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { formatSetting, inputShape, outputShape } from "../window.js";
import { sum } from "./broadcast.js";
import { contiguous } from "./layout.js";
import { checkOneDtype } from "./operands.js";
import { gateOf, noteGated, takeRelu } from "./rectifier.js";

/** The convolution itself, of a batch. */
export function convolve(x: Tensor, weight: Tensor, bias: Tensor | null, geometry: ConvGeometry): Tensor {
  return composite(() => {
    const [denseX, denseWeight, denseBias] = [contiguous(x), contiguous(weight), bias && contiguous(bias)];
    const kernels = commonKernels("conv2d", denseX, denseWeight);
    const out = Tensor.allocate(outputShape(geometry, geometry.outChannels), x.dtype, x.device, "conv2d");
    kernels.conv2d(denseX, denseWeight, denseBias, out, geometry, takeRelu());
    const inputs = denseBias === null ? [denseX, denseWeight] : [denseX, denseWeight, denseBias];
    return record("conv2d", out, inputs, [denseX, denseWeight], (g, x, weight) => {
      let weightGrad: Tensor | null = null;
      let biasGrad: Tensor | null = null;
      // The weight's gradient takes all of g, which the kernel can sum up on the way.
      const roomForBias = (isWanted: boolean | undefined): Tensor | null =>
        isWanted && !isGradEnabled() ? allocateGrad([geometry.outChannels], g) : null;
      return [
        (unseen, wanted) => {
          const gate = gateOf(x, unseen);
          if (!wanted[1] || isGradEnabled() || kernels.conv2dGrads === undefined || !g.isContiguous()) {
            return spread(g, weight, null, geometry, gate);
          }
          const xGrad = allocateGrad(inputShape(geometry), g);
          weightGrad = allocateGrad(weight.shape, g);
          biasGrad = roomForBias(wanted[2]);
          kernels.conv2dGrads(g, x, weight, xGrad, weightGrad, geometry, biasGrad, gate);
          noteGated(xGrad, gate);
          // Noted for who watches ops: gradients are off here, so nothing goes on the tape.
          recordJoint("conv2dGrads", [xGrad, weightGrad], [], [], () => []);
          return xGrad;
        },
        (_, wanted) => {
          if (weightGrad !== null) return weightGrad;
          biasGrad = roomForBias(wanted[2]);
          return correlate(g, x, geometry, biasGrad);
        },
        () => biasGrad ?? sum(g, [0, 2, 3]),
      ];
    });
  });
}

function allocateGrad(shape: readonly number[], g: Tensor): Tensor {
  return Tensor.allocate(shape, g.dtype, g.device, "conv2dGrads");
}

/** The gradient of {@link convolve} for its input, which is the transposed convolution. With a gate it is not differentiable. */
export function spread(
  g: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  geometry: ConvGeometry,
  gate: Tensor | null = null,
): Tensor {
  return composite(() => {
    const [denseG, denseWeight, denseBias] = [contiguous(g), contiguous(weight), bias && contiguous(bias)];
    const kernels = commonKernels("convTranspose2d", denseG, denseWeight);
    const out = Tensor.allocate(inputShape(geometry), g.dtype, g.device, "convTranspose2d");
    kernels.conv2dInputGrad(denseG, denseWeight, denseBias, out, geometry, gate);
    noteGated(out, gate);
    const inputs = denseBias === null ? [denseG, denseWeight] : [denseG, denseWeight, denseBias];
    return record("convTranspose2d", out, inputs, [denseG, denseWeight], (outGrad, g, weight) => [
      () => convolve(outGrad, weight, null, geometry),
      () => correlate(g, outGrad, geometry),
      () => sum(outGrad, [0, 2, 3]),
    ]);
  });
}

/** The gradient of {@link convolve} for its weight. That for the bias goes into `biasGrad`, if it is given. */
function correlate(g: Tensor, x: Tensor, geometry: ConvGeometry, biasGrad: Tensor | null = null): Tensor {
  return composite(() => {
    const [denseG, denseX] = [contiguous(g), contiguous(x)];
    const { outChannels, channels, groups, kernelHeight, kernelWidth } = geometry;
    const shape = [outChannels, channels / groups, kernelHeight, kernelWidth];
    const out = Tensor.allocate(shape, g.dtype, g.device, "conv2dWeightGrad");
    commonKernels("conv2dWeightGrad", denseG, denseX).conv2dWeightGrad(denseG, denseX, out, geometry, biasGrad);
    return record("conv2dWeightGrad", out, [denseG, denseX], [denseG, denseX], (outGrad, g, x) => [
      () => convolve(x, outGrad, null, geometry),
      () => spread(g, outGrad, null, geometry),
    ]);
  });
}

export function checkOperands(where: string, x: Tensor, weight: Tensor, bias: Tensor | null): void {
  const tensors = bias === null ? [x, weight] : [x, weight, bias];
  commonKernels(where, ...tensors);
  checkFloating(where, x.dtype);
  checkOneDtype(where, ...tensors);
}

export function checkGroups(where: string, groups: number, side: string, channels: number): void {
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw new ArgumentError(
      `${where}: got groups ${formatSetting(groups)} for ${channels} ${side} channels; expected a whole number of 1 or more that divides them. ` +
        `Correct groups.`,
    );
  }
}

export function checkBias(where: string, bias: Tensor | null, outChannels: number): void {
  if (bias !== null && (bias.ndim !== 1 || bias.shape[0] !== outChannels)) {
    throw new ShapeError(
      `${where}: got a bias of shape ${formatShape(bias.shape)}; expected [${outChannels}], one for each output channel. Reshape it.`,
    );
  }
}
