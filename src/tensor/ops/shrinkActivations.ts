/** Activation functions that cut off or take away what lies around 0, elementwise. */
import { ArgumentError } from "../../errors.js";
import { withGradMode } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { composite } from "../scopes.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { tanh } from "./activations.js";
import { abs, clamp, sub } from "./arithmetic.js";
import { le } from "./compare.js";
import { maskedFill } from "./masking.js";

/**
 * x where |x| > lambd, else 0.
 *
 * @throws ArgumentError where lambd is NaN.
 * @throws DTypeError for whole numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.hardshrink.html
 */
export function hardshrink(x: Tensor, lambd = 0.5): Tensor {
  commonKernels("hardshrink", x);
  checkFloating("hardshrink", x.dtype);
  checkNumber("hardshrink", "lambd", lambd, -Infinity);
  // On the tape |x| would wait for a gradient that never comes.
  return composite(() =>
    maskedFill(
      x,
      withGradMode(false, () => le(abs(x), lambd)),
      0,
    ),
  );
}

/**
 * x brought nearer to 0 by lambd: x − lambd above lambd, x + lambd below −lambd, 0 between them.
 *
 * @throws ArgumentError where lambd is no number of 0 or more.
 * @throws DTypeError for whole numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softshrink.html
 */
export function softshrink(x: Tensor, lambd = 0.5): Tensor {
  commonKernels("softshrink", x);
  checkFloating("softshrink", x.dtype);
  checkNumber("softshrink", "lambd", lambd, 0);
  return composite(() => sub(x, clamp(x, -lambd, lambd)));
}

/** x − tanh x. @see https://pytorch.org/docs/stable/generated/torch.nn.functional.tanhshrink.html */
export function tanhshrink(x: Tensor): Tensor {
  commonKernels("tanhshrink", x);
  return composite(() => sub(x, tanh(x)));
}

/**
 * x where x is above the threshold, else `value`. NaN stays NaN.
 *
 * @throws ArgumentError where a setting is NaN, or `value` does not fit whole numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.threshold.html
 */
export function threshold(x: Tensor, threshold: number, value: number): Tensor {
  commonKernels("threshold", x);
  checkNumber("threshold", "threshold", threshold, -Infinity);
  checkNumber("threshold", "value", value, -Infinity);
  return composite(() => maskedFill(x, le(x, threshold), value));
}

function checkNumber(where: string, name: string, value: number, least: number): void {
  if (typeof value === "number" && value >= least) return;
  throw new ArgumentError(
    `${where}: got ${name} = ${String(value)}; expected a number${least === 0 ? " of 0 or more" : ""}. Correct ${name}.`,
  );
}
