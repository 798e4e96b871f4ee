import { dropout, dropout_, dropout2d, dropout2d_ } from "../tensor/ops/dropout.js";
import type { Tensor } from "../tensor/tensor.js";
import type { InplaceOptions } from "./activation.js";
import { checkOptions, checkRange, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { Module } from "./module.js";

/**
 * In training sets each element to 0 with probability `p` and multiplies the others by 1 / (1 − p); in evaluation gives
 * its input back. Any shape.
 *
 * @throws ArgumentError unless p is from 0 to 1.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html
 * @see N. Srivastava et al.: Dropout, JMLR 15, 2014
 */
export class Dropout extends Module {
  readonly p: number;
  readonly inplace: boolean;

  constructor(p = 0.5, options: InplaceOptions = {}) {
    super();
    checkOptions("Dropout", options, ["inplace"]);
    checkRange("Dropout", "p", p, 0, 1);
    this.p = p;
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => (this.inplace ? dropout_ : dropout)(x, this.p, this.training));
  }

  override extraRepr(): string {
    return settings({ p: this.p, inplace: this.inplace || undefined });
  }
}

/**
 * In training sets each channel of [N, C, H, W] to 0 with probability `p` and multiplies the others by 1 / (1 − p); in
 * evaluation gives its input back.
 *
 * @throws ArgumentError unless p is from 0 to 1.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html
 */
export class Dropout2d extends Module {
  readonly p: number;
  readonly inplace: boolean;

  constructor(p = 0.5, options: InplaceOptions = {}) {
    super();
    checkOptions("Dropout2d", options, ["inplace"]);
    checkRange("Dropout2d", "p", p, 0, 1);
    this.p = p;
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => (this.inplace ? dropout2d_ : dropout2d)(x, this.p, this.training));
  }

  override extraRepr(): string {
    return settings({ p: this.p, inplace: this.inplace || undefined });
  }
}
