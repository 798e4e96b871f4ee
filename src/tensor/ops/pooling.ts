/** Pooling: the maximum or the average of each window. */
import { ArgumentError } from "../../errors.js";
import { newTypedArray } from "../../kernels/dtype.js";
import type { WindowGeometry } from "../../kernels/kernelSet.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { checkShape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import {
  evenPadding,
  formatSetting,
  type NumberOrPair,
  outputShape,
  pairOf,
  planesOf,
  slidingWindow,
  type WindowSettings,
} from "../window.js";
import { adaptiveSize, adaptiveWindows, evenWindows } from "./adaptiveWindows.js";
import { transpose, unsqueeze, view } from "./layout.js";
import { matmul } from "./matmul.js";
import { batched } from "./operands.js";
import { averages, checkTaps, maxima } from "./poolWindows.js";

/** Settings of {@link maxPool2dWithIndices}. */
export interface MaxPool2dOptions {
  /** Steps between windows. Default: the kernel size, so that windows do not overlap. */
  readonly stride?: NumberOrPair | null;
  /** Rows and columns around the input, which never win; at most half of the kernel. Default 0. */
  readonly padding?: NumberOrPair;
  /** Steps between elements of a window. Default 1. */
  readonly dilation?: NumberOrPair;
  /** Whether the last window may hang over the edge. Default false. */
  readonly ceilMode?: boolean;
  /** Refused by {@link maxPool2d} when true: call {@link maxPool2dWithIndices}, whose result has another type. */
  readonly returnIndices?: boolean;
}

/** Settings of {@link avgPool2d}. */
export interface AvgPool2dOptions {
  /** Steps between windows. Default: the kernel size, so that windows do not overlap. */
  readonly stride?: NumberOrPair | null;
  /** Rows and columns of zeros around the input; at most half of the kernel. Default 0. */
  readonly padding?: NumberOrPair;
  /** Whether the last window may hang over the edge. Default false. */
  readonly ceilMode?: boolean;
  /** Whether zeros of the padding count as elements. Default true. */
  readonly countIncludePad?: boolean;
  /** What to divide the sum of each window by, in place of its number of elements. */
  readonly divisorOverride?: number | null;
}

/**
 * The maximum of each window. The gradient flows to the maximum, to the first one on ties; NaN counts as the maximum.
 *
 * [N, C, H, W] → [N, C, H′, W′], or without N, where H′ = floor((H + 2·padding − dilation·(kernel − 1) − 1) / stride) + 1;
 * in ceil mode rounded up, but for windows that would start behind the input and the padding before it.
 *
 * @throws ShapeError where the window is larger than the padded input, or a window would hold nothing but padding.
 * @throws ArgumentError where a setting is out of its range, or `returnIndices` is true.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html
 */
export function maxPool2d(x: Tensor, kernelSize: NumberOrPair, options: MaxPool2dOptions = {}): Tensor {
  checkOptions("maxPool2d", options, ["stride", "padding", "dilation", "ceilMode", "returnIndices"]);
  if (options.returnIndices === true) {
    throw new ArgumentError(
      `maxPool2d: got returnIndices true; expected false, as this function always returns one tensor. ` +
        `Call maxPool2dWithIndices(x, kernelSize, options), which returns [values, indices].`,
    );
  }
  const geometry = maxPoolGeometry("maxPool2d", x, kernelSize, options);
  return batched(x, 4, (batch) =>
    composite(() => {
      const [values] = maxima(batch, geometry);
      return values;
    }),
  );
}

/**
 * As {@link maxPool2d}, with the place row·W + column of each maximum in its plane: [values, indices], indices int32.
 *
 * @throws ShapeError where the window is larger than the padded input, or a window would hold nothing but padding.
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
 */
export function maxPool2dWithIndices(
  x: Tensor,
  kernelSize: NumberOrPair,
  options: MaxPool2dOptions = {},
): [Tensor, Tensor] {
  checkOptions("maxPool2dWithIndices", options, ["stride", "padding", "dilation", "ceilMode", "returnIndices"]);
  const geometry = maxPoolGeometry("maxPool2dWithIndices", x, kernelSize, options);
  if (x.ndim === 4) return maxima(x, geometry);
  const batch = unsqueeze(x, 0);
  const pooled = maxima(batch, geometry);
  const shape = pooled[0].shape.slice(1);
  const result: [Tensor, Tensor] = [view(pooled[0], shape), view(pooled[1], shape)];
  for (const handle of [batch, ...pooled]) handle.dispose();
  return result;
}

function maxPoolGeometry(
  where: string,
  x: Tensor,
  kernelSize: NumberOrPair,
  options: MaxPool2dOptions,
): WindowGeometry {
  commonKernels(where, x);
  checkFloating(where, x.dtype);
  const dilation = pairOf(where, "dilation", options.dilation ?? 1, 1);
  const settings = { ...poolSettings(where, kernelSize, options), dilation };
  const geometry = slidingWindow(where, planesOf(where, x.shape), settings);
  checkTaps(where, "height", geometry.inHeight, geometry.outHeight, settings, 0);
  checkTaps(where, "width", geometry.inWidth, geometry.outWidth, settings, 1);
  checkShape(where, outputShape(geometry, geometry.channels));
  return geometry;
}

