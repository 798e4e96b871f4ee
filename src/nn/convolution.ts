import { ShapeError } from "../errors.js";
import { type ConvPadding, conv2d, convTranspose2d } from "../tensor/ops/convolution.js";
import { type PadMode, pad } from "../tensor/ops/pad.js";
import { composite } from "../tensor/scopes.js";
import { at, formatShape, type Shape } from "../tensor/shape.js";
import { commonKernels, type Tensor } from "../tensor/tensor.js";
import { evenPadding, type NumberOrPair, type Pair, pairOf, samePadding } from "../tensor/window.js";
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

/** Settings of {@link Conv2d}. */
export interface Conv2dLayerOptions extends ParameterPlace {
  /** Steps between windows. Default 1. */
  readonly stride?: NumberOrPair;
  /** Rows and columns around the input; `"same"` keeps its extents, `"valid"` is 0. Default 0. */
  readonly padding?: ConvPadding;
  /** Steps between taps of the kernel. Default 1. */
  readonly dilation?: NumberOrPair;
  /** Groups of channels that are convolved apart; divides both numbers of channels. Default 1. */
  readonly groups?: number;
  /** Whether a bias is learnt and added. Default true. */
  readonly bias?: boolean;
  /** What the padding holds. Default `"zeros"`. */
  readonly paddingMode?: PaddingMode;
}

/** Settings of {@link ConvTranspose2d}. */
export interface ConvTranspose2dLayerOptions extends ParameterPlace {
  /** Steps between windows in the output. Default 1. */
  readonly stride?: NumberOrPair;
  /** Rows and columns to cut off around the output. Default 0. */
  readonly padding?: NumberOrPair;
  /** Rows and columns to add at the bottom and right of the output. Default 0. */
  readonly outputPadding?: NumberOrPair;
  /** Groups of channels that are convolved apart; divides both numbers of channels. Default 1. */
  readonly groups?: number;
  /** Whether a bias is learnt and added. Default true. */
  readonly bias?: boolean;
  /** Steps between taps of the kernel. Default 1. */
  readonly dilation?: NumberOrPair;
}

/**
 * 2-D convolution: [N, inChannels, H, W] → [N, outChannels, H′, W′], or the same without N, where
 * H′ = floor((H + 2·padding − dilation·(kernelSize − 1) − 1) / stride) + 1.
 *
 * `weight` [outChannels, inChannels / groups, kernelHeight, kernelWidth] and `bias` [outChannels] start evenly distributed
 * over ±1/√(inChannels / groups · kernelHeight · kernelWidth).
 *
 * @throws ArgumentError where a setting is out of its range, groups do not divide the channels, or `"same"` meets a stride.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
 */
export class Conv2d extends Convolution<NumberOrPair, Pair> {
  /** @internal Each call gives a tensor that it has just made and keeps no hold of. */
  static readonly makesOutput = true;

  readonly padding: Pair | "same" | "valid";
  readonly paddingMode: PaddingMode;

  constructor(inChannels: number, outChannels: number, kernelSize: NumberOrPair, options: Conv2dLayerOptions = {}) {
    const where = "Conv2d";
    checkOptions(where, options, convolutionSettings);
    const { padding = 0, paddingMode = "zeros", stride = 1 } = options;
    checkPadding(where, padding, paddingMode, pairOf(where, "stride", stride, 1), "extents");
    const pair = typeof padding === "string" ? padding : pairOf(where, "padding", padding, 0);
    super(where, inChannels, outChannels, kernelSize, false, options, pairOf);
    this.padding = pair;
    this.paddingMode = paddingMode;
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, stride, padding, dilation, groups, paddingMode } = this;
    return inLayer(this, () =>
      paddingMode === "zeros"
        ? conv2d(x, weight, bias, { stride, padding, dilation, groups })
        : composite(() => conv2d(this.padded(x, paddingMode), weight, bias, { stride, dilation, groups })),
    );
  }

  private padded(x: Tensor, mode: PadMode): Tensor {
    const { padding, kernelSize, dilation } = this;
    const sides =
      padding === "same" ? samePadding(kernelSize, dilation) : evenPadding(padding === "valid" ? [0, 0] : padding);
    return pad(x, [sides.left, sides.right, sides.top, sides.bottom], mode);
  }

  override extraRepr(): string {
    const { padding, paddingMode } = this;
    return this.describeWith(padding, { paddingMode: paddingMode === "zeros" ? undefined : paddingMode });
  }
}

