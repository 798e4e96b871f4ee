import { celu, glu, selu, softmin, softsign } from "../tensor/ops/composedActivations.js";
import { celu_, selu_ } from "../tensor/ops/inPlace.js";
import type { Tensor } from "../tensor/tensor.js";
import type { InplaceOptions } from "./activation.js";
import { checkCount, checkOptions, checkRange, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { Module } from "./module.js";

/**
 * scale·x where x > 0, else scale·alpha·(eˣ − 1), elementwise, with the two factors of `selu`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.SELU.html
 */
export class SELU extends Module {
  readonly inplace: boolean;

  constructor(options: InplaceOptions = {}) {
    super();
    checkOptions("SELU", options, ["inplace"]);
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => (this.inplace ? selu_(x) : selu(x)));
  }

  override extraRepr(): string {
    return settings({ inplace: this.inplace || undefined });
  }
}

/**
 * x where x > 0, else alpha·(e^(x / alpha) − 1), elementwise. Default alpha 1.
 *
 * @throws ArgumentError where alpha is no finite number above 0.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.CELU.html
 */
export class CELU extends Module {
  readonly alpha: number;
  readonly inplace: boolean;

  constructor(alpha = 1, options: InplaceOptions = {}) {
    super();
    checkOptions("CELU", options, ["inplace"]);
    checkRange("CELU", "alpha", alpha, Number.MIN_VALUE, Infinity);
    this.alpha = alpha;
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => (this.inplace ? celu_(x, this.alpha) : celu(x, this.alpha)));
  }

  override extraRepr(): string {
    return settings({ alpha: this.alpha, inplace: this.inplace || undefined });
  }
}

/**
 * The first half along the axis `dim` times the sigmoid of the second half: […, 2·C, …] → […, C, …]. Default: the last axis.
 *
 * @throws ArgumentError where `dim` is no whole number.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.GLU.html
 */
export class GLU extends Module {
  readonly dim: number;

  constructor(dim = -1) {
    super();
    checkCount("GLU", "dim", dim, -Infinity);
    this.dim = dim;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => glu(x, this.dim));
  }

  override extraRepr(): string {
    return settings({ dim: this.dim });
  }
}

/** x / (1 + |x|), elementwise. @see https://pytorch.org/docs/stable/generated/torch.nn.Softsign.html */
export class Softsign extends Module {
  forward(x: Tensor): Tensor {
    return inLayer(this, () => softsign(x));
  }
}

/**
 * Softmax of −x along the axis `dim`, which PyTorch would guess and here has to be given.
 *
 * @throws ArgumentError where `dim` is no whole number.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Softmin.html
 */
export class Softmin extends Module {
  readonly dim: number;

  constructor(dim: number) {
    super();
    checkCount("Softmin", "dim", dim, -Infinity);
    this.dim = dim;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => softmin(x, this.dim));
  }

  override extraRepr(): string {
    return settings({ dim: this.dim });
  }
}
