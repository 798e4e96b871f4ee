import type { LossOptions, Reduction } from "../tensor/ops/losses.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkChoice, settings } from "./arguments.js";
import { Module } from "./module.js";
import { Buffer } from "./parameter.js";

/** What all losses share. */
export abstract class Loss extends Module {
  readonly reduction: Reduction;

  constructor(where: string, { reduction = "mean" }: LossOptions) {
    super();
    checkChoice(where, "reduction", reduction, ["mean", "sum", "none"]);
    this.reduction = reduction;
  }

  override extraRepr(): string {
    return settings({ reduction: this.reduction });
  }
}

/** A weight of the user's as part of the module. */
export function bufferOf(weight: Tensor | null | undefined): Buffer | null {
  return weight ? new Buffer(weight) : null;
}
