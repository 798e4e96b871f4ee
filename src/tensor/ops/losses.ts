/** Losses: how far an output is from what it should be. Each is one number by default, the mean. */
import { ArgumentError, DTypeError, ShapeError } from "../../errors.js";
import { isFloating } from "../../kernels/dtype.js";
import type { BinaryOp } from "../../kernels/kernelSet.js";
import { forRange } from "../autocast.js";
import { isGradEnabled, record } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { formatShape, sameShape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { sigmoid } from "./activations.js";
import { pick } from "./along.js";
import { abs, add, div, mul, mul_, neg, square, sub } from "./arithmetic.js";
import { sum } from "./broadcast.js";
import { ne } from "./compare.js";
import { checkLabels, classAxis, classCount } from "./labels.js";
import { reshape, unsqueeze, view } from "./layout.js";
import { checkFactor, checkPair, checkReduction, type LossOptions, reduceLoss } from "./lossParts.js";
import { logSigmoid, softplus } from "./smoothActivations.js";
import { logSoftmax } from "./softmax.js";
import { where } from "./where.js";

export type { LossOptions, Reduction } from "./lossParts.js";

/** Settings of {@link nllLoss}. */
export interface NllLossOptions extends LossOptions {
  /** Weight of each class, [C]. The mean is then divided by the weights of the labels. */
  readonly weight?: Tensor | null;
  /** Label of elements that do not count. Default −100. */
  readonly ignoreIndex?: number;
}

/** Settings of {@link crossEntropy}. */
export interface CrossEntropyOptions extends NllLossOptions {
  /** How much of the target is spread evenly over all classes, from 0 (the default) to 1. */
  readonly labelSmoothing?: number;
}

/** Settings of {@link binaryCrossEntropyWithLogits}. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Factor of each element's loss; broadcasts to the input's shape. */
  readonly weight?: Tensor | null;
  /** Factor of the part of the loss that belongs to target 1; broadcasts to the input's shape. */
  readonly posWeight?: Tensor | null;
}

/**
 * Mean of (input − target)². Both have the same shape: nothing is broadcast.
 *
 * @throws ShapeError where the shapes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
 */
export function mseLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions("mseLoss", options, ["reduction"]);
  checkPair("mseLoss", input, target, options);
  [input, target] = forRange(input, target);
  return composite(() => reduceLoss(square(sub(input, target)), options));
}

/**
 * Mean of |input − target|. Both have the same shape: nothing is broadcast. The gradient where they are equal is 0.
 *
 * @throws ShapeError where the shapes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html
 */
export function l1Loss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions("l1Loss", options, ["reduction"]);
  checkPair("l1Loss", input, target, options);
  [input, target] = forRange(input, target);
  return composite(() => reduceLoss(abs(sub(input, target)), options));
}

/**
 * Mean of −(posWeight·t·log σ(x) + (1 − t)·log(1 − σ(x))) for logits x and targets t from 0 to 1, worked out without σ,
 * so that it is exact for large |x| too. Both have the same shape.
 *
 * @throws ShapeError where the shapes differ, or a weight does not broadcast to them.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html
 */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  checkOptions("binaryCrossEntropyWithLogits", options, ["weight", "posWeight", "reduction"]);
  const name = "binaryCrossEntropyWithLogits";
  const { weight, posWeight } = options;
  checkPair(name, input, target, options);
  [input, target] = forRange(input, target);
  for (const factor of [weight, posWeight]) if (factor) checkFactor(name, factor, input);
  return composite(() => {
    const isPlain = !posWeight && target.dtype === input.dtype;
    const positive = posWeight ? mul(target, posWeight) : target;
    const loss = isPlain ? plainLogitLoss(input, target) : logitLoss(input, target, positive);
    return reduceLoss(weight ? mul(loss, weight) : loss, options);
  });
}

