import { ArgumentError } from "../../errors.js";
import { checkMomentum, setMomentum } from "./momentum.js";
import { LRScheduler, type ScheduledGroup, type ScheduledOptimizer } from "./scheduler.js";
import { checkChoice, checkNumber, checkOptions, checkWhole, perGroup } from "./settings.js";

/** How a number goes from one value to another: along half a cosine, or along a line. */
export type AnnealStrategy = "cos" | "linear";

/** Settings of {@link OneCycleLR}. */
export interface OneCycleLROptions {
  /** Steps of the whole cycle; or give `epochs` and `stepsPerEpoch`. */
  readonly totalSteps?: number;
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  /** Share of the cycle in which the learning rate rises. Default 0.3. */
  readonly pctStart?: number;
  /** Default `"cos"`. */
  readonly annealStrategy?: AnnealStrategy;
  /** Whether momentum (or the first beta) falls while the learning rate rises. Default true. */
  readonly cycleMomentum?: boolean;
  /** The least momentum, for all groups or for each. Default 0.85. */
  readonly baseMomentum?: number | readonly number[];
  /** The greatest momentum, for all groups or for each. Default 0.95. */
  readonly maxMomentum?: number | readonly number[];
  /** The learning rate begins at maxLr / divFactor. Default 25. */
  readonly divFactor?: number;
  /** It ends at that divided by finalDivFactor. Default 1e4. */
  readonly finalDivFactor?: number;
  /** Whether it first falls back to where it began in as many steps as it rose. Default false. */
  readonly threePhase?: boolean;
}

/** Numbers at the ends of a phase. */
interface Phase {
  readonly end: number;
  readonly from: (rates: Rates) => readonly [lr: number, momentum: number];
  readonly to: (rates: Rates) => readonly [lr: number, momentum: number];
}

interface Rates {
  readonly low: number;
  readonly high: number;
  readonly last: number;
  readonly baseMomentum: number;
  readonly maxMomentum: number;
}

/**
 * Takes the learning rate from `maxLr` / `divFactor` up to `maxLr`, and down to nearly 0, once; momentum goes the other way.
 * A step belongs after every batch.
 *
 * @param maxLr the greatest learning rate, for all groups or for each
 * @throws ArgumentError where a setting is out of its range, or the optimizer has no momentum to cycle. At a step: where the
 *   cycle is over.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html
 * @see Smith and Topin: Super-convergence, https://arxiv.org/abs/1708.07120
 */
export class OneCycleLR extends LRScheduler {
  readonly totalSteps: number;
  private readonly phases: readonly Phase[];
  private readonly rates: readonly Rates[];
  private readonly anneal: (from: number, to: number, share: number) => number;
  private readonly cycleMomentum: boolean;

  constructor(optimizer: ScheduledOptimizer, maxLr: number | readonly number[], options: OneCycleLROptions) {
    super("OneCycleLR", optimizer);
    checkOptions("OneCycleLR", options, [
      "totalSteps",
      "epochs",
      "stepsPerEpoch",
      "pctStart",
      "annealStrategy",
      "cycleMomentum",
      "baseMomentum",
      "maxMomentum",
      "divFactor",
      "finalDivFactor",
      "threePhase",
    ]);
    const { pctStart = 0.3, annealStrategy = "cos", cycleMomentum = true, threePhase = false } = options;
    const { baseMomentum = 0.85, maxMomentum = 0.95, divFactor = 25, finalDivFactor = 1e4 } = options;
    this.totalSteps = stepsOf(options);
    checkNumber("OneCycleLR", "pctStart", pctStart, 0, 1);
    checkChoice("OneCycleLR", "annealStrategy", annealStrategy, ["cos", "linear"]);
    checkNumber("OneCycleLR", "divFactor", divFactor, Number.MIN_VALUE);
    checkNumber("OneCycleLR", "finalDivFactor", finalDivFactor, Number.MIN_VALUE);
    const groups = optimizer.paramGroups.length;
    const each = (name: string, value: number | readonly number[], most = Infinity): readonly number[] => {
      const list = perGroup("OneCycleLR", name, value, groups);
      for (const number of list) checkNumber("OneCycleLR", name, number, 0, most);
      return list;
    };
    const lrs = each("maxLr", maxLr);
    const base = each("baseMomentum", baseMomentum, 1);
    const max = each("maxMomentum", maxMomentum, 1);
    if (cycleMomentum) checkMomentum("OneCycleLR", optimizer);
    this.rates = lrs.map((high, index) => ({
      low: high / divFactor,
      high,
      last: high / divFactor / finalDivFactor,
      baseMomentum: base[index] ?? 0,
      maxMomentum: max[index] ?? 0,
    }));
    this.phases = phasesOf(this.totalSteps, pctStart, threePhase);
    this.anneal =
      annealStrategy === "cos"
        ? (from, to, share) => to + ((from - to) / 2) * (Math.cos(Math.PI * share) + 1)
        : (from, to, share) => (to - from) * share + from;
    this.cycleMomentum = cycleMomentum;
    this.beginWith(this.rates.map(({ low }) => low));
    this.start();
  }

