import { DTypeError, ShapeError } from "../../errors.js";
import { composite } from "../scopes.js";
import { formatShape, sameShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { add, mul } from "./arithmetic.js";
import { sum } from "./broadcast.js";
import { permute, reshape, unsqueeze } from "./layout.js";
import { matmul } from "./matmul.js";
import { checkOneDtype } from "./operands.js";

/**
 * y = input1ᵀ · weight · input2 + bias: [..., in1] and [..., in2] with the same axes before → [..., out], for a weight
 * [out, in1, in2] and a bias [out].
 *
 * @throws ShapeError where the extents do not fit.
 * @throws DTypeError where the dtypes differ, or are bool.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.bilinear.html
 */
export function bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  const tensors = [input1, input2, weight, ...(bias === null ? [] : [bias])];
  commonKernels("bilinear", ...tensors);
  checkOneDtype("bilinear", ...tensors);
  if (weight.dtype === "bool") {
    throw new DTypeError("bilinear: got tensors of bool; expected numbers. Cast them with .float().");
  }
  const [out = 0, in1 = 0, in2 = 0] = weight.shape;
  const [before, before2] = [input1.shape.slice(0, -1), input2.shape.slice(0, -1)];
  const fits =
    weight.ndim === 3 &&
    input1.shape.at(-1) === in1 &&
    input2.shape.at(-1) === in2 &&
    sameShape(before, before2) &&
    (bias === null || sameShape(bias.shape, [out]));
  if (!fits) {
    throw new ShapeError(
      `bilinear: got inputs of shape ${formatShape(input1.shape)} and ${formatShape(input2.shape)} for a weight of shape ${formatShape(weight.shape)}` +
        `${bias === null ? "" : ` and a bias of shape ${formatShape(bias.shape)}`}; expected [..., in1], [..., in2], [out, in1, in2] and [out]. Reshape them.`,
    );
  }
  return composite(() => {
    const rows = before.reduce((count, extent) => count * extent, 1);
    const sides = reshape(permute(weight, [1, 0, 2]), [in1, out * in2]);
    const products = reshape(matmul(reshape(input1, [rows, in1]), sides), [rows, out, in2]);
    const y = sum(mul(products, unsqueeze(reshape(input2, [rows, in2]), 1)), -1);
    return reshape(bias === null ? y : add(y, bias), [...before, out]);
  });
}
