/** Copies of a tensor side by side, and axes in other places. */
import { ShapeError } from "../../errors.js";
import { composite } from "../scopes.js";
import { at, checkShape, formatShape, inferShape, normalizeAxes, normalizeAxis, type Shape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { expand } from "./broadcast.js";
import { clone, permute, reshape, view } from "./layout.js";

/**
 * The tensor so many times along each axis, in a copy; more counts than axes add axes in front.
 *
 * @throws ShapeError where there are fewer counts than axes, or a count is no whole number of 0 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.repeat.html
 */
export function repeat(x: Tensor, counts: Shape): Tensor {
  commonKernels("repeat", x);
  if (counts.length < x.ndim) {
    throw new ShapeError(
      `repeat: got ${counts.length} counts for shape ${formatShape(x.shape)}; expected one for each of its ${x.ndim} axes at least. ` +
        `Use 1 where nothing is repeated, or tile.`,
    );
  }
  return repeated("repeat", x, counts);
}

/**
 * As {@link repeat}, but counts may be missing in front: they are 1.
 *
 * @throws ShapeError where a count is no whole number of 0 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.tile.html
 */
export function tile(x: Tensor, counts: Shape): Tensor {
  commonKernels("tile", x);
  const missing = Math.max(0, x.ndim - counts.length);
  return repeated("tile", x, [...new Array<number>(missing).fill(1), ...counts]);
}

function repeated(name: string, x: Tensor, counts: Shape): Tensor {
  checkShape(name, counts);
  const extents = [...new Array<number>(counts.length - x.ndim).fill(1), ...x.shape];
  const shape = counts.map((count, axis) => count * at(extents, axis));
  checkShape(name, shape);
  return composite(() => {
    const apart = reshape(
      x,
      extents.flatMap((extent) => [1, extent]),
    );
    const wide = expand(
      apart,
      extents.flatMap((extent, axis) => [at(counts, axis), extent]),
    );
    // Without copies a view would do, which shares storage.
    return view(clone(wide), shape);
  });
}

/**
 * A view with one axis cut into several of the given extents, of which one may be −1.
 *
 * @throws ShapeError where the extents do not multiply to that of the axis.
 * @see https://pytorch.org/docs/stable/generated/torch.unflatten.html
 */
export function unflatten(x: Tensor, dim: number, sizes: Shape): Tensor {
  commonKernels("unflatten", x);
  const axis = normalizeAxis("unflatten", dim, x.ndim);
  const inner = inferShape("unflatten", sizes, x.shape[axis] ?? 1);
  return view(x, [...x.shape.slice(0, axis), ...inner, ...x.shape.slice(axis + 1)]);
}

/**
 * A view with the axes of `source` moved to the places of `destination`; the others keep their order.
 *
 * @throws ShapeError where there are not as many sources as destinations, or an axis is out of range or named twice.
 * @see https://pytorch.org/docs/stable/generated/torch.movedim.html
 */
export function movedim(
  x: Tensor,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor {
  commonKernels("movedim", x);
  const from = axesInOrder(source, x.ndim);
  const to = axesInOrder(destination, x.ndim);
  if (from.length !== to.length) {
    throw new ShapeError(
      `movedim: got ${from.length} source axes and ${to.length} destinations; expected as many of both. Name a place for each axis.`,
    );
  }
  const rest = x.shape.flatMap((_, axis) => (from.includes(axis) ? [] : [axis]));
  const order = x.shape.map((_, place) => {
    const moved = to.indexOf(place);
    return moved < 0 ? (rest.shift() ?? 0) : at(from, moved);
  });
  return permute(x, order);
}

/** The axes as they were named, which {@link normalizeAxes} only checks. */
function axesInOrder(axes: number | readonly number[], rank: number): number[] {
  normalizeAxes("movedim", axes, rank);
  return (typeof axes === "number" ? [axes] : axes).map((axis) => normalizeAxis("movedim", axis, rank));
}
