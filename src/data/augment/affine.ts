/** Transforms that turn, shift, scale and shear images. */
import { ArgumentError } from "../../errors.js";
import { tensor } from "../../tensor/create.js";
import type { Tensor } from "../../tensor/tensor.js";
import { checkFractions, checkNames, Draws, extentsOf, type RandomOptions, rangeOf, roundHalfEven } from "./parts.js";

/** How values between pixels are found: the nearest pixel, or straight lines between the four around. */
export type Interpolation = "nearest" | "bilinear";

/** Settings of {@link randomRotation}. */
export interface RandomRotationOptions extends RandomOptions {
  /** Default `"nearest"`. */
  readonly interpolation?: Interpolation;
  /** Point to turn about, [x, y] in pixels from the upper left corner. Default: the middle. */
  readonly center?: readonly [x: number, y: number];
  /** Value of what comes in from outside. Default 0. */
  readonly fill?: number;
}

/** Settings of {@link randomAffine}. */
export interface RandomAffineOptions extends RandomRotationOptions {
  /** Greatest shift to each side, [x, y] as shares of width and height. Default: none. */
  readonly translate?: readonly [x: number, y: number];
  /** Range of the scale, [from, to]. Default: none. */
  readonly scale?: readonly [from: number, to: number];
  /** Degrees of shear: to both sides along x, a range along x, or [from, to, from, to] along x and y. Default: none. */
  readonly shear?: number | readonly number[];
}

/**
 * A transform that turns an image […, H, W] counter-clockwise by an angle drawn evenly. With the same seed it is
 * torchvision's.
 *
 * @param degrees the greatest angle to both sides, or a range [from, to]
 * @throws ArgumentError where a setting is out of its range.
 * @throws DeviceError (the transform) for images on a GPU: transforms run on the CPU.
 * @see https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomRotation.html
 */
export function randomRotation(
  degrees: number | readonly number[],
  options: RandomRotationOptions = {},
): (x: Tensor) => Tensor {
  checkNames("randomRotation", options, ["interpolation", "center", "fill", "generator"]);
  const angles = rangeOf("randomRotation", "degrees", degrees);
  const draws = new Draws("randomRotation", options);
  const warp = warper("randomRotation", options);
  return (x) => {
    extentsOf("randomRotation", x);
    return warp(x, { angle: -draws.uniform(...angles), translate: [0, 0], scale: 1, shear: [0, 0] });
  };
}

/**
 * A transform that turns an image […, H, W] clockwise, shifts, scales and shears it, each by what is drawn evenly. With the
 * same seed it is torchvision's.
 *
 * @param degrees the greatest angle to both sides, or a range [from, to]
 * @throws ArgumentError where a setting is out of its range.
 * @throws DeviceError (the transform) for images on a GPU: transforms run on the CPU.
 * @see https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomAffine.html
 */
export function randomAffine(
  degrees: number | readonly number[],
  options: RandomAffineOptions = {},
): (x: Tensor) => Tensor {
  const where = "randomAffine";
  checkNames(where, options, ["translate", "scale", "shear", "interpolation", "center", "fill", "generator"]);
  const { translate, scale, shear } = options;
  const angles = rangeOf(where, "degrees", degrees);
  for (const share of translate ?? []) rangeOf(where, "translate", share, { most: 1 });
  if (translate !== undefined && translate.length !== 2) {
    throw new ArgumentError(`${where}: got ${translate.length} numbers as translate; expected [x, y]. Give both.`);
  }
  const scales = scale === undefined ? null : rangeOf(where, "scale", scale, { least: Number.MIN_VALUE });
  const isFour = typeof shear === "object" && shear.length === 4;
  const shearX = shear === undefined ? null : rangeOf(where, "shear", isFour ? shear.slice(0, 2) : shear);
  const shearY = isFour ? rangeOf(where, "shear", shear.slice(2)) : null;
  const draws = new Draws(where, options);
  const warp = warper(where, options);
  return (x) => {
    const [height, width] = extentsOf(where, x);
    const shift = (share: number, extent: number): number =>
      roundHalfEven(draws.uniform(-share * extent, share * extent));
    const angle = draws.uniform(...angles);
    const shifts = translate === undefined ? [0, 0] : [shift(translate[0], width), shift(translate[1], height)];
    return warp(x, {
      angle,
      translate: shifts,
      scale: scales === null ? 1 : draws.uniform(...scales),
      shear: [shearX === null ? 0 : draws.uniform(...shearX), shearY === null ? 0 : draws.uniform(...shearY)],
    });
  };
}

