/**
 * The kernels of the npm package `@tensorflow/tfjs-backend-webgpu` as a second set on the same GPU and the same memory: products of
 * matrices, convolutions and their gradients, average pooling. What it does not have, or has with other results, the kernels in
 * WGSL do: so it is with softmax, where some GPUs take the exponential of NaN for a number.
 *
 * @module
 */
import type { WebGpuKernels } from "../webgpu/index.js";
import { convolutionKernels } from "./convolution.js";
import { Launcher } from "./launcher.js";
import { loadLibrary } from "./library.js";
import { matmulKernels } from "./matmul.js";
import { poolKernels } from "./pool.js";

/**
 * Loads TensorFlow.js; what comes back makes of a kernel set one in which TensorFlow.js does what it does right.
 *
 * @throws DeviceError (as a rejection) where its packages are not installed.
 */
export async function loadTfjs(): Promise<(kernels: WebGpuKernels) => WebGpuKernels> {
  const library = await loadLibrary();
  return (kernels) => {
    const launcher = new Launcher(library, kernels.runtime);
    return {
      ...kernels,
      name: "tfjs",
      // TensorFlow.js reads each of the arrays that it shares as float32.
      supports: (dtype) => dtype !== "float16" && kernels.supports(dtype),
      ...matmulKernels(kernels, launcher),
      ...convolutionKernels(kernels, launcher),
      ...poolKernels(kernels, launcher),
    };
  };
}
