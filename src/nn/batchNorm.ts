import { ShapeError } from "../errors.js";
import { withGradMode } from "../tensor/autograd.js";
import { zerosLike } from "../tensor/create.js";
import { add, add_, div, sub } from "../tensor/ops/arithmetic.js";
import { batchNorm } from "../tensor/ops/normalization.js";
import { composite } from "../tensor/scopes.js";
import { formatShape } from "../tensor/shape.js";
import { commonKernels, type Tensor } from "../tensor/tensor.js";
import { inLayer } from "./errorPlace.js";
import type { ParameterPlace } from "./newParameter.js";
import { RunningNorm } from "./runningNorm.js";

/** Settings of {@link BatchNorm1d} and {@link BatchNorm2d}. */
export interface BatchNormLayerOptions extends ParameterPlace {
  /** What is added to the variance, against division by 0. Default 1e-5. */
  readonly eps?: number;
  /** Weight of the batch in the new running mean and variance; null averages over all batches alike. Default 0.1. */
  readonly momentum?: number | null;
  /** Whether a factor and an offset are learnt for each channel. Default true. */
  readonly affine?: boolean;
  /** Whether running mean and variance are kept, for evaluation. Without them the batch's own are always used. Default true. */
  readonly trackRunningStats?: boolean;
}

/** What both batch norms are made of; they differ in the shapes that they take. */
abstract class BatchNorm extends RunningNorm {
  constructor(where: string, numFeatures: number, options: BatchNormLayerOptions) {
    super(where, numFeatures, options, 0, true);
  }

  /** Says which ranks are taken. */
  protected abstract readonly ranks: { readonly allowed: readonly number[]; readonly text: string };

  forward(x: Tensor): Tensor {
    return inLayer(this, () => {
      this.checkInput(x);
      const { runningMean, runningVar, weight, bias, momentum, eps } = this;
      if (runningMean === null || runningVar === null) {
        return batchNorm(x, null, null, weight, bias, { training: true, eps });
      }
      if (!this.training) return batchNorm(x, runningMean, runningVar, weight, bias, { eps });
      const out =
        momentum === null
          ? this.averaging(x, runningMean, runningVar)
          : batchNorm(x, runningMean, runningVar, weight, bias, { training: true, momentum, eps });
      this.countBatch();
      return out;
    });
  }

  /** Running statistics that are the plain average over batches: after n batches they move by 1 / n of the difference. */
  private averaging(x: Tensor, runningMean: Tensor, runningVar: Tensor): Tensor {
    const { weight, bias, eps, numBatchesTracked } = this;
    return composite(() => {
      const [batchMean, batchVar] = [zerosLike(runningMean), zerosLike(runningVar)];
      const out = batchNorm(x, batchMean, batchVar, weight, bias, { training: true, momentum: 1, eps });
      withGradMode(false, () => {
        const count = numBatchesTracked === null ? 1 : add(numBatchesTracked, 1);
        add_(runningMean, div(sub(batchMean, runningMean), count));
        add_(runningVar, div(sub(batchVar, runningVar), count));
      });
      return out;
    });
  }

  private countBatch(): void {
    const count = this.numBatchesTracked;
    if (count !== null) withGradMode(false, () => add_(count, 1));
  }

  private checkInput(x: Tensor): void {
    commonKernels("batchNorm", x);
    const { allowed, text } = this.ranks;
    const channels = x.shape[1];
    if (allowed.includes(x.ndim) && channels === this.numFeatures) return;
    const cure = allowed.includes(x.ndim)
      ? `Make the layer with numFeatures ${channels}, or correct the channels of the input.`
      : `Reshape it, or take the batch norm for its axes.`;
    throw new ShapeError(
      `batchNorm: got an input of shape ${formatShape(x.shape)}; expected ${text} with C = ${this.numFeatures}. ${cure}`,
    );
  }
}

/**
 * Batch normalization of [N, C] or [N, C, L]: (x − mean) / √(variance + eps) · weight + bias, with mean and variance per
 * channel. In training they are those of the batch, and the running ones become (1 − momentum)·old + momentum·batch, with
 * the unbiased variance; in evaluation the running ones are used.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html
 * @see S. Ioffe, C. Szegedy: Batch Normalization, 2015, https://arxiv.org/abs/1502.03167
 */
export class BatchNorm1d extends BatchNorm {
  /** @internal Each call gives a tensor that it has just made and keeps no hold of. */
  static readonly makesOutput = true;

  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super("BatchNorm1d", numFeatures, options);
  }

  protected get ranks() {
    return { allowed: [2, 3], text: "[N, C] or [N, C, L]" };
  }
}

/**
 * Batch normalization of [N, C, H, W]; see {@link BatchNorm1d}.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
 * @see S. Ioffe, C. Szegedy: Batch Normalization, 2015, https://arxiv.org/abs/1502.03167
 */
export class BatchNorm2d extends BatchNorm {
  /** @internal Each call gives a tensor that it has just made and keeps no hold of. */
  static readonly makesOutput = true;

  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super("BatchNorm2d", numFeatures, options);
  }

  protected get ranks() {
    return { allowed: [4], text: "[N, C, H, W]" };
  }
}
