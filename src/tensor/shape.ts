/** Shape rules: extents, strides, axes, broadcasting, views. Nothing here knows a tensor. */
import { ShapeError } from "../errors.js";
import { at, denseStrides, elementCount } from "../kernels/strides.js";

export { at, denseStrides, elementCount, isDense } from "../kernels/strides.js";

/** The extents of an array, outermost first. `[]` is a scalar. */
export type Shape = readonly number[];

/** Elements that one tensor may have: indices are 32-bit. */
export const MAX_ELEMENTS = 2 ** 31 - 1;

/** `[2, 3]`, for messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/**
 * Checks a shape given by a user.
 *
 * @throws ShapeError where an extent is not a whole number ≥ 0, or the element count overflows.
 */
export function checkShape(where: string, shape: Shape): void {
  if (!Array.isArray(shape)) {
    throw new ShapeError(
      `${where}: got shape ${String(shape)}; expected an array of extents. Write [${String(shape)}].`,
    );
  }
  for (const extent of shape) {
    if (!Number.isInteger(extent) || extent < 0) {
      throw new ShapeError(
        `${where}: got shape ${formatShape(shape)}; expected extents that are whole numbers of 0 or more. Correct the extent ${extent}.`,
      );
    }
  }
  const count = elementCount(shape);
  if (!(count <= MAX_ELEMENTS)) {
    throw new ShapeError(
      `${where}: got shape ${formatShape(shape)} with ${count} elements; expected at most ${MAX_ELEMENTS}. Split the tensor.`,
    );
  }
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/**
 * Turns an axis that may count from the end into 0 … rank − 1.
 *
 * @throws ShapeError where it is out of range.
 */
export function normalizeAxis(where: string, axis: number, rank: number): number {
  const bound = Math.max(rank, 1);
  if (!Number.isInteger(axis) || axis < -bound || axis >= bound) {
    throw new ShapeError(
      `${where}: got axis ${axis}; expected a whole number from ${-bound} to ${bound - 1} for ${rank} axes. Choose an axis in that range.`,
    );
  }
  return axis < 0 ? axis + bound : axis;
}

/** Axes as an ascending list without repeats; `null` or undefined means all of them. */
export function normalizeAxes(
  where: string,
  axes: number | readonly number[] | null | undefined,
  rank: number,
): number[] {
  if (axes === null || axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = (typeof axes === "number" ? [axes] : axes).map((axis) => normalizeAxis(where, axis, rank));
  if (new Set(list).size !== list.length) {
    throw new ShapeError(`${where}: got axes [${String(axes)}]; expected each axis once. Remove the repeated axis.`);
  }
  return (rank === 0 ? [] : list).sort((a, b) => a - b);
}

/** The axes of a reduction: {@link normalizeAxes}, but an empty list means all of them too, as in PyTorch. */
export function reductionAxes(
  where: string,
  axes: number | readonly number[] | null | undefined,
  rank: number,
): number[] {
  return normalizeAxes(where, Array.isArray(axes) && axes.length === 0 ? null : axes, rank);
}

/**
 * The shape to which all given shapes broadcast, by the rules of PyTorch and numpy.
 *
 * @throws ShapeError where they do not.
 * @see https://pytorch.org/docs/stable/notes/broadcasting.html
 */
export function broadcastShapes(where: string, ...shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const lead = rank - shape.length;
    for (let axis = 0; axis < shape.length; axis++) {
      const extent = at(shape, axis);
      const other = at(result, lead + axis);
      if (other === 1) result[lead + axis] = extent;
      else if (extent !== 1 && extent !== other) {
        throw new ShapeError(
          `${where}: got shapes ${shapes.map(formatShape).join(" and ")}; expected shapes that broadcast, that is, extents that ` +
            `are equal or 1 counting from the last axis. Reshape or unsqueeze one of them.`,
        );
      }
    }
  }
  return result;
}

/** Strides that read an array of `shape` and `strides` as `target`, to which it broadcasts. */
export function broadcastStrides(shape: Shape, strides: Shape, target: Shape): number[] {
  const lead = target.length - shape.length;
  return target.map((extent, axis) => {
    if (axis < lead) return 0;
    return shape[axis - lead] === 1 && extent !== 1 ? 0 : at(strides, axis - lead);
  });
}

/**
 * Fills in the −1 of a requested shape.
 *
 * @throws ShapeError where it is not a shape of `count` elements.
 */
export function inferShape(where: string, shape: Shape, count: number): number[] {
  const wild = Array.isArray(shape) ? shape.indexOf(-1) : -1;
  if (wild >= 0 && shape.includes(-1, wild + 1)) {
    throw new ShapeError(
      `${where}: got shape ${formatShape(shape)}; expected at most one extent of -1, which is worked out from the others. Say all but one.`,
    );
  }
  const known = wild < 0 ? shape : shape.filter((_, axis) => axis !== wild);
  checkShape(where, known);
  const rest = elementCount(known);
  const fits = wild < 0 ? rest === count : rest > 0 && count % rest === 0;
  if (!fits) {
    throw new ShapeError(
      `${where}: got shape ${formatShape(shape)} for ${count} elements; expected a shape of just as many. Correct the extents, or leave one as -1.`,
    );
  }
  return shape.map((extent, axis) => (axis === wild ? count / rest : extent));
}

/**
 * Strides with which the elements of an array can be read in `target` shape without a copy, or null where there are none.
 * Both shapes have the same element count.
 */
export function viewStrides(shape: Shape, strides: Shape, target: Shape): number[] | null {
  if (elementCount(shape) === 0) return denseStrides(target);
  const result = new Array<number>(target.length).fill(1);
  let axis = target.length - 1;
  let chunk = 1;
  let filled = 1;
  let base = strides.length > 0 ? at(strides, strides.length - 1) : 1;
  // Axes that lie evenly behind one another form a chunk, which target axes may cut up at will.
  for (let source = shape.length - 1; source >= 0; source--) {
    chunk *= at(shape, source);
    const ends = source === 0 || (at(shape, source - 1) !== 1 && at(strides, source - 1) !== chunk * base);
    if (!ends) continue;
    while (axis >= 0 && (filled < chunk || target[axis] === 1)) {
      result[axis] = filled * base;
      filled *= at(target, axis);
      axis--;
    }
    if (filled !== chunk) return null;
    if (source > 0) {
      base = at(strides, source - 1);
      chunk = 1;
      filled = 1;
    }
  }
  return axis < 0 || target.slice(0, axis + 1).every((extent) => extent === 1) ? result : null;
}
