/** Shapes taken from another tensor, and the transpose of a matrix. */
import { ShapeError } from "../../errors.js";
import { formatShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { expand } from "./broadcast.js";
import { reshape, transpose, view } from "./layout.js";

/**
 * The transpose of a matrix [n, m] → [m, n], as a view; a vector stays as it is.
 *
 * @throws ShapeError where there are more than two axes.
 * @see https://pytorch.org/docs/stable/generated/torch.t.html
 */
export function t(x: Tensor): Tensor {
  commonKernels("t", x);
  if (x.ndim > 2) {
    throw new ShapeError(
      `t: got a tensor of shape ${formatShape(x.shape)}; expected two axes at most. Use transpose(dim0, dim1), or permute.`,
    );
  }
  return x.ndim === 2 ? transpose(x, 0, 1) : view(x, x.shape);
}

/** {@link expand} to the shape of `other`. @see https://pytorch.org/docs/stable/generated/torch.Tensor.expand_as.html */
export function expandAs(x: Tensor, other: Tensor): Tensor {
  commonKernels("expandAs", x);
  return expand(x, other.shape);
}

/** {@link view} in the shape of `other`. @see https://pytorch.org/docs/stable/generated/torch.Tensor.view_as.html */
export function viewAs(x: Tensor, other: Tensor): Tensor {
  commonKernels("viewAs", x);
  return view(x, other.shape);
}

/** {@link reshape} to the shape of `other`. @see https://pytorch.org/docs/stable/generated/torch.Tensor.reshape_as.html */
export function reshapeAs(x: Tensor, other: Tensor): Tensor {
  commonKernels("reshapeAs", x);
  return reshape(x, other.shape);
}
