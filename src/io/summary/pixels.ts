/** Pictures out of tensors. */
import { ArgumentError, DTypeError, ShapeError } from "../../errors.js";
import type { DType, TypedArray } from "../../kernels/dtype.js";
import { at, formatShape, type Shape } from "../../tensor/shape.js";
import { formatSetting } from "../../tensor/window.js";

/** Pixels of 8 bits, row by row, all channels of a pixel together. */
export interface Picture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Where an axis of each kind is. */
interface Axes {
  readonly images: number | null;
  readonly channels: number | null;
  readonly height: number;
  readonly width: number;
}

/** Images side by side in one row of the grid. */
const gridColumns = 8;

/** How the elements of a tensor lie in a picture. */
export interface PictureLayout {
  readonly shape: Shape;
  readonly axes: Axes;
  readonly dtype: DType;
}

/**
 * Checks that a tensor of that shape can be shown, and how.
 *
 * @param order one letter for each axis: N images, C channels, H rows, W columns
 * @throws ArgumentError where the order is none of `orders`.
 * @throws ShapeError where the shape does not fit it, has no pixels, or other than 1, 3 or 4 channels.
 * @throws DTypeError for bool.
 */
export function pictureLayout(
  where: string,
  shape: Shape,
  dtype: DType,
  order: string,
  orders: readonly string[],
): PictureLayout {
  if (!orders.includes(order)) {
    throw new ArgumentError(
      `${where}: got dataFormats ${formatSetting(order)}; expected one of ${orders.map(formatSetting).join(", ")}. Name the axes in their order.`,
    );
  }
  const place = (letter: string): number | null => (order.includes(letter) ? order.indexOf(letter) : null);
  const axes = { images: place("N"), channels: place("C"), height: order.indexOf("H"), width: order.indexOf("W") };
  const fits = shape.length === order.length && shape.every((extent) => extent > 0);
  const channels = axes.channels === null ? 1 : (shape[axes.channels] ?? 0);
  if (!fits || ![1, 3, 4].includes(channels)) {
    throw new ShapeError(
      `${where}: got a tensor of shape ${formatShape(shape)} as ${order}; expected ${order.length} axes without zeros` +
        `${axes.channels === null ? "" : ", with 1 channel (grey), 3 (RGB) or 4 (RGBA)"}. Reshape it, or name its axes in dataFormats.`,
    );
  }
  if (dtype === "bool") {
    throw new DTypeError(
      `${where}: got a tensor of bool; expected fractions from 0 to 1, or int32 from 0 to 255. Cast it with .float().`,
    );
  }
  return { shape, axes, dtype };
}

/**
 * The picture in a tensor's elements: fractions from 0 to 1, or whole numbers from 0 to 255, rounded and cut to that range.
 * Several images become a grid with eight in a row.
 */
export function pictureOf(values: TypedArray, { shape, axes, dtype }: PictureLayout): Picture {
  const strideOf = (axis: number | null): number => (axis === null ? 0 : product(shape.slice(axis + 1)));
  const extentOf = (axis: number | null): number => (axis === null ? 1 : at(shape, axis));
  const [images, channels] = [extentOf(axes.images), extentOf(axes.channels)];
  const [rows, columns] = [extentOf(axes.height), extentOf(axes.width)];
  const strides = [axes.images, axes.height, axes.width, axes.channels].map(strideOf);
  const [imageStride = 0, rowStride = 0, columnStride = 0, channelStride = 0] = strides;

  const across = Math.min(images, gridColumns);
  const [width, height] = [across * columns, Math.ceil(images / across) * rows];
  const pixels = new Uint8Array(width * height * channels);
  const scale = dtype === "int32" ? 1 : 255;
  for (let image = 0; image < images; image++) {
    const [left, top] = [(image % across) * columns, Math.floor(image / across) * rows];
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        for (let channel = 0; channel < channels; channel++) {
          const from = image * imageStride + y * rowStride + x * columnStride + channel * channelStride;
          const to = ((top + y) * width + left + x) * channels + channel;
          // NaN becomes 0 here.
          pixels[to] = Math.min(255, Math.max(0, Math.round((values[from] ?? 0) * scale)));
        }
      }
    }
  }
  return { pixels, width, height, channels };
}

function product(extents: readonly number[]): number {
  return extents.reduce((result, extent) => result * extent, 1);
}
