/** Schedules of the learning rate, as in torch.optim.lr_scheduler. */
export { ChainedScheduler } from "./chained.js";
export {
  ConstantLR,
  type ConstantLROptions,
  MultiplicativeLR,
  PolynomialLR,
  type PolynomialLROptions,
} from "./constant.js";
export {
  CosineAnnealingLR,
  type CosineAnnealingLROptions,
  CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
} from "./cosine.js";
export { CyclicLR, type CyclicLROptions } from "./cyclic.js";
export { type AnnealStrategy, OneCycleLR, type OneCycleLROptions } from "./oneCycle.js";
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from "./plateau.js";
export { LRScheduler, type ScheduledGroup, type ScheduledOptimizer, type SchedulerState } from "./scheduler.js";
export { SequentialLR } from "./sequential.js";
export {
  ExponentialLR,
  type GammaOptions,
  LambdaLR,
  LinearLR,
  type LinearLROptions,
  type LrLambda,
  MultiStepLR,
  StepLR,
} from "./steps.js";
export { SWALR, type SWALROptions } from "./swaLR.js";
