import { ShapeError } from "../errors.js";
import { instanceNorm } from "../tensor/ops/groupNorm.js";
import { squeeze, unsqueeze } from "../tensor/ops/layout.js";
import { composite } from "../tensor/scopes.js";
import { formatShape } from "../tensor/shape.js";
import { commonKernels, type Tensor } from "../tensor/tensor.js";
import { checkCount, checkDType, checkOptions, checkRange, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { type Held, renamed } from "./fields.js";
import { ones_, zeros_ } from "./init.js";
import { Module } from "./module.js";
import { newBuffer, newParameter, type ParameterPlace } from "./newParameter.js";
import type { Buffer, Parameter } from "./parameter.js";

/** Settings of {@link InstanceNorm1d} and {@link InstanceNorm2d}. */
export interface InstanceNormLayerOptions extends ParameterPlace {
  /** What is added to the variance, against division by 0. Default 1e-5. */
  readonly eps?: number;
  /** Weight of the batch in the new running mean and variance. Default 0.1. */
  readonly momentum?: number;
  /** Whether a factor and an offset are learnt for each channel. Default false. */
  readonly affine?: boolean;
  /** Whether running mean and variance are kept, for evaluation. Default false. */
  readonly trackRunningStats?: boolean;
}

/** What both instance norms are made of; they differ in the shapes that they take. */
abstract class InstanceNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number;
  weight: Parameter | null;
  bias: Parameter | null;
  runningMean: Buffer | null;
  runningVar: Buffer | null;
  /** Nothing counts with it; PyTorch's state dicts have it. */
  numBatchesTracked: Buffer | null;

  constructor(where: string, numFeatures: number, options: InstanceNormLayerOptions) {
    super();
    checkOptions(where, options, ["eps", "momentum", "affine", "trackRunningStats", "dtype", "device"]);
    const { eps = 1e-5, momentum = 0.1, affine = false, trackRunningStats = false } = options;
    checkCount(where, "numFeatures", numFeatures);
    checkRange(where, "eps", eps, Number.MIN_VALUE, Infinity);
    checkRange(where, "momentum", momentum, 0, 1);
    checkDType(where, options.dtype);
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? newParameter([numFeatures], options) : null;
    this.bias = affine ? newParameter([numFeatures], options) : null;
    this.runningMean = trackRunningStats ? newBuffer([numFeatures], options) : null;
    this.runningVar = trackRunningStats ? newBuffer([numFeatures], options) : null;
    this.numBatchesTracked = trackRunningStats ? newBuffer([], { ...options, dtype: "int32" }) : null;
    this.resetParameters();
  }

  /** Forgets what was learnt and what was seen: weight 1, bias 0, running mean 0, running variance 1. */
  resetParameters(): void {
    this.resetRunningStats();
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  /** Forgets the running statistics: mean 0, variance 1. */
  resetRunningStats(): void {
    if (this.runningMean !== null) zeros_(this.runningMean);
    if (this.runningVar !== null) ones_(this.runningVar);
  }

  /** The number of axes of a batch, and how it is written. */
  protected abstract readonly batch: { readonly ndim: number; readonly text: string };

  forward(x: Tensor): Tensor {
    return inLayer(this, () => {
      this.checkInput(x);
      if (x.ndim === this.batch.ndim) return this.normalize(x);
      return composite(() => squeeze(this.normalize(unsqueeze(x, 0)), 0));
    });
  }

  private normalize(x: Tensor): Tensor {
    const { runningMean, runningVar, weight, bias, momentum, eps } = this;
    const useInputStats = this.training || runningMean === null;
    return instanceNorm(x, runningMean, runningVar, weight, bias, { useInputStats, momentum, eps });
  }

  private checkInput(x: Tensor): void {
    commonKernels("instanceNorm", x);
    const { ndim, text } = this.batch;
    if ((x.ndim === ndim || x.ndim === ndim - 1) && x.shape[x.ndim - ndim + 1] === this.numFeatures) return;
    throw new ShapeError(
      `instanceNorm: got an input of shape ${formatShape(x.shape)}; expected ${text}, or without N, with C = ${this.numFeatures}. ` +
        "Correct the channels, or reshape it.",
    );
  }

  protected override fields(): Iterable<Held<object>> {
    return renamed(super.fields(), {
      runningMean: "running_mean",
      runningVar: "running_var",
      numBatchesTracked: "num_batches_tracked",
    });
  }

  override extraRepr(): string {
    const { eps, momentum } = this;
    const switches = { affine: this.weight !== null, trackRunningStats: this.runningMean !== null };
    return `${this.numFeatures}, ${settings({ eps, momentum, ...switches })}`;
  }
}

/**
 * Instance normalization of [N, C, L] or [C, L]: (x − mean) / √(variance + eps), with mean and variance over each channel of
 * each sample; with `affine` · weight + bias.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm1d.html
 * @see D. Ulyanov, A. Vedaldi, V. Lempitsky: Instance Normalization, https://arxiv.org/abs/1607.08022
 */
export class InstanceNorm1d extends InstanceNorm {
  constructor(numFeatures: number, options: InstanceNormLayerOptions = {}) {
    super("InstanceNorm1d", numFeatures, options);
  }

  protected get batch() {
    return { ndim: 3, text: "[N, C, L]" };
  }
}

/**
 * Instance normalization of [N, C, H, W] or [C, H, W]; see {@link InstanceNorm1d}.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html
 */
export class InstanceNorm2d extends InstanceNorm {
  constructor(numFeatures: number, options: InstanceNormLayerOptions = {}) {
    super("InstanceNorm2d", numFeatures, options);
  }

  protected get batch() {
    return { ndim: 4, text: "[N, C, H, W]" };
  }
}
