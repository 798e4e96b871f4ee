/** Optimizers, as in torch.optim. */
export { Adam, type AdamOptions, AdamW } from "./adam.js";
export {
  type L1Mode,
  Optimizer,
  type OptimizerState,
  type ParamGroup,
  type ParamGroupInit,
  type ParamState,
  type PenaltyOptions,
} from "./optimizer.js";
export { SGD, type SGDOptions } from "./sgd.js";
