import { bilinear } from "../tensor/ops/bilinear.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkCount, checkDType, checkOptions, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { uniform_ } from "./init.js";
import type { LinearOptions } from "./linear.js";
import { Module } from "./module.js";
import { newParameter } from "./newParameter.js";
import type { Parameter } from "./parameter.js";

/**
 * y = x₁ᵀ · weight · x₂ + bias: [..., in1Features] and [..., in2Features] → [..., outFeatures].
 *
 * `weight` [outFeatures, in1Features, in2Features] and `bias` [outFeatures] start evenly distributed over ±1/√in1Features.
 *
 * @throws ArgumentError where a number of features is not a whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Bilinear.html
 */
export class Bilinear extends Module {
  readonly in1Features: number;
  readonly in2Features: number;
  readonly outFeatures: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(in1Features: number, in2Features: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    checkOptions("Bilinear", options, ["bias", "dtype", "device"]);
    checkCount("Bilinear", "in1Features", in1Features);
    checkCount("Bilinear", "in2Features", in2Features);
    checkCount("Bilinear", "outFeatures", outFeatures);
    checkDType("Bilinear", options.dtype);
    this.in1Features = in1Features;
    this.in2Features = in2Features;
    this.outFeatures = outFeatures;
    this.weight = newParameter([outFeatures, in1Features, in2Features], options);
    this.bias = options.bias === false ? null : newParameter([outFeatures], options);
    this.resetParameters();
  }

  /** Draws weight and bias anew. */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.in1Features);
    uniform_(this.weight, -bound, bound);
    if (this.bias !== null) uniform_(this.bias, -bound, bound);
  }

  forward(input1: Tensor, input2: Tensor): Tensor {
    return inLayer(this, () => bilinear(input1, input2, this.weight, this.bias));
  }

  override extraRepr(): string {
    const { in1Features, in2Features, outFeatures, bias } = this;
    return settings({ in1Features, in2Features, outFeatures, bias: bias !== null });
  }
}
