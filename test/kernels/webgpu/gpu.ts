/** GPUs for tests: a kernel set on a device of its own, or the reason why there is none here. */
import { describe, test } from "vitest";
import type { KernelSet, Strided } from "../../../src/kernels/kernelSet.js";
import { requestDevice } from "../../../src/kernels/webgpu/adapter.js";
import {
  createWebGpuKernels,
  type WebGpuKernelOptions,
  type WebGpuKernels,
} from "../../../src/kernels/webgpu/index.js";
import { blocks } from "../../../src/kernels/webgpu/productBlocks.js";
import { tiles } from "../../../src/kernels/webgpu/productTiles.js";

/** The ways to compute products, of which a device takes one by itself. */
export const productForms = [tiles, blocks] as const;

/** Why there is no GPU here; null where there is one. */
export const absent: string | null = await requestDevice({}).then(
  () => null,
  (error: Error) => error.message,
);

export async function newKernels(options: WebGpuKernelOptions = {}): Promise<WebGpuKernels> {
  return createWebGpuKernels(await requestDevice({}), options);
}

/** An argument that has its properties as tensors have them: nothing of it is left in a copy by object spread. */
class Argument implements Strided {
  readonly #x: Strided;
  constructor(x: Strided) {
    this.#x = x;
  }
  get buffer() {
    return this.#x.buffer;
  }
  get dtype() {
    return this.#x.dtype;
  }
  get shape() {
    return this.#x.shape;
  }
  get strides() {
    return this.#x.strides;
  }
  get offset() {
    return this.#x.offset;
  }
}

/** The same kernels, which are given their arguments as the tensors above give them. */
export function asTensorsCall<K extends KernelSet>(kernels: K): K {
  const isStrided = (x: unknown): x is Strided => typeof x === "object" && x !== null && "strides" in x;
  return new Proxy(kernels, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown =>
        Reflect.apply(
          value,
          target,
          args.map((x) => (isStrided(x) ? new Argument(x) : x)),
        );
    },
  });
}

/** Tests that take a GPU: skipped where there is none, with the reason. */
export function describeOnGpu(name: string, tests: () => void): void {
  if (absent === null) describe(name, tests);
  else describe(name, () => void test.skip(`absent: ${absent}`));
}
