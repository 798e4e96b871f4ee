/** What users see as `amp`, as in torch.amp: mixed precision. */
export { GradScaler, type GradScalerOptions, type GradScalerState, type ScaledOptimizer } from "./optim/gradScaler.js";
export { type AutocastOptions, autocast } from "./tensor/autocast.js";
