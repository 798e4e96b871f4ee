import {
  binaryCrossEntropy,
  type HuberLossOptions,
  huberLoss,
  type KlDivOptions,
  klDiv,
  type ProbabilityLossOptions,
  type SmoothL1LossOptions,
  smoothL1Loss,
} from "../tensor/ops/regressionLosses.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkChoice, checkOptions, checkRange, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { bufferOf, Loss } from "./lossBase.js";
import { Module } from "./module.js";
import type { Buffer } from "./parameter.js";

/**
 * Mean (or sum, or each) of d²/(2·beta) where d = |input − target| is below beta (default 1), of d − beta/2 elsewhere.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html
 */
export class SmoothL1Loss extends Loss {
  readonly beta: number;

  constructor(options: SmoothL1LossOptions = {}) {
    checkOptions("SmoothL1Loss", options, ["reduction", "beta"]);
    super("SmoothL1Loss", options);
    const { beta = 1 } = options;
    checkRange("SmoothL1Loss", "beta", beta, 0, Infinity);
    this.beta = beta;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { reduction, beta } = this;
    return inLayer(this, () => smoothL1Loss(input, target, { reduction, beta }));
  }

  override extraRepr(): string {
    return settings({ reduction: this.reduction, beta: this.beta });
  }
}

/** Settings of {@link HuberLoss}. */
export type HuberLossLayerOptions = Omit<HuberLossOptions, "weight">;

/**
 * Mean (or sum, or each) of d²/2 where d = |input − target| is below delta (default 1), of delta·(d − delta/2) elsewhere.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html
 */
export class HuberLoss extends Loss {
  readonly delta: number;

  constructor(options: HuberLossLayerOptions = {}) {
    checkOptions("HuberLoss", options, ["reduction", "delta"]);
    super("HuberLoss", options);
    const { delta = 1 } = options;
    checkRange("HuberLoss", "delta", delta, Number.MIN_VALUE, Infinity);
    this.delta = delta;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { reduction, delta } = this;
    return inLayer(this, () => huberLoss(input, target, { reduction, delta }));
  }

  override extraRepr(): string {
    return settings({ reduction: this.reduction, delta: this.delta });
  }
}

/**
 * Binary cross entropy of probabilities and targets from 0 to 1, both of the same shape. `weight` broadcasts to it, and is a
 * buffer. With logits use `BCEWithLogitsLoss`, which is more exact.
 *
 * @throws ArgumentError where the reduction is unknown.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
 */
export class BCELoss extends Loss {
  weight: Buffer | null;

  constructor(options: ProbabilityLossOptions = {}) {
    checkOptions("BCELoss", options, ["weight", "reduction"]);
    super("BCELoss", options);
    this.weight = bufferOf(options.weight);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, reduction } = this;
    return inLayer(this, () => binaryCrossEntropy(input, target, { weight, reduction }));
  }
}

/**
 * Kullback-Leibler divergence of log probabilities from a target distribution; see `klDiv`.
 *
 * @throws ArgumentError where the reduction is unknown.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html
 */
export class KLDivLoss extends Module {
  readonly reduction: NonNullable<KlDivOptions["reduction"]>;
  readonly logTarget: boolean;

  constructor(options: KlDivOptions = {}) {
    super();
    checkOptions("KLDivLoss", options, ["reduction", "logTarget"]);
    const { reduction = "mean", logTarget = false } = options;
    checkChoice("KLDivLoss", "reduction", reduction, ["mean", "sum", "none", "batchmean"]);
    this.reduction = reduction;
    this.logTarget = logTarget;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { reduction, logTarget } = this;
    return inLayer(this, () => klDiv(input, target, { reduction, logTarget }));
  }

  override extraRepr(): string {
    return settings({ reduction: this.reduction, logTarget: this.logTarget || undefined });
  }
}