/**
 * Negative log likelihood: −input[n, target[n]] for log probabilities [N, C], [C] or [N, C, d₁, …] and labels (int32)
 * of that shape without C. The mean is Σ weight·loss / Σ weight over the labels that count; it is NaN where none does.
 *
 * @throws ArgumentError where a label is neither a class nor `ignoreIndex`.
 * @throws DTypeError where labels are not int32.
 * @throws ShapeError where the shapes do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html
 */
export function nllLoss(input: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor {
  checkOptions("nllLoss", options, ["weight", "ignoreIndex", "reduction"]);
  [input, target] = forRange(input, target);
  checkClasses("nllLoss", input, target, options);
  const mayIgnore = checkLabels("nllLoss", input, target, options.ignoreIndex ?? -100);
  return composite(() => labelLoss("nllLoss", input, target, mayIgnore, options));
}

/**
 * Cross entropy of logits [N, C], [C] or [N, C, d₁, …]: {@link nllLoss} of their {@link logSoftmax}. The target holds
 * labels (int32) of that shape without C, or class probabilities of that very shape; these may want a gradient.
 * For probabilities the mean is over N, d₁, …, with weights or without.
 *
 * @throws ArgumentError where a label is neither a class nor `ignoreIndex`, or `labelSmoothing` is not from 0 to 1.
 * @throws DTypeError where labels are not int32.
 * @throws ShapeError where the shapes do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
 */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkOptions("crossEntropy", options, ["labelSmoothing", "weight", "ignoreIndex", "reduction"]);
  const { labelSmoothing = 0, ignoreIndex = -100 } = options;
  [input, target] = forRange(input, target);
  checkClasses("crossEntropy", input, target, options);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ArgumentError(
      `crossEntropy: got labelSmoothing = ${labelSmoothing}; expected 0 to 1. It is the share of the target that is spread over all classes.`,
    );
  }
  const axis = classAxis(input);
  if (isFloating(target.dtype) && target.ndim === input.ndim) {
    checkProbabilities(input, target, ignoreIndex);
    return composite(() => probabilityLoss(logSoftmax(input, axis), target, options));
  }
  const mayIgnore = checkLabels("crossEntropy", input, target, ignoreIndex);
  return composite(() => labelLoss("crossEntropy", logSoftmax(input, axis), target, mayIgnore, options));
}

// --- what they are made of ----------------------------------------------------------------------------------------------

/** The loss of log probabilities and labels, of which those that do not count are `ignoreIndex`. */
function labelLoss(
  caller: string,
  logs: Tensor,
  target: Tensor,
  mayIgnore: boolean,
  options: CrossEntropyOptions,
): Tensor {
  const { weight, ignoreIndex = -100, labelSmoothing = 0, reduction = "mean" } = options;
  const axis = classAxis(logs);
  const counts = mayIgnore ? ne(target, ignoreIndex) : null;
  const index = counts === null ? target : where(counts, target, 0);
  const picked = view(pick(logs, axis, unsqueeze(index, axis), caller), target.shape);
  const factors = weight ? view(pick(weight, 0, reshape(index, [-1])), target.shape) : null;

  let gain = factors === null ? picked : mul(picked, factors);
  if (labelSmoothing > 0) {
    const overClasses = sum(weighClasses(logs, weight), axis);
    gain = add(mul(gain, 1 - labelSmoothing), mul(overClasses, labelSmoothing / classCount(logs)));
  }
  if (counts !== null) gain = where(counts, gain, 0);
  if (reduction === "none") return neg(gain);
  if (reduction === "sum") return neg(sum(gain));
  if (factors !== null) return div(sum(gain), neg(sum(counts === null ? factors : where(counts, factors, 0))));
  return div(sum(gain), counts === null ? -target.numel() : neg(sum(counts)));
}

/** The loss of log probabilities and the probabilities that they should be. */
function probabilityLoss(logs: Tensor, target: Tensor, options: CrossEntropyOptions): Tensor {
  const { weight, labelSmoothing = 0, reduction = "mean" } = options;
  const classes = classCount(logs);
  const smooth = labelSmoothing === 0 ? target : add(mul(target, 1 - labelSmoothing), labelSmoothing / classes);
  const gain = weighClasses(mul(logs, smooth), weight);
  if (reduction === "none") return neg(sum(gain, classAxis(logs)));
  return reduction === "sum" ? neg(sum(gain)) : div(sum(gain), -logs.numel() / classes);
}

