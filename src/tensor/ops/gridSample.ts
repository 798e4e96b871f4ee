/** Images read at places that are tensors themselves: what a spatial transformer is made of. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { newTypedArray } from "../../kernels/dtype.js";
import { withGradMode } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { at, checkShape, formatShape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { formatSetting } from "../window.js";
import { pick } from "./along.js";
import { add, clamp, mul, neg, sub } from "./arithmetic.js";
import { expand } from "./broadcast.js";
import { int } from "./cast.js";
import { ge, le } from "./compare.js";
import { floor, round } from "./elementary.js";
import { hardtanh } from "./hardActivations.js";
import { reshape, transpose, view } from "./layout.js";
import { logicalAnd } from "./logic.js";
import { matmul } from "./matmul.js";
import { checkOneDtype } from "./operands.js";
import { select } from "./slicing.js";
import { where } from "./where.js";

/** Settings of {@link gridSample}. */
export interface GridSampleOptions {
  /** `"bilinear"` (the default) weighs the four pixels around a place, `"nearest"` takes the nearest one. */
  readonly mode?: "bilinear" | "nearest";
  /** What lies beyond the image: `"zeros"` (the default), or `"border"`, the pixels at its edge. */
  readonly paddingMode?: "zeros" | "border";
  /** Whether −1 and 1 are the centres of the pixels at the edge, rather than the edge itself. Default false. */
  readonly alignCorners?: boolean;
}

/** Settings of {@link affineGrid}. */
export interface AffineGridOptions {
  /** Whether −1 and 1 are the centres of the pixels at the edge, rather than the edge itself. Default false. */
  readonly alignCorners?: boolean;
}

/** Places along one axis, [N, 1, P], and what their pixels count. */
interface Tap {
  readonly places: Tensor;
  /** Null where the pixels are all that counts. */
  readonly weights: Tensor | null;
}

/**
 * Reads each image of x at the places of `grid`, of which the last axis holds column and row, from −1 at the left and upper
 * edge to 1 at the right and lower one. With `"nearest"` no gradient flows to the grid.
 *
 * [N, C, H, W], [N, H′, W′, 2] → [N, C, H′, W′]. Column p of W is at (p + ½)·2/W − 1, or at 2·p/(W − 1) − 1 with `alignCorners`.
 * Of two pixels that are equally near, the one with the even number is taken.
 *
 * @throws ShapeError where the shapes do not fit.
 * @throws ArgumentError where a setting is none of those.
 * @throws DTypeError for whole numbers, or where dtypes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html
 * @see M. Jaderberg et al.: Spatial Transformer Networks, https://arxiv.org/abs/1506.02025, equation 5
 */
export function gridSample(x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  checkOptions("gridSample", options, ["mode", "paddingMode", "alignCorners"]);
  commonKernels("gridSample", x, grid);
  checkFloating("gridSample", x.dtype);
  checkOneDtype("gridSample", x, grid);
  const { mode = "bilinear", paddingMode = "zeros", alignCorners = false } = options;
  checkChoice("mode", mode, ["bilinear", "nearest"]);
  checkChoice("paddingMode", paddingMode, ["zeros", "border"]);
  checkGrid(x, grid);
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const [, rows = 0, columns = 0] = grid.shape;
  checkShape("gridSample", [batch, channels, rows, columns]);
  return composite(() => {
    const pixels = reshape(x, [batch, channels, height * width]);
    const [across, down] = [width, height].map((extent, axis) =>
      tapsOf(reshape(select(grid, 3, axis), [batch, 1, rows * columns]), extent, mode, paddingMode, alignCorners),
    );
    const terms = (down ?? []).flatMap((row) =>
      (across ?? []).map((column) => {
        const places = expand(add(mul(row.places, width), column.places), [batch, channels, rows * columns]);
        const values = pick(pixels, 2, places);
        const weights = row.weights && column.weights ? mul(row.weights, column.weights) : null;
        return weights === null ? values : mul(values, weights);
      }),
    );
    return reshape(
      terms.reduce((sum, term) => add(sum, term)),
      [batch, channels, rows, columns],
    );
  });
}

