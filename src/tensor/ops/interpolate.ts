/** Images in another size. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { newTypedArray } from "../../kernels/dtype.js";
import { record, withGradMode } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { at, checkShape, formatShape, type Shape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { formatSetting } from "../window.js";
import { pick, unpick } from "./along.js";
import { add_, mul, mul_ } from "./arithmetic.js";
import { expand } from "./broadcast.js";
import { squeeze, unsqueeze, viewLike } from "./layout.js";
import { adaptiveAvgPool2d } from "./pooling.js";

/** How values between the places of the input are found. */
export type InterpolateMode = "nearest" | "nearest-exact" | "linear" | "bilinear" | "bicubic" | "area";

/** Settings of {@link interpolate}. */
export interface InterpolateOptions {
  /** Extents of the output behind batch and channels: one number for all, or one for each. Either this or `scaleFactor`. */
  readonly size?: number | readonly number[] | null;
  /** How many times larger the output is: one number for all axes, or one for each. Its extent is floor(extent·scaleFactor). */
  readonly scaleFactor?: number | readonly number[] | null;
  /**
   * `"nearest"` (the default), `"nearest-exact"` and `"area"`; for images `"bilinear"` and `"bicubic"`, for sequences `"linear"`.
   * `"area"` is the average of the places that an output place covers, as in `adaptiveAvgPool2d`.
   */
  readonly mode?: InterpolateMode;
  /** For lines and curves: whether the centres of the corner places are matched, rather than the corners themselves. Default false. */
  readonly alignCorners?: boolean | null;
}

/** One of the places of the input that each output place is a weighted sum of. */
interface Tap {
  readonly places: Int32Array<ArrayBuffer>;
  /** Null where the place is all. */
  readonly weights: readonly number[] | null;
}

/**
 * Enlarges or shrinks [N, C, L] or [N, C, H, W] along all axes behind the channels.
 *
 * With s the extent of the input over that of the output (or 1 / scaleFactor, where that is given), output place i lies at
 * floor(i·s) for `"nearest"`, at floor((i + ½)·s) for `"nearest-exact"`, else at (i + ½)·s − ½, for lines 0 at least, or at
 * i·(extent − 1) / (output extent − 1) with `alignCorners`. Curves are cubic convolutions with a = −¾; places beyond the edge are
 * those on it.
 *
 * @throws ShapeError where the input has not 3 or 4 axes, or an extent of 0.
 * @throws ArgumentError where not just one of size and scaleFactor is given, or one is out of its range; where the mode is
 *   unknown or not for that number of axes; where `alignCorners` meets a mode without lines.
 * @throws DTypeError for whole numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
 * @see R. Keys: Cubic Convolution Interpolation for Digital Image Processing, 1981
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  commonKernels("interpolate", x);
  checkOptions("interpolate", options, ["size", "scaleFactor", "mode", "alignCorners"]);
  checkFloating("interpolate", x.dtype);
  const { mode = "nearest", alignCorners = null } = options;
  checkMode(x, mode, alignCorners);
  const { extents, scales } = sizesOf(x, options);
  const shape = [...x.shape.slice(0, 2), ...extents];
  checkShape("interpolate", shape);
  if (mode === "area") return averaged(x, extents);
  return composite(() => {
    let out = viewLike(x);
    for (let axis = x.ndim - 1; axis >= 2; axis--) {
      const [extent, wanted] = [at(x.shape, axis), at(extents, axis - 2)];
      const scale = scales === null ? null : at(scales, axis - 2);
      out = resample(out, axis, tapsOf(mode, extent, wanted, scale, alignCorners === true));
    }
    return out;
  });
}

function averaged(x: Tensor, extents: readonly number[]): Tensor {
  if (x.ndim === 4) return adaptiveAvgPool2d(x, [at(extents, 0), at(extents, 1)]);
  return composite(() => squeeze(adaptiveAvgPool2d(unsqueeze(x, 2), [1, at(extents, 0)]), 2));
}

function tapsOf(
  mode: InterpolateMode,
  extent: number,
  wanted: number,
  scale: number | null,
  alignCorners: boolean,
): readonly Tap[] {
  if (mode === "nearest" || mode === "nearest-exact") {
    // PyTorch counts in float32, which decides where a place lies just between two.
    const step = Math.fround(scale === null ? extent / wanted : 1 / scale);
    const ahead = mode === "nearest" ? 0 : 0.5;
    const place = (_: unknown, i: number): number => Math.min(Math.floor(Math.fround((i + ahead) * step)), extent - 1);
    return [{ places: Int32Array.from({ length: wanted }, place), weights: null }];
  }
  const step = alignCorners
    ? wanted > 1
      ? (extent - 1) / (wanted - 1)
      : 0
    : scale === null
      ? extent / wanted
      : 1 / scale;
  const places = Array.from({ length: wanted }, (_, i) => (alignCorners ? i * step : (i + 0.5) * step - 0.5));
  if (mode === "bicubic") {
    return [-1, 0, 1, 2].map((ahead) => tapAt(places, ahead, extent, (distance) => cubic(Math.abs(distance - ahead))));
  }
  const kept = places.map((place) => Math.min(Math.max(place, 0), extent - 1));
  return [0, 1].map((ahead) => tapAt(kept, ahead, extent, (distance) => 1 - Math.abs(distance - ahead)));
}

/** The place that lies `ahead` of the one before each of `places`. */
function tapAt(places: readonly number[], ahead: number, extent: number, weightAt: (distance: number) => number): Tap {
  const before = places.map(Math.floor);
  return {
    places: Int32Array.from(before, (place) => Math.min(Math.max(place + ahead, 0), extent - 1)),
    weights: places.map((place, i) => weightAt(place - (before[i] ?? 0))),
  };
}

