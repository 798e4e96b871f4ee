/** Reading at chosen places along an axis, for indices that are known to be in range, and its gradient; and the check of that. */

import { DTypeError, ShapeError } from "../../errors.js";
import type { Strided, TypedArray } from "../../kernels/kernelSet.js";
import { record } from "../autograd.js";
import { at, formatShape, type Shape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { zerosFor } from "./layout.js";

/** out[…, i, …] = x[…, index[…, i, …], …] along `axis`, in the shape of `index`. Errors about indices name `caller`. */
export function pick(x: Tensor, axis: number, index: Tensor, caller = "gather"): Tensor {
  const kernels = commonKernels("gather", x, index);
  const out = Tensor.allocate(index.shape, x.dtype, x.device, "gather");
  kernels.gather(reached(x, axis, index.shape), axis, index, out, caller);
  const { shape } = x;
  return record("gather", out, [x], [index], (g, index) => [() => unpick(g, shape, axis, index)]);
}

/** Adds `g` to zeros where `pick` would read: the gradient of `pick`, which is its gradient in turn. */
export function unpick(g: Tensor, shape: Shape, axis: number, index: Tensor): Tensor {
  const kernels = commonKernels("gatherGrad", g, index);
  const out = zerosFor(g, shape, "gatherGrad");
  kernels.scatterAdd(g, axis, index, reached(out, axis, index.shape));
  return record("gatherGrad", out, [g], [index], (gg, index) => [() => pick(gg, axis, index)]);
}

/** `x` as far as an index of the given shape reaches it: smaller on all axes but the indexed one. */
export function reached(x: Tensor, axis: number, shape: Shape): Strided {
  return {
    buffer: x.buffer,
    dtype: x.dtype,
    shape: x.shape.map((extent, i) => (i === axis ? extent : at(shape, i))),
    strides: x.strides,
    offset: x.offset,
  };
}

/** @throws DTypeError where the index is not int32. */
export function checkIndexType(where: string, index: Tensor): void {
  if (index.dtype === "int32") return;
  throw new DTypeError(`${where}: got an index of ${index.dtype}; expected int32. Cast it with .int() first.`);
}

/**
 * Refuses an index that names places which are not there. A device that cannot be read without waiting is trusted.
 *
 * @throws ShapeError where one is out of range.
 */
export function checkIndexRange(where: string, x: Tensor, axis: number, index: Tensor): void {
  if (index.kernels.readSync === null) return;
  const extent = at(x.shape, axis);
  const wrong = firstOutside(index.dataSync(), extent);
  if (wrong === undefined) return;
  throw new ShapeError(
    `${where}: got index ${wrong} on axis ${axis} of shape ${formatShape(x.shape)}; ` +
      (extent === 0
        ? "expected an axis with at least one place. Check for empty tensors first."
        : `expected 0 to ${extent - 1}. Indices do not count from the end here: correct the index.`),
  );
}

/** A loop, for `find` takes several times as long. */
function firstOutside(places: TypedArray, extent: number): number | undefined {
  for (let i = 0; i < places.length; i += 1) {
    const place = places[i] as number;
    // Below 0 it is very large as an unsigned number.
    if (place >>> 0 >= extent) return place;
  }
  return undefined;
}
