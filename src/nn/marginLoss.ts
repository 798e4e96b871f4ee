import {
  cosineEmbeddingLoss,
  type HingeEmbeddingLossOptions,
  hingeEmbeddingLoss,
  type MarginLossOptions,
  marginRankingLoss,
  type TripletMarginLossOptions,
  tripletMarginLoss,
} from "../tensor/ops/marginLosses.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkOptions, checkRange, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { Loss } from "./lossBase.js";

/**
 * 1 − cos for vectors that shall be alike (target 1), max(0, cos − margin) for those that shall not (target −1); see
 * `cosineEmbeddingLoss`. Default margin 0.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html
 */
export class CosineEmbeddingLoss extends Loss {
  readonly margin: number;

  constructor(options: MarginLossOptions = {}) {
    checkOptions("CosineEmbeddingLoss", options, ["margin", "reduction"]);
    super("CosineEmbeddingLoss", options);
    const { margin = 0 } = options;
    checkRange("CosineEmbeddingLoss", "margin", margin, -1, Infinity);
    this.margin = margin;
  }

  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return inLayer(this, () => cosineEmbeddingLoss(input1, input2, target, { margin, reduction }));
  }

  override extraRepr(): string {
    return settings({ margin: this.margin, reduction: this.reduction });
  }
}

/**
 * max(0, −target·(input1 − input2) + margin): which of two shall be the greater; see `marginRankingLoss`. Default margin 0.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html
 */
export class MarginRankingLoss extends Loss {
  readonly margin: number;

  constructor(options: MarginLossOptions = {}) {
    checkOptions("MarginRankingLoss", options, ["margin", "reduction"]);
    super("MarginRankingLoss", options);
    const { margin = 0 } = options;
    checkRange("MarginRankingLoss", "margin", margin, -Infinity, Infinity);
    this.margin = margin;
  }

  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return inLayer(this, () => marginRankingLoss(input1, input2, target, { margin, reduction }));
  }

  override extraRepr(): string {
    return settings({ margin: this.margin, reduction: this.reduction });
  }
}

/**
 * max(0, d(anchor, positive) − d(anchor, negative) + margin); see `tripletMarginLoss`. Default margin 1, order p 2.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html
 */
export class TripletMarginLoss extends Loss {
  readonly margin: number;
  readonly p: number;
  readonly eps: number;
  readonly swap: boolean;

  constructor(options: TripletMarginLossOptions = {}) {
    checkOptions("TripletMarginLoss", options, ["margin", "p", "eps", "swap", "reduction"]);
    super("TripletMarginLoss", options);
    const { margin = 1, p = 2, eps = 1e-6, swap = false } = options;
    checkRange("TripletMarginLoss", "margin", margin, Number.MIN_VALUE, Infinity);
    checkRange("TripletMarginLoss", "eps", eps, 0, Infinity);
    this.margin = margin;
    this.p = p;
    this.eps = eps;
    this.swap = swap;
  }

  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { margin, p, eps, swap, reduction } = this;
    return inLayer(this, () => tripletMarginLoss(anchor, positive, negative, { margin, p, eps, swap, reduction }));
  }

  override extraRepr(): string {
    const { margin, p, eps, swap, reduction } = this;
    return settings({ margin, p, eps, swap: swap || undefined, reduction });
  }
}

/**
 * x for distances of what is alike (target 1), max(0, margin − x) for those of what is not (target −1); see
 * `hingeEmbeddingLoss`. Default margin 1.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html
 */
export class HingeEmbeddingLoss extends Loss {
  readonly margin: number;

  constructor(options: HingeEmbeddingLossOptions = {}) {
    checkOptions("HingeEmbeddingLoss", options, ["margin", "reduction"]);
    super("HingeEmbeddingLoss", options);
    const { margin = 1 } = options;
    checkRange("HingeEmbeddingLoss", "margin", margin, -Infinity, Infinity);
    this.margin = margin;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return inLayer(this, () => hingeEmbeddingLoss(input, target, { margin, reduction }));
  }

  override extraRepr(): string {
    return settings({ margin: this.margin, reduction: this.reduction });
  }
}
