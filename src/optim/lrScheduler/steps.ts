/** Schedules that multiply the learning rate as they go: StepLR, MultiStepLR, ExponentialLR, LinearLR, LambdaLR. */
import { ArgumentError } from "../../errors.js";
import { LRScheduler, type ScheduledGroup, type ScheduledOptimizer } from "./scheduler.js";
import { checkNumber, checkOptions, checkWhole, perGroup } from "./settings.js";

/** Settings of {@link StepLR} and {@link MultiStepLR}. */
export interface GammaOptions {
  /** What the learning rate is multiplied by. Default 0.1. */
  readonly gamma?: number;
}

/**
 * Multiplies the learning rate by `gamma` at every `stepSize`-th step.
 *
 * @throws ArgumentError where `stepSize` is no whole number of 1 or more, or `gamma` is negative.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html
 */
export class StepLR extends LRScheduler {
  readonly stepSize: number;
  readonly gamma: number;

  constructor(optimizer: ScheduledOptimizer, stepSize: number, options: GammaOptions = {}) {
    super("StepLR", optimizer);
    checkOptions("StepLR", options, ["gamma"]);
    const { gamma = 0.1 } = options;
    checkWhole("StepLR", "stepSize", stepSize, 1);
    checkNumber("StepLR", "gamma", gamma, 0);
    this.stepSize = stepSize;
    this.gamma = gamma;
    this.start();
  }

  protected override next(group: ScheduledGroup): number {
    return this.lastEpoch % this.stepSize === 0 ? group.lr * this.gamma : group.lr;
  }
}

/**
 * Multiplies the learning rate by `gamma` at each of the given steps; at one that is given twice, twice.
 *
 * @throws ArgumentError where a milestone is no whole number of 0 or more, or `gamma` is negative.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html
 */
export class MultiStepLR extends LRScheduler {
  readonly milestones: readonly number[];
  readonly gamma: number;

  constructor(optimizer: ScheduledOptimizer, milestones: Iterable<number>, options: GammaOptions = {}) {
    super("MultiStepLR", optimizer);
    checkOptions("MultiStepLR", options, ["gamma"]);
    const { gamma = 0.1 } = options;
    this.milestones = [...milestones];
    for (const milestone of this.milestones) checkWhole("MultiStepLR", "a milestone", milestone, 0);
    checkNumber("MultiStepLR", "gamma", gamma, 0);
    this.gamma = gamma;
    this.start();
  }

  protected override first(group: ScheduledGroup): number {
    return group.lr * this.factor();
  }

  protected override again(_group: ScheduledGroup, baseLr: number): number {
    return baseLr * this.factor();
  }

  protected override next(group: ScheduledGroup): number {
    return group.lr * this.factor();
  }

  private factor(): number {
    return this.gamma ** this.milestones.filter((milestone) => milestone === this.lastEpoch).length;
  }
}

/**
 * Multiplies the learning rate by `gamma` at every step.
 *
 * @throws ArgumentError where `gamma` is negative.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html
 */
export class ExponentialLR extends LRScheduler {
  readonly gamma: number;

  constructor(optimizer: ScheduledOptimizer, gamma: number) {
    super("ExponentialLR", optimizer);
    checkNumber("ExponentialLR", "gamma", gamma, 0);
    this.gamma = gamma;
    this.start();
  }

  protected override next(group: ScheduledGroup): number {
    return group.lr * this.gamma;
  }
}

/** Settings of {@link LinearLR}. */
export interface LinearLROptions {
  /** Factor of the learning rate at the start, above 0 and up to 1. Default 1/3. */
  readonly startFactor?: number;
  /** Factor at the end, from 0 to 1. Default 1. */
  readonly endFactor?: number;
  /** Steps from the start to the end. Default 5. */
  readonly totalIters?: number;
}

/**
 * Takes the factor of the learning rate from `startFactor` to `endFactor` in `totalIters` even steps, and leaves it there:
 * a warm-up.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html
 */
export class LinearLR extends LRScheduler {
  readonly startFactor: number;
  readonly endFactor: number;
  readonly totalIters: number;

  constructor(optimizer: ScheduledOptimizer, options: LinearLROptions = {}) {
    super("LinearLR", optimizer);
    checkOptions("LinearLR", options, ["startFactor", "endFactor", "totalIters"]);
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
    checkNumber("LinearLR", "startFactor", startFactor, Number.MIN_VALUE, 1);
    checkNumber("LinearLR", "endFactor", endFactor, 0, 1);
    checkWhole("LinearLR", "totalIters", totalIters, 1);
    this.startFactor = startFactor;
    this.endFactor = endFactor;
    this.totalIters = totalIters;
    this.start();
  }

  protected override first(group: ScheduledGroup): number {
    return group.lr * this.startFactor;
  }

  protected override again(_group: ScheduledGroup, baseLr: number): number {
    return baseLr * this.startFactor;
  }

  protected override next(group: ScheduledGroup): number {
    const { startFactor, endFactor, totalIters, lastEpoch } = this;
    if (lastEpoch > totalIters) return group.lr;
    const rise = endFactor - startFactor;
    return group.lr * (1 + rise / (totalIters * startFactor + (lastEpoch - 1) * rise));
  }
}

/** From the number of steps made to a factor of the learning rate. */
export type LrLambda = (epoch: number) => number;

/**
 * Multiplies the learning rate that a group began with by what a function of the number of steps gives.
 *
 * @param lrLambda a function, or one for each group
 * @throws ArgumentError where there are not as many functions as groups, or (at a step) one gives no number of 0 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LambdaLR.html
 */
export class LambdaLR extends LRScheduler {
  readonly lrLambdas: readonly LrLambda[];

  constructor(optimizer: ScheduledOptimizer, lrLambda: LrLambda | readonly LrLambda[]) {
    super("LambdaLR", optimizer);
    this.lrLambdas = perGroup("LambdaLR", "lrLambda", lrLambda, optimizer.paramGroups.length);
    for (const each of this.lrLambdas) {
      if (typeof each === "function") continue;
      throw new ArgumentError(
        `LambdaLR: got ${String(each)} as lrLambda; expected a function from the number of steps to a factor. Write (epoch) => 0.9 ** epoch.`,
      );
    }
    this.start();
  }

  protected override first(_group: ScheduledGroup, baseLr: number, index: number): number {
    return this.next(_group, baseLr, index);
  }

  protected override again(_group: ScheduledGroup, baseLr: number, index: number): number {
    return this.next(_group, baseLr, index);
  }

  protected override next(_group: ScheduledGroup, baseLr: number, index: number): number {
    return baseLr * (this.lrLambdas[index]?.(this.lastEpoch) ?? Number.NaN);
  }
}