/** The weight of what lies at a distance of 0 to 2. */
function cubic(distance: number): number {
  const a = -0.75;
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a;
}

/** Weighted sums of the values at the taps along one axis. */
function resample(x: Tensor, axis: number, taps: readonly Tap[]): Tensor {
  const out = withGradMode(false, () =>
    composite(() =>
      sumOf(taps, ({ places, weights }) => {
        const shape = x.shape.with(axis, places.length);
        const values = pick(x, axis, indexOf(x, axis, places, shape));
        return weights === null ? values : mul_(values, weightOf(x, axis, weights));
      }),
    ),
  );
  const from = x.shape;
  return record("interpolate", out, [x], [], (g) => [() => spread(g, axis, taps, from)]);
}

/** The gradient of {@link resample}, which is its gradient in turn. */
function spread(g: Tensor, axis: number, taps: readonly Tap[], shape: Shape): Tensor {
  const out = withGradMode(false, () =>
    composite(() =>
      sumOf(taps, ({ places, weights }) => {
        const part = weights === null ? g : mul(g, weightOf(g, axis, weights));
        return unpick(part, shape, axis, indexOf(g, axis, places, g.shape));
      }),
    ),
  );
  return record("interpolateGrad", out, [g], [], (gg) => [() => resample(gg, axis, taps)]);
}

/** The sum over all taps. Each is added before the next one is made. */
function sumOf(taps: readonly Tap[], termOf: (tap: Tap) => Tensor): Tensor {
  const [first, ...others] = taps;
  if (first === undefined) throw new Error("no taps");
  const out = termOf(first);
  for (const tap of others) {
    const term = termOf(tap);
    add_(out, term);
    term.dispose();
  }
  return out;
}

/** Places along an axis, the same for all others. */
function indexOf(x: Tensor, axis: number, places: Int32Array<ArrayBuffer>, shape: Shape): Tensor {
  const column = shape.map((_, i) => (i === axis ? places.length : 1));
  const index = Tensor.allocate(column, "int32", x.device, "interpolate");
  index.kernels.write(index.buffer, "int32", 0, places);
  return expand(index, shape);
}

function weightOf(x: Tensor, axis: number, weights: readonly number[]): Tensor {
  const values = newTypedArray(x.dtype, weights.length);
  values.set(weights);
  const column = x.shape.map((_, i) => (i === axis ? weights.length : 1));
  const tensor = Tensor.allocate(column, x.dtype, x.device, "interpolate");
  tensor.kernels.write(tensor.buffer, tensor.dtype, 0, values);
  return tensor;
}

function checkMode(x: Tensor, mode: string, alignCorners: boolean | null): void {
  if (x.ndim !== 3 && x.ndim !== 4) {
    throw new ShapeError(
      `interpolate: got an input of shape ${formatShape(x.shape)}; expected [batch, channels, height, width] or [batch, channels, length]. ` +
        `Reshape or unsqueeze it.`,
    );
  }
  if (x.shape.slice(1).includes(0)) {
    throw new ShapeError(
      `interpolate: got an input of shape ${formatShape(x.shape)}; expected no extent of 0 but the batch's. Leave the empty input out.`,
    );
  }
  const withLines = x.ndim === 3 ? ["linear"] : ["bilinear", "bicubic"];
  const modes = ["nearest", "nearest-exact", "area", ...withLines];
  if (!modes.includes(mode)) {
    throw new ArgumentError(
      `interpolate: got mode ${formatSetting(mode)} for an input of shape ${formatShape(x.shape)}; expected one of ${modes.map(formatSetting).join(", ")}. Choose one of them.`,
    );
  }
  if (!withLines.includes(mode) && alignCorners !== null) {
    throw new ArgumentError(
      `interpolate: got alignCorners ${alignCorners} with mode ${formatSetting(mode)}; expected it with ${withLines.map(formatSetting).join(" or ")} alone. Leave it out.`,
    );
  }
}

function sizesOf(
  x: Tensor,
  { size = null, scaleFactor = null }: InterpolateOptions,
): { extents: number[]; scales: readonly number[] | null } {
  const axes = x.ndim - 2;
  if ((size === null) === (scaleFactor === null)) {
    throw new ArgumentError(
      `interpolate: got ${size === null ? "neither size nor" : "both size and"} scaleFactor; expected one of them. Pass { size } or { scaleFactor }.`,
    );
  }
  const given = size ?? scaleFactor;
  const list = typeof given === "number" ? new Array<number>(axes).fill(given) : [...(given ?? [])];
  const name = size === null ? "scaleFactor" : "size";
  const isFit = (value: number): boolean =>
    size === null ? value > 0 && Number.isFinite(value) : Number.isInteger(value) && value > 0;
  const extents = list.map((value, i) => (size === null ? Math.floor(at(x.shape, i + 2) * value) : value));
  if (list.length !== axes || !list.every(isFit) || extents.includes(0)) {
    throw new ArgumentError(
      `interpolate: got ${name} ${formatSetting(given)} for an input of shape ${formatShape(x.shape)}; expected ` +
        `${size === null ? "a number above 0" : "a whole number of 1 or more"}, or ${axes} of them, that ${size === null ? "leave" : "say"} at least one place for each axis behind the channels. Correct ${name}.`,
    );
  }
  return { extents, scales: size === null ? list : null };
}