/** The pixels along one axis that coordinates from −1 to 1 read. */
function tapsOf(
  coordinates: Tensor,
  extent: number,
  mode: "bilinear" | "nearest",
  paddingMode: "zeros" | "border",
  alignCorners: boolean,
): Tap[] {
  const scaled = mul(add(coordinates, 1), alignCorners ? (extent - 1) / 2 : extent / 2);
  const anywhere = alignCorners ? scaled : sub(scaled, 0.5);
  const place = paddingMode === "border" ? hardtanh(anywhere, 0, extent - 1) : anywhere;
  const tapAt = (pixel: Tensor, weights: Tensor | null): Tap => {
    // Whole numbers are found by no gradient; those beyond the image read what is in it, and count nothing.
    const [places, isInside] = withGradMode(false, () => [
      int(clamp(pixel, 0, extent - 1)),
      paddingMode === "border" ? null : logicalAnd(ge(pixel, 0), le(pixel, extent - 1)),
    ]);
    if (isInside === null) return { places, weights };
    return { places, weights: weights === null ? isInside : where(isInside, weights, 0) };
  };
  if (mode === "nearest")
    return [
      tapAt(
        withGradMode(false, () => round(place)),
        null,
      ),
    ];
  const before = withGradMode(false, () => floor(place));
  const share = sub(place, before);
  return [
    tapAt(before, add(neg(share), 1)),
    tapAt(
      withGradMode(false, () => add(before, 1)),
      share,
    ),
  ];
}

/**
 * The grid with which {@link gridSample} moves, turns and scales images: where each pixel of the output is read from.
 *
 * theta [N, 2, 3], size [N, C, H, W] → [N, H, W, 2], whose last axis is theta · (column, row, 1).
 *
 * @throws ShapeError where theta is not [N, 2, 3], or the size is not of four axes with that N and extents of 1 or more.
 * @throws DTypeError for whole numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.affine_grid.html
 * @see M. Jaderberg et al.: Spatial Transformer Networks, https://arxiv.org/abs/1506.02025, equation 1
 */
export function affineGrid(theta: Tensor, size: readonly number[], options: AffineGridOptions = {}): Tensor {
  checkOptions("affineGrid", options, ["alignCorners"]);
  commonKernels("affineGrid", theta);
  checkFloating("affineGrid", theta.dtype);
  const [batch = 0, , height = 0, width = 0] = size;
  const isSize = size.length === 4 && size.every((extent) => Number.isInteger(extent) && extent >= 1);
  if (theta.ndim !== 3 || theta.shape[1] !== 2 || theta.shape[2] !== 3 || !isSize || theta.shape[0] !== batch) {
    throw new ShapeError(
      `affineGrid: got theta of shape ${formatShape(theta.shape)} for the size ${formatShape(size)}; ` +
        `expected [N, 2, 3] for [N, C, H, W], with extents of 1 or more. Correct one of them.`,
    );
  }
  checkShape("affineGrid", [batch, height, width, 2]);
  return composite(() => {
    const base = baseGrid(theta, height, width, options.alignCorners ?? false);
    return view(matmul(base, transpose(theta, 1, 2)), [batch, height, width, 2]);
  });
}

/** Column, row and 1 of each pixel: [H·W, 3]. */
function baseGrid(theta: Tensor, height: number, width: number, alignCorners: boolean): Tensor {
  const coordinate = (place: number, extent: number): number => {
    if (extent === 1) return 0;
    return alignCorners ? (2 * place) / (extent - 1) - 1 : (2 * place + 1) / extent - 1;
  };
  const values = newTypedArray(theta.dtype, 3 * height * width);
  for (let pixel = 0; pixel < height * width; pixel += 1) {
    values[3 * pixel] = coordinate(pixel % width, width);
    values[3 * pixel + 1] = coordinate(Math.floor(pixel / width), height);
    values[3 * pixel + 2] = 1;
  }
  const base = Tensor.allocate([height * width, 3], theta.dtype, theta.device, "affineGrid");
  base.kernels.write(base.buffer, base.dtype, 0, values);
  return base;
}

function checkGrid(x: Tensor, grid: Tensor): void {
  if (x.ndim !== 4 || x.shape.slice(1).includes(0)) {
    throw new ShapeError(
      `gridSample: got an input of shape ${formatShape(x.shape)}; expected [batch, channels, height, width] without extents of 0. ` +
        `Unsqueeze a single image.`,
    );
  }
  if (grid.ndim !== 4 || at(grid.shape, 3) !== 2 || grid.shape[0] !== x.shape[0]) {
    throw new ShapeError(
      `gridSample: got a grid of shape ${formatShape(grid.shape)} for an input of shape ${formatShape(x.shape)}; ` +
        `expected [${x.shape[0]}, height, width, 2], with column and row in the last axis. Reshape or permute the grid.`,
    );
  }
}

function checkChoice(name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new ArgumentError(
    `gridSample: got ${name} ${formatSetting(value)}; expected one of ${choices.map(formatSetting).join(", ")}. Choose one of them.`,
  );
}
