import { leakyRelu, leakyRelu_, relu, relu_, sigmoid, tanh } from "../tensor/ops/activations.js";
import { logSoftmax, softmax } from "../tensor/ops/softmax.js";
import type { Tensor } from "../tensor/tensor.js";
import { planesOf } from "../tensor/window.js";
import { checkCount, checkOptions, checkRange, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { Module } from "./module.js";

/** Settings of {@link ReLU} and others. */
export interface InplaceOptions {
  /** Whether the input itself is changed, which saves its memory. Default false. */
  readonly inplace?: boolean;
}

/** max(x, 0), elementwise. @see https://pytorch.org/docs/stable/generated/torch.nn.ReLU.html */
export class ReLU extends Module {
  readonly inplace: boolean;

  constructor(options: InplaceOptions = {}) {
    super();
    checkOptions("ReLU", options, ["inplace"]);
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => (this.inplace ? relu_(x) : relu(x)));
  }

  override extraRepr(): string {
    return settings({ inplace: this.inplace || undefined });
  }
}

/**
 * x where x > 0, else negativeSlope·x, elementwise.
 *
 * @throws ArgumentError where the slope is no finite number.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html
 */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;
  readonly inplace: boolean;

  constructor(negativeSlope = 0.01, options: InplaceOptions = {}) {
    super();
    checkOptions("LeakyReLU", options, ["inplace"]);
    checkRange("LeakyReLU", "negativeSlope", negativeSlope, -Infinity, Infinity);
    this.negativeSlope = negativeSlope;
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => (this.inplace ? leakyRelu_(x, this.negativeSlope) : leakyRelu(x, this.negativeSlope)));
  }

  override extraRepr(): string {
    return settings({ negativeSlope: this.negativeSlope, inplace: this.inplace || undefined });
  }
}

/** The hyperbolic tangent, elementwise. @see https://pytorch.org/docs/stable/generated/torch.nn.Tanh.html */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return inLayer(this, () => tanh(x));
  }
}

/** 1 / (1 + e⁻ˣ), elementwise. @see https://pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return inLayer(this, () => sigmoid(x));
  }
}

/**
 * eˣ / Σ eˣ along the axis `dim`, which PyTorch would guess and here has to be given.
 *
 * @throws ArgumentError where `dim` is no whole number.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Softmax.html
 */
export class Softmax extends Module {
  readonly dim: number;

  constructor(dim: number) {
    super();
    checkCount("Softmax", "dim", dim, -Infinity);
    this.dim = dim;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => softmax(x, this.dim));
  }

  override extraRepr(): string {
    return settings({ dim: this.dim });
  }
}

/**
 * Softmax over the channels at each place of an image, [N, C, H, W] or [C, H, W].
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Softmax2d.html
 */
export class Softmax2d extends Module {
  /** @throws ShapeError where the input is no image. */
  forward(x: Tensor): Tensor {
    return inLayer(this, () => {
      planesOf("Softmax2d", x.shape);
      return softmax(x, -3);
    });
  }
}

/**
 * The logarithm of {@link Softmax}, without its overflow.
 *
 * @throws ArgumentError where `dim` is no whole number.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html
 */
export class LogSoftmax extends Module {
  readonly dim: number;

  constructor(dim: number) {
    super();
    checkCount("LogSoftmax", "dim", dim, -Infinity);
    this.dim = dim;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => logSoftmax(x, this.dim));
  }

  override extraRepr(): string {
    return settings({ dim: this.dim });
  }
}
