/**
 * The public surface of tapegrad.
 *
 * @module tapegrad
 */
import "./tensor/methods.js";

export * as amp from "./amp.js";
export * as data from "./data/index.js";
export {
  type BackendInfo,
  backendInfo,
  type CpuOptions,
  configureCpu,
  type GpuKernels,
  getNumThreads,
  isAvailable,
  type KernelTime,
  setNumThreads,
  type WasmBuild,
  type WebGpuInfo,
  type WebGpuOptions,
  webgpu,
} from "./devices.js";
export * from "./errors.js";
export * from "./io/index.js";
export type { DType, TypedArray } from "./kernels/dtype.js";
export * as nn from "./nn/index.js";
export * as optim from "./optim/index.js";
export { Profile, type ProfileRow, profile, type TableOptions } from "./profiler/profile.js";
export { type AutocastOptions, autocast } from "./tensor/autocast.js";
export { isGradEnabled } from "./tensor/autograd.js";
export * as autograd from "./tensor/autogradNamespace.js";
export { type BackwardOptions, type GradOptions, grad } from "./tensor/backward.js";
export { checkpoint } from "./tensor/checkpoint.js";
export * from "./tensor/create.js";
export { type Device, type DeviceOptions, getDefaultDevice, setDefaultDevice } from "./tensor/device.js";
export type { GradHook, RemovableHandle } from "./tensor/gradHooks.js";
export { type MemoryStats, memoryStats, resetPeakMemory } from "./tensor/memory.js";
export * from "./tensor/ops/index.js";
export * from "./tensor/ops/joining.js";
export { defaultGenerator, Generator, type GeneratorState, manualSeed } from "./tensor/random.js";
export * from "./tensor/randomTensors.js";
export { enableGrad, noGrad, tidy } from "./tensor/scopes.js";
export type { Shape } from "./tensor/shape.js";
export { type NestedArray, Tensor } from "./tensor/tensor.js";
export type { NumberOrPair, Pair } from "./tensor/window.js";
