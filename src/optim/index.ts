/** Optimizers, as in torch.optim. */
export { Adadelta, type AdadeltaOptions } from "./adadelta.js";
export { Adagrad, type AdagradOptions } from "./adagrad.js";
export { Adam, type AdamOptions, AdamW } from "./adam.js";
export { Adamax, type AdamaxOptions } from "./adamax.js";
export * as lrScheduler from "./lrScheduler/index.js";
export { NAdam, type NAdamOptions } from "./nadam.js";
export {
  type L1Mode,
  Optimizer,
  type OptimizerState,
  type ParamGroup,
  type ParamGroupInit,
  type ParamState,
  type PenaltyOptions,
} from "./optimizer.js";
export { RAdam, type RAdamOptions } from "./radam.js";
export { RMSprop, type RMSpropOptions } from "./rmsprop.js";
export { SGD, type SGDOptions } from "./sgd.js";
export * as swaUtils from "./swaUtils.js";
