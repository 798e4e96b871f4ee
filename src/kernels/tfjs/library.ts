/**
 * What is used of the npm packages `@tensorflow/tfjs-core` and `@tensorflow/tfjs-backend-webgpu`, and how they are loaded.
 * Their own types are left alone: whoever does not have them installed could not compile against ours.
 *
 * @module
 */
import { DeviceError } from "../../errors.js";

/** An array of TensorFlow.js: `dataId` leads to its memory. */
export interface TensorInfo {
  readonly dataId: object;
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** The memory of an array. */
export interface TensorData {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: null;
  readonly refCount: number;
  /** Whether it belongs to somebody else. */
  readonly external: true;
  resource: GPUBuffer;
}

/** A shader of TensorFlow.js, with sizes. */
export type Program = unknown;

/** Uniforms of a program. */
export type Uniforms = readonly unknown[];

/** The parts of `WebGPUBackend` that are called or replaced. */
export interface Backend {
  readonly tensorMap: {
    get(dataId: object): TensorData;
    set(dataId: object, data: TensorData): void;
    delete(dataId: object): void;
  };
  bufferManager: { acquireBuffer(byteLength: number): GPUBuffer; releaseBuffer(): void };
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  uniformPendingDisposal: GPUBuffer[];
  /** Workgroups up to which it takes other roads. */
  thresholdToIncreaseWorkgroups: number;
  makeTensorInfo(shape: readonly number[], dtype: string): TensorInfo;
  runWebGPUProgram(
    program: Program & { readonly outputShape: readonly number[] },
    inputs: readonly TensorInfo[],
    dtype: string,
    uniforms?: Uniforms,
    output?: TensorInfo,
  ): TensorInfo;
  uploadToGPU(dataId: object): void;
  tensorToBinding(tensor: TensorInfo): GPUBindingResource;
  disposeData(dataId: object): boolean;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** One operation of a backend. */
export type KernelFunction = (call: {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly backend: Backend;
}) => TensorInfo;

/** The packages, once they are loaded. */
export interface Library {
  newBackend(device: GPUDevice): Backend;
  /** @throws DeviceError where the package has no such kernel. */
  kernel(name: string): KernelFunction;
}

interface Core {
  readonly getKernel: (name: string, backend: string) => { readonly kernelFunc: KernelFunction } | undefined;
}

interface BackendModule {
  readonly WebGPUBackend: new (device: GPUDevice, info: GPUAdapterInfo) => Backend;
}

const packages = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-webgpu"] as const;

/**
 * Loads the packages.
 *
 * @throws DeviceError (as a rejection) where one is not installed.
 */
export async function loadLibrary(load: (name: string) => Promise<object> = importPackage): Promise<Library> {
  const [coreName, backendName] = packages;
  const core = (await find(coreName, load)) as Core;
  const { WebGPUBackend } = (await find(backendName, load)) as BackendModule;
  const kernelNames = new Map<string, KernelFunction>();
  return {
    newBackend: (device) => withGpuNames(() => new WebGPUBackend(device, device.adapterInfo)),
    kernel(name) {
      const known = kernelNames.get(name) ?? core.getKernel(name, "webgpu")?.kernelFunc;
      if (known === undefined) {
        throw new DeviceError(
          `webgpu: got a version of ${backendName} without the kernel "${name}"; expected one like 4.22. ` +
            `Install that: npm install ${packages.map((it) => `${it}@4.22.0`).join(" ")}`,
        );
      }
      kernelNames.set(name, known);
      return known;
    },
  };
}

async function find(name: string, load: (name: string) => Promise<object>): Promise<object> {
  try {
    return await load(name);
  } catch (cause) {
    throw new DeviceError(
      `webgpu: got kernels "tfjs", looked for the npm package "${name}", which has them, and could not load it ` +
        `(${cause instanceof Error ? cause.message.split("\n")[0] : String(cause)}). ` +
        `Install it with: npm install ${packages.join(" ")} (in a page, name both in an import map), or leave "kernels" out.`,
      { cause },
    );
  }
}

/** A bundler cannot follow a name that it does not see: nobody who does not ask for these packages shall need them. */
function importPackage(name: string): Promise<object> {
  return import(/* @vite-ignore */ name);
}

/**
 * Runs `make` where the names that browsers have for WebGPU can be found. Node's global object has none; of these, the
 * constants stay, because TensorFlow.js reads them all the time.
 */
function withGpuNames<T>(make: () => T): T {
  const place = globalThis as { GPUBufferUsage?: object };
  place.GPUBufferUsage ??= {
    MAP_READ: 0x1,
    MAP_WRITE: 0x2,
    COPY_SRC: 0x4,
    COPY_DST: 0x8,
    INDEX: 0x10,
    VERTEX: 0x20,
    UNIFORM: 0x40,
    STORAGE: 0x80,
    INDIRECT: 0x100,
    QUERY_RESOLVE: 0x200,
  };
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  if ((globalThis as { navigator?: { gpu?: object } }).navigator?.gpu) return make();
  Object.defineProperty(globalThis, "navigator", { value: { gpu: {} }, configurable: true });
  try {
    return make();
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, "navigator");
    else Object.defineProperty(globalThis, "navigator", before);
  }
}
