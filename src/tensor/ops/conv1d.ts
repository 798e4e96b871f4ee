/** Convolution and transposed convolution of sequences: those of images with one row. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { forProduct } from "../autocast.js";
import { checkOptions } from "../options.js";
import { checkShape, formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import {
  countOf,
  evenPadding,
  formatSetting,
  inputShape,
  outputShape,
  type Padding,
  samePadding,
  sequencesOf,
  slidingWindow,
  transposedWindow,
} from "../window.js";
import { checkBias, checkGroups, checkOperands, convolve, spread } from "./convolve.js";
import { squeeze, unsqueeze } from "./layout.js";
import { batched } from "./operands.js";

/** Settings of {@link conv1d}. */
export interface Conv1dOptions {
  /** Steps between windows. Default 1. */
  readonly stride?: number;
  /** Zeros at both ends. Default 0. `"same"` keeps the length, with the odd one at the end; `"valid"` is 0. */
  readonly padding?: number | "same" | "valid";
  /** Steps between taps of the kernel. Default 1. */
  readonly dilation?: number;
  /** Groups of channels that are convolved apart. Default 1. */
  readonly groups?: number;
}

/** Settings of {@link convTranspose1d}. */
export interface ConvTranspose1dOptions {
  /** Steps between the windows in the output. Default 1. */
  readonly stride?: number;
  /** Places to cut off at both ends of the output. Default 0. */
  readonly padding?: number;
  /** Places to add at the end of the output, where several lengths would be possible. Default 0. */
  readonly outputPadding?: number;
  /** Groups of channels that are convolved apart. Default 1. */
  readonly groups?: number;
  /** Steps between taps of the kernel. Default 1. */
  readonly dilation?: number;
}

/**
 * 1-D convolution (the kernel is not flipped, as everywhere in this field).
 *
 * x [N, C, L] or [C, L], weight [O, C / groups, k], bias [O] → [N, O, L′], where
 * L′ = floor((L + 2·padding − dilation·(k − 1) − 1) / stride) + 1.
 *
 * @throws ShapeError where shapes do not fit, or the kernel is longer than the padded input.
 * @throws ArgumentError where a setting is out of its range, or `"same"` meets a stride.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html
 */
export function conv1d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options: Conv1dOptions = {}): Tensor {
  checkOptions("conv1d", options, ["stride", "padding", "dilation", "groups"]);
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  [x, weight, bias] = forProduct("conv1d", x, weight, bias);
  checkOperands("conv1d", x, weight, bias);
  const [outChannels = 0, groupChannels = 0] = weight.shape;
  const taps = tapsOf("conv1d", weight);
  const step = countOf("conv1d", "stride", stride, 1);
  const reach = countOf("conv1d", "dilation", dilation, 1);
  const ends = endsOf(padding, taps, step, reach);
  checkGroups("conv1d", groups, "output", outChannels);
  const planes = sequencesOf("conv1d", x.shape);
  if (planes.channels !== groupChannels * groups) {
    throw new ShapeError(
      `conv1d: got ${planes.channels} channels in the input of shape ${formatShape(x.shape)}; expected ${groupChannels * groups}, for a weight of shape ` +
        `${formatShape(weight.shape)} [outChannels, channels / groups, length] and groups ${groups}. Correct the channels of one of them.`,
    );
  }
  checkBias("conv1d", bias, outChannels);
  const settings = { kernel: [1, taps], stride: [1, step], padding: ends, dilation: [1, reach] } as const;
  const geometry = { ...slidingWindow("conv1d", planes, settings), outChannels, groups };
  checkShape("conv1d", outputShape(geometry, outChannels));
  return batched(x, 3, (batch) => squeeze(convolve(unsqueeze(batch, -2), unsqueeze(weight, -2), bias, geometry), -2));
}

/**
 * 1-D transposed convolution: the gradient of {@link conv1d} for its input, used as a layer that lengthens.
 *
 * x [N, C, L] or [C, L], weight [C, O / groups, k], bias [O] → [N, O, L′], where
 * L′ = (L − 1)·stride − 2·padding + dilation·(k − 1) + outputPadding + 1.
 *
 * @throws ShapeError where shapes do not fit, or the output would be empty.
 * @throws ArgumentError where a setting is out of its range; `outputPadding` is less than the stride or the dilation.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose1d.html
 */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvTranspose1dOptions = {},
): Tensor {
  checkOptions("convTranspose1d", options, ["stride", "padding", "outputPadding", "groups", "dilation"]);
  const { stride = 1, padding = 0, outputPadding = 0, groups = 1, dilation = 1 } = options;
  [x, weight, bias] = forProduct("convTranspose1d", x, weight, bias);
  checkOperands("convTranspose1d", x, weight, bias);
  const [inChannels = 0, groupChannels = 0] = weight.shape;
  const settings = {
    kernel: [1, tapsOf("convTranspose1d", weight)],
    stride: [1, countOf("convTranspose1d", "stride", stride, 1)],
    padding: evenPadding([0, countOf("convTranspose1d", "padding", padding, 0)]),
    dilation: [1, countOf("convTranspose1d", "dilation", dilation, 1)],
  } as const;
  const extra = [0, countOf("convTranspose1d", "outputPadding", outputPadding, 0)] as const;
  checkGroups("convTranspose1d", groups, "input", inChannels);
  const planes = sequencesOf("convTranspose1d", x.shape);
  if (planes.channels !== inChannels) {
    throw new ShapeError(
      `convTranspose1d: got ${planes.channels} channels in the input of shape ${formatShape(x.shape)}; expected ${inChannels}, for a weight of shape ` +
        `${formatShape(weight.shape)} [channels, outChannels / groups, length]. Correct the channels of one of them.`,
    );
  }
  const outChannels = groupChannels * groups;
  checkBias("convTranspose1d", bias, outChannels);
  const window = transposedWindow("convTranspose1d", planes, outChannels, settings, extra);
  // Seen from the convolution that it is the gradient of, its input is the output.
  const geometry = { ...window, outChannels: inChannels, groups };
  checkShape("convTranspose1d", inputShape(geometry));
  return batched(x, 3, (batch) => squeeze(spread(unsqueeze(batch, -2), unsqueeze(weight, -2), bias, geometry), -2));
}

function endsOf(padding: number | "same" | "valid", taps: number, stride: number, dilation: number): Padding {
  if (padding === "valid") return evenPadding([0, 0]);
  if (padding !== "same") return evenPadding([0, countOf("conv1d", "padding", padding, 0)]);
  if (stride === 1) return samePadding([1, taps], [1, dilation]);
  throw new ArgumentError(
    `conv1d: got padding "same" with stride ${formatSetting(stride)}; expected stride 1, as no padding keeps the length with another. ` +
      `Give the padding in numbers.`,
  );
}

function tapsOf(where: string, weight: Tensor): number {
  const [, , taps = 0] = weight.shape;
  if (weight.ndim === 3 && weight.numel() > 0) return taps;
  throw new ShapeError(
    `${where}: got a weight of shape ${formatShape(weight.shape)}; expected 3 axes, channels by channels by kernel length, and none of them empty. Reshape it.`,
  );
}
