import { ArgumentError } from "../errors.js";
import {
  type AvgPool2dOptions,
  adaptiveAvgPool2d,
  avgPool2d,
  type MaxPool2dOptions,
  maxPool2d,
  maxPool2dWithIndices,
} from "../tensor/ops/pooling.js";
import type { Tensor } from "../tensor/tensor.js";
import { type NumberOrPair, type Pair, pairOf } from "../tensor/window.js";
import { checkCount, checkOptions, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { Module } from "./module.js";

/** Settings of {@link MaxPool2d}. */
export interface MaxPool2dLayerOptions<Indices extends boolean = boolean>
  extends Omit<MaxPool2dOptions, "returnIndices"> {
  /** Whether `forward` gives [values, indices]. Default false. */
  readonly returnIndices?: Indices;
}

/**
 * The maximum of each window: [N, C, H, W] → [N, C, H′, W′], or without N, where
 * H′ = floor((H + 2·padding − dilation·(kernelSize − 1) − 1) / stride) + 1, in ceil mode rounded up.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
 */
export class MaxPool2d<Indices extends boolean = false> extends Module {
  readonly kernelSize: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly returnIndices: boolean;
  readonly ceilMode: boolean;

  constructor(kernelSize: NumberOrPair, options: MaxPool2dLayerOptions<Indices> = {}) {
    super();
    checkOptions("MaxPool2d", options, ["stride", "padding", "dilation", "returnIndices", "ceilMode"]);
    this.kernelSize = pairOf("MaxPool2d", "kernelSize", kernelSize, 1);
    this.stride = pairOf("MaxPool2d", "stride", options.stride ?? kernelSize, 1);
    this.padding = pairOf("MaxPool2d", "padding", options.padding ?? 0, 0);
    this.dilation = pairOf("MaxPool2d", "dilation", options.dilation ?? 1, 1);
    this.returnIndices = options.returnIndices ?? false;
    this.ceilMode = options.ceilMode ?? false;
  }

  /** The maxima; with `returnIndices` [maxima, indices], where an index is row·W + column in its plane. */
  forward(x: Tensor): Indices extends true ? [Tensor, Tensor] : Tensor;
  forward(x: Tensor): Tensor | [Tensor, Tensor] {
    const { kernelSize, stride, padding, dilation, ceilMode } = this;
    const pool = this.returnIndices ? maxPool2dWithIndices : maxPool2d;
    return inLayer(this, () => pool(x, kernelSize, { stride, padding, dilation, ceilMode }));
  }

  override extraRepr(): string {
    const { kernelSize, stride, padding, dilation, ceilMode } = this;
    return settings({ kernelSize, stride, padding, dilation, ceilMode });
  }
}

/**
 * The average of each window: [N, C, H, W] → [N, C, H′, W′], or without N, where
 * H′ = floor((H + 2·padding − kernelSize) / stride) + 1, in ceil mode rounded up.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
 */
export class AvgPool2d extends Module {
  readonly kernelSize: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
  readonly divisorOverride: number | null;

  constructor(kernelSize: NumberOrPair, options: AvgPool2dOptions = {}) {
    super();
    checkOptions("AvgPool2d", options, ["stride", "padding", "ceilMode", "countIncludePad", "divisorOverride"]);
    this.kernelSize = pairOf("AvgPool2d", "kernelSize", kernelSize, 1);
    this.stride = pairOf("AvgPool2d", "stride", options.stride ?? kernelSize, 1);
    this.padding = pairOf("AvgPool2d", "padding", options.padding ?? 0, 0);
    this.ceilMode = options.ceilMode ?? false;
    this.countIncludePad = options.countIncludePad ?? true;
    this.divisorOverride = options.divisorOverride ?? null;
    if (this.divisorOverride !== null && (!Number.isFinite(this.divisorOverride) || this.divisorOverride === 0)) {
      throw new ArgumentError(
        `AvgPool2d: got divisorOverride ${this.divisorOverride}; expected a finite number that is not 0. Leave it out to divide by the window's size.`,
      );
    }
  }

  forward(x: Tensor): Tensor {
    const { kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride } = this;
    return inLayer(this, () =>
      avgPool2d(x, kernelSize, { stride, padding, ceilMode, countIncludePad, divisorOverride }),
    );
  }

  override extraRepr(): string {
    const { kernelSize, stride, padding } = this;
    return settings({ kernelSize, stride, padding });
  }
}

/**
 * The averages of as many windows as `outputSize` says: [N, C, H, W] → [N, C, outputSize], or without N.
 *
 * @throws ArgumentError where the output size is no whole number of 1 or more, or null, which keeps an extent.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
 */
export class AdaptiveAvgPool2d extends Module {
  readonly outputSize: readonly [number | null, number | null];

  constructor(outputSize: number | null | readonly [number | null, number | null]) {
    super();
    const [height, width] = isPair(outputSize) ? outputSize : [outputSize, outputSize];
    for (const extent of [height, width]) if (extent !== null) checkCount("AdaptiveAvgPool2d", "outputSize", extent);
    this.outputSize = [height, width];
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => adaptiveAvgPool2d(x, this.outputSize));
  }

  override extraRepr(): string {
    return settings({ outputSize: this.outputSize });
  }
}

function isPair<T>(value: T | readonly [T, T]): value is readonly [T, T] {
  return Array.isArray(value) && value.length === 2;
}
