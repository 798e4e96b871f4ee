import { adaptiveAvgPool1d, adaptiveMaxPool1d, adaptiveMaxPool1dWithIndices } from "../tensor/ops/adaptivePool1d.js";
import { type AvgPool1dOptions, avgPool1d, type MaxPool1dOptions, maxPool1d } from "../tensor/ops/pooling1d.js";
import type { Tensor } from "../tensor/tensor.js";
import { countOf } from "../tensor/window.js";
import { checkOptions, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { Module } from "./module.js";

/**
 * The maximum of each window: [N, C, L] → [N, C, L′], or without N; see `maxPool1d`.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html
 */
export class MaxPool1d extends Module {
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  readonly ceilMode: boolean;

  constructor(kernelSize: number, options: MaxPool1dOptions = {}) {
    super();
    checkOptions("MaxPool1d", options, ["stride", "padding", "dilation", "ceilMode"]);
    this.kernelSize = countOf("MaxPool1d", "kernelSize", kernelSize, 1);
    this.stride = countOf("MaxPool1d", "stride", options.stride ?? kernelSize, 1);
    this.padding = countOf("MaxPool1d", "padding", options.padding ?? 0, 0);
    this.dilation = countOf("MaxPool1d", "dilation", options.dilation ?? 1, 1);
    this.ceilMode = options.ceilMode ?? false;
  }

  forward(x: Tensor): Tensor {
    const { kernelSize, stride, padding, dilation, ceilMode } = this;
    return inLayer(this, () => maxPool1d(x, kernelSize, { stride, padding, dilation, ceilMode }));
  }

  override extraRepr(): string {
    const { kernelSize, stride, padding, dilation, ceilMode } = this;
    return settings({ kernelSize, stride, padding, dilation, ceilMode });
  }
}

/**
 * The average of each window: [N, C, L] → [N, C, L′], or without N; see `avgPool1d`.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.AvgPool1d.html
 */
export class AvgPool1d extends Module {
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;

  constructor(kernelSize: number, options: AvgPool1dOptions = {}) {
    super();
    checkOptions("AvgPool1d", options, ["stride", "padding", "ceilMode", "countIncludePad"]);
    this.kernelSize = countOf("AvgPool1d", "kernelSize", kernelSize, 1);
    this.stride = countOf("AvgPool1d", "stride", options.stride ?? kernelSize, 1);
    this.padding = countOf("AvgPool1d", "padding", options.padding ?? 0, 0);
    this.ceilMode = options.ceilMode ?? false;
    this.countIncludePad = options.countIncludePad ?? true;
  }

  forward(x: Tensor): Tensor {
    const { kernelSize, stride, padding, ceilMode, countIncludePad } = this;
    return inLayer(this, () => avgPool1d(x, kernelSize, { stride, padding, ceilMode, countIncludePad }));
  }

  override extraRepr(): string {
    const { kernelSize, stride, padding } = this;
    return settings({ kernelSize, stride, padding });
  }
}

/**
 * The averages of as many windows as `outputSize` says: [N, C, L] → [N, C, outputSize], or without N.
 *
 * @throws ArgumentError where the output size is no whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool1d.html
 */
export class AdaptiveAvgPool1d extends Module {
  readonly outputSize: number;

  constructor(outputSize: number) {
    super();
    this.outputSize = countOf("AdaptiveAvgPool1d", "outputSize", outputSize, 1);
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => adaptiveAvgPool1d(x, this.outputSize));
  }

  override extraRepr(): string {
    return settings({ outputSize: this.outputSize });
  }
}

/** Settings of {@link AdaptiveMaxPool1d}. */
export interface AdaptiveMaxPool1dLayerOptions<Indices extends boolean = boolean> {
  /** Whether `forward` gives [values, indices]. Default false. */
  readonly returnIndices?: Indices;
}

/**
 * The maxima of as many windows as `outputSize` says: [N, C, L] → [N, C, outputSize], or without N.
 *
 * @throws ArgumentError where the output size is no whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool1d.html
 */
export class AdaptiveMaxPool1d<Indices extends boolean = false> extends Module {
  readonly outputSize: number;
  readonly returnIndices: boolean;

  constructor(outputSize: number, options: AdaptiveMaxPool1dLayerOptions<Indices> = {}) {
    super();
    checkOptions("AdaptiveMaxPool1d", options, ["returnIndices"]);
    this.outputSize = countOf("AdaptiveMaxPool1d", "outputSize", outputSize, 1);
    this.returnIndices = options.returnIndices ?? false;
  }

  /** The maxima; with `returnIndices` [maxima, indices], where an index is a place in its sequence. */
  forward(x: Tensor): Indices extends true ? [Tensor, Tensor] : Tensor;
  forward(x: Tensor): Tensor | [Tensor, Tensor] {
    const pool = this.returnIndices ? adaptiveMaxPool1dWithIndices : adaptiveMaxPool1d;
    return inLayer(this, () => pool(x, this.outputSize));
  }

  override extraRepr(): string {
    return settings({ outputSize: this.outputSize });
  }
}
