/** Layers that change the size of images: pools of a given output, unpooling, upsampling, pixel shuffling. */
import { ArgumentError } from "../errors.js";
import { adaptiveMaxPool2d, adaptiveMaxPool2dWithIndices, type OutputSize } from "../tensor/ops/adaptiveMaxPool.js";
import { channelShuffle } from "../tensor/ops/channelShuffle.js";
import { type InterpolateMode, type InterpolateOptions, interpolate } from "../tensor/ops/interpolate.js";
import { maxUnpool2d } from "../tensor/ops/maxUnpool.js";
import { pixelShuffle, pixelUnshuffle } from "../tensor/ops/pixelShuffle.js";
import type { Shape } from "../tensor/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import { formatSetting, type NumberOrPair, type Pair, pairOf } from "../tensor/window.js";
import { checkChoice, checkCount, checkOptions, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { Module } from "./module.js";

/** Settings of {@link AdaptiveMaxPool2d}. */
export interface AdaptiveMaxPool2dLayerOptions<Indices extends boolean = boolean> {
  /** Whether `forward` gives [values, indices]. Default false. */
  readonly returnIndices?: Indices;
}

/**
 * The maxima of as many windows as `outputSize` says: [N, C, H, W] → [N, C, outputSize], or without N.
 *
 * @throws ArgumentError where the output size is no whole number of 1 or more, or null, which keeps an extent.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html
 */
export class AdaptiveMaxPool2d<Indices extends boolean = false> extends Module {
  readonly outputSize: readonly [number | null, number | null];
  readonly returnIndices: boolean;

  constructor(outputSize: OutputSize, options: AdaptiveMaxPool2dLayerOptions<Indices> = {}) {
    super();
    checkOptions("AdaptiveMaxPool2d", options, ["returnIndices"]);
    const isOne = outputSize === null || typeof outputSize === "number";
    const [height, width] = isOne ? [outputSize, outputSize] : outputSize;
    for (const extent of [height, width]) if (extent !== null) checkCount("AdaptiveMaxPool2d", "outputSize", extent);
    this.outputSize = [height, width];
    this.returnIndices = options.returnIndices ?? false;
  }

  /** The maxima; with `returnIndices` [maxima, indices], where an index is row·W + column in its plane. */
  forward(x: Tensor): Indices extends true ? [Tensor, Tensor] : Tensor;
  forward(x: Tensor): Tensor | [Tensor, Tensor] {
    const pool = this.returnIndices ? adaptiveMaxPool2dWithIndices : adaptiveMaxPool2d;
    return inLayer(this, () => pool(x, this.outputSize));
  }

  override extraRepr(): string {
    return settings({ outputSize: this.outputSize });
  }
}

/** Settings of {@link MaxUnpool2d}. */
export interface MaxUnpool2dLayerOptions {
  /** Steps between the windows of the pool. Default: the kernel size. */
  readonly stride?: NumberOrPair;
  /** Padding of the pool. Default 0. */
  readonly padding?: NumberOrPair;
}

/**
 * Puts what `MaxPool2d` with `returnIndices` gave back to its places: [N, C, H, W] → [N, C, H′, W′], or without N.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool2d.html
 */
export class MaxUnpool2d extends Module {
  readonly kernelSize: Pair;
  readonly stride: Pair;
  readonly padding: Pair;

  constructor(kernelSize: NumberOrPair, options: MaxUnpool2dLayerOptions = {}) {
    super();
    checkOptions("MaxUnpool2d", options, ["stride", "padding"]);
    this.kernelSize = pairOf("MaxUnpool2d", "kernelSize", kernelSize, 1);
    this.stride = pairOf("MaxUnpool2d", "stride", options.stride ?? kernelSize, 1);
    this.padding = pairOf("MaxUnpool2d", "padding", options.padding ?? 0, 0);
  }

  /**
   * @param outputSize extents [H′, W′] of the output, or its whole shape; by default the smallest
   * @throws ArgumentError where no pool of these settings has such an input.
   */
  forward(x: Tensor, indices: Tensor, outputSize: Shape | null = null): Tensor {
    const { kernelSize, stride, padding } = this;
    const [height = 0, width = 0] = outputSize?.slice(-2) ?? [];
    const options = { stride, padding, outputSize: outputSize === null ? null : ([height, width] as const) };
    return inLayer(this, () => maxUnpool2d(x, indices, kernelSize, options));
  }

  override extraRepr(): string {
    const { kernelSize, stride, padding } = this;
    return settings({ kernelSize, stride, padding });
  }
}

/**
 * Enlarges [N, C, L] or [N, C, H, W] to a size or by a factor; see `interpolate`.
 *
 * @throws ArgumentError where not just one of size and scaleFactor is given, or a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html
 */
export class Upsample extends Module {
  readonly size: number | readonly number[] | null;
  readonly scaleFactor: number | readonly number[] | null;
  readonly mode: InterpolateMode;
  readonly alignCorners: boolean | null;

  constructor(options: InterpolateOptions) {
    super();
    checkOptions("Upsample", options, ["size", "scaleFactor", "mode", "alignCorners"]);
    const { size = null, scaleFactor = null, mode = "nearest", alignCorners = null } = options;
    checkChoice("Upsample", "mode", mode, ["nearest", "nearest-exact", "linear", "bilinear", "bicubic", "area"]);
    if ((size === null) === (scaleFactor === null)) {
      throw new ArgumentError(
        `Upsample: got size ${formatSetting(size)} and scaleFactor ${formatSetting(scaleFactor)}; expected one of them. Pass { scaleFactor: 2 }, say.`,
      );
    }
    this.size = size;
    this.scaleFactor = scaleFactor;
    this.mode = mode;
    this.alignCorners = alignCorners;
  }

  forward(x: Tensor): Tensor {
    const { size, scaleFactor, mode, alignCorners } = this;
    return inLayer(this, () => interpolate(x, { size, scaleFactor, mode, alignCorners }));
  }

  override extraRepr(): string {
    const { size, scaleFactor, mode, alignCorners } = this;
    return settings({
      size: size ?? undefined,
      scaleFactor: scaleFactor ?? undefined,
      mode,
      alignCorners: alignCorners ?? undefined,
    });
  }
}

/**
 * Makes of r² channels one image that is r times larger: [N, C·r², H, W] → [N, C, H·r, W·r], or without N.
 *
 * @throws ArgumentError where the factor is no whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.PixelShuffle.html
 */
export class PixelShuffle extends Module {
  readonly upscaleFactor: number;

  constructor(upscaleFactor: number) {
    super();
    checkCount("PixelShuffle", "upscaleFactor", upscaleFactor);
    this.upscaleFactor = upscaleFactor;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => pixelShuffle(x, this.upscaleFactor));
  }

  override extraRepr(): string {
    return settings({ upscaleFactor: this.upscaleFactor });
  }
}

/**
 * Makes of one image r² channels that are r times smaller: [N, C, H·r, W·r] → [N, C·r², H, W], or without N.
 *
 * @throws ArgumentError where the factor is no whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.PixelUnshuffle.html
 */
export class PixelUnshuffle extends Module {
  readonly downscaleFactor: number;

  constructor(downscaleFactor: number) {
    super();
    checkCount("PixelUnshuffle", "downscaleFactor", downscaleFactor);
    this.downscaleFactor = downscaleFactor;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => pixelUnshuffle(x, this.downscaleFactor));
  }

  override extraRepr(): string {
    return settings({ downscaleFactor: this.downscaleFactor });
  }
}

/**
 * Mixes the channels of groups, so that each group of the next convolution gets some from every group: [N, C, …] → [N, C, …].
 *
 * @throws ArgumentError where the number of groups is no whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html
 */
export class ChannelShuffle extends Module {
  readonly groups: number;

  constructor(groups: number) {
    super();
    checkCount("ChannelShuffle", "groups", groups);
    this.groups = groups;
  }

  forward(x: Tensor): Tensor {
    return inLayer(this, () => channelShuffle(x, this.groups));
  }

  override extraRepr(): string {
    return settings({ groups: this.groups });
  }
}
