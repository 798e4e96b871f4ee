import { type Conv1dOptions, type ConvTranspose1dOptions, conv1d, convTranspose1d } from "../tensor/ops/conv1d.js";
import { pad } from "../tensor/ops/pad.js";
import { composite } from "../tensor/scopes.js";
import type { Tensor } from "../tensor/tensor.js";
import { countOf } from "../tensor/window.js";
import { checkOptions } from "./arguments.js";
import {
  Convolution,
  checkPadding,
  convolutionSettings,
  type PaddingMode,
  transposedSettings,
  unless,
} from "./convolutionBase.js";
import { inLayer } from "./errorPlace.js";
import type { ParameterPlace } from "./newParameter.js";

/** Settings of {@link Conv1d}. */
export interface Conv1dLayerOptions extends ParameterPlace, Conv1dOptions {
  /** Whether a bias is learnt and added. Default true. */
  readonly bias?: boolean;
  /** What the padding holds. Default `"zeros"`. */
  readonly paddingMode?: PaddingMode;
}

/** Settings of {@link ConvTranspose1d}. */
export interface ConvTranspose1dLayerOptions extends ParameterPlace, ConvTranspose1dOptions {
  /** Whether a bias is learnt and added. Default true. */
  readonly bias?: boolean;
}

/**
 * 1-D convolution: [N, inChannels, L] → [N, outChannels, L′], or the same without N, where
 * L′ = floor((L + 2·padding − dilation·(kernelSize − 1) − 1) / stride) + 1.
 *
 * `weight` [outChannels, inChannels / groups, kernelSize] and `bias` [outChannels] start evenly distributed over
 * ±1/√(inChannels / groups · kernelSize).
 *
 * @throws ArgumentError where a setting is out of its range, groups do not divide the channels, or `"same"` meets a stride.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
 */
export class Conv1d extends Convolution<number, number> {
  /** @internal Each call gives a tensor that it has just made and keeps no hold of. */
  static readonly makesOutput = true;

  readonly padding: number | "same" | "valid";
  readonly paddingMode: PaddingMode;

  constructor(inChannels: number, outChannels: number, kernelSize: number, options: Conv1dLayerOptions = {}) {
    const where = "Conv1d";
    checkOptions(where, options, convolutionSettings);
    const { padding = 0, paddingMode = "zeros", stride = 1 } = options;
    checkPadding(where, padding, paddingMode, stride, "length");
    if (typeof padding === "number") countOf(where, "padding", padding, 0);
    super(where, inChannels, outChannels, kernelSize, false, options, countOf);
    this.padding = padding;
    this.paddingMode = paddingMode;
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, stride, padding, dilation, groups, paddingMode } = this;
    return inLayer(this, () => {
      if (paddingMode === "zeros") return conv1d(x, weight, bias, { stride, padding, dilation, groups });
      return composite(() => conv1d(pad(x, this.ends(), paddingMode), weight, bias, { stride, dilation, groups }));
    });
  }

  /** Places before and after the sequence; of an odd number the last one comes after it. */
  private ends(): readonly [number, number] {
    const { padding, kernelSize, dilation } = this;
    if (typeof padding === "number") return [padding, padding];
    const total = padding === "same" ? dilation * (kernelSize - 1) : 0;
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  }

  override extraRepr(): string {
    const { padding, paddingMode } = this;
    return this.describeWith(padding, { paddingMode: paddingMode === "zeros" ? undefined : paddingMode });
  }
}

/**
 * 1-D transposed convolution: [N, inChannels, L] → [N, outChannels, L′], or the same without N, where
 * L′ = (L − 1)·stride − 2·padding + dilation·(kernelSize − 1) + outputPadding + 1.
 *
 * `weight` [inChannels, outChannels / groups, kernelSize] and `bias` [outChannels] start evenly distributed over
 * ±1/√(outChannels / groups · kernelSize), as in PyTorch.
 *
 * @throws ArgumentError where a setting is out of its range, or groups do not divide the channels.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html
 */
export class ConvTranspose1d extends Convolution<number, number> {
  /** @internal Each call gives a tensor that it has just made and keeps no hold of. */
  static readonly makesOutput = true;

  readonly padding: number;
  readonly outputPadding: number;

  constructor(inChannels: number, outChannels: number, kernelSize: number, options: ConvTranspose1dLayerOptions = {}) {
    const where = "ConvTranspose1d";
    checkOptions(where, options, transposedSettings);
    const padding = countOf(where, "padding", options.padding ?? 0, 0);
    const outputPadding = countOf(where, "outputPadding", options.outputPadding ?? 0, 0);
    super(where, inChannels, outChannels, kernelSize, true, options, countOf);
    this.padding = padding;
    this.outputPadding = outputPadding;
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, stride, padding, outputPadding, groups, dilation } = this;
    return inLayer(this, () => convTranspose1d(x, weight, bias, { stride, padding, outputPadding, groups, dilation }));
  }

  override extraRepr(): string {
    const { padding, outputPadding } = this;
    return this.describeWith(padding, { outputPadding: unless(0, outputPadding) });
  }
}
