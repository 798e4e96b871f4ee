import { ArgumentError, ShapeError } from "../../errors.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { at, formatShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { countOf } from "../window.js";
import { add, div, mul, pow, square } from "./arithmetic.js";
import { reshape } from "./layout.js";
import { pad } from "./pad.js";
import { avgPool2d } from "./pooling.js";

/** Settings of {@link localResponseNorm}. */
export interface LocalResponseNormOptions {
  /** Factor of the mean square. Default 1e-4. */
  readonly alpha?: number;
  /** Exponent. Default 0.75. */
  readonly beta?: number;
  /** What is added to the mean square. Default 1. */
  readonly k?: number;
}

/**
 * x / (k + alpha · mean of x² over `size` neighbouring channels)ᵝ. x is [N, C, …] with one further axis at least; channels that
 * are not there count as 0.
 *
 * @throws ShapeError where x is not [N, C, …] or empty.
 * @throws ArgumentError where the size is no whole number of 1 or more, or a setting is no number.
 * @throws DTypeError for whole numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.local_response_norm.html
 * @see A. Krizhevsky et al.: ImageNet Classification with Deep Convolutional Neural Networks, section 3.3
 */
export function localResponseNorm(x: Tensor, size: number, options: LocalResponseNormOptions = {}): Tensor {
  checkOptions("localResponseNorm", options, ["alpha", "beta", "k"]);
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  commonKernels("localResponseNorm", x);
  checkFloating("localResponseNorm", x.dtype);
  const window = countOf("localResponseNorm", "size", size, 1);
  if (![alpha, beta, k].every(Number.isFinite)) {
    throw new ArgumentError(
      `localResponseNorm: got alpha = ${alpha}, beta = ${beta} and k = ${k}; expected finite numbers. Use 1e-4, 0.75 and 1.`,
    );
  }
  if (x.ndim < 3 || x.numel() === 0) {
    throw new ShapeError(
      `localResponseNorm: got an input of shape ${formatShape(x.shape)}; expected [N, C, …] with at least three axes, and none of them empty. Unsqueeze it.`,
    );
  }
  return composite(() => {
    const squares = reshape(square(x), [at(x.shape, 0), 1, at(x.shape, 1), -1]);
    const padded = pad(squares, [0, 0, Math.floor(window / 2), Math.floor((window - 1) / 2)]);
    const means = reshape(avgPool2d(padded, [window, 1], { stride: 1 }), x.shape);
    return div(x, pow(add(mul(means, alpha), k), beta));
  });
}
