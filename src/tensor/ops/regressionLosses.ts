/** Losses that compare numbers or probabilities one by one. */
import { ArgumentError } from "../../errors.js";
import { forRange, refuseCasting } from "../autocast.js";
import { record, withGradMode } from "../autograd.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import type { Tensor } from "../tensor.js";
import { activationSpec } from "./activationSpec.js";
import { add, clamp, div, exp, log, mul, neg, sub } from "./arithmetic.js";
import { sum } from "./broadcast.js";
import { gt } from "./compare.js";
import { applyUnary } from "./elementwise.js";
import { l1Loss } from "./losses.js";
import { checkFactor, checkPair, type LossOptions, reduceLoss } from "./lossParts.js";
import { where } from "./where.js";

/** Settings of {@link smoothL1Loss}. */
export interface SmoothL1LossOptions extends LossOptions {
  /** Difference at which the parabola goes over into the line, 0 or more. Default 1. */
  readonly beta?: number;
}

/** Settings of {@link huberLoss}. */
export interface HuberLossOptions extends LossOptions {
  /** Difference at which the parabola goes over into the line, above 0. Default 1. */
  readonly delta?: number;
  /** Factor of each element's loss; broadcasts to the input's shape. */
  readonly weight?: Tensor | null;
}

/** Settings of {@link binaryCrossEntropy}. */
export interface ProbabilityLossOptions extends LossOptions {
  /** Factor of each element's loss; broadcasts to the input's shape. */
  readonly weight?: Tensor | null;
}

/** Settings of {@link klDiv}. */
export interface KlDivOptions {
  /** `"batchmean"` is the sum divided by the first extent, which is the divergence itself. Default `"mean"`. */
  readonly reduction?: "mean" | "sum" | "none" | "batchmean";
  /** Whether the target holds logarithms too. Default false. */
  readonly logTarget?: boolean;
}

/**
 * Mean of d²/(2·beta) where d = |input − target| is below beta, of d − beta/2 elsewhere. Both have the same shape.
 *
 * @throws ShapeError where the shapes differ.
 * @throws ArgumentError where `beta` is negative.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.smooth_l1_loss.html
 */
export function smoothL1Loss(input: Tensor, target: Tensor, options: SmoothL1LossOptions = {}): Tensor {
  checkOptions("smoothL1Loss", options, ["beta", "reduction"]);
  const { beta = 1, ...others } = options;
  checkPair("smoothL1Loss", input, target, options);
  [input, target] = forRange(input, target);
  checkBend("smoothL1Loss", "beta", beta, beta >= 0, "0 or more");
  if (beta === 0) return l1Loss(input, target, others);
  return composite(() => {
    const loss = reduceLoss(bent(input, target, beta), options);
    return beta === 1 ? loss : div(loss, beta);
  });
}

/**
 * Mean of d²/2 where d = |input − target| is below delta, of delta·(d − delta/2) elsewhere. Both have the same shape.
 *
 * @throws ShapeError where the shapes differ, or the weight does not broadcast to them.
 * @throws ArgumentError where `delta` is not above 0.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.huber_loss.html
 */
export function huberLoss(input: Tensor, target: Tensor, options: HuberLossOptions = {}): Tensor {
  checkOptions("huberLoss", options, ["delta", "weight", "reduction"]);
  const { delta = 1, weight } = options;
  checkPair("huberLoss", input, target, options);
  [input, target] = forRange(input, target);
  checkBend("huberLoss", "delta", delta, delta > 0, "above 0");
  if (weight) checkFactor("huberLoss", weight, input);
  return composite(() => {
    const loss = bent(input, target, delta);
    return reduceLoss(weight ? mul(loss, weight) : loss, options);
  });
}

