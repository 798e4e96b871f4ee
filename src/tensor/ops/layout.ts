/** The same elements in another shape: views that share storage, and the copies for where a view is impossible. */
import { ShapeError } from "../../errors.js";
import { record } from "../autograd.js";
import {
  at,
  denseStrides,
  formatShape,
  inferShape,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
  viewStrides,
} from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";

/** A handle that reads the storage of `x` with another layout. The caller puts it on the tape. */
export function viewOf(x: Tensor, shape: Shape, strides: readonly number[], offset: number, madeBy: string): Tensor {
  const { storage } = x;
  const view = new Tensor(storage.retain(), shape, strides, offset, madeBy);
  view.viewVersion = storage.rewrites;
  return lendWith(x, view);
}

/** Lets a handle to the elements of `x` go when `x` goes, where that is known: the batches of a loader. */
function lendWith(x: Tensor, view: Tensor): Tensor {
  view.lentViews = x.lentViews;
  x.lentViews?.push(view);
  return view;
}

/**
 * A copy with storage of its own, in row-major order. Gradients pass through.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.clone.html
 */
export function clone(x: Tensor): Tensor {
  const kernels = commonKernels("clone", x);
  const out = Tensor.allocate(x.shape, x.dtype, x.device, "clone");
  kernels.copy(x, out);
  return record("clone", out, [x], [], (g) => [() => g]);
}

/**
 * The tensor itself where its elements lie in row-major order without gaps, else a copy in which they do.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.contiguous.html
 */
export function contiguous(x: Tensor): Tensor {
  commonKernels("contiguous", x);
  return x.isContiguous() ? x : clone(x);
}

/**
 * The same elements without history: no gradient flows through it. Storage is shared.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.detach.html
 */
export function detach(x: Tensor): Tensor {
  commonKernels("detach", x);
  return lendWith(x, new Tensor(x.storage.retain(), x.shape, x.strides, x.offset, "detach"));
}

/**
 * The same elements in another shape, sharing storage; one extent may be −1.
 *
 * @throws ShapeError where the element counts differ, or the strides cannot carry the shape.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.view.html
 */
export function view(x: Tensor, shape: Shape): Tensor {
  commonKernels("view", x);
  const target = inferShape("view", shape, x.numel());
  const strides = viewStrides(x.shape, x.strides, target);
  if (strides === null) {
    throw new ShapeError(
      `view: got shape ${formatShape(shape)} for a tensor of shape ${formatShape(x.shape)} and strides ${formatShape(x.strides)}; ` +
        `expected a shape that these strides can carry without a copy. Use .reshape(), or .contiguous() before .view().`,
    );
  }
  const out = viewOf(x, target, strides, x.offset, "view");
  const from = x.shape;
  return record("view", out, [x], [], (g) => [() => reshape(g, from)]);
}

/**
 * The same elements in another shape: a view where the strides allow it, else a copy. One extent may be −1.
 *
 * @throws ShapeError where the element counts differ.
 * @see https://pytorch.org/docs/stable/generated/torch.reshape.html
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  commonKernels("reshape", x);
  const target = inferShape("reshape", shape, x.numel());
  if (viewStrides(x.shape, x.strides, target) !== null) return view(x, target);
  const dense = clone(x);
  const result = view(dense, target);
  dense.dispose();
  return result;
}

/**
 * Joins the axes from `startDim` to `endDim` (both inclusive; default: all) into one.
 *
 * @throws ShapeError where they are out of range or out of order.
 * @see https://pytorch.org/docs/stable/generated/torch.flatten.html
 */
export function flatten(x: Tensor, startDim = 0, endDim = -1): Tensor {
  commonKernels("flatten", x);
  const start = normalizeAxis("flatten", startDim, x.ndim);
  const end = normalizeAxis("flatten", endDim, x.ndim);
  if (start > end) {
    throw new ShapeError(`flatten: got axes ${start} to ${end}; expected the first before the last. Swap them.`);
  }
  if (x.ndim === 0) return reshape(x, [1]);
  const joined = x.shape.slice(start, end + 1).reduce((product, extent) => product * extent, 1);
  return reshape(x, [...x.shape.slice(0, start), joined, ...x.shape.slice(end + 1)]);
}

/**
 * A view with its axes in the order of `axes`.
 *
 * @throws ShapeError where `axes` is not an order of all axes.
 * @see https://pytorch.org/docs/stable/generated/torch.permute.html
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  commonKernels("permute", x);
  const order = Array.isArray(axes) ? axes.map((axis: number) => normalizeAxis("permute", axis, x.ndim)) : null;
  if (order === null || order.length !== x.ndim || new Set(order).size !== x.ndim) {
    throw new ShapeError(
      `permute: got axes [${String(axes)}] for shape ${formatShape(x.shape)}; expected an array with each of its ${x.ndim} axes once. Name every axis.`,
    );
  }
  const out = viewOf(
    x,
    order.map((axis) => at(x.shape, axis)),
    order.map((axis) => at(x.strides, axis)),
    x.offset,
    "permute",
  );
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return record("permute", out, [x], [], (g) => [() => permute(g, inverse)]);
}

/**
 * A view with two axes swapped.
 *
 * @throws ShapeError where an axis is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.transpose.html
 */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  commonKernels("transpose", x);
  const first = normalizeAxis("transpose", dim0, x.ndim);
  const second = normalizeAxis("transpose", dim1, x.ndim);
  const axes = x.shape.map((_, axis) => (axis === first ? second : axis === second ? first : axis));
  return permute(x, axes);
}

/**
 * Without the axes of extent 1: all of them, or those named (named axes of another extent stay).
 *
 * @throws ShapeError where a named axis is out of range, or named twice.
 * @see https://pytorch.org/docs/stable/generated/torch.squeeze.html
 */
export function squeeze(x: Tensor, axes?: number | readonly number[]): Tensor {
  commonKernels("squeeze", x);
  const named = axes === undefined ? null : normalizeAxes("squeeze", axes, x.ndim);
  const shape = x.shape.filter((extent, axis) => extent !== 1 || (named !== null && !named.includes(axis)));
  return sameShape(shape, x.shape) ? viewLike(x) : view(x, shape);
}

/**
 * A view with a new axis of extent 1 at `dim`.
 *
 * @throws ShapeError where `dim` is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.unsqueeze.html
 */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  commonKernels("unsqueeze", x);
  const axis = normalizeAxis("unsqueeze", dim, x.ndim + 1);
  return view(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
}

/** A view of all of it. */
export function viewLike(x: Tensor): Tensor {
  const out = viewOf(x, x.shape, x.strides, x.offset, "view");
  return record("view", out, [x], [], (g) => [() => g]);
}

/** A dense tensor of zeros, shaped and typed like `x` unless told otherwise. */
export function zerosFor(x: Tensor, shape: Shape, madeBy: string): Tensor {
  const out = Tensor.allocate(shape, x.dtype, x.device, madeBy);
  out.kernels.fill({ buffer: out.buffer, dtype: out.dtype, shape, strides: denseStrides(shape), offset: 0 }, 0);
  return out;
}
