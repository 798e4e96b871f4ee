import { ArgumentError } from "../../errors.js";
import { ChainedScheduler } from "./chained.js";
import { CombinedScheduler } from "./combined.js";
import type { LRScheduler, ScheduledOptimizer } from "./scheduler.js";
import { checkWhole } from "./settings.js";

/**
 * Schedulers one after another: the second takes over at step `milestones[0]`, and so on; each counts its steps from where
 * it takes over.
 *
 * @throws ArgumentError where there is not one milestone fewer than schedulers, they do not rise, or a scheduler is of
 *   another optimizer or needs a measure.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html
 */
export class SequentialLR extends CombinedScheduler {
  readonly milestones: readonly number[];

  constructor(optimizer: ScheduledOptimizer, schedulers: readonly LRScheduler[], milestones: readonly number[]) {
    super("SequentialLR", optimizer, schedulers);
    checkParts(schedulers, milestones);
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

function checkParts(schedulers: readonly LRScheduler[], milestones: readonly number[]): void {
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
    if (!(each instanceof ChainedScheduler)) return;
    throw new ArgumentError(
      `SequentialLR: got a ChainedScheduler at ${index}; expected a scheduler that can begin anew. Chain it with the whole sequence.`,
    );
  });
}
