import { ArgumentError } from "../../errors.js";
import { Optimizer } from "../optimizer.js";

/** What a scheduler changes of an optimizer's parameter groups. */
export interface ScheduledGroup {
  lr: number;
  momentum?: number;
  betas?: readonly [number, number];
}

/** What a scheduler needs of an optimizer: every optimizer here is one. */
export interface ScheduledOptimizer {
  readonly paramGroups: readonly ScheduledGroup[];
}

/** Where a scheduler is, as plain data. */
export interface SchedulerState {
  readonly lastEpoch: number;
  readonly baseLrs: readonly number[];
  readonly lastLrs: readonly number[];
  /** What else a scheduler counts. */
  readonly counters: Readonly<Record<string, number>>;
  /** The states of schedulers that it is made of. */
  readonly schedulers?: readonly SchedulerState[];
}

/** The learning rate with which a group began, whichever scheduler came first: what PyTorch calls initial_lr. */
const initialLrs = new WeakMap<ScheduledGroup, number>();

/**
 * The base of all schedulers: they set the learning rates of an optimizer's groups when they are made, and again at each
 * {@link step}, which belongs after the optimizer's. What is set is PyTorch's number.
 *
 * @see https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
 */
export abstract class LRScheduler {
  readonly optimizer: ScheduledOptimizer;
  /** How many steps it has made. */
  lastEpoch = 0;
  /** The learning rate that each group began with. */
  protected baseLrs: readonly number[];
  protected lastLrs: readonly number[];
  protected counters: Record<string, number> = {};

  /** @throws ArgumentError where `optimizer` is none. */
  protected constructor(
    protected readonly name: string,
    optimizer: ScheduledOptimizer,
  ) {
    if (!(optimizer instanceof Optimizer)) {
      throw new ArgumentError(
        `${name}: got ${String(optimizer)} as optimizer; expected one of optim's. Make the optimizer first, and pass it.`,
      );
    }
    this.optimizer = optimizer;
    this.baseLrs = optimizer.paramGroups.map((group) => {
      const initial = initialLrs.get(group) ?? group.lr;
      initialLrs.set(group, initial);
      return initial;
    });
    this.lastLrs = optimizer.paramGroups.map((group) => group.lr);
  }

  /** The rate of a group when the scheduler is made. */
  protected first(group: ScheduledGroup, _baseLr: number, _index: number): number {
    return group.lr;
  }

  /** The rate of a group when the schedule begins anew, in the middle of a training. */
  protected again(_group: ScheduledGroup, baseLr: number, _index: number): number {
    return baseLr;
  }

  /** The rate of a group at step {@link lastEpoch}, from the one before it. */
  protected abstract next(group: ScheduledGroup, baseLr: number, index: number): number;

  /** Sets the next learning rates. Call it after `optimizer.step()`: once an epoch, or once a batch, as the schedule is meant. */
  step(): void {
    this.checkGroups();
    this.lastEpoch += 1;
    this.beforeStep();
    this.setRates((group, baseLr, index) => this.next(group, baseLr, index));
  }

  /** The learning rates that it set last, one for each group. */
  getLastLr(): number[] {
    return [...this.lastLrs];
  }

  /** Where it is. The settings that it was made with are not in it, and the learning rates are the optimizer's state. */
  stateDict(): SchedulerState {
    const { lastEpoch, baseLrs, lastLrs, counters } = this;
    return { lastEpoch, baseLrs: [...baseLrs], lastLrs: [...lastLrs], counters: { ...counters } };
  }

  /**
   * Goes on from what {@link stateDict} gave; load the optimizer's state too, where the learning rates are.
   *
   * @throws ArgumentError where it is not the state of such a scheduler with as many groups; nothing has changed then.
   */
  loadStateDict(state: SchedulerState): void {
    this.checkState(state);
    this.lastEpoch = state.lastEpoch;
    this.baseLrs = [...state.baseLrs];
    this.lastLrs = [...state.lastLrs];
    this.counters = { ...state.counters };
    this.optimizer.paramGroups.forEach((group, index) => {
      initialLrs.set(group, this.baseLrs[index] ?? group.lr);
    });
  }

  /** @internal Sets the rates of a schedule that begins when the optimizer does. */
  start(): void {
    this.lastEpoch = 0;
    this.setRates((group, baseLr, index) => this.first(group, baseLr, index));
  }

  /** @internal Sets the rates of a schedule that takes over from another one. */
  restart(): void {
    this.checkGroups();
    this.lastEpoch = 0;
    this.setRates((group, baseLr, index) => this.again(group, baseLr, index));
  }

  /** What is counted before the rates are worked out. */
  protected beforeStep(): void {}

  /** @throws ArgumentError, before any rate is changed, where one is no number of 0 or more. */
  protected setRates(rateOf: (group: ScheduledGroup, baseLr: number, index: number) => number): void {
    const { paramGroups } = this.optimizer;
    const rates = paramGroups.map((group, index) => rateOf(group, this.baseLrs[index] ?? group.lr, index));
    rates.forEach((rate, index) => {
      if (typeof rate === "number" && rate >= 0 && rate < Number.POSITIVE_INFINITY) return;
      throw new ArgumentError(
        `${this.name}: got the learning rate ${String(rate)} for group ${index} at step ${this.lastEpoch}; expected a finite number of 0 or more. ` +
          "Correct the schedule's settings.",
      );
    });
    paramGroups.forEach((group, index) => {
      group.lr = rates[index] ?? group.lr;
    });
    this.lastLrs = rates;
  }

  /** Lets groups begin with other rates than they have. */
  protected beginWith(rates: readonly number[]): void {
    this.optimizer.paramGroups.forEach((group, index) => {
      initialLrs.set(group, rates[index] ?? group.lr);
    });
    this.baseLrs = [...rates];
  }

  /** @throws ArgumentError where groups were added since it was made. */
  protected checkGroups(): void {
    const groups = this.optimizer.paramGroups.length;
    if (groups === this.baseLrs.length) return;
    throw new ArgumentError(
      `${this.name}: got an optimizer with ${groups} parameter groups; expected ${this.baseLrs.length}, as when the scheduler was made. ` +
        "Make the scheduler after the last addParamGroup().",
    );
  }

  private checkState(state: SchedulerState): void {
    const isRates = (list: unknown): boolean =>
      Array.isArray(list) && list.length === this.baseLrs.length && list.every((rate) => typeof rate === "number");
    const counters: unknown = state?.counters;
    const isCounters =
      typeof counters === "object" &&
      counters !== null &&
      Object.keys(counters).sort().join() === Object.keys(this.counters).sort().join() &&
      Object.values(counters).every((value) => typeof value === "number");
    const { lastEpoch, baseLrs, lastLrs } = state ?? {};
    if (Number.isSafeInteger(lastEpoch) && isRates(baseLrs) && isRates(lastLrs) && isCounters) return;
    throw new ArgumentError(
      `${this.name}.loadStateDict: got what is no state of ${this.name} for ${this.baseLrs.length} parameter groups; ` +
        "expected { lastEpoch, baseLrs, lastLrs, counters }. Pass what stateDict() gave.",
    );
  }
}
