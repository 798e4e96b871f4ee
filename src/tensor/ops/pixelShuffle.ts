/** Channels as pixels and back. Each is the other's gradient. */
import { ArgumentError, ShapeError } from "../../errors.js";
import type { Strided } from "../../kernels/kernelSet.js";
import { record } from "../autograd.js";
import { at, checkShape, formatShape, type Shape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";

/**
 * Makes an image `upscaleFactor` times as high and wide of its channels: [..., C·r², H, W] → [..., C, H·r, W·r], where pixel
 * (y·r + i, x·r + j) of channel c is pixel (y, x) of channel c·r² + i·r + j.
 *
 * @throws ShapeError where there are fewer than three axes, or r² does not divide the channels.
 * @throws ArgumentError where the factor is no whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.pixel_shuffle.html
 * @see W. Shi et al.: Real-Time Single Image and Video Super-Resolution, https://arxiv.org/abs/1609.05158, equation 4
 */
export function pixelShuffle(x: Tensor, upscaleFactor: number): Tensor {
  const { lead, channels, height, width } = checkImage("pixelShuffle", x, "upscaleFactor", upscaleFactor);
  const square = upscaleFactor * upscaleFactor;
  if (channels % square !== 0) {
    throw new ShapeError(
      `pixelShuffle: got ${channels} channels in shape ${formatShape(x.shape)}; expected a multiple of ${upscaleFactor}² = ${square}. ` +
        `Correct upscaleFactor or the channels.`,
    );
  }
  const shape = [...lead, channels / square, height * upscaleFactor, width * upscaleFactor];
  checkShape("pixelShuffle", shape);
  return toPixels(x, upscaleFactor, shape);
}

/**
 * Makes channels of an image's pixels: [..., C, H·r, W·r] → [..., C·r², H, W], the inverse of {@link pixelShuffle}.
 *
 * @throws ShapeError where there are fewer than three axes, or the factor does not divide height and width.
 * @throws ArgumentError where the factor is no whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.pixel_unshuffle.html
 */
export function pixelUnshuffle(x: Tensor, downscaleFactor: number): Tensor {
  const { lead, channels, height, width } = checkImage("pixelUnshuffle", x, "downscaleFactor", downscaleFactor);
  if (height % downscaleFactor !== 0 || width % downscaleFactor !== 0) {
    throw new ShapeError(
      `pixelUnshuffle: got an image of ${height} by ${width} in shape ${formatShape(x.shape)}; expected multiples of ${downscaleFactor}. ` +
        `Pad the image, or correct downscaleFactor.`,
    );
  }
  const square = downscaleFactor * downscaleFactor;
  const shape = [...lead, channels * square, height / downscaleFactor, width / downscaleFactor];
  return toChannels(x, downscaleFactor, shape);
}

function toPixels(x: Tensor, factor: number, shape: Shape): Tensor {
  const out = Tensor.allocate(shape, x.dtype, x.device, "pixelShuffle");
  const channels = sorted(x, factor, true);
  sorted(out, factor, false).forEach((pixels, phase) => {
    const source = channels[phase];
    if (source !== undefined) x.kernels.copy(source, pixels);
  });
  const from = x.shape;
  return record("pixelShuffle", out, [x], [], (g) => [() => toChannels(g, factor, from)]);
}

function toChannels(x: Tensor, factor: number, shape: Shape): Tensor {
  const out = Tensor.allocate(shape, x.dtype, x.device, "pixelUnshuffle");
  const channels = sorted(out, factor, true);
  sorted(x, factor, false).forEach((pixels, phase) => {
    const target = channels[phase];
    if (target !== undefined) x.kernels.copy(pixels, target);
  });
  const from = x.shape;
  return record("pixelUnshuffle", out, [x], [], (g) => [() => toPixels(g, factor, from)]);
}

/** The r² parts of an image that belong together: every r²-th channel, or every r-th row and column. */
function sorted(x: Tensor, factor: number, byChannel: boolean): Strided[] {
  const [channelAxis, rowAxis, columnAxis] = [x.ndim - 3, x.ndim - 2, x.ndim - 1];
  const steps = x.shape.map((_, axis) =>
    byChannel ? (axis === channelAxis ? factor * factor : 1) : axis >= rowAxis ? factor : 1,
  );
  return Array.from({ length: factor * factor }, (_, phase) => {
    const [row, column] = [Math.floor(phase / factor), phase % factor];
    const start = byChannel
      ? phase * at(x.strides, channelAxis)
      : row * at(x.strides, rowAxis) + column * at(x.strides, columnAxis);
    return {
      buffer: x.buffer,
      dtype: x.dtype,
      shape: x.shape.map((extent, axis) => extent / at(steps, axis)),
      strides: x.strides.map((stride, axis) => stride * at(steps, axis)),
      offset: x.offset + start,
    };
  });
}

function checkImage(where: string, x: Tensor, name: string, factor: number) {
  commonKernels(where, x);
  if (!Number.isInteger(factor) || factor < 1) {
    throw new ArgumentError(`${where}: got ${name} ${factor}; expected a whole number of 1 or more. Correct ${name}.`);
  }
  if (x.ndim < 3) {
    throw new ShapeError(
      `${where}: got shape ${formatShape(x.shape)}; expected at least three axes, [..., channels, height, width]. Unsqueeze it.`,
    );
  }
  const [channels = 0, height = 0, width = 0] = x.shape.slice(-3);
  return { lead: x.shape.slice(0, -3), channels, height, width };
}
