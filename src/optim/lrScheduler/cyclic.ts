import { ArgumentError } from "../../errors.js";
import { checkMomentum, setMomentum } from "./momentum.js";
import { LRScheduler, type ScheduledGroup, type ScheduledOptimizer } from "./scheduler.js";
import { checkChoice, checkNumber, checkOptions, checkWhole, perGroup } from "./settings.js";

/** Settings of {@link CyclicLR}. */
export interface CyclicLROptions {
  /** Steps of the way up. Default 2000. */
  readonly stepSizeUp?: number;
  /** Steps of the way down. Default: as many as up. */
  readonly stepSizeDown?: number | null;
  /**
   * `"triangular"` (the default): all cycles are as high; `"triangular2"`: each is half as high as the one before;
   * `"expRange"`: their height is multiplied by gamma^step.
   */
  readonly mode?: "triangular" | "triangular2" | "expRange";
  /** The base of `"expRange"`. Default 1. */
  readonly gamma?: number;
  /** A factor of the height, of the number of the cycle from 1 on or of the step; then `mode` does not count. */
  readonly scaleFn?: ((count: number) => number) | null;
  /** What `scaleFn` is a function of. Default `"cycle"`. */
  readonly scaleMode?: "cycle" | "iterations";
  /** Whether momentum (or the first beta) falls while the learning rate rises, and back. Default true. */
  readonly cycleMomentum?: boolean;
  /** The least momentum, for all groups or each. Default 0.8. */
  readonly baseMomentum?: number | readonly number[];
  /** The greatest momentum, for all groups or each. Default 0.9. */
  readonly maxMomentum?: number | readonly number[];
}

/**
 * Lets the learning rate go in straight lines from `baseLr` up to `maxLr` and back, again and again. Step it after each batch.
 *
 * @param baseLr the least learning rate, for all groups or each; it is set at once
 * @param maxLr the greatest one of the first cycle, for all groups or each
 * @throws ArgumentError where a setting is out of its range, or the optimizer has no momentum to cycle.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CyclicLR.html
 * @see L. N. Smith: Cyclical Learning Rates for Training Neural Networks, https://arxiv.org/abs/1506.01186
 */
export class CyclicLR extends LRScheduler {
  readonly totalSize: number;
  private readonly stepRatio: number;
  private readonly maxLrs: readonly number[];
  private readonly momenta: readonly (readonly [base: number, max: number])[] | null;
  private readonly scaleAt: (cycle: number, step: number) => number;

  constructor(
    optimizer: ScheduledOptimizer,
    baseLr: number | readonly number[],
    maxLr: number | readonly number[],
    options: CyclicLROptions = {},
  ) {
    super("CyclicLR", optimizer);
    checkOptions("CyclicLR", options, [
      "stepSizeUp",
      "stepSizeDown",
      "mode",
      "gamma",
      "scaleFn",
      "scaleMode",
      "cycleMomentum",
      "baseMomentum",
      "maxMomentum",
    ]);
    const { stepSizeUp = 2000, cycleMomentum = true, baseMomentum = 0.8, maxMomentum = 0.9 } = options;
    const stepSizeDown = options.stepSizeDown ?? stepSizeUp;
    checkWhole("CyclicLR", "stepSizeUp", stepSizeUp, 1);
    checkWhole("CyclicLR", "stepSizeDown", stepSizeDown, 1);
    const each = (name: string, value: number | readonly number[], most = Infinity): readonly number[] => {
      const list = perGroup("CyclicLR", name, value, optimizer.paramGroups.length);
      for (const number of list) checkNumber("CyclicLR", name, number, 0, most);
      return list;
    };
    const baseLrs = each("baseLr", baseLr);
    this.maxLrs = each("maxLr", maxLr);
    const bases = each("baseMomentum", baseMomentum, 1);
    const most = each("maxMomentum", maxMomentum, 1);
    this.scaleAt = scaleOf(options);
    if (cycleMomentum) checkMomentum("CyclicLR", optimizer);
    this.momenta = cycleMomentum ? bases.map((base, index) => [base, most[index] ?? base] as const) : null;
    this.totalSize = stepSizeUp + stepSizeDown;
    this.stepRatio = stepSizeUp / this.totalSize;
    this.beginWith(baseLrs);
    this.start();
  }

  protected override first(group: ScheduledGroup, baseLr: number, index: number): number {
    return this.next(group, baseLr, index);
  }

  protected override again(group: ScheduledGroup, baseLr: number, index: number): number {
    return this.next(group, baseLr, index);
  }

  protected override next(group: ScheduledGroup, baseLr: number, index: number): number {
    const { lastEpoch, totalSize, stepRatio } = this;
    const cycle = Math.floor(1 + lastEpoch / totalSize);
    const x = 1 + lastEpoch / totalSize - cycle;
    const height = x <= stepRatio ? x / stepRatio : (x - 1) / (stepRatio - 1);
    const scaled = height * this.scaleAt(cycle, lastEpoch);
    const momentum = this.momenta?.[index];
    if (momentum !== undefined) setMomentum(group, momentum[1] - (momentum[1] - momentum[0]) * scaled);
    return baseLr + ((this.maxLrs[index] ?? baseLr) - baseLr) * scaled;
  }
}

/** The factor of a cycle's height. */
function scaleOf(options: CyclicLROptions): (cycle: number, step: number) => number {
  const { mode = "triangular", gamma = 1, scaleFn = null, scaleMode = "cycle" } = options;
  checkChoice("CyclicLR", "mode", mode, ["triangular", "triangular2", "expRange"]);
  checkChoice("CyclicLR", "scaleMode", scaleMode, ["cycle", "iterations"]);
  checkNumber("CyclicLR", "gamma", gamma, 0);
  if (scaleFn !== null) {
    if (typeof scaleFn !== "function") {
      throw new ArgumentError(
        `CyclicLR: got ${String(scaleFn)} as scaleFn; expected a function from a number to a factor. Write (cycle) => 1 / cycle.`,
      );
    }
    return (cycle, step) => scaleFn(scaleMode === "cycle" ? cycle : step);
  }
  if (mode === "triangular2") return (cycle) => 1 / 2 ** (cycle - 1);
  if (mode === "expRange") return (_, step) => gamma ** step;
  return () => 1;
}
