/**
 * Sliding-window shape rules: how settings are given, which output sizes follow, and what is impossible. Nothing here
 * knows a tensor.
 *
 * @module
 */
import { ArgumentError, ShapeError } from "../errors.js";
import type { WindowGeometry } from "../kernels/geometry.js";
import { at, formatShape, type Shape } from "./shape.js";

/** One number for both axes, or [height, width]. */
export type NumberOrPair = number | readonly [number, number];

/** [height, width]. */
export type Pair = readonly [number, number];

/** Rows and columns of padding on the four sides of a plane. */
export interface Padding {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** What a window slides over: a batch of planes. */
export interface Planes {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** A window and how it moves. */
export interface WindowSettings {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Padding;
  readonly dilation: Pair;
  /** Whether a last window that hangs over the edge counts. */
  readonly ceilMode?: boolean;
}

/**
 * Reads a setting that is one number for both axes or a [height, width] pair.
 *
 * @throws ArgumentError where it is neither, or a number is not whole or below `minimum`.
 */
export function pairOf(where: string, name: string, value: NumberOrPair, minimum: number): Pair {
  const [height, width, ...rest]: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  if (rest.length > 0 || !isCount(height, minimum) || !isCount(width, minimum)) {
    throw new ArgumentError(
      `${where}: got ${name} ${formatSetting(value)}; expected a whole number of ${minimum} or more, or a pair of them as [height, width]. ` +
        `Correct ${name}.`,
    );
  }
  return [height, width];
}

/**
 * Reads a setting of an op along one axis.
 *
 * @throws ArgumentError where it is not whole, or below `minimum`.
 */
export function countOf(where: string, name: string, value: number, minimum: number): number {
  if (isCount(value, minimum)) return value;
  throw new ArgumentError(
    `${where}: got ${name} ${formatSetting(value)}; expected a whole number of ${minimum} or more. Correct ${name}.`,
  );
}

function isCount(value: unknown, minimum: number): value is number {
  return Number.isInteger(value) && (value as number) >= minimum;
}

/** `3`, `[1, 2]`, `"same"`, for messages. */
export function formatSetting(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatSetting).join(", ")}]`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** The same padding above and below, and the same to the left and to the right. */
export function evenPadding([height, width]: Pair): Padding {
  return { top: height, bottom: height, left: width, right: width };
}

/** Padding with which a window of stride 1 gives as many outputs as inputs; an odd one out goes to the bottom and right. */
export function samePadding(kernel: Pair, dilation: Pair): Padding {
  const [height, width] = [dilation[0] * (kernel[0] - 1), dilation[1] * (kernel[1] - 1)];
  const [top, left] = [Math.floor(height / 2), Math.floor(width / 2)];
  return { top, bottom: height - top, left, right: width - left };
}

/**
 * Reads the shape of an image or a batch of images.
 *
 * @throws ShapeError where it has not 3 or 4 axes, or no rows, columns or channels.
 */
export function planesOf(where: string, shape: Shape): Planes {
  const [width = 0, height = 0, channels = 0, batch = 1] = shape.toReversed();
  if (shape.length !== 3 && shape.length !== 4) {
    throw new ShapeError(
      `${where}: got an input of shape ${formatShape(shape)}; expected [batch, channels, height, width], or [channels, height, width] ` +
        `for a single image. Reshape or unsqueeze it.`,
    );
  }
  if (height === 0 || width === 0 || channels === 0) {
    throw new ShapeError(
      `${where}: got an input of shape ${formatShape(shape)}; expected no extent of 0 but the batch's. Leave the empty input out.`,
    );
  }
  return { batch, channels, height, width };
}

/**
 * Reads the shape of a sequence or a batch of sequences: planes of one row.
 *
 * @throws ShapeError where it has not 2 or 3 axes, or no places or channels.
 */
export function sequencesOf(where: string, shape: Shape): Planes {
  const [width = 0, channels = 0, batch = 1] = shape.toReversed();
  if (shape.length !== 2 && shape.length !== 3) {
    throw new ShapeError(
      `${where}: got an input of shape ${formatShape(shape)}; expected [batch, channels, length], or [channels, length] ` +
        `for a single sequence. Reshape or unsqueeze it.`,
    );
  }
  if (width === 0 || channels === 0) {
    throw new ShapeError(
      `${where}: got an input of shape ${formatShape(shape)}; expected no extent of 0 but the batch's. Leave the empty input out.`,
    );
  }
  return { batch, channels, height: 1, width };
}

