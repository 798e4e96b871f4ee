import { ArgumentError } from "../../errors.js";
import { LRScheduler, type ScheduledGroup, type ScheduledOptimizer } from "./scheduler.js";
import { checkChoice, checkNumber, checkOptions, checkWhole, perGroup } from "./settings.js";

/** Settings of {@link ReduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions {
  /** Whether the measure should fall or rise. Default `"min"`. */
  readonly mode?: "min" | "max";
  /** What the learning rate is multiplied by, below 1. Default 0.1. */
  readonly factor?: number;
  /** Steps without progress that are borne. Default 10. */
  readonly patience?: number;
  /** How much better a measure must be to count as progress. Default 1e-4. */
  readonly threshold?: number;
  /** Whether `threshold` is a share of the best measure, or a difference from it. Default `"rel"`. */
  readonly thresholdMode?: "rel" | "abs";
  /** Steps after a reduction that do not count. Default 0. */
  readonly cooldown?: number;
  /** The least learning rate, for all groups or for each. Default 0. */
  readonly minLr?: number | readonly number[];
  /** Smaller changes of the learning rate are not made. Default 1e-8. */
  readonly eps?: number;
}

/**
 * Multiplies the learning rate by `factor` once a measure has not become better for more than `patience` steps. Its
 * {@link step} takes the measure, such as the loss of the validation set.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
 */
export class ReduceLROnPlateau extends LRScheduler {
  private readonly options: Required<Omit<ReduceLROnPlateauOptions, "minLr">>;
  private readonly minLrs: readonly number[];
  protected override counters: { best: number; numBadEpochs: number; cooldownCounter: number };

  constructor(optimizer: ScheduledOptimizer, options: ReduceLROnPlateauOptions = {}) {
    const where = "ReduceLROnPlateau";
    super(where, optimizer);
    checkOptions(where, options, [
      "mode",
      "factor",
      "patience",
      "threshold",
      "thresholdMode",
      "cooldown",
      "minLr",
      "eps",
    ]);
    const { mode = "min", factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = "rel" } = options;
    const { cooldown = 0, minLr = 0, eps = 1e-8 } = options;
    checkChoice(where, "mode", mode, ["min", "max"]);
    checkChoice(where, "thresholdMode", thresholdMode, ["rel", "abs"]);
    checkNumber(where, "factor", factor, 0);
    if (factor >= 1) {
      throw new ArgumentError(
        `${where}: got factor = ${factor}; expected a number below 1, since it shall reduce. Take 0.1, say.`,
      );
    }
    checkWhole(where, "patience", patience, 0);
    checkNumber(where, "threshold", threshold, 0);
    checkWhole(where, "cooldown", cooldown, 0);
    checkNumber(where, "eps", eps, 0);
    this.minLrs = perGroup(where, "minLr", minLr, optimizer.paramGroups.length);
    for (const each of this.minLrs) checkNumber(where, "minLr", each, 0);
    this.options = { mode, factor, patience, threshold, thresholdMode, cooldown, eps };
    this.counters = { best: mode === "min" ? Infinity : -Infinity, numBadEpochs: 0, cooldownCounter: 0 };
  }

  /**
   * Notes a measure, and reduces the learning rate where it is time. NaN counts as no progress.
   *
   * @throws ArgumentError where `metrics` is no number; read a tensor with `await loss.item()` first.
   */
  override step(metrics?: number): void {
    if (typeof metrics !== "number") {
      throw new ArgumentError(
        `ReduceLROnPlateau: got ${typeof metrics === "object" ? "an object" : String(metrics)} as the measure; expected a number. Pass await loss.item().`,
      );
    }
    this.checkGroups();
    this.lastEpoch += 1;
    const { counters, options } = this;
    if (this.isBetter(metrics)) {
      counters.best = metrics;
      counters.numBadEpochs = 0;
    } else {
      counters.numBadEpochs += 1;
    }
    if (counters.cooldownCounter > 0) {
      counters.cooldownCounter -= 1;
      counters.numBadEpochs = 0;
    }
    const isTime = counters.numBadEpochs > options.patience;
    if (isTime) {
      counters.cooldownCounter = options.cooldown;
      counters.numBadEpochs = 0;
    }
    this.setRates((group, baseLr, index) => (isTime ? this.next(group, baseLr, index) : group.lr));
  }

  protected override next(group: ScheduledGroup, _baseLr: number, index: number): number {
    const reduced = Math.max(group.lr * this.options.factor, this.minLrs[index] ?? 0);
    return group.lr - reduced > this.options.eps ? reduced : group.lr;
  }

  private isBetter(measure: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    const { best } = this.counters;
    if (mode === "min") return measure < (thresholdMode === "rel" ? best * (1 - threshold) : best - threshold);
    return measure > (thresholdMode === "rel" ? best * (threshold + 1) : best + threshold);
  }
}
