/**
 * The kernel set that runs on a GPU, in WGSL on the standard WebGPU API: float32, int32 and bool, and float16 where the
 * device has the feature shader-f16.
 *
 * @module
 */
import type { KernelSet } from "../kernelSet.js";
import { convolutionKernels } from "./convolution.js";
import { elementwiseKernels } from "./elementwise.js";
import { groupNormKernels } from "./groupNorm.js";
import { indexKernels } from "./indexing.js";
import { matmulKernels } from "./matmul.js";
import { memoryKernels, type Precautions } from "./memory.js";
import { normalizationKernels } from "./normalization.js";
import { optimizerKernels } from "./optimizerSteps.js";
import { orderKernels } from "./order.js";
import { poolKernels } from "./pool.js";
import { formFor } from "./product.js";
import type { ProductForm } from "./productText.js";
import { reduceKernels } from "./reduce.js";
import { type HalfOptions, Runtime, type RuntimeOptions } from "./runtime.js";
import { softmaxKernels } from "./softmax.js";
import { windowKernels } from "./windows.js";

/** Options of {@link createWebGpuKernels}. */
export interface WebGpuKernelOptions extends RuntimeOptions, HalfOptions, Partial<Precautions> {
  /** How products of matrices and convolutions are computed. Default: what suits the device. */
  readonly products?: ProductForm;
}

/** A kernel set on a GPU, and what can be asked and told of it beyond the contract. */
export interface WebGpuKernels extends KernelSet {
  readonly runtime: Runtime;
}

/** A new kernel set on `device`. */
export function createWebGpuKernels(device: GPUDevice, options: WebGpuKernelOptions = {}): WebGpuKernels {
  const runtime = new Runtime(device, options);
  const form = options.products ?? formFor(device);
  const elementwise = elementwiseKernels(runtime);
  const reductions = reduceKernels(runtime);
  return {
    name: "webgpu",
    runtime,
    ...memoryKernels(runtime, { poison: options.poison ?? false }),
    ...elementwise,
    ...reductions,
    ...orderKernels(runtime),
    ...indexKernels(runtime),
    ...matmulKernels(runtime, form),
    ...convolutionKernels(runtime, form, { ...elementwise, ...reductions }),
    ...windowKernels(runtime),
    ...poolKernels(runtime),
    ...softmaxKernels(runtime),
    ...normalizationKernels(runtime, elementwise),
    ...groupNormKernels(runtime),
    ...optimizerKernels(runtime),
  };
}