interface Affine {
  readonly angle: number;
  readonly translate: readonly number[];
  readonly scale: number;
  readonly shear: readonly number[];
}

/** The places of the output in the input: x = a·u + b·v + c, y = d·u + e·v + f, counted from the middle. */
function inverseOf({ angle, translate, scale, shear }: Affine, center: readonly number[]): number[] {
  const [rotation = 0, sx = 0, sy = 0] = [angle, ...shear].map((degrees) => (degrees * Math.PI) / 180);
  const [cx = 0, cy = 0] = center;
  const [tx = 0, ty = 0] = translate;
  const a = Math.cos(rotation - sy) / Math.cos(sy);
  const b = (-Math.cos(rotation - sy) * Math.tan(sx)) / Math.cos(sy) - Math.sin(rotation);
  const c = Math.sin(rotation - sy) / Math.cos(sy);
  const d = (-Math.sin(rotation - sy) * Math.tan(sx)) / Math.cos(sy) + Math.cos(rotation);
  const [m0, m1, m3, m4] = [d / scale, -b / scale, -c / scale, a / scale];
  return [m0, m1, m0 * (-cx - tx) + m1 * (-cy - ty) + cx, m3, m4, m3 * (-cx - tx) + m4 * (-cy - ty) + cy];
}

function warper(where: string, options: RandomRotationOptions): (x: Tensor, affine: Affine) => Tensor {
  const { interpolation = "nearest", center, fill = 0 } = options;
  if (interpolation !== "nearest" && interpolation !== "bilinear") {
    throw new ArgumentError(
      `${where}: got interpolation ${JSON.stringify(interpolation)}; expected "nearest" or "bilinear". Choose one of them.`,
    );
  }
  return (x, affine) => {
    checkFractions(where, x);
    const [height, width] = extentsOf(where, x);
    const middle = center === undefined ? [0, 0] : [center[0] - width / 2, center[1] - height / 2];
    const [a = 1, b = 0, c = 0, d = 0, e = 1, f = 0] = inverseOf(affine, middle);
    const from = x.dataSync();
    const to = from.slice();
    const area = height * width;
    const sample = interpolation === "nearest" ? nearest : bilinear;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const [u, v] = [column + 0.5 - width / 2, row + 0.5 - height / 2];
        const [px, py] = [a * u + b * v + c + width / 2 - 0.5, d * u + e * v + f + height / 2 - 0.5];
        for (let plane = 0; plane < from.length; plane += area) {
          to[plane + row * width + column] = sample(from, plane, px, py, width, height, fill);
        }
      }
    }
    return tensor(to as Float32Array, { shape: x.shape, dtype: x.dtype, device: x.device });
  };
}

type Sample = (
  from: ArrayLike<number>,
  plane: number,
  x: number,
  y: number,
  width: number,
  height: number,
  fill: number,
) => number;

const nearest: Sample = (from, plane, x, y, width, height, fill) => {
  const [column, row] = [roundHalfEven(x), roundHalfEven(y)];
  const isInside = column >= 0 && column < width && row >= 0 && row < height;
  return isInside ? (from[plane + row * width + column] ?? 0) : fill;
};

const bilinear: Sample = (from, plane, x, y, width, height, fill) => {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  let [value, inside] = [0, 0];
  for (const [column, row] of [
    [left, top],
    [left + 1, top],
    [left, top + 1],
    [left + 1, top + 1],
  ] as const) {
    const weight = (1 - Math.abs(x - column)) * (1 - Math.abs(y - row));
    if (column < 0 || column >= width || row < 0 || row >= height) continue;
    value += weight * (from[plane + row * width + column] ?? 0);
    inside += weight;
  }
  // torchvision's way: on the border what is inside fades out twice.
  return value * inside + fill * (1 - inside);
};
