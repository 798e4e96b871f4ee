import { ArgumentError } from "../errors.js";
import { hardsigmoid, hardswish, hardtanh, hardtanh_, prelu, relu6 } from "../tensor/ops/hardActivations.js";
import { hardsigmoid_, hardswish_ } from "../tensor/ops/inPlace.js";
import type { Tensor } from "../tensor/tensor.js";
import type { InplaceOptions } from "./activation.js";
import { checkCount, checkDType, checkOptions, checkRange, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { constant_ } from "./init.js";
import { Module } from "./module.js";
import { newParameter, type ParameterPlace } from "./newParameter.js";
import type { Parameter } from "./parameter.js";

/**
 * x held within [minVal, maxVal], elementwise. Default [−1, 1].
 *
 * @throws ArgumentError where the bounds are no finite numbers, the first below the second.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html
 */
export class Hardtanh extends Module {
  readonly minVal: number;
  readonly maxVal: number;
  readonly inplace: boolean;

  constructor(minVal = -1, maxVal = 1, options: InplaceOptions = {}) {
    super();
    checkOptions("Hardtanh", options, ["inplace"]);
    checkRange("Hardtanh", "minVal", minVal, -Infinity, Infinity);
    checkRange("Hardtanh", "maxVal", maxVal, -Infinity, Infinity);
    if (minVal >= maxVal) {
      throw new ArgumentError(
        `Hardtanh: got minVal ${minVal} and maxVal ${maxVal}; expected the first below the second. Swap them.`,
      );
    }
    this.minVal = minVal;
    this.maxVal = maxVal;
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    const { minVal, maxVal, inplace } = this;
    return inLayer(this, () => (inplace ? hardtanh_(x, minVal, maxVal) : hardtanh(x, minVal, maxVal)));
  }

  override extraRepr(): string {
    return settings({ minVal: this.minVal, maxVal: this.maxVal, inplace: this.inplace || undefined });
  }
}

/** min(max(x, 0), 6), elementwise. @see https://pytorch.org/docs/stable/generated/torch.nn.ReLU6.html */
export class ReLU6 extends Module {
  readonly inplace: boolean;

  constructor(options: InplaceOptions = {}) {
    super();
    checkOptions("ReLU6", options, ["inplace"]);
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => (this.inplace ? hardtanh_(x, 0, 6) : relu6(x)));
  }

  override extraRepr(): string {
    return settings({ inplace: this.inplace || undefined });
  }
}

/** x·min(max(x + 3, 0), 6) / 6, elementwise. @see https://pytorch.org/docs/stable/generated/torch.nn.Hardswish.html */
export class Hardswish extends Module {
  readonly inplace: boolean;

  constructor(options: InplaceOptions = {}) {
    super();
    checkOptions("Hardswish", options, ["inplace"]);
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => (this.inplace ? hardswish_(x) : hardswish(x)));
  }

  override extraRepr(): string {
    return settings({ inplace: this.inplace || undefined });
  }
}

/** min(max(x + 3, 0), 6) / 6, elementwise. @see https://pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html */
export class Hardsigmoid extends Module {
  readonly inplace: boolean;

  constructor(options: InplaceOptions = {}) {
    super();
    checkOptions("Hardsigmoid", options, ["inplace"]);
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => (this.inplace ? hardsigmoid_(x) : hardsigmoid(x)));
  }

  override extraRepr(): string {
    return settings({ inplace: this.inplace || undefined });
  }
}

/** Settings of {@link PReLU}. */
export interface PReLUOptions extends ParameterPlace {
  /** Slopes: 1 for all, or as many as there are channels. Default 1. */
  readonly numParameters?: number;
  /** What the slopes begin with. Default 0.25. */
  readonly init?: number;
}

/**
 * x where x > 0, else slope·x, with one slope that is learnt, or one for each channel of [N, C, …].
 *
 * @throws ArgumentError where the number of slopes is not a whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.PReLU.html
 * @see K. He et al.: Delving deep into rectifiers, 2015
 */
export class PReLU extends Module {
  readonly numParameters: number;
  readonly init: number;
  weight: Parameter;

  constructor(options: PReLUOptions = {}) {
    super();
    checkOptions("PReLU", options, ["numParameters", "init", "dtype", "device"]);
    const { numParameters = 1, init = 0.25 } = options;
    checkCount("PReLU", "numParameters", numParameters);
    checkRange("PReLU", "init", init, -Infinity, Infinity);
    checkDType("PReLU", options.dtype);
    this.numParameters = numParameters;
    this.init = init;
    this.weight = newParameter([numParameters], options);
    this.resetParameters();
  }

  /** Sets all slopes to what they began with. */
  resetParameters(): void {
    constant_(this.weight, this.init);
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => prelu(x, this.weight));
  }

  override extraRepr(): string {
    return settings({ numParameters: this.numParameters });
  }
}
