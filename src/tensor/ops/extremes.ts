/** The greatest and the smallest element, and where they are. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { withGradMode } from "../autograd.js";
import { checkOptions } from "../options.js";
import { formatShape, normalizeAxis } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { pick } from "./along.js";
import { dropAxes, type ReduceOptions } from "./broadcast.js";
import { reshape, view } from "./layout.js";
import { amax, amin } from "./reductions.js";

/** The extremes along an axis, and their places on it. */
export interface ValuesAndIndices {
  readonly values: Tensor;
  /** int32. */
  readonly indices: Tensor;
}

/**
 * The greatest element of all, as a scalar; NaN wins. The gradient is shared evenly among ties. With an axis, the
 * greatest elements along it and their places, the first one on ties: `const { values, indices } = x.max(1)`. Then the
 * gradient of each value goes to that place.
 *
 * @throws ShapeError where the axis is out of range, or there is nothing to choose from.
 * @see https://pytorch.org/docs/stable/generated/torch.max.html
 */
export function max(x: Tensor): Tensor;
export function max(x: Tensor, dim: number, options?: ReduceOptions): ValuesAndIndices;
export function max(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor | ValuesAndIndices {
  checkOptions("max", options, ["keepdim"]);
  return dim === undefined ? amax(x) : extremesAlong("max", x, dim, options);
}

/**
 * The smallest element of all, as a scalar; NaN wins. The gradient is shared evenly among ties. With an axis, the
 * smallest elements along it and their places, the first one on ties: `const { values, indices } = x.min(1)`. Then the
 * gradient of each value goes to that place.
 *
 * @throws ShapeError where the axis is out of range, or there is nothing to choose from.
 * @see https://pytorch.org/docs/stable/generated/torch.min.html
 */
export function min(x: Tensor): Tensor;
export function min(x: Tensor, dim: number, options?: ReduceOptions): ValuesAndIndices;
export function min(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor | ValuesAndIndices {
  checkOptions("min", options, ["keepdim"]);
  return dim === undefined ? amin(x) : extremesAlong("min", x, dim, options);
}

/**
 * Place (int32) of the greatest element along an axis, or in the flattened tensor without one; the first one on ties.
 * NaN counts as the greatest.
 *
 * @throws ShapeError where the axis is out of range, or there is nothing to choose from.
 * @see https://pytorch.org/docs/stable/generated/torch.argmax.html
 */
export function argmax(x: Tensor, dim?: number | null, options: ReduceOptions = {}): Tensor {
  checkOptions("argmax", options, ["keepdim"]);
  return placeOf("argmax", x, dim, options);
}

/**
 * Place (int32) of the smallest element along an axis, or in the flattened tensor without one; the first one on ties.
 * NaN counts as the smallest.
 *
 * @throws ShapeError where the axis is out of range, or there is nothing to choose from.
 * @see https://pytorch.org/docs/stable/generated/torch.argmin.html
 */
export function argmin(x: Tensor, dim?: number | null, options: ReduceOptions = {}): Tensor {
  checkOptions("argmin", options, ["keepdim"]);
  return placeOf("argmin", x, dim, options);
}

function extremesAlong(name: "max" | "min", x: Tensor, dim: number, options: ReduceOptions): ValuesAndIndices {
  commonKernels(name, x);
  if (typeof dim !== "number") {
    const elementwise = name === "max" ? "maximum" : "minimum";
    throw new ArgumentError(
      `${name}: got ${dim === null ? "null" : `an axis of type ${typeof dim}`}; expected a whole number. ` +
        `Use ${elementwise}(a, b) for the ${name} of two tensors, a${name} for several axes.`,
    );
  }
  const axis = normalizeAxis(name, dim, x.ndim);
  checkNotEmpty(name, x, x.shape[axis] ?? 1, `along axis ${axis}`);
  const row = x.ndim === 0 ? view(x, [1]) : x;
  const indices = placesAlong(name, row, axis);
  const values = pick(row, axis, indices);
  if (row !== x) row.dispose();
  const keeps = options.keepdim === true && x.ndim > 0;
  return keeps ? { values, indices } : { values: dropAxes(values, [axis]), indices: dropAxes(indices, [axis]) };
}

function placeOf(name: "argmax" | "argmin", x: Tensor, dim: number | null | undefined, options: ReduceOptions): Tensor {
  commonKernels(name, x);
  const flat = dim === null || dim === undefined;
  const axis = flat ? 0 : normalizeAxis(name, dim, x.ndim);
  checkNotEmpty(name, x, flat ? x.numel() : (x.shape[axis] ?? 1), flat ? "in it" : `along axis ${axis}`);
  const row = flat || x.ndim === 0 ? withGradMode(false, () => reshape(x, [-1])) : x;
  const places = placesAlong(name, row, axis);
  if (row !== x) row.dispose();
  if (options.keepdim !== true) return dropAxes(places, [axis]);
  return row === x ? places : keepAxes(places, x.ndim);
}

/** The single place in a tensor with as many axes as the input. */
function keepAxes(place: Tensor, rank: number): Tensor {
  const result = view(place, new Array<number>(rank).fill(1));
  place.dispose();
  return result;
}

function placesAlong(name: string, x: Tensor, axis: number): Tensor {
  const shape = x.shape.map((extent, i) => (i === axis ? 1 : extent));
  const places = Tensor.allocate(shape, "int32", x.device, name);
  x.kernels.argReduce(name.endsWith("max") ? "amax" : "amin", x, axis, places);
  return places;
}

function checkNotEmpty(name: string, x: Tensor, extent: number, where: string): void {
  if (extent > 0) return;
  throw new ShapeError(
    `${name}: got shape ${formatShape(x.shape)} with nothing ${where}; expected at least one element to choose from. ` +
      `Choose another axis, or handle the empty case before.`,
  );
}
