import { ArgumentError, ShapeError } from "../../errors.js";
import { arange, tensor, zeros } from "../../tensor/create.js";
import { cat } from "../../tensor/ops/joining.js";
import { pad } from "../../tensor/ops/pad.js";
import { unfold } from "../../tensor/ops/windows.js";
import { defaultGenerator } from "../../tensor/random.js";
import { noGrad, tidy } from "../../tensor/scopes.js";
import { at, elementCount, formatShape, type Shape } from "../../tensor/shape.js";
import type { Tensor } from "../../tensor/tensor.js";
import { evenPadding, samePadding } from "../../tensor/window.js";
import { Conv2d } from "../convolution.js";
import { inLayer } from "../errorPlace.js";
import { Linear } from "../linear.js";
import { Parameter } from "../parameter.js";

/**
 * The linear layer that computes the same as a convolution: its weight is the Toeplitz matrix of the convolution, so that
 * linear(x.flatten(1)) = conv(x).flatten(1) for x of shape [N, ...inputShape].
 *
 * With inputShape [C, H, W] and the convolution's output [O, H′, W′], the weight is [O·H′·W′, C·H·W]. All settings of
 * {@link Conv2d} are understood, also every padding mode: what lies beyond the edge is an element within it. The layer has
 * parameters of its own, and shares nothing with the convolution.
 *
 * @throws ArgumentError where `conv` is no Conv2d.
 * @throws ShapeError where `inputShape` is not [C, H, W] with the convolution's channels, or the kernel does not fit.
 * @see https://en.wikipedia.org/wiki/Toeplitz_matrix#Discrete_convolution
 */
export function convToLinear(conv: Conv2d, inputShape: Shape): Linear {
  if (!(conv instanceof Conv2d)) {
    throw new ArgumentError(
      "convToLinear: got something else as the layer; expected a Conv2d. Pass the layer before the shape.",
    );
  }
  const { inChannels, weight, bias } = conv;
  const fits = Array.isArray(inputShape) && inputShape.length === 3 && inputShape[0] === inChannels;
  if (!fits || !inputShape.every((extent) => Number.isSafeInteger(extent) && extent > 0)) {
    throw new ShapeError(
      `convToLinear: got inputShape ${Array.isArray(inputShape) ? formatShape(inputShape) : String(inputShape)}; ` +
        `expected [${inChannels}, height, width], for a convolution of ${inChannels} channels. Leave out the batch.`,
    );
  }
  return inLayer(conv, () => {
    const sources = sourcesOf(conv, inputShape);
    const places = at(sources.shape, 1);
    const layer = undrawn(elementCount(inputShape), conv.outChannels * places, conv);
    const drawn = layer.parameters();
    noGrad(() => {
      layer.weight = new Parameter(toeplitz(conv, sources, elementCount(inputShape)));
      if (bias !== null) layer.bias = new Parameter(bias.detach().unsqueeze(1).expand([-1, places]).flatten());
    });
    for (const unused of [...drawn, sources]) unused.dispose();
    layer.weight.requiresGrad_(weight.requiresGrad);
    return layer;
  });
}

/**
 * Where each tap of each window reads: [C·kh·kw, H′·W′] indices into the flat input, −1 for zeros beyond the edge.
 */
function sourcesOf({ kernelSize, stride, padding, dilation, paddingMode }: Conv2d, inputShape: Shape): Tensor {
  const sides =
    padding === "same" ? samePadding(kernelSize, dilation) : evenPadding(padding === "valid" ? [0, 0] : padding);
  const around = [sides.left, sides.right, sides.top, sides.bottom];
  return tidy(() => {
    // As fractions of 64 bits, in which indices are exact, and which windows can be taken of.
    const indices = arange(elementCount(inputShape), { dtype: "float64", device: "cpu" }).view(inputShape);
    const padded = paddingMode === "zeros" ? pad(indices, around, "constant", -1) : pad(indices, around, paddingMode);
    return unfold(padded, kernelSize, { stride, dilation });
  });
}

/** The matrix [O·L, C·H·W] of a convolution whose taps read `sources` [C·kh·kw, L]. */
function toeplitz({ weight, groups, outChannels }: Conv2d, sources: Tensor, inFeatures: number): Tensor {
  const { dtype, device } = weight;
  const [taps, places] = [at(sources.shape, 0) / groups, at(sources.shape, 1)];
  const rows = outChannels / groups;
  const blocks = Array.from({ length: groups }, (_, group) => {
    const read = sources.narrow(0, group * taps, taps).dataSync();
    // The matrix lies flat behind each output channel: row after row, one for each place.
    const targets = Int32Array.from(read, (source, k) => (k % places) * inFeatures + Math.max(source, 0));
    const index = tensor(targets, { shape: [1, taps * places], device }).expand([rows, -1]);
    const inside = tensor(
      Float32Array.from(read, (source) => Number(source >= 0)),
      { shape: [taps, places], dtype, device },
    );
    const values = weight
      .detach()
      .narrow(0, group * rows, rows)
      .reshape([rows, taps, 1])
      .mul(inside);
    return zeros([rows, places * inFeatures], { dtype, device }).scatterAdd(1, index, values.flatten(1));
  });
  return cat(blocks).view([outChannels * places, inFeatures]);
}

/** A linear layer whose parameters are going to be replaced: making it takes nothing from the generator. */
function undrawn(inFeatures: number, outFeatures: number, { weight, bias }: Conv2d): Linear {
  const { dtype, device } = weight;
  const state = defaultGenerator.getState();
  const layer = new Linear(inFeatures, outFeatures, { bias: bias !== null, dtype, device });
  defaultGenerator.setState(state);
  return layer;
}
