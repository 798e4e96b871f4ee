/** Broadcasting and its gradient: `expand` repeats along axes, `sum` adds up along them. Each is the other's gradient. */
import { ShapeError } from "../../errors.js";
import { isFloating } from "../../kernels/dtype.js";
import type { DType, Strided } from "../../kernels/kernelSet.js";
import { forRange } from "../autocast.js";
import { record } from "../autograd.js";
import { checkOptions } from "../options.js";
import { broadcastStrides, checkShape, formatShape, reductionAxes, type Shape, sameShape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { to } from "./cast.js";
import { view, viewOf } from "./layout.js";

/** Settings of a reduction. */
export interface ReduceOptions {
  /** Whether reduced axes stay, with extent 1. Default false. */
  readonly keepdim?: boolean;
}

/** What a kernel sees when it reads `x` as the shape that it broadcasts to. */
export function expanded(x: Tensor, shape: Shape): Strided {
  if (sameShape(x.shape, shape)) return x;
  return {
    buffer: x.buffer,
    dtype: x.dtype,
    shape,
    strides: broadcastStrides(x.shape, x.strides, shape),
    offset: x.offset,
  };
}

/**
 * A view in which axes of extent 1 are repeated to the extents of `shape`, without a copy; −1 keeps an extent, and new
 * axes may come in front.
 *
 * @throws ShapeError where an axis that is not 1 would change.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.expand.html
 */
export function expand(x: Tensor, shape: Shape): Tensor {
  commonKernels("expand", x);
  const lead = shape.length - x.ndim;
  const target = shape.map((extent, axis) => (extent === -1 && axis >= lead ? (x.shape[axis - lead] ?? -1) : extent));
  checkShape("expand", target);
  const fits = lead >= 0 && x.shape.every((extent, axis) => extent === 1 || extent === target[lead + axis]);
  if (!fits) {
    throw new ShapeError(
      `expand: got ${formatShape(x.shape)} to expand to ${formatShape(shape)}; expected axes that are equal or of extent 1, new ones in front only. ` +
        `Unsqueeze or reshape the tensor first.`,
    );
  }
  const view = viewOf(x, target, broadcastStrides(x.shape, x.strides, target), x.offset, "expand");
  const from = x.shape;
  return record("expand", view, [x], [], (g) => [() => sumTo(g, from)]);
}

/**
 * Sum over the given axes (all by default). Sums of int32 and bool are int32.
 *
 * @throws ShapeError where an axis is out of range or named twice.
 * @see https://pytorch.org/docs/stable/generated/torch.sum.html
 */
export function sum(x: Tensor, axes?: number | readonly number[] | null, options: ReduceOptions = {}): Tensor {
  checkOptions("sum", options, ["keepdim"]);
  const kernels = commonKernels("sum", x);
  [x] = forRange(x);
  const reduced = reductionAxes("sum", axes, x.ndim);
  const kept = x.shape.map((extent, axis) => (reduced.includes(axis) ? 1 : extent));
  const out = Tensor.allocate(kept, isFloating(x.dtype) ? x.dtype : "int32", x.device, "sum");
  kernels.reduce("sum", x, out);
  const from = x.shape;
  record("sum", out, [x], [], (g) => [() => expand(g, from)]);
  return options.keepdim === true ? out : dropAxes(out, reduced);
}

/** Without the given axes, all of extent 1. Takes over `x`: nobody else may hold it. */
export function dropAxes(x: Tensor, axes: readonly number[]): Tensor {
  if (axes.length === 0) return x;
  const shape = x.shape.filter((_, axis) => !axes.includes(axis));
  const result = view(x, shape);
  x.dispose();
  return result;
}

/** Adds `x` up along the axes that broadcasting `shape` to x's shape repeats: the gradient of broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.ndim - shape.length;
  const axes = x.shape.flatMap((extent, axis) =>
    axis < lead || (shape[axis - lead] === 1 && extent !== 1) ? [axis] : [],
  );
  return dropAxes(
    sum(x, axes, { keepdim: true }),
    Array.from({ length: lead }, (_, axis) => axis),
  );
}

/** The gradient of an operand of the given shape and dtype: added up where the operand was broadcast, and cast to its dtype. */
export function gradFor(operand: { readonly shape: Shape; readonly dtype: DType }, g: Tensor): Tensor {
  return to(sumTo(g, operand.shape), operand.dtype);
}
