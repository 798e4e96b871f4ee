import {
  type GaussianNllLossOptions,
  gaussianNllLoss,
  type MultilabelSoftMarginLossOptions,
  multilabelSoftMarginLoss,
  type PoissonNllLossOptions,
  poissonNllLoss,
  softMarginLoss,
} from "../tensor/ops/likelihoodLosses.js";
import type { LossOptions } from "../tensor/ops/losses.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkOptions, checkRange, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { bufferOf, Loss } from "./lossBase.js";
import type { Buffer } from "./parameter.js";

/**
 * Negative log likelihood of counts, from the logarithms of the expected ones; see `poissonNllLoss`.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html
 */
export class PoissonNLLLoss extends Loss {
  readonly logInput: boolean;
  readonly full: boolean;
  readonly eps: number;

  constructor(options: PoissonNllLossOptions = {}) {
    checkOptions("PoissonNLLLoss", options, ["logInput", "full", "eps", "reduction"]);
    super("PoissonNLLLoss", options);
    const { logInput = true, full = false, eps = 1e-8 } = options;
    checkRange("PoissonNLLLoss", "eps", eps, Number.MIN_VALUE, Infinity);
    this.logInput = logInput;
    this.full = full;
    this.eps = eps;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { logInput, full, eps, reduction } = this;
    return inLayer(this, () => poissonNllLoss(input, target, { logInput, full, eps, reduction }));
  }

  override extraRepr(): string {
    return settings({ logInput: this.logInput, full: this.full || undefined, reduction: this.reduction });
  }
}

/**
 * Negative log likelihood of numbers under normal distributions whose means and variances a network gives; see `gaussianNllLoss`.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html
 */
export class GaussianNLLLoss extends Loss {
  readonly full: boolean;
  readonly eps: number;

  constructor(options: GaussianNllLossOptions = {}) {
    checkOptions("GaussianNLLLoss", options, ["full", "eps", "reduction"]);
    super("GaussianNLLLoss", options);
    const { full = false, eps = 1e-6 } = options;
    checkRange("GaussianNLLLoss", "eps", eps, Number.MIN_VALUE, Infinity);
    this.full = full;
    this.eps = eps;
  }

  forward(input: Tensor, target: Tensor, variance: Tensor): Tensor {
    const { full, eps, reduction } = this;
    return inLayer(this, () => gaussianNllLoss(input, target, variance, { full, eps, reduction }));
  }

  override extraRepr(): string {
    return settings({ full: this.full || undefined, eps: this.eps, reduction: this.reduction });
  }
}

/**
 * log(1 + e^(−target·input)), for targets of 1 and −1; see `softMarginLoss`.
 *
 * @throws ArgumentError where the reduction is unknown.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html
 */
export class SoftMarginLoss extends Loss {
  constructor(options: LossOptions = {}) {
    checkOptions("SoftMarginLoss", options, ["reduction"]);
    super("SoftMarginLoss", options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return inLayer(this, () => softMarginLoss(input, target, { reduction: this.reduction }));
  }
}

/**
 * Binary cross entropy of logits for several labels at once, its mean over the classes of each sample. `weight` [C] is a buffer.
 *
 * @throws ArgumentError where the reduction is unknown.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html
 */
export class MultiLabelSoftMarginLoss extends Loss {
  weight: Buffer | null;

  constructor(options: MultilabelSoftMarginLossOptions = {}) {
    checkOptions("MultiLabelSoftMarginLoss", options, ["weight", "reduction"]);
    super("MultiLabelSoftMarginLoss", options);
    this.weight = bufferOf(options.weight);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, reduction } = this;
    return inLayer(this, () => multilabelSoftMarginLoss(input, target, { weight, reduction }));
  }
}
