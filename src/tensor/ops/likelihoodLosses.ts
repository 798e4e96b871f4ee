/** Losses that are negative logarithms of likelihoods: of counts, of numbers with a known spread, of several labels at once. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { forRange } from "../autocast.js";
import { withGradMode } from "../autograd.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { formatShape, sameShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { add, clamp, div, exp, log, mul, neg, square, sub } from "./arithmetic.js";
import { gt } from "./compare.js";
import { unsqueeze } from "./layout.js";
import { binaryCrossEntropyWithLogits } from "./losses.js";
import { checkFactor, checkPair, type LossOptions, reduceLoss } from "./lossParts.js";
import { mean } from "./reductions.js";
import { logSigmoid } from "./smoothActivations.js";
import { where } from "./where.js";

/** Settings of {@link poissonNllLoss}. */
export interface PoissonNllLossOptions extends LossOptions {
  /** Whether the input is the logarithm of the expected count. Default true. */
  readonly logInput?: boolean;
  /** Whether Stirling's approximation of log(target!) is added where the target is above 1. Default false. */
  readonly full?: boolean;
  /** Added to an input that is no logarithm before its logarithm is taken. Default 1e-8. */
  readonly eps?: number;
}

/** Settings of {@link gaussianNllLoss}. */
export interface GaussianNllLossOptions extends LossOptions {
  /** Whether the constant ½·log(2π) is added. Default false. */
  readonly full?: boolean;
  /** What a smaller variance counts as; gradients pass as if it were not. Default 1e-6. */
  readonly eps?: number;
}

/** Settings of {@link multilabelSoftMarginLoss}. */
export interface MultilabelSoftMarginLossOptions extends LossOptions {
  /** Factor of each class, [C]; broadcasts to the input's shape. */
  readonly weight?: Tensor | null;
}

/**
 * Mean of eˣ − target·x for logarithms x of expected counts; or, without `logInput`, of x − target·log(x + eps). Both have the
 * same shape.
 *
 * @throws ShapeError where the shapes differ.
 * @throws ArgumentError where `eps` is not above 0.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.poisson_nll_loss.html
 */
export function poissonNllLoss(input: Tensor, target: Tensor, options: PoissonNllLossOptions = {}): Tensor {
  checkOptions("poissonNllLoss", options, ["logInput", "full", "eps", "reduction"]);
  const { logInput = true, full = false, eps = 1e-8 } = options;
  checkPair("poissonNllLoss", input, target, options);
  checkEps("poissonNllLoss", eps);
  [input, target] = forRange(input, target);
  return composite(() => {
    const loss = logInput ? sub(exp(input), mul(target, input)) : sub(input, mul(target, log(add(input, eps))));
    return reduceLoss(full ? add(loss, logFactorial(target)) : loss, options);
  });
}

/** t·log t − t + ½·log(2π·t) above 1, else 0. */
function logFactorial(t: Tensor): Tensor {
  const isLarge = withGradMode(false, () => gt(t, 1));
  // Zeros have infinite slopes, which no condition afterwards takes away.
  const count = where(isLarge, t, 1);
  const stirling = add(sub(mul(count, log(count)), count), mul(log(mul(count, 2 * Math.PI)), 0.5));
  return where(isLarge, stirling, 0);
}

/**
 * Mean of ½·(log v + (input − target)² / v) for variances v. Input and target have the same shape; the variance has it too, or
 * lacks the last axis, or has extent 1 on one axis.
 *
 * @throws ShapeError where the shapes do not fit.
 * @throws ArgumentError where `eps` is not above 0, or a variance on the CPU is negative.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html
 */
export function gaussianNllLoss(
  input: Tensor,
  target: Tensor,
  variance: Tensor,
  options: GaussianNllLossOptions = {},
): Tensor {
  checkOptions("gaussianNllLoss", options, ["full", "eps", "reduction"]);
  const { full = false, eps = 1e-6 } = options;
  checkPair("gaussianNllLoss", input, target, options);
  commonKernels("gaussianNllLoss", input, variance);
  checkEps("gaussianNllLoss", eps);
  const lacksLast = checkVariance(input, variance);
  [input, target, variance] = forRange(input, target, variance);
  return composite(() => {
    const given = lacksLast ? unsqueeze(variance, -1) : variance;
    const v = add(
      given,
      withGradMode(false, () => sub(clamp(given, eps), given)),
    );
    const loss = mul(add(log(v), div(square(sub(input, target)), v)), 0.5);
    return reduceLoss(full ? add(loss, 0.5 * Math.log(2 * Math.PI)) : loss, options);
  });
}

/**
 * Mean of log(1 + e^(−target·input)), for targets of 1 and −1. Both have the same shape.
 *
 * @throws ShapeError where the shapes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.soft_margin_loss.html
 */
export function softMarginLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions("softMarginLoss", options, ["reduction"]);
  checkPair("softMarginLoss", input, target, options);
  [input, target] = forRange(input, target);
  return composite(() => reduceLoss(neg(logSigmoid(mul(target, input))), options));
}

/**
 * The mean over the last axis of {@link binaryCrossEntropyWithLogits}, for logits and targets from 0 to 1 of several classes:
 * [N, C] or [C] each → [N] or one number before the mean.
 *
 * @throws ShapeError where the shapes differ, have no axis, or the weight does not broadcast to them.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_soft_margin_loss.html
 */
export function multilabelSoftMarginLoss(
  input: Tensor,
  target: Tensor,
  options: MultilabelSoftMarginLossOptions = {},
): Tensor {
  checkOptions("multilabelSoftMarginLoss", options, ["weight", "reduction"]);
  const { weight = null } = options;
  checkPair("multilabelSoftMarginLoss", input, target, options);
  if (weight) checkFactor("multilabelSoftMarginLoss", weight, input);
  if (input.ndim === 0) {
    throw new ShapeError(
      "multilabelSoftMarginLoss: got inputs without axes; expected [C] or [N, C]. Give them an axis of classes.",
    );
  }
  return composite(() =>
    reduceLoss(mean(binaryCrossEntropyWithLogits(input, target, { weight, reduction: "none" }), -1), options),
  );
}

/** Whether the variance is to be given a last axis. Values are looked at where the device can be read at once. */
function checkVariance(input: Tensor, variance: Tensor): boolean {
  const { shape } = input;
  const lacksLast = !sameShape(variance.shape, shape) && sameShape(variance.shape, shape.slice(0, -1));
  const differing = shape.flatMap((extent, axis) => (variance.shape[axis] === extent ? [] : [variance.shape[axis]]));
  const fits =
    variance.ndim === input.ndim && (differing.length === 0 || (differing.length === 1 && differing[0] === 1));
  if (!lacksLast && !fits) {
    throw new ShapeError(
      `gaussianNllLoss: got variances of shape ${formatShape(variance.shape)} for an input of shape ${formatShape(shape)}; ` +
        `expected the same shape, or it without the last axis, or with extent 1 on one axis. Reshape or expand them.`,
    );
  }
  const values = variance.kernels.readSync === null ? [] : variance.dataSync();
  const wrong = values.findIndex((value: number) => value < 0);
  if (wrong >= 0) {
    throw new ArgumentError(
      `gaussianNllLoss: got the variance ${values[wrong]} at position ${wrong}; expected 0 or more. Make it of what the network says with .exp() or .softplus().`,
    );
  }
  return lacksLast;
}

function checkEps(where: string, eps: number): void {
  if (Number.isFinite(eps) && eps > 0) return;
  throw new ArgumentError(`${where}: got eps = ${String(eps)}; expected a finite number above 0. Leave it out.`);
}
