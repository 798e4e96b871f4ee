/** Transforms that cut images out, and mirror them. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { contiguous } from "../../tensor/ops/layout.js";
import { pad } from "../../tensor/ops/pad.js";
import { flip } from "../../tensor/ops/rearrange.js";
import { narrow } from "../../tensor/ops/slicing.js";
import { composite } from "../../tensor/scopes.js";
import { formatShape } from "../../tensor/shape.js";
import type { Tensor } from "../../tensor/tensor.js";
import { checkNames, checkShare, Draws, extentsOf, type RandomOptions, roundHalfEven, sizeOf } from "./parts.js";

/** What padding holds: one value, the mirror image without the edge, or the edge. */
export type CropPaddingMode = "constant" | "reflect" | "edge";

/** Settings of {@link randomCrop}. */
export interface RandomCropOptions extends RandomOptions {
  /** Places around the image before it is cut: on all sides, [left and right, top and bottom], or [left, top, right, bottom]. */
  readonly padding?: number | readonly number[];
  /** Whether an image that is too small is padded. Default false. */
  readonly padIfNeeded?: boolean;
  /** Value of the padding. Default 0. */
  readonly fill?: number;
  /** Default `"constant"`. */
  readonly paddingMode?: CropPaddingMode;
}

const modes = { constant: "constant", reflect: "reflect", edge: "replicate" } as const;

/**
 * A transform that cuts a part of `size` out of an image […, H, W] at random. With the same seed it is torchvision's.
 *
 * @param size extent of both axes, or [height, width]
 * @throws ArgumentError where a setting is out of its range.
 * @throws ShapeError (the transform) where the image is smaller than the part.
 * @see https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomCrop.html
 */
export function randomCrop(size: number | readonly number[], options: RandomCropOptions = {}): (x: Tensor) => Tensor {
  checkNames("randomCrop", options, ["padding", "padIfNeeded", "fill", "paddingMode", "generator"]);
  const { padding = 0, padIfNeeded = false, fill = 0, paddingMode = "constant" } = options;
  const [height, width] = sizeOf("randomCrop", size);
  const sides = sidesOf(padding);
  const mode = modes[paddingMode];
  if (mode === undefined) {
    throw new ArgumentError(
      `randomCrop: got paddingMode ${JSON.stringify(paddingMode)}; expected one of ${Object.keys(modes).join(", ")}. Choose one of them.`,
    );
  }
  const draws = new Draws("randomCrop", options);
  const padded = (x: Tensor, [left, top, right, bottom]: Sides): Tensor =>
    pad(x, [left, right, top, bottom], mode, mode === "constant" ? fill : 0);
  return (x) => {
    extentsOf("randomCrop", x);
    return composite(() => {
      let image = sides.some((count) => count !== 0) ? padded(x, sides) : x;
      const missing = [height - image.size(-2), width - image.size(-1)] as const;
      if (padIfNeeded && missing[1] > 0) image = padded(image, [missing[1], 0, missing[1], 0]);
      if (padIfNeeded && missing[0] > 0) image = padded(image, [0, missing[0], 0, missing[0]]);
      const [rows, columns] = [image.size(-2), image.size(-1)];
      if (rows < height || columns < width) {
        throw new ShapeError(
          `randomCrop: got an image of shape ${formatShape(image.shape)} to cut [${height}, ${width}] out of; expected one that is not smaller. ` +
            "Pass { padIfNeeded: true }, or resize it first.",
        );
      }
      if (rows === height && columns === width) return contiguous(image === x ? narrow(x, 0, 0, x.size(0)) : image);
      const top = draws.whole(rows - height + 1);
      return cut(image, top, draws.whole(columns - width + 1), height, width);
    });
  };
}

/**
 * A transform that cuts the middle of `size` out of an image […, H, W]; what is smaller is padded with 0.
 *
 * @throws ArgumentError where the size is out of its range.
 * @see https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.CenterCrop.html
 */
export function centerCrop(size: number | readonly number[]): (x: Tensor) => Tensor {
  const [height, width] = sizeOf("centerCrop", size);
  return (x) => {
    const [rows, columns] = extentsOf("centerCrop", x);
    const [below, right] = [Math.max(height - rows, 0), Math.max(width - columns, 0)];
    return composite(() => {
      const half = Math.floor;
      const image =
        below + right > 0
          ? pad(x, [half(right / 2), half((right + 1) / 2), half(below / 2), half((below + 1) / 2)])
          : x;
      const top = roundHalfEven((image.size(-2) - height) / 2);
      return cut(image, top, roundHalfEven((image.size(-1) - width) / 2), height, width);
    });
  };
}

/**
 * A transform that mirrors an image […, H, W] left to right with probability `p`. With the same seed it is torchvision's.
 *
 * @throws ArgumentError where p is not from 0 to 1.
 * @see https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomHorizontalFlip.html
 */
export function randomHorizontalFlip(p = 0.5, options: RandomOptions = {}): (x: Tensor) => Tensor {
  return randomFlip("randomHorizontalFlip", p, -1, options);
}

/**
 * A transform that mirrors an image […, H, W] top to bottom with probability `p`. With the same seed it is torchvision's.
 *
 * @throws ArgumentError where p is not from 0 to 1.
 * @see https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomVerticalFlip.html
 */
export function randomVerticalFlip(p = 0.5, options: RandomOptions = {}): (x: Tensor) => Tensor {
  return randomFlip("randomVerticalFlip", p, -2, options);
}

function randomFlip(where: string, p: number, axis: number, options: RandomOptions): (x: Tensor) => Tensor {
  checkNames(where, options, ["generator"]);
  checkShare(where, "p", p, 0, 1);
  const draws = new Draws(where, options);
  return (x) => {
    extentsOf(where, x);
    return draws.uniform(0, 1) < p ? flip(x, axis) : x;
  };
}

type Sides = readonly [left: number, top: number, right: number, bottom: number];

function sidesOf(padding: number | readonly number[]): Sides {
  const list = typeof padding === "number" ? [padding] : [...padding];
  const [left = 0, top = left, right = left, bottom = top] = list;
  const sides = [left, top, right, bottom] as const;
  if ([1, 2, 4].includes(list.length) && sides.every((count) => Number.isInteger(count) && count >= 0)) return sides;
  throw new ArgumentError(
    `randomCrop: got padding [${list.join(", ")}]; expected 1, 2 or 4 whole numbers of 0 or more. Correct padding.`,
  );
}

function cut(x: Tensor, top: number, left: number, height: number, width: number): Tensor {
  return contiguous(narrow(narrow(x, -2, top, height), -1, left, width));
}
