/** Reading at chosen places along an axis, for indices that are known to be in range, and its gradient. */
import type { Strided } from "../../kernels/kernelSet.js";
import { record } from "../autograd.js";
import { at, type Shape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { zerosFor } from "./layout.js";

/** out[…, i, …] = x[…, index[…, i, …], …] along `axis`, in the shape of `index`. */
export function pick(x: Tensor, axis: number, index: Tensor): Tensor {
  const kernels = commonKernels("gather", x, index);
  const out = Tensor.allocate(index.shape, x.dtype, x.device, "gather");
  kernels.gather(reached(x, axis, index.shape), axis, index, out);
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
