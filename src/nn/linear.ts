import { linear } from "../tensor/ops/matmul.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkCount, checkDType, checkOptions, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { Module } from "./module.js";
import { drawWeights, newParameter, type ParameterPlace } from "./newParameter.js";
import type { Parameter } from "./parameter.js";

/** Settings of {@link Linear}. */
export interface LinearOptions extends ParameterPlace {
  /** Whether a bias is learnt and added. Default true. */
  readonly bias?: boolean;
}

/**
 * y = x · weightᵀ + bias, over the last axis: [..., inFeatures] → [..., outFeatures].
 *
 * `weight` [outFeatures, inFeatures] and `bias` [outFeatures] start evenly distributed over ±1/√inFeatures.
 *
 * @throws ArgumentError where a number of features is not a whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
 */
export class Linear extends Module {
  /** @internal Each call gives a tensor that it has just made and keeps no hold of. */
  static readonly makesOutput = true;

  readonly inFeatures: number;
  readonly outFeatures: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    checkOptions("Linear", options, ["bias", "dtype", "device"]);
    checkCount("Linear", "inFeatures", inFeatures);
    checkCount("Linear", "outFeatures", outFeatures);
    checkDType("Linear", options.dtype);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = newParameter([outFeatures, inFeatures], options);
    this.bias = options.bias === false ? null : newParameter([outFeatures], options);
    this.resetParameters();
  }

  /** Draws weight and bias anew. */
  resetParameters(): void {
    drawWeights(this.weight, this.bias);
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => linear(x, this.weight, this.bias));
  }

  override extraRepr(): string {
    const { inFeatures, outFeatures, bias } = this;
    return settings({ inFeatures, outFeatures, bias: bias !== null });
  }
}
