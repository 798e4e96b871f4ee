/** Elements in order along an axis. NaN counts as the greatest; of equals the first one comes first. */
import { ArgumentError } from "../../errors.js";
import { withGradMode } from "../autograd.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { at, formatShape, normalizeAxis } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { pick } from "./along.js";
import type { ValuesAndIndices } from "./extremes.js";
import { contiguous, transpose, view } from "./layout.js";

/** Settings of {@link sort} and {@link argsort}. */
export interface SortOptions {
  /** Whether the greatest comes first. Default false. */
  readonly descending?: boolean;
}

/** Settings of {@link topk}. */
export interface TopkOptions {
  /** Whether the greatest are wanted, and not the smallest. Default true. */
  readonly largest?: boolean;
}

/**
 * The elements in order along an axis, and the places (int32) that they come from. Sorting is stable. The gradient of each
 * value goes to its place.
 *
 * @throws ShapeError where the axis is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.sort.html
 */
export function sort(x: Tensor, dim = -1, options: SortOptions = {}): ValuesAndIndices {
  checkOptions("sort", options, ["descending"]);
  const { descending = false } = options;
  const { axis, indices } = ordered("sort", x, dim, descending);
  return { values: valuesAt(x, axis, indices), indices };
}

/**
 * The places (int32) from which the elements come in order along an axis: those of {@link sort}.
 *
 * @throws ShapeError where the axis is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.argsort.html
 */
export function argsort(x: Tensor, dim = -1, options: SortOptions = {}): Tensor {
  checkOptions("argsort", options, ["descending"]);
  const { descending = false } = options;
  return ordered("argsort", x, dim, descending).indices;
}

/**
 * The `k` greatest (or smallest) elements along an axis, in order, and their places (int32). The gradient of each value
 * goes to its place.
 *
 * @throws ShapeError where the axis is out of range.
 * @throws ArgumentError where k is no whole number from 0 to the extent of the axis.
 * @see https://pytorch.org/docs/stable/generated/torch.topk.html
 */
export function topk(x: Tensor, k: number, dim = -1, options: TopkOptions = {}): ValuesAndIndices {
  checkOptions("topk", options, ["largest"]);
  const { largest = true } = options;
  commonKernels("topk", x);
  const axis = normalizeAxis("topk", dim, x.ndim);
  const extent = x.shape[axis] ?? 1;
  if (!Number.isInteger(k) || k < 0 || k > extent) {
    throw new ArgumentError(
      `topk: got k = ${k} on axis ${axis} of shape ${formatShape(x.shape)}; expected a whole number from 0 to ${extent}. Choose a k in that range.`,
    );
  }
  const { indices } = ordered("topk", x, axis, largest, x.ndim === 0 ? 1 : k);
  return { values: valuesAt(x, axis, indices), indices };
}

/** The first `count` places in the order; all of them by default. */
function ordered(
  name: string,
  x: Tensor,
  dim: number,
  descending: boolean,
  count?: number,
): { axis: number; indices: Tensor } {
  commonKernels(name, x);
  const axis = normalizeAxis(name, dim, x.ndim);
  const indices = withGradMode(false, () =>
    composite(() => {
      const rows = contiguous(x.ndim === 0 ? view(x, [1]) : transpose(x, axis, -1));
      const places = Tensor.allocate(
        rows.shape.with(-1, count ?? at(rows.shape, rows.ndim - 1)),
        "int32",
        x.device,
        name,
      );
      rows.kernels.argSort(rows, descending, places);
      return x.ndim === 0 ? view(places, []) : contiguous(transpose(places, axis, -1));
    }),
  );
  return { axis, indices };
}

function valuesAt(x: Tensor, axis: number, indices: Tensor): Tensor {
  if (x.ndim > 0) return pick(x, axis, indices);
  return composite(() => view(pick(view(x, [1]), 0, view(indices, [1])), []));
}
