/** What users see as `autograd`, as in torch.autograd. */
export { type BackwardOptions, backward, type GradOptions, grad } from "./backward.js";
export { type Differentiable, type GradcheckOptions, gradcheck, gradgradcheck } from "./gradcheck.js";
