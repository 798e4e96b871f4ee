import { ArgumentError } from "../../errors.js";
import { ReduceLROnPlateau } from "./plateau.js";
import { LRScheduler, type ScheduledOptimizer, type SchedulerState } from "./scheduler.js";

/** What schedulers that are made of others share: the others' states, and what they may be. */
export abstract class CombinedScheduler extends LRScheduler {
  protected readonly schedulers: readonly LRScheduler[];

  protected constructor(name: string, optimizer: ScheduledOptimizer, schedulers: readonly LRScheduler[]) {
    super(name, optimizer);
    schedulers.forEach((each, index) => {
      if (!(each instanceof LRScheduler) || each instanceof ReduceLROnPlateau) {
        throw new ArgumentError(
          `${name}: got ${each instanceof LRScheduler ? "ReduceLROnPlateau, which needs a measure at each step," : String(each)} at ${index}; ` +
            "expected a scheduler whose step() takes nothing. Step the other one by itself.",
        );
      }
      if (each.optimizer !== optimizer) {
        throw new ArgumentError(
          `${name}: got a scheduler of another optimizer at ${index}; expected all to have one. Make them with the same optimizer.`,
        );
      }
    });
    this.schedulers = [...schedulers];
  }

  override stateDict(): SchedulerState {
    return { ...super.stateDict(), schedulers: this.schedulers.map((each) => each.stateDict()) };
  }

  override loadStateDict(state: SchedulerState): void {
    const saved = state?.schedulers;
    if (!Array.isArray(saved) || saved.length !== this.schedulers.length) {
      throw new ArgumentError(
        `${this.name}.loadStateDict: got a state without those of ${this.schedulers.length} schedulers; expected them as schedulers. Pass what stateDict() gave.`,
      );
    }
    super.loadStateDict(state);
    this.schedulers.forEach((each, index) => {
      each.loadStateDict(saved[index] as SchedulerState);
    });
  }

  protected override next(): number {
    throw new ArgumentError(
      `${this.name}: got a step of its own; expected one of its schedulers to make it. Call step().`,
    );
  }
}
