/** What the norms within a sample share: statistics of rows, and what is asked of their arguments. */
import { ArgumentError, DTypeError, ShapeError } from "../../errors.js";
import type { Dense } from "../../kernels/kernelSet.js";
import { denseStrides, formatShape, type Shape, sameShape } from "../shape.js";
import { Tensor } from "../tensor.js";

/** Settings of the norms within a sample. */
export interface NormOptions {
  /** What is added to the variance, against division by 0. Default 1e-5. */
  readonly eps?: number;
}

/** A dense tensor as the kernels of batch normalisation see it when each row is a channel: [1, rows, length]. */
export function asRows(x: Tensor, rows: number): Dense {
  const shape = [1, rows, rows === 0 ? 0 : x.numel() / rows];
  return { buffer: x.buffer, dtype: x.dtype, shape, strides: denseStrides(shape), offset: x.offset };
}

/** Mean and biased variance of each row of a dense tensor, [rows] each. */
export function rowStats(name: string, x: Tensor, rows: number): { center: Tensor; spread: Tensor } {
  const center = Tensor.allocate([rows], x.dtype, x.device, name);
  const spread = Tensor.allocate([rows], x.dtype, x.device, name);
  x.kernels.channelStats(asRows(x, rows), center, spread);
  return { center, spread };
}

export function checkEps(where: string, eps: number): void {
  if (eps > 0) return;
  throw new ArgumentError(
    `${where}: got eps = ${eps}; expected more than 0. It keeps the divisor away from 0; use 1e-5.`,
  );
}

/** @throws ShapeError, DTypeError where a weight or bias is not of `shape` and the dtype of `x`. */
export function checkAffine(
  where: string,
  x: Tensor,
  shape: Shape,
  affine: { readonly [name: string]: Tensor | null | undefined },
): void {
  for (const [name, tensor] of Object.entries(affine)) {
    if (!tensor) continue;
    if (!sameShape(tensor.shape, shape)) {
      throw new ShapeError(
        `${where}: got ${name} of shape ${formatShape(tensor.shape)} for an input of shape ${formatShape(x.shape)}; expected ${formatShape(shape)}. Correct the shape of ${name}.`,
      );
    }
    if (tensor.dtype !== x.dtype) {
      throw new DTypeError(
        `${where}: got ${name} of ${tensor.dtype} for an input of ${x.dtype}; expected one dtype. Cast one of them with .to("${x.dtype}").`,
      );
    }
  }
}
