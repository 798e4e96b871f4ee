/** Convolution and transposed convolution of images. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { forProduct } from "../autocast.js";
import { checkOptions } from "../options.js";
import { checkShape, formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import {
  evenPadding,
  formatSetting,
  inputShape,
  type NumberOrPair,
  outputShape,
  type Padding,
  type Pair,
  pairOf,
  planesOf,
  samePadding,
  slidingWindow,
  transposedWindow,
} from "../window.js";
import { checkBias, checkGroups, checkOperands, convolve, spread } from "./convolve.js";
import { batched } from "./operands.js";

/** Padding of a convolution: numbers, as much as keeps the extents, or none. */
export type ConvPadding = NumberOrPair | "same" | "valid";

/** Settings of {@link conv2d}. */
export interface Conv2dOptions {
  /** Steps between windows. Default 1. */
  readonly stride?: NumberOrPair;
  /**
   * Rows and columns of zeros around the input. Default 0. `"same"` keeps the extents, with the odd row or column at the
   * bottom or right; `"valid"` is 0.
   */
  readonly padding?: ConvPadding;
  /** Steps between taps of the kernel. Default 1. */
  readonly dilation?: NumberOrPair;
  /** Groups of channels that are convolved apart. Default 1. */
  readonly groups?: number;
}

/** Settings of {@link convTranspose2d}. */
export interface ConvTranspose2dOptions {
  /** Steps between the windows in the output. Default 1. */
  readonly stride?: NumberOrPair;
  /** Rows and columns to cut off around the output. Default 0. */
  readonly padding?: NumberOrPair;
  /** Rows and columns to add at the bottom and right of the output, where several extents would be possible. Default 0. */
  readonly outputPadding?: NumberOrPair;
  /** Groups of channels that are convolved apart. Default 1. */
  readonly groups?: number;
  /** Steps between taps of the kernel. Default 1. */
  readonly dilation?: NumberOrPair;
}

/**
 * 2-D convolution (the kernel is not flipped, as everywhere in this field).
 *
 * x [N, C, H, W] or [C, H, W], weight [O, C / groups, kh, kw], bias [O] → [N, O, H′, W′], where
 * H′ = floor((H + 2·padding − dilation·(kh − 1) − 1) / stride) + 1.
 *
 * @throws ShapeError where shapes do not fit, or the kernel is larger than the padded input.
 * @throws ArgumentError where a setting is out of its range, or `"same"` meets a stride.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html
 */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options: Conv2dOptions = {}): Tensor {
  checkOptions("conv2d", options, ["stride", "padding", "dilation", "groups"]);
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  [x, weight, bias] = forProduct("conv2d", x, weight, bias);
  checkOperands("conv2d", x, weight, bias);
  const [outChannels = 0, groupChannels = 0] = weight.shape;
  const kernel = kernelOf("conv2d", weight);
  const strides = pairOf("conv2d", "stride", stride, 1);
  const dilations = pairOf("conv2d", "dilation", dilation, 1);
  const around = convPadding(padding, kernel, strides, dilations);
  checkGroups("conv2d", groups, "output", outChannels);
  const planes = planesOf("conv2d", x.shape);
  if (planes.channels !== groupChannels * groups) {
    throw new ShapeError(
      `conv2d: got ${planes.channels} channels in the input of shape ${formatShape(x.shape)}; expected ${groupChannels * groups}, for a weight of shape ` +
        `${formatShape(weight.shape)} [outChannels, channels / groups, height, width] and groups ${groups}. Correct the channels of one of them.`,
    );
  }
  checkBias("conv2d", bias, outChannels);
  const settings = { kernel, stride: strides, padding: around, dilation: dilations };
  const geometry = { ...slidingWindow("conv2d", planes, settings), outChannels, groups };
  checkShape("conv2d", outputShape(geometry, outChannels));
  return batched(x, 4, (batch) => convolve(batch, weight, bias, geometry));
}

/**
 * 2-D transposed convolution: the gradient of {@link conv2d} for its input, used as a layer that enlarges.
 *
 * x [N, C, H, W] or [C, H, W], weight [C, O / groups, kh, kw], bias [O] → [N, O, H′, W′], where
 * H′ = (H − 1)·stride − 2·padding + dilation·(kh − 1) + outputPadding + 1.
 *
 * @throws ShapeError where shapes do not fit, or the output would be empty.
 * @throws ArgumentError where a setting is out of its range; `outputPadding` is less than the stride or the dilation.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvTranspose2dOptions = {},
): Tensor {
  checkOptions("convTranspose2d", options, ["stride", "padding", "outputPadding", "groups", "dilation"]);
  const { stride = 1, padding = 0, outputPadding = 0, groups = 1, dilation = 1 } = options;
  [x, weight, bias] = forProduct("convTranspose2d", x, weight, bias);
  checkOperands("convTranspose2d", x, weight, bias);
  const [inChannels = 0, groupChannels = 0] = weight.shape;
  const settings = {
    kernel: kernelOf("convTranspose2d", weight),
    stride: pairOf("convTranspose2d", "stride", stride, 1),
    padding: evenPadding(pairOf("convTranspose2d", "padding", padding, 0)),
    dilation: pairOf("convTranspose2d", "dilation", dilation, 1),
  };
  const extra = pairOf("convTranspose2d", "outputPadding", outputPadding, 0);
  checkGroups("convTranspose2d", groups, "input", inChannels);
  const planes = planesOf("convTranspose2d", x.shape);
  if (planes.channels !== inChannels) {
    throw new ShapeError(
      `convTranspose2d: got ${planes.channels} channels in the input of shape ${formatShape(x.shape)}; expected ${inChannels}, for a weight of shape ` +
        `${formatShape(weight.shape)} [channels, outChannels / groups, height, width]. Correct the channels of one of them.`,
    );
  }
  const outChannels = groupChannels * groups;
  checkBias("convTranspose2d", bias, outChannels);
  const window = transposedWindow("convTranspose2d", planes, outChannels, settings, extra);
  // Seen from the convolution that it is the gradient of, its input is the output.
  const geometry = { ...window, outChannels: inChannels, groups };
  checkShape("convTranspose2d", inputShape(geometry));
  return batched(x, 4, (batch) => spread(batch, weight, bias, geometry));
}

function convPadding(padding: ConvPadding, kernel: Pair, stride: Pair, dilation: Pair): Padding {
  if (padding === "valid") return evenPadding([0, 0]);
  if (padding === "same") {
    if (stride[0] === 1 && stride[1] === 1) return samePadding(kernel, dilation);
    throw new ArgumentError(
      `conv2d: got padding "same" with stride ${formatSetting(stride)}; expected stride 1, as no padding keeps the extents with another. ` +
        `Give the padding in numbers.`,
    );
  }
  if (typeof padding === "string") {
    throw new ArgumentError(
      `conv2d: got padding ${formatSetting(padding)}; expected "same", "valid", a whole number of 0 or more, or a pair of them as [height, width]. ` +
        `Correct padding.`,
    );
  }
  return evenPadding(pairOf("conv2d", "padding", padding, 0));
}

function kernelOf(where: string, weight: Tensor): Pair {
  const [, , height = 0, width = 0] = weight.shape;
  if (weight.ndim !== 4 || weight.numel() === 0) {
    throw new ShapeError(
      `${where}: got a weight of shape ${formatShape(weight.shape)}; expected 4 axes, channels by channels by kernel height by width, and none of them empty. ` +
        `Reshape it.`,
    );
  }
  return [height, width];
}