/**
 * The windows over `planes`. Along each axis there are
 * floor((extent + padding on both sides − dilation·(kernel − 1) − 1) / stride) + 1 of them; in ceil mode the quotient is
 * rounded up, and a window that would start behind the input and the padding before it is dropped.
 *
 * @throws ShapeError where the window is larger than the padded planes.
 */
export function slidingWindow(where: string, planes: Planes, settings: WindowSettings): WindowGeometry {
  const { padding, ceilMode = false } = settings;
  const outHeight = outExtent(where, "height", 0, planes.height, padding.top, padding.bottom, settings, ceilMode);
  const outWidth = outExtent(where, "width", 1, planes.width, padding.left, padding.right, settings, ceilMode);
  return geometryOf(planes, settings, outHeight, outWidth);
}

function outExtent(
  where: string,
  name: string,
  axis: 0 | 1,
  extent: number,
  before: number,
  after: number,
  settings: WindowSettings,
  ceilMode: boolean,
): number {
  const kernel = settings.kernel[axis];
  const stride = settings.stride[axis];
  const dilation = settings.dilation[axis];
  const padded = extent + before + after;
  const reach = dilation * (kernel - 1) + 1;
  if (reach > padded) {
    throw new ShapeError(
      `${where}: got ${name} ${extent}, padded to ${padded}, for a kernel of ${name} ${kernel} with dilation ${dilation}; ` +
        `expected at least ${dilation}·(${kernel} − 1) + 1 = ${reach}, since the output ${name} is ` +
        `floor((padded − dilation·(kernel − 1) − 1) / stride) + 1. Use a smaller kernel or more padding.`,
    );
  }
  const steps = (padded - reach) / stride;
  if (!ceilMode) return Math.floor(steps) + 1;
  const last = Math.ceil(steps);
  return last * stride >= extent + before ? last : last + 1;
}

/**
 * The window of a transposed convolution: that of the convolution which its result is the input of. The result's
 * extents are (extent − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1.
 *
 * @throws ShapeError where that is less than 1.
 * @throws ArgumentError where the output padding is not smaller than the stride or the dilation.
 */
export function transposedWindow(
  where: string,
  planes: Planes,
  outChannels: number,
  settings: WindowSettings,
  outputPadding: Pair,
): WindowGeometry {
  const { kernel, stride, padding, dilation } = settings;
  const extents = [planes.height, planes.width];
  const around = [padding.top + padding.bottom, padding.left + padding.right];
  const [height = 0, width = 0] = ([0, 1] as const).map((axis) => {
    const name = axis === 0 ? "height" : "width";
    if (outputPadding[axis] >= Math.max(stride[axis], dilation[axis])) {
      throw new ArgumentError(
        `${where}: got an output padding of ${outputPadding[axis]} for the ${name}; expected less than the stride ${stride[axis]} or the ` +
          `dilation ${dilation[axis]}. Make outputPadding smaller.`,
      );
    }
    const reach = dilation[axis] * (kernel[axis] - 1);
    const result = (at(extents, axis) - 1) * stride[axis] - at(around, axis) + reach + outputPadding[axis] + 1;
    if (result < 1) {
      throw new ShapeError(
        `${where}: got an input of ${name} ${at(extents, axis)}, whose output ${name} is (${at(extents, axis)} − 1)·${stride[axis]} − ` +
          `${at(around, axis)} + ${dilation[axis]}·(${kernel[axis]} − 1) + ${outputPadding[axis]} + 1 = ${result}; expected at least 1, ` +
          `by (extent − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1. Use less padding.`,
      );
    }
    return result;
  });
  return geometryOf(
    { batch: planes.batch, channels: outChannels, height, width },
    settings,
    planes.height,
    planes.width,
  );
}

function geometryOf(planes: Planes, settings: WindowSettings, outHeight: number, outWidth: number): WindowGeometry {
  const { kernel, stride, padding, dilation } = settings;
  return {
    batch: planes.batch,
    channels: planes.channels,
    inHeight: planes.height,
    inWidth: planes.width,
    outHeight,
    outWidth,
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideHeight: stride[0],
    strideWidth: stride[1],
    padTop: padding.top,
    padLeft: padding.left,
    dilationHeight: dilation[0],
    dilationWidth: dilation[1],
  };
}

/** The shape of what the window slides over. */
export function inputShape(g: WindowGeometry): number[] {
  return [g.batch, g.channels, g.inHeight, g.inWidth];
}

/** The shape of what a window of `channels` outputs gives. */
export function outputShape(g: WindowGeometry, channels: number): number[] {
  return [g.batch, channels, g.outHeight, g.outWidth];
}
