/** Windows over sequences and images in other sizes: what the golden values and gradient checks leave open. */
import { describe, expect, test } from "vitest";
import "../../support/strictKernels.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ShapeError } from "../../../src/errors.js";
import { arange, tensor } from "../../../src/tensor/create.js";
import type { InterpolateOptions } from "../../../src/tensor/ops/interpolate.js";
import { testRefusals } from "../../support/refusals.js";

test("the nearest place is a copy: its neighbours do not matter, whatever they are", () => {
  const x = tensor([[[1, Number.NaN, Number.POSITIVE_INFINITY]]]);
  expect(x.interpolate({ scaleFactor: 2 }).toArraySync()).toEqual([
    [[1, 1, Number.NaN, Number.NaN, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]],
  ]);
});

test("pixelUnshuffle undoes pixelShuffle, for any dtype", () => {
  const x = arange(36, { dtype: "int32" }).reshape([9, 2, 2]);
  expect(x.pixelShuffle(3).pixelUnshuffle(3).toArraySync()).toEqual(x.toArraySync());
});

test("maxUnpool2d puts maxima back to their places, once where windows overlap", () => {
  const x = tensor([
    [
      [0, 0, 0],
      [0, 5, 0],
      [0, 0, 0],
    ],
  ]);
  const [values, indices] = x.maxPool2dWithIndices(2, { stride: 1 });
  expect(values.maxUnpool2d(indices, 2, { stride: 1 }).toArraySync()).toEqual(x.toArraySync());
});

