/** Activation functions made of others: those with an exponential below 0, and those in which one part gates another. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { checkFloating } from "../dtype.js";
import { composite } from "../scopes.js";
import { at, formatShape, normalizeAxis } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { sigmoid } from "./activations.js";
import { abs, add, div, mul, neg } from "./arithmetic.js";
import { narrow } from "./slicing.js";
import { elu } from "./smoothActivations.js";
import { softmax } from "./softmax.js";

/** The factors with which a layer keeps mean 0 and variance 1, from equation 14 of the paper. */
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/**
 * scale·x where x > 0, else scale·alpha·(eˣ − 1), with scale ≈ 1.0507 and alpha ≈ 1.6733.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.selu.html
 * @see G. Klambauer et al.: Self-Normalizing Neural Networks, https://arxiv.org/abs/1706.02515
 */
export function selu(x: Tensor): Tensor {
  commonKernels("selu", x);
  return composite(() => mul(elu(x, SELU_ALPHA), SELU_SCALE));
}

/**
 * x where x > 0, else alpha·(e^(x / alpha) − 1), which has no bend at 0.
 *
 * @throws ArgumentError where alpha is no number above 0.
 * @throws DTypeError for whole numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.celu.html
 * @see J. T. Barron: Continuously Differentiable Exponential Linear Units, https://arxiv.org/abs/1704.07483
 */
export function celu(x: Tensor, alpha = 1): Tensor {
  commonKernels("celu", x);
  checkFloating("celu", x.dtype);
  if (!Number.isFinite(alpha) || alpha <= 0) {
    throw new ArgumentError(
      `celu: got alpha = ${String(alpha)}; expected a finite number above 0. Use 1, as elu does.`,
    );
  }
  return alpha === 1 ? elu(x) : composite(() => mul(elu(div(x, alpha)), alpha));
}

/**
 * The first half of x along an axis times the sigmoid of the second half, which opens or closes it: […, 2·C, …] → […, C, …].
 *
 * @throws ShapeError where the extent is odd, or the axis is out of range.
 * @throws DTypeError for whole numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.glu.html
 * @see Y. Dauphin et al.: Language Modeling with Gated Convolutional Networks, https://arxiv.org/abs/1612.08083
 */
export function glu(x: Tensor, dim = -1): Tensor {
  commonKernels("glu", x);
  checkFloating("glu", x.dtype);
  const axis = normalizeAxis("glu", dim, x.ndim);
  const extent = x.ndim === 0 ? 1 : at(x.shape, axis);
  if (extent % 2 !== 0) {
    throw new ShapeError(
      `glu: got extent ${extent} on axis ${axis} of shape ${formatShape(x.shape)}; expected an even one, which has two halves. ` +
        `Make the layer before twice as wide as its output shall be.`,
    );
  }
  const half = extent / 2;
  return composite(() => mul(narrow(x, axis, 0, half), sigmoid(narrow(x, axis, half, half))));
}

/** x / (1 + |x|). @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softsign.html */
export function softsign(x: Tensor): Tensor {
  commonKernels("softsign", x);
  return composite(() => div(x, add(abs(x), 1)));
}

/**
 * softmax(−x) along an axis, where the smallest element gets the largest share.
 *
 * @throws ShapeError where the axis is out of range.
 * @throws DTypeError for whole numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softmin.html
 */
export function softmin(x: Tensor, dim: number): Tensor {
  commonKernels("softmin", x);
  checkFloating("softmin", x.dtype);
  const axis = normalizeAxis("softmin", dim, x.ndim);
  return composite(() => softmax(neg(x), axis));
}