/**
 * Mean of −(t·log x + (1 − t)·log(1 − x)) for probabilities x and targets t from 0 to 1; logarithms below −100 count as
 * −100. Both have the same shape. Where logits are at hand, {@link binaryCrossEntropyWithLogits} is more exact.
 *
 * @throws ShapeError where the shapes differ, or the weight does not broadcast to them.
 * @throws ArgumentError where an input on the CPU is not from 0 to 1.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html
 */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options: ProbabilityLossOptions = {}): Tensor {
  checkOptions("binaryCrossEntropy", options, ["weight", "reduction"]);
  const { weight } = options;
  checkPair("binaryCrossEntropy", input, target, options);
  refuseCasting("binaryCrossEntropy", "binaryCrossEntropyWithLogits");
  if (weight) checkFactor("binaryCrossEntropy", weight, input);
  checkShares("binaryCrossEntropy", input);
  return composite(() => {
    const loss = crossEntropyOfShares(input, target);
    return reduceLoss(weight ? mul(loss, weight) : loss, options);
  });
}

/**
 * Kullback-Leibler divergence of log probabilities from a target distribution: the mean over all elements of
 * t·(log t − input), which is 0 where t is 0. Both have the same shape; `"batchmean"` divides by the first extent alone.
 *
 * @throws ShapeError where the shapes differ.
 * @throws ArgumentError where the reduction is unknown.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html
 */
export function klDiv(input: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  checkOptions("klDiv", options, ["reduction", "logTarget"]);
  const { reduction = "mean", logTarget = false } = options;
  checkPair("klDiv", input, target, { reduction: reduction === "batchmean" ? "sum" : reduction });
  [input, target] = forRange(input, target);
  return composite(() => {
    const loss = logTarget ? mul(exp(target), sub(target, input)) : sub(plogp(target), mul(target, input));
    if (reduction === "batchmean") return div(sum(loss), input.ndim === 0 ? 1 : input.size(0));
    return reduceLoss(loss, { reduction });
  });
}

/** d²/2 for differences d up to the bend, a line from there on, and no step in its slope. */
function bent(input: Tensor, target: Tensor, bend: number): Tensor {
  const grad = (g: Tensor, d: Tensor): Tensor => mul(g, clamp(d, -bend, bend));
  return applyUnary(activationSpec("huber", "huber", grad, { alpha: bend }), sub(input, target));
}

/** −(t·log x + (1 − t)·log(1 − x)), elementwise, with slopes that stay finite at 0 and 1. */
function crossEntropyOfShares(x: Tensor, t: Tensor): Tensor {
  const logOf = (share: Tensor): Tensor => clamp(log(share), -100);
  const out = withGradMode(false, () => composite(() => sub(mul(sub(t, 1), logOf(add(neg(x), 1))), mul(t, logOf(x)))));
  return record("binaryCrossEntropy", out, [x, t], [x, t], (g, x, t) => [
    () => composite(() => mul(g, div(sub(x, t), clamp(mul(x, add(neg(x), 1)), 1e-12)))),
    () => composite(() => mul(g, sub(logOf(add(neg(x), 1)), logOf(x)))),
  ]);
}

/** t·log t, which is 0 at 0 and has no infinite slope there. */
function plogp(t: Tensor): Tensor {
  return mul(t, log(where(gt(t, 0), t, 1)));
}

function checkBend(where: string, name: string, value: number, isInRange: boolean, range: string): void {
  if (Number.isFinite(value) && isInRange) return;
  throw new ArgumentError(
    `${where}: got ${name} = ${value}; expected a finite number ${range}. It is the difference at which the parabola becomes a line.`,
  );
}

/** The values are looked at where the device can be read at once. */
function checkShares(where: string, input: Tensor): void {
  if (input.kernels.readSync === null) return;
  const values = input.dataSync();
  const wrong = values.findIndex((value: number) => !(value >= 0 && value <= 1));
  if (wrong < 0) return;
  throw new ArgumentError(
    `${where}: got the input ${values[wrong]} at position ${wrong}; expected probabilities from 0 to 1. Apply sigmoid, or use binaryCrossEntropyWithLogits.`,
  );
}
