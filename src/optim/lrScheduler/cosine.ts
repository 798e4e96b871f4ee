/** Schedules along a cosine: CosineAnnealingLR, CosineAnnealingWarmRestarts. */
import { LRScheduler, type ScheduledGroup, type ScheduledOptimizer } from "./scheduler.js";
import { checkNumber, checkOptions, checkWhole } from "./settings.js";

/** Settings of {@link CosineAnnealingLR}. */
export interface CosineAnnealingLROptions {
  /** The least learning rate. Default 0. */
  readonly etaMin?: number;
}

/**
 * Takes the learning rate η₀ down to `etaMin` in `tMax` steps along half a cosine, and up again in as many:
 * η = etaMin + (η₀ − etaMin)·(1 + cos(π·step / tMax)) / 2.
 *
 * @throws ArgumentError where `tMax` is no whole number of 1 or more, or `etaMin` is negative.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html
 * @see Loshchilov and Hutter: SGDR, https://arxiv.org/abs/1608.03983, equation 5
 */
export class CosineAnnealingLR extends LRScheduler {
  readonly tMax: number;
  readonly etaMin: number;

  constructor(optimizer: ScheduledOptimizer, tMax: number, options: CosineAnnealingLROptions = {}) {
    super("CosineAnnealingLR", optimizer);
    checkOptions("CosineAnnealingLR", options, ["etaMin"]);
    const { etaMin = 0 } = options;
    checkWhole("CosineAnnealingLR", "tMax", tMax, 1);
    checkNumber("CosineAnnealingLR", "etaMin", etaMin, 0);
    this.tMax = tMax;
    this.etaMin = etaMin;
    this.start();
  }

  protected override next(group: ScheduledGroup, baseLr: number): number {
    const { tMax, etaMin, lastEpoch } = this;
    // At the bottom of the curve the rate before is etaMin, which no factor leads away from.
    if ((lastEpoch - 1 - tMax) % (2 * tMax) === 0) {
      return group.lr + ((baseLr - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
    }
    const height = (step: number): number => 1 + Math.cos((Math.PI * step) / tMax);
    return (height(lastEpoch) / height(lastEpoch - 1)) * (group.lr - etaMin) + etaMin;
  }
}

/** Settings of {@link CosineAnnealingWarmRestarts}. */
export interface CosineAnnealingWarmRestartsOptions extends CosineAnnealingLROptions {
  /** How many times as long each period is as the one before. Default 1. */
  readonly tMult?: number;
}

/**
 * Takes the learning rate down along half a cosine as {@link CosineAnnealingLR} does, and back to the top at once after
 * `t0` steps, then after `t0`·`tMult` more, and so on.
 *
 * @throws ArgumentError where `t0` or `tMult` is no whole number of 1 or more, or `etaMin` is negative.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html
 * @see Loshchilov and Hutter: SGDR, https://arxiv.org/abs/1608.03983
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  readonly tMult: number;
  readonly etaMin: number;
  protected override counters: { tCur: number; period: number };

  constructor(optimizer: ScheduledOptimizer, t0: number, options: CosineAnnealingWarmRestartsOptions = {}) {
    super("CosineAnnealingWarmRestarts", optimizer);
    checkOptions("CosineAnnealingWarmRestarts", options, ["tMult", "etaMin"]);
    const { tMult = 1, etaMin = 0 } = options;
    checkWhole("CosineAnnealingWarmRestarts", "t0", t0, 1);
    checkWhole("CosineAnnealingWarmRestarts", "tMult", tMult, 1);
    checkNumber("CosineAnnealingWarmRestarts", "etaMin", etaMin, 0);
    this.tMult = tMult;
    this.etaMin = etaMin;
    this.counters = { tCur: 0, period: t0 };
    this.start();
  }

  protected override beforeStep(): void {
    const { counters } = this;
    counters.tCur += 1;
    if (counters.tCur < counters.period) return;
    counters.tCur -= counters.period;
    counters.period *= this.tMult;
  }

  protected override first(group: ScheduledGroup, baseLr: number): number {
    return this.next(group, baseLr);
  }

  protected override next(_group: ScheduledGroup, baseLr: number): number {
    const { tCur, period } = this.counters;
    return this.etaMin + ((baseLr - this.etaMin) * (1 + Math.cos((Math.PI * tCur) / period))) / 2;
  }
}
