/** GPUs for tests: a kernel set on a device of its own, or the reason why there is none here. */
import { describe, test } from "vitest";
import { requestDevice } from "../../../src/kernels/webgpu/adapter.js";
import {
  createWebGpuKernels,
  type WebGpuKernelOptions,
  type WebGpuKernels,
} from "../../../src/kernels/webgpu/index.js";

/** Why there is no GPU here; null where there is one. */
export const absent: string | null = await requestDevice({}).then(
  () => null,
  (error: Error) => error.message,
);

export async function newKernels(options: WebGpuKernelOptions = {}): Promise<WebGpuKernels> {
  return createWebGpuKernels(await requestDevice({}), options);
}

/** Tests that take a GPU: skipped where there is none, with the reason. */
export function describeOnGpu(name: string, tests: () => void): void {
  if (absent === null) describe(name, tests);
  else describe(name, () => void test.skip(`absent: ${absent}`));
}
