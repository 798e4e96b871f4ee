/** What ops on images and matrices ask of their operands. */
import { DTypeError } from "../../errors.js";
import { promoteTypes } from "../dtype.js";
import { composite } from "../scopes.js";
import type { Tensor } from "../tensor.js";
import { unsqueeze, view } from "./layout.js";

/** @throws DTypeError where two of the tensors differ in dtype. */
export function checkOneDtype(where: string, ...tensors: readonly Tensor[]): void {
  const [first, ...rest] = tensors;
  for (const { dtype } of rest) {
    if (first !== undefined && dtype !== first.dtype) {
      throw new DTypeError(
        `${where}: got tensors of ${first.dtype} and ${dtype}; expected one dtype. Cast one of them with .to("${promoteTypes(first.dtype, dtype)}").`,
      );
    }
  }
}

/** Runs an op on a batch, also where `x`, lacking the batch axis, has one axis less than `rank`. */
export function batched(x: Tensor, rank: number, op: (batch: Tensor) => Tensor): Tensor {
  if (x.ndim === rank) return op(x);
  return composite(() => {
    const out = op(unsqueeze(x, 0));
    return view(out, out.shape.slice(1));
  });
}
