import { DTypeError } from "../../errors.js";
import { record } from "../autograd.js";
import { resultType } from "../dtype.js";
import { broadcastShapes } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { expanded, gradFor } from "./broadcast.js";
import { withCast } from "./elementwise.js";

/**
 * `a` where `condition` holds, else `b`, elementwise with broadcasting. Gradients flow to the operand that was chosen.
 * As a method it is the condition's: `x.gt(0).where(x, 0)`.
 *
 * @throws DTypeError where the condition is not bool.
 * @see https://pytorch.org/docs/stable/generated/torch.where.html
 */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  const tensors = [a, b].filter((operand) => typeof operand !== "number");
  const kernels = commonKernels("where", condition, ...tensors);
  if (condition.dtype !== "bool") {
    throw new DTypeError(
      `where: got a condition of ${condition.dtype}; expected bool. Compare first, as in x.gt(0).where(x, 0): the condition comes first.`,
    );
  }
  const dtype = resultType(a, b);
  const shape = broadcastShapes("where", condition.shape, ...tensors.map((tensor) => tensor.shape));
  const out = Tensor.allocate(shape, dtype, condition.device, "where");
  withOperand(a, dtype, (left) =>
    withOperand(b, dtype, (right) =>
      kernels.where(
        expanded(condition, shape),
        typeof left === "number" ? left : expanded(left, shape),
        typeof right === "number" ? right : expanded(right, shape),
        out,
      ),
    ),
  );
  const metas = tensors.map(({ shape, dtype }) => ({ shape, dtype }));
  const choosesFirst = tensors.map((tensor, index) => index === 0 && tensor === a);
  return record("where", out, tensors, [condition], (g, chosen) =>
    metas.map(
      (meta, index) => () => gradFor(meta, choosesFirst[index] === true ? where(chosen, g, 0) : where(chosen, 0, g)),
    ),
  );
}

function withOperand(operand: Tensor | number, dtype: Tensor["dtype"], use: (operand: Tensor | number) => void): void {
  if (typeof operand === "number") use(operand);
  else withCast(operand, dtype, use);
}
