/** What users see as `autograd`, as in torch.autograd. */
export { detectAnomaly, isAnomalyEnabled, setDetectAnomaly } from "./anomaly.js";
export { type BackwardOptions, backward, type GradOptions, grad } from "./backward.js";
export {
  type BackwardContext,
  type CustomOpDefinition,
  type CustomOpResult,
  customOp,
  type OutputGrads,
} from "./customOp.js";
export type { DerivativeOptions, SameForm, TensorOrTensors } from "./differentiate.js";
export { type Differentiable, type GradcheckOptions, gradcheck, gradgradcheck } from "./gradcheck.js";
export { hessian, type Jacobian, jacobian } from "./jacobian.js";
export { jvp, vjp } from "./vectorProducts.js";
