/** Pooling of sequences: that of images with one row. */
import { ArgumentError } from "../../errors.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { checkShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { countOf, evenPadding, outputShape, sequencesOf, slidingWindow, type WindowSettings } from "../window.js";
import { squeeze, unsqueeze } from "./layout.js";
import { batched } from "./operands.js";
import { averages, checkTaps, maxima } from "./poolWindows.js";

/** Settings of {@link maxPool1d}. */
export interface MaxPool1dOptions {
  /** Steps between windows. Default: the kernel size, so that windows do not overlap. */
  readonly stride?: number | null;
  /** Places at both ends, which never win; at most half of the kernel. Default 0. */
  readonly padding?: number;
  /** Steps between elements of a window. Default 1. */
  readonly dilation?: number;
  /** Whether the last window may hang over the end. Default false. */
  readonly ceilMode?: boolean;
}

/** Settings of {@link avgPool1d}. */
export interface AvgPool1dOptions {
  /** Steps between windows. Default: the kernel size, so that windows do not overlap. */
  readonly stride?: number | null;
  /** Zeros at both ends; at most half of the kernel. Default 0. */
  readonly padding?: number;
  /** Whether the last window may hang over the end. Default false. */
  readonly ceilMode?: boolean;
  /** Whether zeros of the padding count as elements. Default true. */
  readonly countIncludePad?: boolean;
}

/**
 * The maximum of each window. The gradient flows to the maximum, to the first one on ties; NaN counts as the maximum.
 *
 * [N, C, L] → [N, C, L′], or without N, where L′ = floor((L + 2·padding − dilation·(kernel − 1) − 1) / stride) + 1; in ceil
 * mode rounded up, but for windows that would start behind the input and the padding before it.
 *
 * @throws ShapeError where the window is longer than the padded input, or a window would hold nothing but padding.
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool1d.html
 */
export function maxPool1d(x: Tensor, kernelSize: number, options: MaxPool1dOptions = {}): Tensor {
  checkOptions("maxPool1d", options, ["stride", "padding", "dilation", "ceilMode"]);
  const dilation = countOf("maxPool1d", "dilation", options.dilation ?? 1, 1);
  const settings = windowOf("maxPool1d", x, kernelSize, options, dilation);
  const geometry = slidingWindow("maxPool1d", sequencesOf("maxPool1d", x.shape), settings);
  checkTaps("maxPool1d", "length", geometry.inWidth, geometry.outWidth, settings, 1);
  checkShape("maxPool1d", outputShape(geometry, geometry.channels));
  return batched(x, 3, (batch) => composite(() => squeeze(maxima(unsqueeze(batch, -2), geometry)[0], -2)));
}

/**
 * The average of each window.
 *
 * [N, C, L] → [N, C, L′], or without N, where L′ = floor((L + 2·padding − kernel) / stride) + 1; in ceil mode rounded up, but
 * for windows that would start behind the input and the padding before it. The sum is divided by the number of elements
 * in the window: those of the input and, with `countIncludePad`, of the padding.
 *
 * @throws ShapeError where the window is longer than the padded input.
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool1d.html
 */
export function avgPool1d(x: Tensor, kernelSize: number, options: AvgPool1dOptions = {}): Tensor {
  checkOptions("avgPool1d", options, ["stride", "padding", "ceilMode", "countIncludePad"]);
  const settings = windowOf("avgPool1d", x, kernelSize, options, 1);
  const geometry = {
    ...slidingWindow("avgPool1d", sequencesOf("avgPool1d", x.shape), settings),
    padBottom: 0,
    padRight: settings.padding.right,
    countIncludePad: options.countIncludePad ?? true,
    divisorOverride: null,
  };
  checkShape("avgPool1d", outputShape(geometry, geometry.channels));
  return batched(x, 3, (batch) => composite(() => squeeze(averages(unsqueeze(batch, -2), geometry), -2)));
}

function windowOf(
  where: string,
  x: Tensor,
  kernelSize: number,
  options: Pick<MaxPool1dOptions, "stride" | "padding" | "ceilMode">,
  dilation: number,
): WindowSettings {
  commonKernels(where, x);
  checkFloating(where, x.dtype);
  const kernel = countOf(where, "kernelSize", kernelSize, 1);
  const stride = countOf(where, "stride", options.stride ?? kernel, 1);
  const padding = countOf(where, "padding", options.padding ?? 0, 0);
  if (padding > kernel / 2) {
    throw new ArgumentError(
      `${where}: got padding ${padding} for kernel size ${kernel}; expected at most half of the kernel size, ` +
        `else a window might hold nothing but padding. Use less padding or a larger kernel.`,
    );
  }
  return {
    kernel: [1, kernel],
    stride: [1, stride],
    padding: evenPadding([0, padding]),
    dilation: [1, dilation],
    ceilMode: options.ceilMode ?? false,
  };
}
