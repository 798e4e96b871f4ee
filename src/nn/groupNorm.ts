/** Norms of single samples: over their last axes, or over groups of their channels. */
import { ArgumentError } from "../errors.js";
import { groupNorm } from "../tensor/ops/groupNorm.js";
import { layerNorm } from "../tensor/ops/layerNorm.js";
import type { Shape } from "../tensor/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkCount, checkDType, checkOptions, checkRange, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { ones_, zeros_ } from "./init.js";
import { Module } from "./module.js";
import { newParameter, type ParameterPlace } from "./newParameter.js";
import type { Parameter } from "./parameter.js";

/** Settings of {@link LayerNorm}. */
export interface LayerNormOptions extends ParameterPlace {
  /** What is added to the variance, against division by 0. Default 1e-5. */
  readonly eps?: number;
  /** Whether a factor and an offset are learnt for each element. Default true. */
  readonly elementwiseAffine?: boolean;
  /** Whether the offset is learnt too. Default true. */
  readonly bias?: boolean;
}

/**
 * (x − mean) / √(variance + eps) · weight + bias, with mean and variance over the last axes, which are of `normalizedShape`.
 *
 * @throws ArgumentError where an extent is not a whole number of 1 or more, or a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
 * @see J. L. Ba, J. R. Kiros, G. E. Hinton: Layer Normalization, https://arxiv.org/abs/1607.06450
 */
export class LayerNorm extends Module {
  readonly normalizedShape: Shape;
  readonly eps: number;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(normalizedShape: number | Shape, options: LayerNormOptions = {}) {
    super();
    checkOptions("LayerNorm", options, ["eps", "elementwiseAffine", "bias", "dtype", "device"]);
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = options;
    const shape = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
    if (shape.length === 0) {
      throw new ArgumentError(
        "LayerNorm: got no extents as normalizedShape; expected those of the last axes, at least one. Give the number of features.",
      );
    }
    for (const extent of shape) checkCount("LayerNorm", "normalizedShape", extent);
    checkRange("LayerNorm", "eps", eps, Number.MIN_VALUE, Infinity);
    checkDType("LayerNorm", options.dtype);
    this.normalizedShape = shape;
    this.eps = eps;
    this.weight = elementwiseAffine ? newParameter(shape, options) : null;
    this.bias = elementwiseAffine && bias ? newParameter(shape, options) : null;
    this.resetParameters();
  }

  /** Forgets what was learnt: weight 1, bias 0. */
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  forward(x: Tensor): Tensor {
    const { normalizedShape, weight, bias, eps } = this;
    return inLayer(this, () => layerNorm(x, normalizedShape, weight, bias, { eps }));
  }

  override extraRepr(): string {
    const { normalizedShape, eps, weight } = this;
    return `[${normalizedShape.join(", ")}], ${settings({ eps, elementwiseAffine: weight !== null })}`;
  }
}

/** Settings of {@link GroupNorm}. */
export interface GroupNormOptions extends ParameterPlace {
  /** What is added to the variance, against division by 0. Default 1e-5. */
  readonly eps?: number;
  /** Whether a factor and an offset are learnt for each channel. Default true. */
  readonly affine?: boolean;
}

/**
 * (x − mean) / √(variance + eps) · weight + bias of [N, C, …], with mean and variance over each of `numGroups` groups of
 * channels of each sample.
 *
 * @throws ArgumentError where the groups do not divide the channels, or a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html
 * @see Y. Wu, K. He: Group Normalization, https://arxiv.org/abs/1803.08494
 */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(numGroups: number, numChannels: number, options: GroupNormOptions = {}) {
    super();
    checkOptions("GroupNorm", options, ["eps", "affine", "dtype", "device"]);
    const { eps = 1e-5, affine = true } = options;
    checkCount("GroupNorm", "numGroups", numGroups);
    checkCount("GroupNorm", "numChannels", numChannels);
    if (numChannels % numGroups !== 0) {
      throw new ArgumentError(
        `GroupNorm: got numGroups ${numGroups} for numChannels ${numChannels}; expected a number that divides the channels. Correct one of them.`,
      );
    }
    checkRange("GroupNorm", "eps", eps, Number.MIN_VALUE, Infinity);
    checkDType("GroupNorm", options.dtype);
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.weight = affine ? newParameter([numChannels], options) : null;
    this.bias = affine ? newParameter([numChannels], options) : null;
    this.resetParameters();
  }

  /** Forgets what was learnt: weight 1, bias 0. */
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  forward(x: Tensor): Tensor {
    const { numGroups, weight, bias, eps } = this;
    return inLayer(this, () => groupNorm(x, numGroups, weight, bias, { eps }));
  }

  override extraRepr(): string {
    const { numGroups, numChannels, eps, weight } = this;
    return `${numGroups}, ${numChannels}, ${settings({ eps, affine: weight !== null })}`;
  }
}
