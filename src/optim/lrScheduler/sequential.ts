import { ArgumentError } from "../../errors.js";
import { ReduceLROnPlateau } from "./plateau.js";
import { LRScheduler, type ScheduledOptimizer, type SchedulerState } from "./scheduler.js";
import { checkWhole } from "./settings.js";

/**
 * Schedulers one after another: the second takes over at step `milestones[0]`, and so on; each counts its steps from where
 * it takes over.
 *
 * @throws ArgumentError where there is not one milestone fewer than schedulers, they do not rise, or a scheduler is of
 *   another optimizer or needs a measure.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html
 */
export class SequentialLR extends LRScheduler {
  readonly milestones: readonly number[];
  private readonly schedulers: readonly LRScheduler[];

  constructor(optimizer: ScheduledOptimizer, schedulers: readonly LRScheduler[], milestones: readonly number[]) {
    super("SequentialLR", optimizer);
    checkParts(optimizer, schedulers, milestones);
    this.schedulers = [...schedulers];
    this.milestones = [...milestones];
    this.start();
  }

  override start(): void {
    // Each of them set rates when it was made.
    optimizerBack(this.optimizer, this.baseLrs);
    this.lastEpoch = 0;
    this.current.start();
    this.lastLrs = this.current.getLastLr();
  }

  override restart(): void {
    this.lastEpoch = 0;
    this.current.restart();
    this.lastLrs = this.current.getLastLr();
  }

  override step(): void {
    this.checkGroups();
    this.lastEpoch += 1;
    if (this.milestones.includes(this.lastEpoch)) this.current.restart();
    else this.current.step();
    this.lastLrs = this.current.getLastLr();
  }

  override stateDict(): SchedulerState {
    return { ...super.stateDict(), schedulers: this.schedulers.map((each) => each.stateDict()) };
  }

  override loadStateDict(state: SchedulerState): void {
    const saved = state?.schedulers;
    if (!Array.isArray(saved) || saved.length !== this.schedulers.length) {
      throw new ArgumentError(
        `SequentialLR.loadStateDict: got a state without those of ${this.schedulers.length} schedulers; expected them as schedulers. Pass what stateDict() gave.`,
      );
    }
    super.loadStateDict(state);
    this.schedulers.forEach((each, index) => {
      each.loadStateDict(saved[index] as SchedulerState);
    });
  }

  protected override next(): number {
    throw new ArgumentError(
      "SequentialLR: got a step of its own; expected one of its schedulers to make it. Call step().",
    );
  }

  private get current(): LRScheduler {
    const passed = this.milestones.filter((milestone) => milestone <= this.lastEpoch).length;
    return this.schedulers[passed] as LRScheduler;
  }
}

function optimizerBack(optimizer: ScheduledOptimizer, rates: readonly number[]): void {
  optimizer.paramGroups.forEach((group, index) => {
    group.lr = rates[index] ?? group.lr;
  });
}

function checkParts(
  optimizer: ScheduledOptimizer,
  schedulers: readonly LRScheduler[],
  milestones: readonly number[],
): void {
  if (schedulers.length === 0 || milestones.length !== schedulers.length - 1) {
    throw new ArgumentError(
      `SequentialLR: got ${schedulers.length} schedulers and ${milestones.length} milestones; expected one milestone fewer than schedulers. ` +
        "Give the step at which each but the first takes over.",
    );
  }
  milestones.forEach((milestone, index) => {
    checkWhole("SequentialLR", `milestones[${index}]`, milestone, (milestones[index - 1] ?? 0) + 1);
  });
  schedulers.forEach((each, index) => {
    if (!(each instanceof LRScheduler) || each instanceof ReduceLROnPlateau) {
      throw new ArgumentError(
        `SequentialLR: got ${each instanceof LRScheduler ? "ReduceLROnPlateau, which needs a measure at each step," : String(each)} at ${index}; ` +
          "expected a scheduler whose step() takes nothing. Step the other one by itself.",
      );
    }
    if (each.optimizer !== optimizer) {
      throw new ArgumentError(
        `SequentialLR: got a scheduler of another optimizer at ${index}; expected all to have one. Make them with the same optimizer.`,
      );
    }
  });
}
