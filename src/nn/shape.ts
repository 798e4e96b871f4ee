import { flatten } from "../tensor/ops/layout.js";
import { unflatten } from "../tensor/ops/repeating.js";
import type { Shape } from "../tensor/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkCount, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { Module } from "./module.js";

/**
 * Joins the axes from `startDim` to `endDim` (both inclusive) into one; by default all but the batch's.
 *
 * @throws ArgumentError where an axis is no whole number.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Flatten.html
 */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;

  constructor(startDim = 1, endDim = -1) {
    super();
    checkCount("Flatten", "startDim", startDim, -Infinity);
    checkCount("Flatten", "endDim", endDim, -Infinity);
    this.startDim = startDim;
    this.endDim = endDim;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => flatten(x, this.startDim, this.endDim));
  }

  override extraRepr(): string {
    return settings({ startDim: this.startDim, endDim: this.endDim });
  }
}

/** Gives its input back. @see https://pytorch.org/docs/stable/generated/torch.nn.Identity.html */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/**
 * Cuts the axis `dim` into several of the given extents, of which one may be −1.
 *
 * @throws ArgumentError where the axis or an extent is no whole number.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Unflatten.html
 */
export class Unflatten extends Module {
  readonly dim: number;
  readonly unflattenedSize: Shape;

  constructor(dim: number, unflattenedSize: Shape) {
    super();
    checkCount("Unflatten", "dim", dim, -Infinity);
    for (const extent of unflattenedSize) checkCount("Unflatten", "unflattenedSize", extent, -1);
    this.dim = dim;
    this.unflattenedSize = [...unflattenedSize];
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => unflatten(x, this.dim, this.unflattenedSize));
  }

  override extraRepr(): string {
    return settings({ dim: this.dim, unflattenedSize: this.unflattenedSize });
  }
}
