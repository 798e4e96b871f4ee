import { withGradMode } from "../tensor/autograd.js";
import { zero_ } from "../tensor/ops/fill.js";
import { checkCount, checkDType, checkOptions, checkRange, settings } from "./arguments.js";
import { type Held, renamed } from "./fields.js";
import { ones_, zeros_ } from "./init.js";
import { Module } from "./module.js";
import { newBuffer, newParameter, type ParameterPlace } from "./newParameter.js";
import type { Buffer, Parameter } from "./parameter.js";

/** Settings of norms that keep running statistics. */
interface RunningNormOptions extends ParameterPlace {
  readonly eps?: number;
  readonly momentum?: number | null;
  readonly affine?: boolean;
  readonly trackRunningStats?: boolean;
}

/** What batch norms and instance norms are made of: a factor and an offset for each channel, and running statistics. */
export abstract class RunningNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  weight: Parameter | null;
  bias: Parameter | null;
  runningMean: Buffer | null;
  runningVar: Buffer | null;
  numBatchesTracked: Buffer | null;

  /**
   * @param leastEps the least `eps` that is taken
   * @param isFull whether there are factor, offset and running statistics unless the options say otherwise
   */
  constructor(where: string, numFeatures: number, options: RunningNormOptions, leastEps: number, isFull: boolean) {
    super();
    checkOptions(where, options, ["eps", "momentum", "affine", "trackRunningStats", "dtype", "device"]);
    const { eps = 1e-5, momentum = 0.1, affine = isFull, trackRunningStats = isFull } = options;
    checkCount(where, "numFeatures", numFeatures);
    checkRange(where, "eps", eps, leastEps, Infinity);
    if (momentum !== null) checkRange(where, "momentum", momentum, 0, 1);
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
    const { runningMean, runningVar, numBatchesTracked } = this;
    if (runningMean !== null) zeros_(runningMean);
    if (runningVar !== null) ones_(runningVar);
    if (numBatchesTracked !== null) withGradMode(false, () => zero_(numBatchesTracked));
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
