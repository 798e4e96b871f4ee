import {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  type CrossEntropyOptions,
  crossEntropy,
  type LossOptions,
  l1Loss,
  mseLoss,
  type NllLossOptions,
  nllLoss,
} from "../tensor/ops/losses.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkCount, checkOptions, checkRange, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { type Held, renamed } from "./fields.js";
import { bufferOf, Loss } from "./lossBase.js";
import type { Buffer } from "./parameter.js";

/**
 * Mean (or sum, or each) of (input − target)². Both have the same shape.
 *
 * @throws ArgumentError where the reduction is unknown.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
 */
export class MSELoss extends Loss {
  constructor(options: LossOptions = {}) {
    checkOptions("MSELoss", options, ["reduction"]);
    super("MSELoss", options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return inLayer(this, () => mseLoss(input, target, { reduction: this.reduction }));
  }
}

/**
 * Mean (or sum, or each) of |input − target|. Both have the same shape.
 *
 * @throws ArgumentError where the reduction is unknown.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.L1Loss.html
 */
export class L1Loss extends Loss {
  constructor(options: LossOptions = {}) {
    checkOptions("L1Loss", options, ["reduction"]);
    super("L1Loss", options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return inLayer(this, () => l1Loss(input, target, { reduction: this.reduction }));
  }
}

/**
 * Negative log likelihood of log probabilities [N, C, …] and labels (int32) of that shape without C. Class weights [C]
 * are a buffer.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
 */
export class NLLLoss extends Loss {
  weight: Buffer | null;
  readonly ignoreIndex: number;

  constructor(options: NllLossOptions = {}) {
    checkOptions("NLLLoss", options, ["weight", "ignoreIndex", "reduction"]);
    super("NLLLoss", options);
    const { weight, ignoreIndex = -100 } = options;
    checkCount("NLLLoss", "ignoreIndex", ignoreIndex, -Infinity);
    this.weight = bufferOf(weight);
    this.ignoreIndex = ignoreIndex;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, ignoreIndex, reduction } = this;
    return inLayer(this, () => nllLoss(input, target, { weight, ignoreIndex, reduction }));
  }
}

/**
 * Cross entropy of logits [N, C, …] and labels (int32) of that shape without C, or class probabilities of that very
 * shape. Class weights [C] are a buffer.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
 */
export class CrossEntropyLoss extends Loss {
  weight: Buffer | null;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;

  constructor(options: CrossEntropyOptions = {}) {
    checkOptions("CrossEntropyLoss", options, ["weight", "ignoreIndex", "reduction", "labelSmoothing"]);
    super("CrossEntropyLoss", options);
    const { weight, ignoreIndex = -100, labelSmoothing = 0 } = options;
    checkCount("CrossEntropyLoss", "ignoreIndex", ignoreIndex, -Infinity);
    checkRange("CrossEntropyLoss", "labelSmoothing", labelSmoothing, 0, 1);
    this.weight = bufferOf(weight);
    this.ignoreIndex = ignoreIndex;
    this.labelSmoothing = labelSmoothing;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, ignoreIndex, reduction, labelSmoothing } = this;
    return inLayer(this, () => crossEntropy(input, target, { weight, ignoreIndex, reduction, labelSmoothing }));
  }

  override extraRepr(): string {
    return settings({ reduction: this.reduction, labelSmoothing: this.labelSmoothing || undefined });
  }
}

/**
 * Binary cross entropy of logits and targets from 0 to 1, both of the same shape. `weight` and `posWeight` broadcast to
 * it, and are buffers.
 *
 * @throws ArgumentError where the reduction is unknown.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
 */
export class BCEWithLogitsLoss extends Loss {
  weight: Buffer | null;
  posWeight: Buffer | null;

  constructor(options: BinaryCrossEntropyOptions = {}) {
    checkOptions("BCEWithLogitsLoss", options, ["weight", "reduction", "posWeight"]);
    super("BCEWithLogitsLoss", options);
    this.weight = bufferOf(options.weight);
    this.posWeight = bufferOf(options.posWeight);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, posWeight, reduction } = this;
    return inLayer(this, () => binaryCrossEntropyWithLogits(input, target, { weight, posWeight, reduction }));
  }

  protected override fields(): Iterable<Held<object>> {
    return renamed(super.fields(), { posWeight: "pos_weight" });
  }
}