function weighClasses(x: Tensor, weight: Tensor | null | undefined): Tensor {
  return weight ? mul(x, view(weight, [-1, ...x.shape.slice(classAxis(x) + 1).map(() => 1)])) : x;
}

/** −positive·log σ(x) − (1 − t)·log(1 − σ(x)). Two terms that are never negative: nothing cancels, as it would in softplus(x) − t·x. */
function logitLoss(x: Tensor, t: Tensor, positive: Tensor): Tensor {
  return sub(mul(softplus(x, { threshold: STRAIGHT }), add(neg(t), 1)), mul(logSigmoid(x), positive));
}

/** Beyond this softplus(x) is x, in float64 too. */
const STRAIGHT = 100;

/** The same with `positive` = t, as one op. */
function plainLogitLoss(x: Tensor, t: Tensor): Tensor {
  const name = "binaryCrossEntropyWithLogits";
  const out = logitKernel(name, "logitLoss", x, t);
  // σ(x) − t, in two terms that are exact where t is 0 or 1: beside 1 the digits of σ(x) for large x are lost.
  const slope = (x: Tensor, t: Tensor): Tensor => sub(mul(sigmoid(x), add(neg(t), 1)), mul(sigmoid(neg(x)), t));
  return record(name, out, [x, t], [x, t], (g, x, t) => [
    () =>
      composite(() =>
        isGradEnabled() ? mul(slope(x, t), g) : mul_(logitKernel(`${name}Grad`, "logitLossGrad", x, t), g),
      ),
    () => composite(() => mul(neg(x), g)),
  ]);
}

function logitKernel(name: string, op: BinaryOp, x: Tensor, t: Tensor): Tensor {
  const kernels = commonKernels(name, x, t);
  const out = Tensor.allocate(x.shape, x.dtype, x.device, name);
  kernels.binary(op, x, t, out);
  return out;
}

// --- checks -------------------------------------------------------------------------------------------------------------

function checkClasses(where: string, input: Tensor, target: Tensor, { weight, reduction }: NllLossOptions): void {
  commonKernels(where, input, target, ...(weight ? [weight] : []));
  checkReduction(where, reduction);
  checkFloating(where, input.dtype);
  if (input.ndim === 0) {
    throw new ShapeError(
      `${where}: got an input without axes; expected [C], [N, C] or [N, C, …]. Give it a class axis.`,
    );
  }
  if (weight && !sameShape(weight.shape, [classCount(input)])) {
    throw new ShapeError(
      `${where}: got class weights of shape ${formatShape(weight.shape)} for an input of shape ${formatShape(input.shape)}; ` +
        `expected [${classCount(input)}], one weight per class. Correct the number of weights.`,
    );
  }
  if (weight && weight.dtype !== input.dtype) {
    throw new DTypeError(
      `${where}: got class weights of ${weight.dtype} for an input of ${input.dtype}; expected one dtype. Cast them with .to("${input.dtype}").`,
    );
  }
}

function checkProbabilities(input: Tensor, target: Tensor, ignoreIndex: number): void {
  if (!sameShape(target.shape, input.shape)) {
    throw new ShapeError(
      `crossEntropy: got class probabilities of shape ${formatShape(target.shape)} for an input of shape ${formatShape(input.shape)}; ` +
        `expected the input's shape, or labels of int32 without the class axis. Reshape one of them, or cast labels with .int().`,
    );
  }
  if (ignoreIndex >= 0) {
    throw new ArgumentError(
      `crossEntropy: got ignoreIndex = ${ignoreIndex} with class probabilities; expected labels, which alone can be ignored. ` +
        `Leave ignoreIndex out.`,
    );
  }
}
