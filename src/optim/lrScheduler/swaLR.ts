import type { AnnealStrategy } from "./oneCycle.js";
import { LRScheduler, type ScheduledGroup, type ScheduledOptimizer } from "./scheduler.js";
import { checkChoice, checkNumber, checkOptions, checkWhole, perGroup } from "./settings.js";

/** Settings of {@link SWALR}. */
export interface SWALROptions {
  /** Steps until the learning rate is reached. Default 10. */
  readonly annealEpochs?: number;
  /** Default `"cos"`. */
  readonly annealStrategy?: AnnealStrategy;
}

/**
 * Takes the learning rate from what it is to `swaLr` in `annealEpochs` steps, and leaves it there: for the part of a
 * training whose weights are averaged.
 *
 * @param swaLr the learning rate, for all groups or for each
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/optim.html#swa-learning-rate-schedules
 */
export class SWALR extends LRScheduler {
  readonly annealEpochs: number;
  private readonly swaLrs: readonly number[];
  private readonly curve: (share: number) => number;
  protected override counters: { steps: number };

  constructor(optimizer: ScheduledOptimizer, swaLr: number | readonly number[], options: SWALROptions = {}) {
    super("SWALR", optimizer);
    checkOptions("SWALR", options, ["annealEpochs", "annealStrategy"]);
    const { annealEpochs = 10, annealStrategy = "cos" } = options;
    this.swaLrs = perGroup("SWALR", "swaLr", swaLr, optimizer.paramGroups.length);
    for (const each of this.swaLrs) checkNumber("SWALR", "swaLr", each, 0);
    checkWhole("SWALR", "annealEpochs", annealEpochs, 0);
    checkChoice("SWALR", "annealStrategy", annealStrategy, ["cos", "linear"]);
    this.annealEpochs = annealEpochs;
    this.curve = annealStrategy === "linear" ? (share) => share : (share) => (1 - Math.cos(Math.PI * share)) / 2;
    this.counters = { steps: 0 };
    this.start();
  }

  protected override beforeStep(): void {
    this.counters.steps += 1;
  }

  protected override first(group: ScheduledGroup, baseLr: number, index: number): number {
    return this.next(group, baseLr, index);
  }

  protected override again(group: ScheduledGroup, baseLr: number, index: number): number {
    return this.next(group, baseLr, index);
  }

  protected override next(group: ScheduledGroup, _baseLr: number, index: number): number {
    const { annealEpochs } = this;
    const swaLr = this.swaLrs[index] ?? group.lr;
    const step = annealEpochs === 0 ? Math.max(1, this.counters.steps) : this.counters.steps;
    const weight = (at: number): number => this.curve(Math.max(0, Math.min(1, at / Math.max(1, annealEpochs))));
    const before = weight(step - 1);
    // Where the way began, so that a rate that was changed by hand since is gone on from.
    const from = before === 1 ? swaLr : (group.lr - before * swaLr) / (1 - before);
    return swaLr * weight(step) + from * (1 - weight(step));
  }
}
