/** Vectors along an axis, measured and made comparable. */
import { ArgumentError } from "../../errors.js";
import { forRange } from "../autocast.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { broadcastShapes, normalizeAxis } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { clamp, div, mul } from "./arithmetic.js";
import { expand, sum } from "./broadcast.js";
import { checkOneDtype } from "./operands.js";
import { norm } from "./reductions.js";

/** Settings of {@link normalize} and {@link cosineSimilarity}. */
export interface LengthOptions {
  /** What lengths are not below, against division by 0. Default 1e-12, for similarities 1e-8. */
  readonly eps?: number;
}

/**
 * x / max(‖x‖ₚ, eps) along an axis: vectors of length 1.
 *
 * @throws DTypeError for whole numbers.
 * @throws ArgumentError where p is NaN, or eps is not 0 or more.
 * @throws ShapeError where the axis is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html
 */
export function normalize(x: Tensor, p = 2, dim = 1, options: LengthOptions = {}): Tensor {
  checkOptions("normalize", options, ["eps"]);
  const { eps = 1e-12 } = options;
  commonKernels("normalize", x);
  [x] = forRange(x);
  checkFloating("normalize", x.dtype);
  checkEps("normalize", eps);
  const axis = normalizeAxis("normalize", dim, x.ndim);
  return composite(() => div(x, clamp(norm(x, p, axis, { keepdim: true }), eps)));
}

/**
 * The cosine of the angle between vectors along an axis, Σ a·b / (max(‖a‖, eps) · max(‖b‖, eps)); the shapes broadcast.
 *
 * @throws DTypeError for whole numbers, or where dtypes differ.
 * @throws ArgumentError where eps is not 0 or more.
 * @throws ShapeError where the axis is out of range, or the shapes do not broadcast.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html
 */
export function cosineSimilarity(a: Tensor, b: Tensor, dim = 1, options: LengthOptions = {}): Tensor {
  checkOptions("cosineSimilarity", options, ["eps"]);
  const { eps = 1e-8 } = options;
  commonKernels("cosineSimilarity", a, b);
  [a, b] = forRange(a, b);
  checkFloating("cosineSimilarity", a.dtype);
  checkOneDtype("cosineSimilarity", a, b);
  checkEps("cosineSimilarity", eps);
  const shape = broadcastShapes("cosineSimilarity", a.shape, b.shape);
  const axis = normalizeAxis("cosineSimilarity", dim, shape.length);
  return composite(() => {
    const [left, right] = [expand(a, shape), expand(b, shape)];
    const length = (of: Tensor): Tensor => clamp(norm(of, 2, axis), eps);
    return div(sum(mul(left, right), axis), mul(length(left), length(right)));
  });
}

function checkEps(where: string, eps: number): void {
  if (eps >= 0) return;
  throw new ArgumentError(
    `${where}: got eps = ${eps}; expected 0 or more. It keeps the divisor away from 0; leave it out for the default.`,
  );
}