  protected override first(group: ScheduledGroup, baseLr: number, index: number): number {
    return this.next(group, baseLr, index);
  }

  protected override again(group: ScheduledGroup, baseLr: number, index: number): number {
    return this.next(group, baseLr, index);
  }

  protected override beforeStep(): void {
    if (this.lastEpoch <= this.totalSteps) return;
    this.lastEpoch -= 1;
    throw new ArgumentError(
      `OneCycleLR: got step ${this.lastEpoch + 1}; expected at most ${this.totalSteps}, the length of the cycle. Give the number of all batches as totalSteps.`,
    );
  }

  protected override next(group: ScheduledGroup, _baseLr: number, index: number): number {
    const rates = this.rates[index];
    const last = this.phases.length - 1;
    const place = this.phases.findIndex(({ end }, position) => this.lastEpoch <= end || position === last);
    const phase = this.phases[place];
    if (rates === undefined || phase === undefined) return group.lr;
    const begin = this.phases[place - 1]?.end ?? 0;
    const share = phase.end === begin ? 1 : (this.lastEpoch - begin) / (phase.end - begin);
    const [lrFrom, momentumFrom] = phase.from(rates);
    const [lrTo, momentumTo] = phase.to(rates);
    if (this.cycleMomentum) setMomentum(group, this.anneal(momentumFrom, momentumTo, share));
    // The step after the last batch lies beyond the end of the line.
    return Math.max(0, this.anneal(lrFrom, lrTo, share));
  }
}

function stepsOf({ totalSteps, epochs, stepsPerEpoch }: OneCycleLROptions): number {
  if (totalSteps !== undefined) {
    checkWhole("OneCycleLR", "totalSteps", totalSteps, 1);
    return totalSteps;
  }
  if (epochs === undefined || stepsPerEpoch === undefined) {
    throw new ArgumentError(
      "OneCycleLR: got neither totalSteps nor both of epochs and stepsPerEpoch; expected the length of the cycle. Pass { totalSteps: epochs * loader.length }.",
    );
  }
  checkWhole("OneCycleLR", "epochs", epochs, 1);
  checkWhole("OneCycleLR", "stepsPerEpoch", stepsPerEpoch, 1);
  return epochs * stepsPerEpoch;
}

function phasesOf(totalSteps: number, pctStart: number, threePhase: boolean): Phase[] {
  const low = ({ low, maxMomentum }: Rates) => [low, maxMomentum] as const;
  const high = ({ high, baseMomentum }: Rates) => [high, baseMomentum] as const;
  const last = ({ last, maxMomentum }: Rates) => [last, maxMomentum] as const;
  const rise = pctStart * totalSteps - 1;
  if (!threePhase) {
    return [
      { end: rise, from: low, to: high },
      { end: totalSteps - 1, from: high, to: last },
    ];
  }
  return [
    { end: rise, from: low, to: high },
    { end: 2 * pctStart * totalSteps - 2, from: high, to: low },
    { end: totalSteps - 1, from: low, to: last },
  ];
}
