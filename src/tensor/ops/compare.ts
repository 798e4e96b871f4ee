/** Comparisons, elementwise with broadcasting. Their results are bool and carry no gradient. */
import type { CompareOp } from "../../kernels/kernelSet.js";
import { resultType } from "../dtype.js";
import { broadcastShapes } from "../shape.js";
import { Tensor } from "../tensor.js";
import { expanded } from "./broadcast.js";
import { operandKernels, withCast } from "./elementwise.js";

function compare(op: CompareOp, a: Tensor, b: Tensor | number): Tensor {
  const kernels = operandKernels(op, a, b);
  const shape = typeof b === "number" ? a.shape : broadcastShapes(op, a.shape, b.shape);
  const out = Tensor.allocate(shape, "bool", a.device, op);
  // Kernels compare bools with any number as they are.
  const dtype = a.dtype === "bool" && typeof b === "number" ? "bool" : resultType(a, b);
  withCast(a, dtype, (left) => {
    if (typeof b === "number") kernels.compare(op, expanded(left, shape), b, out);
    else withCast(b, dtype, (right) => kernels.compare(op, expanded(left, shape), expanded(right, shape), out));
  });
  return out;
}

/** a = b, elementwise. NaN equals nothing. @see https://pytorch.org/docs/stable/generated/torch.eq.html */
export function eq(a: Tensor, b: Tensor | number): Tensor {
  return compare("eq", a, b);
}

/** a ≠ b, elementwise. @see https://pytorch.org/docs/stable/generated/torch.ne.html */
export function ne(a: Tensor, b: Tensor | number): Tensor {
  return compare("ne", a, b);
}

/** a < b, elementwise. @see https://pytorch.org/docs/stable/generated/torch.lt.html */
export function lt(a: Tensor, b: Tensor | number): Tensor {
  return compare("lt", a, b);
}

/** a ≤ b, elementwise. @see https://pytorch.org/docs/stable/generated/torch.le.html */
export function le(a: Tensor, b: Tensor | number): Tensor {
  return compare("le", a, b);
}

/** a > b, elementwise. @see https://pytorch.org/docs/stable/generated/torch.gt.html */
export function gt(a: Tensor, b: Tensor | number): Tensor {
  return compare("gt", a, b);
}

/** a ≥ b, elementwise. @see https://pytorch.org/docs/stable/generated/torch.ge.html */
export function ge(a: Tensor, b: Tensor | number): Tensor {
  return compare("ge", a, b);
}
