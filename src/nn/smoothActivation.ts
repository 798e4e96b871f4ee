import { elu_, mish_, silu_ } from "../tensor/ops/inPlace.js";
import {
  elu,
  type GeluOptions,
  gelu,
  logSigmoid,
  mish,
  type SoftplusOptions,
  silu,
  softplus,
} from "../tensor/ops/smoothActivations.js";
import type { Tensor } from "../tensor/tensor.js";
import type { InplaceOptions } from "./activation.js";
import { checkChoice, checkOptions, checkRange, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { Module } from "./module.js";

/**
 * x·Φ(x), or with `{ approximate: "tanh" }` the formula that comes close to it, elementwise.
 *
 * @throws ArgumentError where `approximate` is neither "none" nor "tanh".
 * @see https://pytorch.org/docs/stable/generated/torch.nn.GELU.html
 */
export class GELU extends Module {
  readonly approximate: "none" | "tanh";

  constructor(options: GeluOptions = {}) {
    super();
    checkOptions("GELU", options, ["approximate"]);
    const { approximate = "none" } = options;
    checkChoice("GELU", "approximate", approximate, ["none", "tanh"]);
    this.approximate = approximate;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => gelu(x, { approximate: this.approximate }));
  }

  override extraRepr(): string {
    return settings({ approximate: this.approximate });
  }
}

/** x / (1 + e⁻ˣ), elementwise. @see https://pytorch.org/docs/stable/generated/torch.nn.SiLU.html */
export class SiLU extends Module {
  readonly inplace: boolean;

  constructor(options: InplaceOptions = {}) {
    super();
    checkOptions("SiLU", options, ["inplace"]);
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => (this.inplace ? silu_(x) : silu(x)));
  }

  override extraRepr(): string {
    return settings({ inplace: this.inplace || undefined });
  }
}

/** x·tanh(log(1 + eˣ)), elementwise. @see https://pytorch.org/docs/stable/generated/torch.nn.Mish.html */
export class Mish extends Module {
  readonly inplace: boolean;

  constructor(options: InplaceOptions = {}) {
    super();
    checkOptions("Mish", options, ["inplace"]);
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => (this.inplace ? mish_(x) : mish(x)));
  }

  override extraRepr(): string {
    return settings({ inplace: this.inplace || undefined });
  }
}

/**
 * log(1 + e^(beta·x)) / beta, elementwise; x itself where beta·x is above the threshold (default 20). Default beta 1.
 *
 * @throws ArgumentError where a setting is no finite number, or beta is not above 0.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Softplus.html
 */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;

  constructor(options: SoftplusOptions = {}) {
    super();
    checkOptions("Softplus", options, ["beta", "threshold"]);
    const { beta = 1, threshold = 20 } = options;
    checkRange("Softplus", "beta", beta, Number.MIN_VALUE, Infinity);
    checkRange("Softplus", "threshold", threshold, -Infinity, Infinity);
    this.beta = beta;
    this.threshold = threshold;
  }

  forward(x: Tensor): Tensor {
    const { beta, threshold } = this;
    return inLayer(this, () => softplus(x, { beta, threshold }));
  }

  override extraRepr(): string {
    return settings({ beta: this.beta, threshold: this.threshold });
  }
}

/**
 * x where x > 0, else alpha·(eˣ − 1), elementwise. Default alpha 1.
 *
 * @throws ArgumentError where alpha is no finite number.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ELU.html
 */
export class ELU extends Module {
  readonly alpha: number;
  readonly inplace: boolean;

  constructor(alpha = 1, options: InplaceOptions = {}) {
    super();
    checkOptions("ELU", options, ["inplace"]);
    checkRange("ELU", "alpha", alpha, -Infinity, Infinity);
    this.alpha = alpha;
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => (this.inplace ? elu_(x, this.alpha) : elu(x, this.alpha)));
  }

  override extraRepr(): string {
    return settings({ alpha: this.alpha, inplace: this.inplace || undefined });
  }
}

/** The logarithm of the sigmoid, elementwise. @see https://pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html */
export class LogSigmoid extends Module {
  forward(x: Tensor): Tensor {
    return inLayer(this, () => logSigmoid(x));
  }
}
