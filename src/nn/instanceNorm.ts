import { ShapeError } from "../errors.js";
import { instanceNorm } from "../tensor/ops/groupNorm.js";
import { squeeze, unsqueeze } from "../tensor/ops/layout.js";
import { composite } from "../tensor/scopes.js";
import { formatShape } from "../tensor/shape.js";
import { commonKernels, type Tensor } from "../tensor/tensor.js";
import { checkRange } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import type { ParameterPlace } from "./newParameter.js";
import { RunningNorm } from "./runningNorm.js";

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
abstract class InstanceNorm extends RunningNorm {
  declare readonly momentum: number;

  constructor(where: string, numFeatures: number, options: InstanceNormLayerOptions) {
    super(where, numFeatures, options, Number.MIN_VALUE, false);
    // An average over all batches alike, which null stands for, is for batch norms alone.
    checkRange(where, "momentum", this.momentum, 0, 1);
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
