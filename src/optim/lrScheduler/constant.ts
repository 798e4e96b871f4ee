/** Schedules for a number of steps, and what a function says at each: ConstantLR, PolynomialLR, MultiplicativeLR. */
import { ArgumentError } from "../../errors.js";
import { LRScheduler, type ScheduledGroup, type ScheduledOptimizer } from "./scheduler.js";
import { checkNumber, checkOptions, checkWhole, perGroup } from "./settings.js";
import type { LrLambda } from "./steps.js";

/** Settings of {@link ConstantLR}. */
export interface ConstantLROptions {
  /** Factor of the learning rate until then, above 0 and up to 1. Default 1/3. */
  readonly factor?: number;
  /** Step at which the learning rate becomes what it was. Default 5. */
  readonly totalIters?: number;
}

/**
 * Multiplies the learning rate by `factor` until step `totalIters`, and leaves it alone from there on.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html
 */
export class ConstantLR extends LRScheduler {
  readonly factor: number;
  readonly totalIters: number;

  constructor(optimizer: ScheduledOptimizer, options: ConstantLROptions = {}) {
    super("ConstantLR", optimizer);
    checkOptions("ConstantLR", options, ["factor", "totalIters"]);
    const { factor = 1 / 3, totalIters = 5 } = options;
    checkNumber("ConstantLR", "factor", factor, Number.MIN_VALUE, 1);
    checkWhole("ConstantLR", "totalIters", totalIters, 1);
    this.factor = factor;
    this.totalIters = totalIters;
    this.start();
  }

  protected override first(group: ScheduledGroup): number {
    return group.lr * this.factor;
  }

  protected override again(_group: ScheduledGroup, baseLr: number): number {
    return baseLr * this.factor;
  }

  protected override next(group: ScheduledGroup): number {
    return this.lastEpoch === this.totalIters ? group.lr / this.factor : group.lr;
  }
}

/** Settings of {@link PolynomialLR}. */
export interface PolynomialLROptions {
  /** Step at which the learning rate is 0. Default 5. */
  readonly totalIters?: number;
  /** Power of the share of steps that are left. Default 1, a straight line. */
  readonly power?: number;
}

/**
 * Takes the learning rate down to 0 in `totalIters` steps: (1 − step / totalIters)^power of what it was. With power 0.9 it is
 * the schedule of many segmentation networks.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html
 */
export class PolynomialLR extends LRScheduler {
  readonly totalIters: number;
  readonly power: number;

  constructor(optimizer: ScheduledOptimizer, options: PolynomialLROptions = {}) {
    super("PolynomialLR", optimizer);
    checkOptions("PolynomialLR", options, ["totalIters", "power"]);
    const { totalIters = 5, power = 1 } = options;
    checkWhole("PolynomialLR", "totalIters", totalIters, 1);
    checkNumber("PolynomialLR", "power", power, 0);
    this.totalIters = totalIters;
    this.power = power;
    this.start();
  }

  protected override next(group: ScheduledGroup): number {
    const { totalIters, power, lastEpoch } = this;
    if (lastEpoch > totalIters) return group.lr;
    return group.lr * ((1 - lastEpoch / totalIters) / (1 - (lastEpoch - 1) / totalIters)) ** power;
  }
}

/**
 * Multiplies the learning rate, at each step, by what a function of the number of steps gives.
 *
 * @param lrLambda a function, or one for each group
 * @throws ArgumentError where there are not as many functions as groups, or (at a step) a rate is no number of 0 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiplicativeLR.html
 */
export class MultiplicativeLR extends LRScheduler {
  readonly lrLambdas: readonly LrLambda[];

  constructor(optimizer: ScheduledOptimizer, lrLambda: LrLambda | readonly LrLambda[]) {
    super("MultiplicativeLR", optimizer);
    this.lrLambdas = perGroup("MultiplicativeLR", "lrLambda", lrLambda, optimizer.paramGroups.length);
    for (const each of this.lrLambdas) {
      if (typeof each === "function") continue;
      throw new ArgumentError(
        `MultiplicativeLR: got ${String(each)} as lrLambda; expected a function from the number of steps to a factor. Write (epoch) => 0.95.`,
      );
    }
    this.start();
  }

  protected override again(group: ScheduledGroup, baseLr: number, index: number): number {
    return this.next(group, baseLr, index);
  }

  protected override next(group: ScheduledGroup, _baseLr: number, index: number): number {
    return group.lr * (this.lrLambdas[index]?.(this.lastEpoch) ?? Number.NaN);
  }
}
