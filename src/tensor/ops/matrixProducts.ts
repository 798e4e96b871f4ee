/** Products of vectors and matrices whose number of axes is fixed; {@link matmul} takes any. */
import { ShapeError } from "../../errors.js";
import { composite } from "../scopes.js";
import { at, formatShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { mul } from "./arithmetic.js";
import { unsqueeze } from "./layout.js";
import { matmul } from "./matmul.js";
import { checkOneDtype } from "./operands.js";

/**
 * The product of two matrices, [m, k] · [k, n] → [m, n].
 *
 * @throws ShapeError where they are no matrices, or the inner extents differ.
 * @see https://pytorch.org/docs/stable/generated/torch.mm.html
 */
export function mm(a: Tensor, b: Tensor): Tensor {
  checkAxes("mm", 2, a, b);
  return matmul(a, b);
}

/**
 * Products of as many matrices, [b, m, k] · [b, k, n] → [b, m, n]; nothing is broadcast.
 *
 * @throws ShapeError where they have not three axes, or the batches or the inner extents differ.
 * @see https://pytorch.org/docs/stable/generated/torch.bmm.html
 */
export function bmm(a: Tensor, b: Tensor): Tensor {
  checkAxes("bmm", 3, a, b);
  if (a.shape[0] !== b.shape[0]) {
    throw new ShapeError(
      `bmm: got ${at(a.shape, 0)} and ${at(b.shape, 0)} matrices; expected as many of both. Use matmul, which broadcasts.`,
    );
  }
  return matmul(a, b);
}

/**
 * Σ a·b of two vectors, a scalar.
 *
 * @throws ShapeError where they are no vectors of one length.
 * @see https://pytorch.org/docs/stable/generated/torch.dot.html
 */
export function dot(a: Tensor, b: Tensor): Tensor {
  checkAxes("dot", 1, a, b);
  return matmul(a, b);
}

/**
 * All products of the elements of two vectors, [m], [n] → [m, n].
 *
 * @throws ShapeError where they are no vectors.
 * @see https://pytorch.org/docs/stable/generated/torch.outer.html
 */
export function outer(a: Tensor, b: Tensor): Tensor {
  checkAxes("outer", 1, a, b);
  return composite(() => mul(unsqueeze(a, 1), b));
}

function checkAxes(name: string, rank: number, a: Tensor, b: Tensor): void {
  commonKernels(name, a, b);
  if (name !== "outer") checkOneDtype(name, a, b);
  if (a.ndim === rank && b.ndim === rank) return;
  throw new ShapeError(
    `${name}: got shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}; expected ${rank} ${rank === 1 ? "axis" : "axes"} each. ` +
      `Use matmul, which takes any number, or reshape them.`,
  );
}
