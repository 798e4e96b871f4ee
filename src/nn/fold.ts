import { fold, type UnfoldOptions, unfold } from "../tensor/ops/windows.js";
import type { Tensor } from "../tensor/tensor.js";
import { type NumberOrPair, type Pair, pairOf } from "../tensor/window.js";
import { checkOptions, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { Module } from "./module.js";

/** The settings of windows, in full. */
interface Windows {
  readonly kernelSize: Pair;
  readonly dilation: Pair;
  readonly padding: Pair;
  readonly stride: Pair;
}

function windowsOf(where: string, kernelSize: NumberOrPair, options: UnfoldOptions): Windows {
  checkOptions(where, options, ["dilation", "padding", "stride"]);
  return {
    kernelSize: pairOf(where, "kernelSize", kernelSize, 1),
    dilation: pairOf(where, "dilation", options.dilation ?? 1, 1),
    padding: pairOf(where, "padding", options.padding ?? 0, 0),
    stride: pairOf(where, "stride", options.stride ?? 1, 1),
  };
}

/**
 * The windows over an image as the columns of a matrix (im2col): [N, C, H, W] → [N, C·kernelHeight·kernelWidth, L] for
 * L windows, or without N.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Unfold.html
 */
export class Unfold extends Module {
  private readonly windows: Windows;

  constructor(kernelSize: NumberOrPair, options: UnfoldOptions = {}) {
    super();
    this.windows = windowsOf("Unfold", kernelSize, options);
  }

  forward(x: Tensor): Tensor {
    const { kernelSize, ...options } = this.windows;
    return inLayer(this, () => unfold(x, kernelSize, options));
  }

  override extraRepr(): string {
    return settings({ ...this.windows });
  }
}

/**
 * Windows that are the columns of a matrix added up into an image (col2im):
 * [N, C·kernelHeight·kernelWidth, L] → [N, C, outputSize], or without N.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Fold.html
 */
export class Fold extends Module {
  readonly outputSize: Pair;
  private readonly windows: Windows;

  constructor(outputSize: NumberOrPair, kernelSize: NumberOrPair, options: UnfoldOptions = {}) {
    super();
    this.outputSize = pairOf("Fold", "outputSize", outputSize, 1);
    this.windows = windowsOf("Fold", kernelSize, options);
  }

  forward(x: Tensor): Tensor {
    const { kernelSize, ...options } = this.windows;
    return inLayer(this, () => fold(x, this.outputSize, kernelSize, options));
  }

  override extraRepr(): string {
    return settings({ outputSize: this.outputSize, ...this.windows });
  }
}
