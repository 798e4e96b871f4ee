/** Truth values, elementwise: anything but 0 counts as true. Their results are bool and carry no gradient. */
import { withGradMode } from "../autograd.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { broadcastShapes } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { abs } from "./arithmetic.js";
import { expanded, type ReduceOptions, sum } from "./broadcast.js";
import { bool } from "./cast.js";
import { eq, gt, lt, ne } from "./compare.js";

/** Whether both hold. @see https://pytorch.org/docs/stable/generated/torch.logical_and.html */
export function logicalAnd(a: Tensor, b: Tensor): Tensor {
  return joined("logicalAnd", "minimum", a, b);
}

/** Whether one holds, or both. @see https://pytorch.org/docs/stable/generated/torch.logical_or.html */
export function logicalOr(a: Tensor, b: Tensor): Tensor {
  return joined("logicalOr", "maximum", a, b);
}

/** Whether x does not hold: where it is 0. @see https://pytorch.org/docs/stable/generated/torch.logical_not.html */
export function logicalNot(x: Tensor): Tensor {
  return eq(x, 0);
}

function joined(name: string, op: "minimum" | "maximum", a: Tensor, b: Tensor): Tensor {
  const kernels = commonKernels(name, a, b);
  const shape = broadcastShapes(name, a.shape, b.shape);
  return composite(() => {
    const out = Tensor.allocate(shape, "bool", a.device, name);
    kernels.binary(op, expanded(bool(a), shape), expanded(bool(b), shape), out);
    return out;
  });
}

/** Whether x is not a number. @see https://pytorch.org/docs/stable/generated/torch.isnan.html */
export function isnan(x: Tensor): Tensor {
  return ne(x, x);
}

/** Whether x is ∞ or −∞. @see https://pytorch.org/docs/stable/generated/torch.isinf.html */
export function isinf(x: Tensor): Tensor {
  return measured(x, (size) => eq(size, Number.POSITIVE_INFINITY));
}

/** Whether x is a number and not infinite. @see https://pytorch.org/docs/stable/generated/torch.isfinite.html */
export function isfinite(x: Tensor): Tensor {
  return measured(x, (size) => lt(size, Number.POSITIVE_INFINITY));
}

function measured(x: Tensor, test: (size: Tensor) => Tensor): Tensor {
  return withGradMode(false, () => composite(() => test(x.dtype === "bool" ? x : abs(x))));
}

/**
 * Whether all elements along the given axes (all by default) are other than 0; true where there are none.
 *
 * @throws ShapeError where an axis is out of range or named twice.
 * @see https://pytorch.org/docs/stable/generated/torch.all.html
 */
export function all(x: Tensor, axes?: number | readonly number[] | null, options: ReduceOptions = {}): Tensor {
  checkOptions("all", options, ["keepdim"]);
  commonKernels("all", x);
  return composite(() => eq(sum(eq(x, 0), axes, options), 0));
}

/**
 * Whether an element along the given axes (all by default) is other than 0; false where there are none.
 *
 * @throws ShapeError where an axis is out of range or named twice.
 * @see https://pytorch.org/docs/stable/generated/torch.any.html
 */
export function any(x: Tensor, axes?: number | readonly number[] | null, options: ReduceOptions = {}): Tensor {
  checkOptions("any", options, ["keepdim"]);
  commonKernels("any", x);
  return composite(() => gt(sum(ne(x, 0), axes, options), 0));
}
