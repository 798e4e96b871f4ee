/** Schedules that move the momentum against the learning rate: SGD's, or Adam's first beta. */
import { ArgumentError } from "../../errors.js";
import type { ScheduledGroup, ScheduledOptimizer } from "./scheduler.js";

/** @throws ArgumentError where the optimizer has no momentum to cycle. */
export function checkMomentum(where: string, optimizer: ScheduledOptimizer): void {
  if (optimizer.paramGroups.every((group) => group.betas !== undefined || group.momentum !== undefined)) return;
  throw new ArgumentError(
    `${where}: got an optimizer without momentum and betas; expected one of them to cycle. Pass { cycleMomentum: false }.`,
  );
}

export function setMomentum(group: ScheduledGroup, momentum: number): void {
  if (group.betas !== undefined) group.betas = [momentum, group.betas[1]];
  else group.momentum = momentum;
}
