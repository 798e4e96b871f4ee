import { threshold_ } from "../tensor/ops/inPlace.js";
import { hardshrink, softshrink, tanhshrink, threshold } from "../tensor/ops/shrinkActivations.js";
import type { Tensor } from "../tensor/tensor.js";
import type { InplaceOptions } from "./activation.js";
import { checkOptions, checkRange, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { Module } from "./module.js";

/**
 * x where |x| > lambd, else 0, elementwise. Default lambd 0.5.
 *
 * @throws ArgumentError where lambd is no finite number.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Hardshrink.html
 */
export class Hardshrink extends Module {
  readonly lambd: number;

  constructor(lambd = 0.5) {
    super();
    checkRange("Hardshrink", "lambd", lambd, -Infinity, Infinity);
    this.lambd = lambd;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => hardshrink(x, this.lambd));
  }

  override extraRepr(): string {
    return settings({ lambd: this.lambd });
  }
}

/**
 * x brought nearer to 0 by lambd, and no further than 0, elementwise. Default lambd 0.5.
 *
 * @throws ArgumentError where lambd is no finite number of 0 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Softshrink.html
 */
export class Softshrink extends Module {
  readonly lambd: number;

  constructor(lambd = 0.5) {
    super();
    checkRange("Softshrink", "lambd", lambd, 0, Infinity);
    this.lambd = lambd;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => softshrink(x, this.lambd));
  }

  override extraRepr(): string {
    return settings({ lambd: this.lambd });
  }
}

/** x − tanh x, elementwise. @see https://pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html */
export class Tanhshrink extends Module {
  forward(x: Tensor): Tensor {
    return inLayer(this, () => tanhshrink(x));
  }
}

/**
 * x where it is above the threshold, else `value`, elementwise.
 *
 * @throws ArgumentError where a setting is no finite number.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Threshold.html
 */
export class Threshold extends Module {
  readonly threshold: number;
  readonly value: number;
  readonly inplace: boolean;

  constructor(threshold: number, value: number, options: InplaceOptions = {}) {
    super();
    checkOptions("Threshold", options, ["inplace"]);
    checkRange("Threshold", "threshold", threshold, -Infinity, Infinity);
    checkRange("Threshold", "value", value, -Infinity, Infinity);
    this.threshold = threshold;
    this.value = value;
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => (this.inplace ? threshold_ : threshold)(x, this.threshold, this.value));
  }

  override extraRepr(): string {
    return settings({ threshold: this.threshold, value: this.value, inplace: this.inplace || undefined });
  }
}
