/** Matrix products. */
import { DTypeError, ShapeError } from "../../errors.js";
import { forProduct } from "../autocast.js";
import { record } from "../autograd.js";
import { composite } from "../scopes.js";
import { at, broadcastShapes, checkShape, formatShape, type Shape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { expanded, sum, sumTo } from "./broadcast.js";
import { reshape, transpose, unsqueeze, view } from "./layout.js";
import { checkOneDtype } from "./operands.js";

/**
 * The matrix product over the last two axes; the axes before them broadcast. A vector on the left counts as a row, one on
 * the right as a column, and that axis is dropped from the result: two vectors give a scalar.
 *
 * [..., m, k] · [..., k, n] → [..., m, n]. Products of int32 wrap.
 *
 * @throws ShapeError where the inner extents differ, an operand is a scalar, or the other axes do not broadcast.
 * @throws DTypeError where the dtypes differ, or are bool.
 * @see https://pytorch.org/docs/stable/generated/torch.matmul.html
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  commonKernels("matmul", a, b);
  [a, b] = forProduct("matmul", a, b);
  checkNumbers("matmul", a, b);
  if (a.ndim === 0 || b.ndim === 0) {
    throw new ShapeError(
      `matmul: got shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}; expected at least 1 axis each. Use mul for scalars.`,
    );
  }
  const inner = at(a.shape, a.ndim - 1);
  const other = at(b.shape, Math.max(b.ndim - 2, 0));
  if (inner !== other) {
    throw new ShapeError(
      `matmul: got shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}; expected as many columns in the first as rows in the second, ` +
        `and they are ${inner} and ${other}. Transpose or reshape one of them.`,
    );
  }
  const place = `matmul of ${formatShape(a.shape)} by ${formatShape(b.shape)}, axes before the last two`;
  const batch = broadcastShapes(place, a.shape.slice(0, -2), b.shape.slice(0, -2));
  const rows = a.ndim === 1 ? [] : [at(a.shape, a.ndim - 2)];
  const columns = b.ndim === 1 ? [] : [at(b.shape, b.ndim - 1)];
  const shape = [...batch, ...rows, ...columns];
  checkShape("matmul", shape);
  // One matrix for all batches: the batch is only more rows.
  const stacked = a.ndim > 2 && b.ndim <= 2;
  if (!stacked && a.ndim > 1 && b.ndim > 1) return product(a, b, shape);
  return composite(() => {
    const left = stacked ? reshape(a, [elementsOf(batch) * at(rows, 0), inner]) : a.ndim === 1 ? unsqueeze(a, 0) : a;
    const right = b.ndim === 1 ? unsqueeze(b, 1) : b;
    const outer = [...right.shape.slice(0, -2), at(left.shape, left.ndim - 2), at(right.shape, right.ndim - 1)];
    return view(product(left, right, outer), shape);
  });
}

function elementsOf(shape: Shape): number {
  return shape.reduce((count, extent) => count * extent, 1);
}

/** The product of operands with at least 2 axes, into `shape`. */
function product(a: Tensor, b: Tensor, shape: Shape): Tensor {
  const kernels = commonKernels("matmul", a, b);
  const out = Tensor.allocate(shape, a.dtype, a.device, "matmul");
  const batch = shape.slice(0, -2);
  kernels.matmul(
    expanded(a, [...batch, ...a.shape.slice(-2)]),
    expanded(b, [...batch, ...b.shape.slice(-2)]),
    null,
    out,
  );
  const [aShape, bShape] = [a.shape, b.shape];
  return record("matmul", out, [a, b], [a, b], (g, a, b) => [
    () => sumTo(matmul(g, transpose(b, -2, -1)), aShape),
    () => sumTo(matmul(transpose(a, -2, -1), g), bShape),
  ]);
}

/**
 * x · weightᵀ + bias, over the last axis of x.
 *
 * [..., inFeatures] · [outFeatures, inFeatures]ᵀ + [outFeatures] → [..., outFeatures].
 *
 * @throws ShapeError where the extents do not fit.
 * @throws DTypeError where the dtypes differ, or are bool.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.linear.html
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  commonKernels("linear", x, weight, ...(bias === null ? [] : [bias]));
  [x, weight, bias] = forProduct("linear", x, weight, bias);
  checkNumbers("linear", x, weight, ...(bias === null ? [] : [bias]));
  const [outFeatures = 0, inFeatures = 0] = weight.shape;
  if (weight.ndim !== 2) {
    throw new ShapeError(
      `linear: got a weight of shape ${formatShape(weight.shape)}; expected [outFeatures, inFeatures]. Reshape it.`,
    );
  }
  if (bias !== null && (bias.ndim !== 1 || bias.shape[0] !== outFeatures)) {
    throw new ShapeError(
      `linear: got a bias of shape ${formatShape(bias.shape)} for a weight of shape ${formatShape(weight.shape)}; ` +
        `expected [${outFeatures}], one for each row of the weight. Reshape it.`,
    );
  }
  const features = x.shape[x.ndim - 1];
  if (features === undefined) {
    throw new ShapeError(
      `linear: got an input of shape []; expected ${inFeatures} features in its last axis. Reshape it to [${inFeatures}].`,
    );
  }
  if (features !== inFeatures) {
    throw new ShapeError(
      `linear: got ${features} features in the last axis of the input, which has shape ${formatShape(x.shape)}; expected ${inFeatures}, ` +
        `for a weight of shape ${formatShape(weight.shape)}. Reshape or flatten the input to ${inFeatures} features, or ` +
        `make the layer new nn.Linear(${features}, ${outFeatures}), or new nn.LazyLinear(${outFeatures}), which infers it.`,
    );
  }
  const shape = [...x.shape.slice(0, -1), outFeatures];
  checkShape("linear", shape);
  if (x.ndim === 2) return affine(x, weight, bias);
  return composite(() => view(affine(reshape(x, [elementsOf(x.shape.slice(0, -1)), inFeatures]), weight, bias), shape));
}

/** x [m, k] · weight [n, k]ᵀ + bias [n]. */
function affine(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  const kernels = commonKernels("linear", x, weight);
  const shape = [at(x.shape, 0), at(weight.shape, 0)];
  const out = Tensor.allocate(shape, x.dtype, x.device, "linear");
  const { buffer, dtype, offset } = weight;
  const transposed = { buffer, dtype, offset, shape: weight.shape.toReversed(), strides: weight.strides.toReversed() };
  kernels.matmul(x, transposed, bias === null ? null : expanded(bias, shape), out);
  return record("linear", out, bias === null ? [x, weight] : [x, weight, bias], [x, weight], (g, x, weight) => [
    () => matmul(g, weight),
    () => matmul(transpose(g, 0, 1), x),
    () => sum(g, 0),
  ]);
}

function checkNumbers(where: string, ...tensors: readonly Tensor[]): void {
  checkOneDtype(where, ...tensors);
  if (tensors[0]?.dtype === "bool") {
    throw new DTypeError(`${where}: got tensors of bool; expected numbers. Cast them with .float() or .int().`);
  }
}
