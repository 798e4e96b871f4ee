/** Photographs and drawings as tensors, and back. */
import sharp from "sharp";
import { type Tensor, tensor } from "tapegrad";
import type { Picture } from "./pictures.js";

/**
 * A picture as a tensor [3, height, width] of numbers from 0 to 1.
 *
 * @param source the path of a PNG, JPEG or WebP file, or the text of an SVG
 * @param most greatest width and height; larger pictures are made smaller
 */
export async function readImage(source: string, most: number): Promise<Tensor> {
  const { data, info } = await sharp(source.startsWith("<svg") ? Buffer.from(source) : source)
    .resize(most, most, { fit: "inside", withoutEnlargement: true })
    .flatten({ background: "white" })
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pixels = Float32Array.from(data, (value) => value / 255);
  return tensor(pixels, { shape: [info.height, info.width, 3] })
    .permute([2, 0, 1])
    .contiguous();
}

/** A tensor [3, height, width] as a picture; what lies outside 0 to 1 is cut off. */
export async function rgbPicture(image: Tensor): Promise<Picture> {
  const [, height = 0, width = 0] = image.shape;
  const values = await image.permute([1, 2, 0]).data();
  const rgba = new Uint8Array(4 * width * height).fill(255);
  values.forEach((value, k) => {
    rgba[4 * Math.floor(k / 3) + (k % 3)] = Math.round(255 * Math.min(1, Math.max(0, value)));
  });
  return { width, height, rgba };
}
