/**
 * Transforms: functions from a sample to a sample, for the `transform` option of datasets and for use by themselves.
 *
 * @see https://docs.pytorch.org/vision/stable/transforms.html
 * @module
 */
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { tensor } from "../tensor/create.js";
import { div, sub } from "../tensor/ops/arithmetic.js";
import { composite } from "../tensor/scopes.js";
import { formatShape } from "../tensor/shape.js";
import { commonKernels, Tensor } from "../tensor/tensor.js";

export {
  type Interpolation,
  type RandomAffineOptions,
  type RandomRotationOptions,
  randomAffine,
  randomRotation,
} from "./augment/affine.js";
export { type ColorJitterOptions, colorJitter } from "./augment/color.js";
export {
  type CropPaddingMode,
  centerCrop,
  type RandomCropOptions,
  randomCrop,
  randomHorizontalFlip,
  randomVerticalFlip,
} from "./augment/crop.js";
export { type MixupOptions, mixup, type RandomErasingOptions, randomErasing } from "./augment/erase.js";
export type { RandomOptions } from "./augment/parts.js";
export { type ResizeOptions, resize } from "./augment/resize.js";

/** Pixels as bytes in the order [row, column, channel]. A browser's `ImageData` is one, with 4 channels. */
export interface ImageLike {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  /** Default: what the number of bytes makes it. */
  readonly channels?: number;
}

/** A function from a sample to a sample. */
export type Transform<A, B> = (sample: A) => B;

/**
 * One transform that applies the given ones from the first to the last.
 *
 * @throws ArgumentError where one is no function.
 * @see https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Compose.html
 */
export function compose<A, B>(transforms: readonly [Transform<A, B>, ...Transform<B, B>[]]): Transform<A, B>;
export function compose<A, B, C>(transforms: readonly [Transform<A, B>, Transform<B, C>]): Transform<A, C>;
export function compose<A, B, C, D>(
  transforms: readonly [Transform<A, B>, Transform<B, C>, Transform<C, D>],
): Transform<A, D>;
export function compose<A>(transforms: readonly Transform<A, A>[]): Transform<A, A>;
export function compose(transforms: readonly Transform<unknown, unknown>[]): Transform<unknown, unknown> {
  const wrong = Array.isArray(transforms) ? transforms.findIndex((each) => typeof each !== "function") : 0;
  if (wrong >= 0) {
    const got = Array.isArray(transforms) ? `${String(transforms[wrong])} at [${wrong}]` : String(transforms);
    throw new ArgumentError(
      `compose: got ${got}; expected an array of functions. Write compose([toTensor(), normalize(mean, std)]).`,
    );
  }
  // The caller may go on to change the array that it passed.
  const steps = [...transforms];
  return (sample) => steps.reduce((value, step) => step(value), sample);
}

/**
 * A transform from an image of bytes to a float32 tensor [channels, height, width] with values 0 … 1: byte / 255.
 *
 * A tensor of a floating dtype is handed on as it is, so that the same transforms serve datasets that give tensors.
 *
 * @throws ShapeError (the transform) where the number of bytes is not height · width · channels.
 * @throws DTypeError (the transform) where the pixels are no bytes.
 * @see https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html
 */
export function toTensor(): (image: ImageLike | Tensor) => Tensor {
  return (image) => {
    if (image instanceof Tensor) {
      if (image.dtype === "float32" || image.dtype === "float64") return image;
      throw new DTypeError(
        `toTensor: got a tensor of ${image.dtype}; expected an image { data, width, height } of bytes, or a tensor of float32. ` +
          "Use .float().div(255) for a tensor of bytes.",
      );
    }
    const { data, width, height, channels } = checkedImage(image);
    const values = new Float32Array(data.length);
    const area = width * height;
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < area; pixel++) {
        values[channel * area + pixel] = (data[pixel * channels + channel] ?? 0) / 255;
      }
    }
    return tensor(values, { shape: [channels, height, width] });
  };
}

function checkedImage(image: ImageLike): Required<ImageLike> {
  const data: unknown = image?.data;
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) {
    throw new DTypeError(
      `toTensor: got ${data === null || data === undefined ? "no data" : `data of ${data.constructor.name}`}; expected an image ` +
        "{ data, width, height } with data in a Uint8Array or Uint8ClampedArray. Decode the image to bytes first.",
    );
  }
  const { width, height, channels = data.length / (width * height) } = image;
  const fits = [width, height, channels].every((extent) => Number.isInteger(extent) && extent >= 1);
  if (!fits || data.length !== width * height * channels) {
    throw new ShapeError(
      `toTensor: got ${data.length} bytes for width ${width}, height ${height} and channels ${channels}; expected width · height · channels ` +
        "bytes, with whole numbers of 1 or more. Correct the extents, or pass channels.",
    );
  }
  return { data, width, height, channels };
}

/**
 * A transform from x to (x − mean) / std for each channel of a floating tensor […, channels, height, width]; a single
 * number goes for all channels. It makes a new tensor.
 *
 * @throws ArgumentError where the numbers are not finite, std is 0, or one list is longer than the other.
 * @throws ShapeError (the transform) where the tensor has other channels, or fewer than three axes.
 * @throws DTypeError (the transform) where the tensor has no floating dtype.
 * @see https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Normalize.html
 */
export function normalize(mean: number | readonly number[], std: number | readonly number[]): (x: Tensor) => Tensor {
  const means = typeof mean === "number" ? [mean] : Array.from(mean);
  const stds = typeof std === "number" ? [std] : Array.from(std);
  const channels = Math.max(means.length, stds.length, 1);
  const count = (list: readonly number[]): boolean => list.length === channels || list.length === 1;
  const valid = means.every(Number.isFinite) && stds.every((value) => Number.isFinite(value) && value !== 0);
  if (!count(means) || !count(stds) || !valid) {
    throw new ArgumentError(
      `normalize: got mean [${means.join(", ")}] and std [${stds.join(", ")}]; expected finite numbers, one for all channels or ` +
        "one for each, and no std of 0. Leave out a channel that is constant, or give it a std of 1.",
    );
  }
  return (x) => {
    commonKernels("normalize", x);
    if (x.dtype !== "float32" && x.dtype !== "float64") {
      throw new DTypeError(
        `normalize: got a tensor of ${x.dtype}; expected float32 or float64. Use toTensor() before it, or .float().`,
      );
    }
    if (x.ndim < 3 || (channels !== 1 && x.size(-3) !== channels)) {
      throw new ShapeError(
        `normalize: got shape ${formatShape(x.shape)} for ${channels} channels; expected […, ${channels === 1 ? "channels" : channels}, height, width]. ` +
          "Give mean and std for each channel, and add the axis of channels with .unsqueeze(0) where it is missing.",
      );
    }
    const { dtype, device } = x;
    const operand = (list: readonly number[]): Tensor | number => {
      const [first] = list;
      return list.length === 1 && first !== undefined
        ? first
        : tensor(list, { dtype, device, shape: [channels, 1, 1] });
    };
    return composite(() => div(sub(x, operand(means)), operand(stds)));
  };
}