describe("errors", () => {
  testRefusals([
    [
      "conv1d of an image",
      (z) => z(1, 2, 3, 4).conv1d(z(1, 2, 3)),
      new ShapeError(
        "conv1d: got an input of shape [1, 2, 3, 4]; expected [batch, channels, length], or [channels, length] for a single sequence. Reshape or unsqueeze it.",
      ),
    ],
    [
      "a weight for images",
      (z) => z(2, 3, 4).conv1d(z(1, 3, 1, 2)),
      new ShapeError(
        "conv1d: got a weight of shape [1, 3, 1, 2]; expected 3 axes, channels by channels by kernel length, and none of them empty. Reshape it.",
      ),
    ],
    [
      "a kernel that is too long",
      (z) => z(2, 3, 4).conv1d(z(1, 3, 5)),
      new ShapeError(
        "conv1d: got width 4, padded to 4, for a kernel of width 5 with dilation 1; expected at least 1·(5 − 1) + 1 = 5, since the output width is floor((padded − dilation·(kernel − 1) − 1) / stride) + 1. Use a smaller kernel or more padding.",
      ),
    ],
    [
      "other channels",
      (z) => z(2, 3, 4).conv1d(z(1, 2, 3)),
      new ShapeError(
        "conv1d: got 3 channels in the input of shape [2, 3, 4]; expected 2, for a weight of shape [1, 2, 3] [outChannels, channels / groups, length] and groups 1. Correct the channels of one of them.",
      ),
    ],
    [
      "a pair as stride",
      (z) => z(2, 3, 4).conv1d(z(1, 3, 2), null, { stride: [1, 1] as unknown as number }),
      new ArgumentError("conv1d: got stride [1, 1]; expected a whole number of 1 or more. Correct stride."),
    ],
    [
      "the same length with a stride",
      (z) => z(2, 3, 4).conv1d(z(1, 3, 2), null, { stride: 2, padding: "same" }),
      new ArgumentError(
        'conv1d: got padding "same" with stride 2; expected stride 1, as no padding keeps the length with another. Give the padding in numbers.',
      ),
    ],
    [
      "transposed channels that do not fit",
      (z) => z(2, 3, 4).convTranspose1d(z(2, 3, 3)),
      new ShapeError(
        "convTranspose1d: got 3 channels in the input of shape [2, 3, 4]; expected 2, for a weight of shape [2, 3, 3] [channels, outChannels / groups, length]. Correct the channels of one of them.",
      ),
    ],
    [
      "too much padding",
      (z) => z(3, 8).maxPool1d(3, { padding: 2 }),
      new ArgumentError(
        "maxPool1d: got padding 2 for kernel size 3; expected at most half of the kernel size, else a window might hold nothing but padding. Use less padding or a larger kernel.",
      ),
    ],
    [
      "an average of whole numbers",
      (z) => z("int32", 3, 8).avgPool1d(2),
      new DTypeError("avgPool1d: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
    ],
    [
      "no windows",
      (z) => z(3, 8, 8).adaptiveMaxPool2d(0),
      new ArgumentError(
        "adaptiveMaxPool2d: got outputSize 0; expected a whole number of 1 or more, null to keep the extent, or a pair of them as [height, width]. Correct outputSize.",
      ),
    ],
    [
      "neither size nor factor",
      (z) => z(1, 1, 2, 2).interpolate({}),
      new ArgumentError(
        "interpolate: got neither size nor scaleFactor; expected one of them. Pass { size } or { scaleFactor }.",
      ),
    ],
    [
      "size and factor",
      (z) => z(1, 1, 2, 2).interpolate({ size: 2, scaleFactor: 1 }),
      new ArgumentError(
        "interpolate: got both size and scaleFactor; expected one of them. Pass { size } or { scaleFactor }.",
      ),
    ],
    [
      "a factor that leaves nothing",
      (z) => z(1, 1, 2, 2).interpolate({ scaleFactor: 0.3 }),
      new ArgumentError(
        "interpolate: got scaleFactor 0.3 for an input of shape [1, 1, 2, 2]; expected a number above 0, or 2 of them, that leave at least one place for each axis behind the channels. Correct scaleFactor.",
      ),
    ],
    [
      "too many sizes",
      (z) => z(1, 1, 2).interpolate({ size: [2, 2] }),
      new ArgumentError(
        "interpolate: got size [2, 2] for an input of shape [1, 1, 2]; expected a whole number of 1 or more, or 1 of them, that say at least one place for each axis behind the channels. Correct size.",
      ),
    ],
    [
      "a mode that is not there",
      (z) => z(1, 1, 2, 2).interpolate({ size: 3, mode: "trilinear" } as unknown as InterpolateOptions),
      new ArgumentError(
        'interpolate: got mode "trilinear" for an input of shape [1, 1, 2, 2]; expected one of "nearest", "nearest-exact", "area", "bilinear", "bicubic". Choose one of them.',
      ),
    ],
    [
      "corners without lines",
      (z) => z(1, 1, 2, 2).interpolate({ size: 3, alignCorners: false }),
      new ArgumentError(
        'interpolate: got alignCorners false with mode "nearest"; expected it with "bilinear" or "bicubic" alone. Leave it out.',
      ),
    ],
    [
      "interpolation without a batch",
      (z) => z(2, 2).interpolate({ size: 3 }),
      new ShapeError(
        "interpolate: got an input of shape [2, 2]; expected [batch, channels, height, width] or [batch, channels, length]. Reshape or unsqueeze it.",
      ),
    ],
    [
      "channels that make no pixels",
      (z) => z(6, 2, 2).pixelShuffle(2),
      new ShapeError(
        "pixelShuffle: got 6 channels in shape [6, 2, 2]; expected a multiple of 2² = 4. Correct upscaleFactor or the channels.",
      ),
    ],
    [
      "an image that makes no channels",
      (z) => z(1, 3, 4).pixelUnshuffle(2),
      new ShapeError(
        "pixelUnshuffle: got an image of 3 by 4 in shape [1, 3, 4]; expected multiples of 2. Pad the image, or correct downscaleFactor.",
      ),
    ],
    [
      "indices of another shape",
      (z) => z(1, 2, 2).maxUnpool2d(z("int32", 1, 2), 2),
      new ShapeError(
        "maxUnpool2d: got indices of shape [1, 2] for an input of shape [1, 2, 2]; expected its shape. Use those that maxPool2dWithIndices gave with it.",
      ),
    ],
    [
      "an output that no pool would give",
      (z) => z(1, 2, 2).maxUnpool2d(z("int32", 1, 2, 2), 2, { outputSize: [4, 6] }),
      new ArgumentError(
        "maxUnpool2d: got the output size [4, 6] for an input of shape [1, 2, 2]; expected less than the stride [2, 2] away from [4, 4], and 1 at least. Correct outputSize, or the settings of the pool.",
      ),
    ],
  ]);
});
