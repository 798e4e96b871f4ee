import { ArgumentError } from "../errors.js";
import { type Conv1dOptions, type ConvTranspose1dOptions, conv1d, convTranspose1d } from "../tensor/ops/conv1d.js";
import { pad } from "../tensor/ops/pad.js";
import { composite } from "../tensor/scopes.js";
import type { Tensor } from "../tensor/tensor.js";
import { countOf } from "../tensor/window.js";
import { checkChoice, checkCount, checkDType, checkGroups, checkOptions, settings } from "./arguments.js";
import { type PaddingMode, paddingModes } from "./convolution.js";
import { inLayer } from "./errorPlace.js";
import { Module } from "./module.js";
import { drawWeights, newParameter, type ParameterPlace } from "./newParameter.js";
import type { Parameter } from "./parameter.js";

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

/** What both convolutions are made of. */
abstract class Convolution1d extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: number;
  readonly stride: number;
  readonly dilation: number;
  readonly groups: number;
  weight: Parameter;
  bias: Parameter | null;

  protected constructor(
    where: string,
    inChannels: number,
    outChannels: number,
    kernelSize: number,
    transposed: boolean,
    options: ConvTranspose1dLayerOptions,
  ) {
    super();
    const { stride = 1, dilation = 1, groups = 1, bias = true } = options;
    checkCount(where, "inChannels", inChannels);
    checkCount(where, "outChannels", outChannels);
    checkGroups(where, groups, { inChannels, outChannels });
    checkDType(where, options.dtype);
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = countOf(where, "kernelSize", kernelSize, 1);
    this.stride = countOf(where, "stride", stride, 1);
    this.dilation = countOf(where, "dilation", dilation, 1);
    this.groups = groups;
    const channels = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    this.weight = newParameter([...channels, kernelSize], options);
    this.bias = bias ? newParameter([outChannels], options) : null;
    this.resetParameters();
  }

  /** Draws weight and bias anew. */
  resetParameters(): void {
    drawWeights(this.weight, this.bias);
  }

  protected describeWith(more: { readonly [name: string]: unknown }): string {
    const { inChannels, outChannels, kernelSize, stride, dilation, groups, bias } = this;
    const numbers = settings({
      kernelSize,
      stride,
      ...more,
      dilation: dilation === 1 ? undefined : dilation,
      groups: groups === 1 ? undefined : groups,
      bias: bias === null ? false : undefined,
    });
    return `${inChannels}, ${outChannels}, ${numbers}`;
  }
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
export class Conv1d extends Convolution1d {
  /** @internal Each call gives a tensor that it has just made and keeps no hold of. */
  static readonly makesOutput = true;

  readonly padding: number | "same" | "valid";
  readonly paddingMode: PaddingMode;

  constructor(inChannels: number, outChannels: number, kernelSize: number, options: Conv1dLayerOptions = {}) {
    checkOptions("Conv1d", options, [
      "stride",
      "padding",
      "dilation",
      "groups",
      "bias",
      "paddingMode",
      "dtype",
      "device",
    ]);
    const { padding = 0, paddingMode = "zeros", ...others } = options;
    checkChoice("Conv1d", "paddingMode", paddingMode, paddingModes);
    if (typeof padding === "string") checkChoice("Conv1d", "padding", padding, ["same", "valid"]);
    else countOf("Conv1d", "padding", padding, 0);
    if (padding === "same" && (options.stride ?? 1) !== 1) {
      throw new ArgumentError(
        `Conv1d: got padding "same" with stride ${options.stride}; expected stride 1, as no padding keeps the length with another. Give the padding in numbers.`,
      );
    }
    super("Conv1d", inChannels, outChannels, kernelSize, false, others);
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
    return this.describeWith({
      padding: padding === 0 ? undefined : padding,
      paddingMode: paddingMode === "zeros" ? undefined : paddingMode,
    });
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
export class ConvTranspose1d extends Convolution1d {
  /** @internal Each call gives a tensor that it has just made and keeps no hold of. */
  static readonly makesOutput = true;

  readonly padding: number;
  readonly outputPadding: number;

  constructor(inChannels: number, outChannels: number, kernelSize: number, options: ConvTranspose1dLayerOptions = {}) {
    checkOptions("ConvTranspose1d", options, [
      "stride",
      "padding",
      "outputPadding",
      "groups",
      "bias",
      "dilation",
      "dtype",
      "device",
    ]);
    const padding = countOf("ConvTranspose1d", "padding", options.padding ?? 0, 0);
    const outputPadding = countOf("ConvTranspose1d", "outputPadding", options.outputPadding ?? 0, 0);
    super("ConvTranspose1d", inChannels, outChannels, kernelSize, true, options);
    this.padding = padding;
    this.outputPadding = outputPadding;
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, stride, padding, outputPadding, groups, dilation } = this;
    return inLayer(this, () => convTranspose1d(x, weight, bias, { stride, padding, outputPadding, groups, dilation }));
  }

  override extraRepr(): string {
    const { padding, outputPadding } = this;
    return this.describeWith({
      padding: padding === 0 ? undefined : padding,
      outputPadding: outputPadding === 0 ? undefined : outputPadding,
    });
  }
}
