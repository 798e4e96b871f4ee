/** Images in another size. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { newTypedArray } from "../../kernels/dtype.js";
import { record, withGradMode } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { composite } from "../scopes.js";
import { at, checkShape, formatShape, type Shape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { formatSetting } from "../window.js";
import { pick, unpick } from "./along.js";
import { add_, mul, mul_, sub } from "./arithmetic.js";
import { expand } from "./broadcast.js";
import { viewLike } from "./layout.js";

/** How values between the places of the input are found: the nearest place before, or a straight line. */
export type InterpolateMode = "nearest" | "linear" | "bilinear";

/** Settings of {@link interpolate}. */
export interface InterpolateOptions {
  /** Extents of the output behind batch and channels: one number for all, or one for each. Either this or `scaleFactor`. */
  readonly size?: number | readonly number[] | null;
  /** How many times larger the output is: one number for all axes, or one for each. Its extent is floor(extent·scaleFactor). */
  readonly scaleFactor?: number | readonly number[] | null;
  /** `"nearest"` (the default), `"bilinear"` for images, `"linear"` for sequences. */
  readonly mode?: InterpolateMode;
  /** For lines: whether the centres of the corner places are matched, rather than the corners themselves. Default false. */
  readonly alignCorners?: boolean | null;
}

/** What one output place is made of: (1 − weight)·x[lower] + weight·x[upper]. */
interface Taps {
  readonly lower: Int32Array<ArrayBuffer>;
  /** Null where the lower place is all. */
  readonly upper: Int32Array<ArrayBuffer> | null;
  readonly weight: readonly number[];
}

/**
 * Enlarges or shrinks [N, C, L] or [N, C, H, W] along all axes behind the channels.
 *
 * With s the extent of the input over that of the output (or 1 / scaleFactor, where that is given), output place i lies at
 * floor(i·s) for `"nearest"`, else at max((i + ½)·s − ½, 0), or at i·(extent − 1) / (output extent − 1) with `alignCorners`.
 *
 * @throws ShapeError where the input has not 3 or 4 axes, or an extent of 0.
 * @throws ArgumentError where not just one of size and scaleFactor is given, or one is out of its range; where the mode is
 *   unknown or not for that number of axes; where `alignCorners` meets `"nearest"`.
 * @throws DTypeError for whole numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  commonKernels("interpolate", x);
  checkFloating("interpolate", x.dtype);
  const { mode = "nearest", alignCorners = null } = options;
  checkMode(x, mode, alignCorners);
  const { extents, scales } = sizesOf(x, options);
  const shape = [...x.shape.slice(0, 2), ...extents];
  checkShape("interpolate", shape);
  return composite(() => {
    let out = viewLike(x);
    for (let axis = x.ndim - 1; axis >= 2; axis--) {
      const [extent, wanted] = [at(x.shape, axis), at(extents, axis - 2)];
      const scale = scales === null ? null : at(scales, axis - 2);
      const taps =
        mode === "nearest"
          ? nearestTaps(extent, wanted, scale)
          : linearTaps(extent, wanted, scale, alignCorners === true);
      out = resample(out, axis, taps);
    }
    return out;
  });
}

/** PyTorch counts in float32, which decides where a place lies just between two. */
function nearestTaps(extent: number, wanted: number, scale: number | null): Taps {
  const step = Math.fround(scale === null ? extent / wanted : 1 / scale);
  const lower = Int32Array.from({ length: wanted }, (_, i) => Math.min(Math.floor(Math.fround(i * step)), extent - 1));
  return { lower, upper: null, weight: [] };
}

function linearTaps(extent: number, wanted: number, scale: number | null, alignCorners: boolean): Taps {
  const step = alignCorners
    ? wanted > 1
      ? (extent - 1) / (wanted - 1)
      : 0
    : scale === null
      ? extent / wanted
      : 1 / scale;
  const places = Array.from({ length: wanted }, (_, i) =>
    alignCorners ? i * step : Math.max((i + 0.5) * step - 0.5, 0),
  );
  const lower = Int32Array.from(places, (place) => Math.min(Math.floor(place), extent - 1));
  const upper = lower.map((place) => Math.min(place + 1, extent - 1));
  return { lower, upper, weight: places.map((place, i) => Math.min(place - (lower[i] ?? 0), 1)) };
}

/** Values at the taps along one axis. */
function resample(x: Tensor, axis: number, taps: Taps): Tensor {
  const shape = x.shape.with(axis, taps.lower.length);
  const out = withGradMode(false, () =>
    composite(() => {
      const low = pick(x, axis, indexOf(x, axis, taps.lower, shape));
      if (taps.upper === null) return low;
      const high = pick(x, axis, indexOf(x, axis, taps.upper, shape));
      return add_(low, mul_(sub(high, low), weightOf(x, axis, taps)));
    }),
  );
  const from = x.shape;
  return record("interpolate", out, [x], [], (g) => [() => spread(g, axis, taps, from)]);
}

/** The gradient of {@link resample}, which is its gradient in turn. */
function spread(g: Tensor, axis: number, taps: Taps, shape: Shape): Tensor {
  const out = withGradMode(false, () =>
    composite(() => {
      const lower = indexOf(g, axis, taps.lower, g.shape);
      if (taps.upper === null) return unpick(g, shape, axis, lower);
      const high = mul(g, weightOf(g, axis, taps));
      const grad = unpick(sub(g, high), shape, axis, lower);
      return add_(grad, unpick(high, shape, axis, indexOf(g, axis, taps.upper, g.shape)));
    }),
  );
  return record("interpolateGrad", out, [g], [], (gg) => [() => resample(gg, axis, taps)]);
}

/** Places along an axis, the same for all others. */
function indexOf(x: Tensor, axis: number, places: Int32Array<ArrayBuffer>, shape: Shape): Tensor {
  const column = shape.map((_, i) => (i === axis ? places.length : 1));
  const index = Tensor.allocate(column, "int32", x.device, "interpolate");
  index.kernels.write(index.buffer, "int32", 0, places);
  return expand(index, shape);
}

function weightOf(x: Tensor, axis: number, { weight }: Taps): Tensor {
  const values = newTypedArray(x.dtype, weight.length);
  values.set(weight);
  const column = x.shape.map((_, i) => (i === axis ? weight.length : 1));
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
  const line = x.ndim === 3 ? "linear" : "bilinear";
  if (mode !== "nearest" && mode !== line) {
    throw new ArgumentError(
      `interpolate: got mode ${formatSetting(mode)} for an input of shape ${formatShape(x.shape)}; expected "nearest" or "${line}". Choose one of them.`,
    );
  }
  if (mode === "nearest" && alignCorners !== null) {
    throw new ArgumentError(
      `interpolate: got alignCorners ${alignCorners} with mode "nearest"; expected it with lines alone. Leave it out.`,
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