/**
 * 2-D transposed convolution: [N, inChannels, H, W] → [N, outChannels, H′, W′], or the same without N, where
 * H′ = (H − 1)·stride − 2·padding + dilation·(kernelSize − 1) + outputPadding + 1.
 *
 * `weight` [inChannels, outChannels / groups, kernelHeight, kernelWidth] and `bias` [outChannels] start evenly
 * distributed over ±1/√(outChannels / groups · kernelHeight · kernelWidth), as in PyTorch.
 *
 * @throws ArgumentError where a setting is out of its range, or groups do not divide the channels.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
 */
export class ConvTranspose2d extends Convolution<NumberOrPair, Pair> {
  /** @internal Each call gives a tensor that it has just made and keeps no hold of. */
  static readonly makesOutput = true;

  readonly padding: Pair;
  readonly outputPadding: Pair;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: NumberOrPair,
    options: ConvTranspose2dLayerOptions = {},
  ) {
    const where = "ConvTranspose2d";
    checkOptions(where, options, transposedSettings);
    const padding = pairOf(where, "padding", options.padding ?? 0, 0);
    const outputPadding = pairOf(where, "outputPadding", options.outputPadding ?? 0, 0);
    super(where, inChannels, outChannels, kernelSize, true, options, pairOf);
    this.padding = padding;
    this.outputPadding = outputPadding;
  }

  /**
   * @param outputSize extents [H′, W′] of the output, or its whole shape, in place of `outputPadding`
   * @throws ShapeError where no output padding gives that size.
   */
  forward(x: Tensor, outputSize: Shape | null = null): Tensor {
    return inLayer(this, () => {
      const { weight, bias, stride, padding, dilation, groups } = this;
      const outputPadding = outputSize === null ? this.outputPadding : this.paddingFor(x, outputSize);
      return convTranspose2d(x, weight, bias, { stride, padding, outputPadding, groups, dilation });
    });
  }

  private paddingFor(x: Tensor, outputSize: Shape): Pair {
    commonKernels("convTranspose2d", x);
    const { kernelSize, stride, padding, dilation } = this;
    const least = ([0, 1] as const).map(
      (axis) =>
        ((x.shape.at(axis - 2) ?? 1) - 1) * stride[axis] -
        2 * padding[axis] +
        dilation[axis] * (kernelSize[axis] - 1) +
        1,
    );
    const most = ([0, 1] as const).map((axis) => at(least, axis) + stride[axis] - 1);
    const wanted = outputSize.slice(-2);
    const fits =
      (outputSize.length === 2 || outputSize.length === x.ndim) &&
      wanted.every((extent, axis) => Number.isInteger(extent) && extent >= at(least, axis) && extent <= at(most, axis));
    if (!fits) {
      throw new ShapeError(
        `convTranspose2d: got outputSize ${formatShape(outputSize)} for an input of shape ${formatShape(x.shape)}; ` +
          `expected [height, width] from ${formatShape(least)} to ${formatShape(most)}. Choose a size between, or leave it out.`,
      );
    }
    return [at(wanted, 0) - at(least, 0), at(wanted, 1) - at(least, 1)];
  }

  override extraRepr(): string {
    const { padding, outputPadding } = this;
    return this.describeWith(padding, { outputPadding: unless(0, outputPadding) });
  }
}