/**
 * The average of each window.
 *
 * [N, C, H, W] → [N, C, H′, W′], or without N, where H′ = floor((H + 2·padding − kernel) / stride) + 1; in ceil mode rounded
 * up, but for windows that would start behind the input and the padding before it. The sum is divided by `divisorOverride`,
 * or by the number of elements in the window: those of the input and, with `countIncludePad`, of the padding (what a
 * window of ceil mode has behind the padding never counts).
 *
 * @throws ShapeError where the window is larger than the padded input.
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html
 */
export function avgPool2d(x: Tensor, kernelSize: NumberOrPair, options: AvgPool2dOptions = {}): Tensor {
  checkOptions("avgPool2d", options, ["stride", "padding", "ceilMode", "countIncludePad", "divisorOverride"]);
  commonKernels("avgPool2d", x);
  checkFloating("avgPool2d", x.dtype);
  const { countIncludePad = true, divisorOverride = null } = options;
  const settings = { ...poolSettings("avgPool2d", kernelSize, options), dilation: [1, 1] as const };
  if (divisorOverride !== null && (!Number.isFinite(divisorOverride) || divisorOverride === 0)) {
    throw new ArgumentError(
      `avgPool2d: got divisorOverride ${formatSetting(divisorOverride)}; expected a number that is not 0. Leave it out to divide by the window's size.`,
    );
  }
  const geometry = {
    ...slidingWindow("avgPool2d", planesOf("avgPool2d", x.shape), settings),
    padBottom: settings.padding.bottom,
    padRight: settings.padding.right,
    countIncludePad,
    divisorOverride,
  };
  checkShape("avgPool2d", outputShape(geometry, geometry.channels));
  return batched(x, 4, (batch) => averages(batch, geometry));
}

/**
 * The averages of as many windows as `outputSize` says, however large the input is. Window i of n along an axis of
 * extent H reaches from floor(i·H/n) to ceil((i + 1)·H/n).
 *
 * [N, C, H, W] → [N, C, H′, W′], or without N.
 *
 * @param outputSize one number for both axes, or [height, width]; null keeps the extent of the input
 * @throws ShapeError where the input is no image.
 * @throws ArgumentError where the output size is no whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool2d.html
 */
export function adaptiveAvgPool2d(
  x: Tensor,
  outputSize: number | null | readonly [number | null, number | null],
): Tensor {
  commonKernels("adaptiveAvgPool2d", x);
  checkFloating("adaptiveAvgPool2d", x.dtype);
  const { height, width } = planesOf("adaptiveAvgPool2d", x.shape);
  const [rows, columns] = adaptiveSize("adaptiveAvgPool2d", outputSize, height, width);
  checkShape("adaptiveAvgPool2d", [...x.shape.slice(0, -2), rows, columns]);
  const vertical = evenWindows(height, rows);
  const horizontal = evenWindows(width, columns);
  if (vertical !== null && horizontal !== null) {
    return avgPool2d(x, [vertical.kernel, horizontal.kernel], { stride: [vertical.stride, horizontal.stride] });
  }
  // Averaging is linear: a matrix from the left averages rows, one from the right columns.
  return composite(() => {
    const byRows = matmul(averagingMatrix(x, height, rows), x);
    return matmul(byRows, transpose(averagingMatrix(x, width, columns), 0, 1));
  });
}

/** The matrix [count, extent] that averages over the adaptive windows, in the dtype and on the device of `x`. */
function averagingMatrix(x: Tensor, extent: number, count: number): Tensor {
  const values = newTypedArray(x.dtype, count * extent);
  adaptiveWindows(extent, count).forEach(([start, end], row) => {
    values.fill(1 / (end - start), row * extent + start, row * extent + end);
  });
  const matrix = Tensor.allocate([count, extent], x.dtype, x.device, "adaptiveAvgPool2d");
  matrix.kernels.write(matrix.buffer, matrix.dtype, 0, values);
  return matrix;
}

function poolSettings(
  where: string,
  kernelSize: NumberOrPair,
  options: Pick<MaxPool2dOptions, "stride" | "padding" | "ceilMode">,
): Omit<WindowSettings, "dilation"> {
  const kernel = pairOf(where, "kernelSize", kernelSize, 1);
  const stride = pairOf(where, "stride", options.stride ?? kernel, 1);
  const padding = pairOf(where, "padding", options.padding ?? 0, 0);
  if (padding[0] > kernel[0] / 2 || padding[1] > kernel[1] / 2) {
    throw new ArgumentError(
      `${where}: got padding ${formatSetting(padding)} for kernel size ${formatSetting(kernel)}; expected at most half of the kernel size each way, ` +
        `else a window might hold nothing but padding. Use less padding or a larger kernel.`,
    );
  }
  return { kernel, stride, padding: evenPadding(padding), ceilMode: options.ceilMode ?? false };
}
