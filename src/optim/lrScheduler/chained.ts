import { ArgumentError } from "../../errors.js";
import { CombinedScheduler } from "./combined.js";
import type { LRScheduler, ScheduledOptimizer } from "./scheduler.js";

/**
 * Schedulers that act at the same time, each on what those before it have set: their factors multiply.
 *
 * @throws ArgumentError where there is no scheduler, or one is of another optimizer or needs a measure.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html
 */
export class ChainedScheduler extends CombinedScheduler {
  constructor(schedulers: readonly LRScheduler[], optimizer?: ScheduledOptimizer) {
    const [first] = checkList(schedulers);
    super("ChainedScheduler", optimizer ?? first, schedulers);
  }

  override step(): void {
    this.checkGroups();
    this.lastEpoch += 1;
    for (const each of this.schedulers) each.step();
    this.lastLrs = this.optimizer.paramGroups.map(({ lr }) => lr);
  }
}

function checkList(schedulers: readonly LRScheduler[]): [ScheduledOptimizer] {
  const [first] = Array.isArray(schedulers) ? (schedulers as readonly LRScheduler[]) : [];
  if (first !== undefined) return [first.optimizer];
  throw new ArgumentError(
    `ChainedScheduler: got ${Array.isArray(schedulers) ? "no schedulers" : String(schedulers)}; expected an array of one at least. Write [first, second].`,
  );
}
