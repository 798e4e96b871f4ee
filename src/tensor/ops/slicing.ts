/** Parts of a tensor along its axes, as views. The gradient of a part is zeros with the part's gradient put back in place. */
import { ArgumentError, ShapeError } from "../../errors.js";
import type { Strided } from "../../kernels/kernelSet.js";
import { record } from "../autograd.js";
import { at, elementCount, formatShape, normalizeAxis, type Shape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { viewOf } from "./layout.js";

/**
 * What {@link slice} takes of one axis: an index (the axis is dropped), `[start, stop, step]` (all may be left out; null
 * means the default: 0, the end, 1), or null for the whole axis.
 */
export type SliceRange =
  | number
  | readonly [start?: number | null | undefined, stop?: number | null | undefined, step?: number | null | undefined]
  | null;

/** What is taken of one axis: `length` places from `start` on, `step` apart. An indexed axis has length 1 and is dropped. */
interface Taken {
  readonly start: number;
  readonly step: number;
  readonly length: number;
  readonly dropped: boolean;
}

/**
 * A view of `length` places from `start` on along one axis; `start` may count from the end.
 *
 * @throws ShapeError where the places are not all there.
 * @see https://pytorch.org/docs/stable/generated/torch.narrow.html
 */
export function narrow(x: Tensor, dim: number, start: number, length: number): Tensor {
  commonKernels("narrow", x);
  const axis = axisOf("narrow", x, dim);
  const extent = at(x.shape, axis);
  const first = start < 0 ? start + extent : start;
  const fits = Number.isInteger(start) && Number.isInteger(length) && first >= 0 && length >= 0;
  if (!fits || first + length > extent) {
    throw new ShapeError(
      `narrow: got start ${start} and length ${length} on axis ${axis} of shape ${formatShape(x.shape)}; expected places within its extent of ${extent}. ` +
        `Choose start and length so that start + length ≤ ${extent}.`,
    );
  }
  return take("narrow", x, [...wholeAxes(x.shape.slice(0, axis)), { start: first, step: 1, length, dropped: false }]);
}

/**
 * A view of one place along an axis, without that axis; the index may count from the end.
 *
 * @throws ShapeError where the index is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.select.html
 */
export function select(x: Tensor, dim: number, index: number): Tensor {
  commonKernels("select", x);
  const axis = axisOf("select", x, dim);
  return take("select", x, [...wholeAxes(x.shape.slice(0, axis)), indexed("select", x, axis, index)]);
}

/**
 * A view of a part of each axis: Python's `x[1:4, ::2, 0]` is `slice(x, [1, 4], [null, null, 2], 0)`. Negative numbers
 * count from the end; starts and stops beyond the ends are cut to them, as in Python. Axes without a range stay whole.
 *
 * @throws ShapeError where an index is out of range, or there are more ranges than axes.
 * @throws ArgumentError where a step is not a whole number above 0, or a bound is no whole number.
 * @see https://pytorch.org/docs/stable/tensor_view.html
 */
export function slice(x: Tensor, ...ranges: SliceRange[]): Tensor {
  commonKernels("slice", x);
  if (ranges.length > x.ndim) {
    throw new ShapeError(
      `slice: got ${ranges.length} ranges for shape ${formatShape(x.shape)}; expected at most one for each of its ${x.ndim} axes. Leave some out.`,
    );
  }
  const taken = ranges.map((range, axis): Taken => {
    if (typeof range === "number") return indexed("slice", x, axis, range);
    return stretch(range, at(x.shape, axis));
  });
  return take("slice", x, taken);
}

/** A recorded view. Axes behind the last of `taken` stay whole. */
function take(name: string, x: Tensor, taken: readonly Taken[]): Tensor {
  const all = [...taken, ...wholeAxes(x.shape.slice(taken.length))];
  const { shape, strides, offset } = partOf(x, all);
  const from = x.shape;
  const out = viewOf(x, shape, strides, offset, name);
  return record(name, out, [x], [], (g) => [() => putBack(name, g, from, all)]);
}

/** Zeros of `shape`, with `g` where `take` would read: the gradient of `take`, which is its gradient in turn. */
function putBack(name: string, g: Tensor, shape: Shape, taken: readonly Taken[]): Tensor {
  const gradName = `${name}Grad`;
  const kernels = commonKernels(gradName, g);
  const out = Tensor.allocate(shape, g.dtype, g.device, gradName);
  if (g.numel() < elementCount(shape)) kernels.fill(out, 0);
  kernels.copy(g, partOf(out, taken));
  return record(gradName, out, [g], [], (gg) => [() => take(name, gg, taken)]);
}

/** Where the taken part of `x` lies. */
function partOf(x: Tensor, taken: readonly Taken[]): Strided {
  const kept = taken.flatMap((part, axis) => (part.dropped ? [] : [{ part, stride: at(x.strides, axis) }]));
  return {
    buffer: x.buffer,
    dtype: x.dtype,
    shape: kept.map(({ part }) => part.length),
    strides: kept.map(({ part, stride }) => part.step * stride),
    offset: taken.reduce((sum, { start }, axis) => sum + start * at(x.strides, axis), x.offset),
  };
}

function wholeAxes(shape: Shape): Taken[] {
  return shape.map((length) => ({ start: 0, step: 1, length, dropped: false }));
}

function axisOf(name: string, x: Tensor, dim: number): number {
  if (x.ndim === 0) {
    throw new ShapeError(
      `${name}: got a tensor without axes; expected at least one axis. Use .unsqueeze(0) first, or leave it as it is.`,
    );
  }
  return normalizeAxis(name, dim, x.ndim);
}

function indexed(name: string, x: Tensor, axis: number, index: number): Taken {
  const extent = at(x.shape, axis);
  if (!Number.isInteger(index) || index < -extent || index >= extent) {
    throw new ShapeError(
      `${name}: got index ${index} on axis ${axis} of shape ${formatShape(x.shape)}; ` +
        (extent === 0
          ? "expected an axis with at least one place. Check for empty tensors first."
          : `expected a whole number from ${-extent} to ${extent - 1}. Choose an index in that range.`),
    );
  }
  return { start: index < 0 ? index + extent : index, step: 1, length: 1, dropped: true };
}

function stretch(range: Exclude<SliceRange, number>, extent: number): Taken {
  if (range !== null && !Array.isArray(range)) {
    throw new ArgumentError(
      `slice: got the range ${String(range)}; expected an index, [start, stop, step] or null. Write one of them.`,
    );
  }
  const [start, stop, step] = range ?? [];
  const pace = step ?? 1;
  if (!Number.isInteger(pace) || pace < 1) {
    throw new ArgumentError(
      `slice: got step ${pace}; expected a whole number of 1 or more. To go backwards, use .flip() on the result.`,
    );
  }
  const from = cut(start ?? 0, extent);
  const to = cut(stop ?? extent, extent);
  return { start: from, step: pace, length: Math.max(0, Math.ceil((to - from) / pace)), dropped: false };
}

/** A bound as Python reads it: from the end where negative, and never beyond an end. */
function cut(bound: number, extent: number): number {
  if (!Number.isInteger(bound)) {
    throw new ArgumentError(`slice: got the bound ${bound}; expected a whole number or null. Round it.`);
  }
  return Math.min(Math.max(bound < 0 ? bound + extent : bound, 0), extent);
}
