/** Which kernel set serves which device. Importing this file is what registers them. */
import { ArgumentError } from "./errors.js";
import { createReferenceKernels } from "./kernels/reference/index.js";
import { loadTfjs } from "./kernels/tfjs/index.js";
import { createWasmKernels, type WasmBuild, type WasmKernels } from "./kernels/wasm/index.js";
import { GpuDevices, type KernelTime, type WebGpuInfo, type WebGpuOptions } from "./kernels/webgpu/devices.js";
import {
  type Device,
  kernelsFor,
  registerBacklog,
  registerKernels,
  registerStart,
  registerThreads,
} from "./tensor/device.js";

export type { WasmBuild } from "./kernels/wasm/index.js";
export type { GpuKernels, KernelTime, WebGpuInfo, WebGpuOptions } from "./kernels/webgpu/devices.js";

/** Settings of the CPU; see {@link configureCpu}. */
export interface CpuOptions {
  /**
   * `"wasm"` (the default), or `"reference"` for the plain TypeScript loops that define every kernel: slow, and easy to
   * step through.
   */
  readonly kernels?: "wasm" | "reference";
  /**
   * The build of the WASM kernels. Default: relaxed SIMD where the engine has it, else plain SIMD. `"revectorized"` doubles
   * matrix products on Node 24 and later, through an experimental flag of its engine. The environment variable
   * `TAPEGRAD_WASM` sets it too.
   */
  readonly build?: WasmBuild;
  /** Threads, the main one included. Default: one a core; 1 where memory cannot be shared. */
  readonly threads?: number;
}

/** What computes on the CPU; see {@link backendInfo}. */
export interface BackendInfo {
  readonly kernels: "wasm" | "reference";
  /** The build of the WASM kernels; null for the reference loops. */
  readonly build: WasmBuild | null;
  readonly threads: number;
  /** Bytes that the WASM heap has grown to, and how many of them are in use. */
  readonly heap: { readonly used: number; readonly size: number } | null;
}

let options: CpuOptions = {};
let wasm: WasmKernels | null = null;
let inUse = false;

registerKernels("cpu", () => {
  inUse = true;
  if (options.kernels === "reference") return createReferenceKernels();
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  wasm = createWasmKernels({ build: options.build ?? buildFromEnvironment(), ...threads });
  return wasm;
});

/**
 * Chooses what computes on the CPU. Call it before the first tensor is made.
 *
 * @throws ArgumentError where tensors were made already, or a setting is none.
 */
export function configureCpu(settings: CpuOptions): void {
  if (inUse) {
    throw new ArgumentError(
      "configureCpu: got a call after the first tensor was made; expected it before. Move it to the start of the script; " +
        "setNumThreads may be called at any time.",
    );
  }
  options = { ...options, ...settings };
}

/** What computes on the CPU: kernel set, build, threads, heap. */
export function backendInfo(): BackendInfo {
  kernelsFor("cpu");
  if (wasm === null) return { kernels: "reference", build: null, threads: 1, heap: null };
  return { kernels: "wasm", build: wasm.build, threads: wasm.threads, heap: wasm.heap };
}

/**
 * Sets how many threads compute on the CPU, the main one included. Where threads cannot share memory (a page that is not
 * cross-origin isolated) it stays 1. Results are the same to the bit from run to run for one number of threads.
 *
 * @throws ArgumentError where it is no whole number from 1 to 64.
 * @see https://pytorch.org/docs/stable/generated/torch.set_num_threads.html
 */
export function setNumThreads(count: number): void {
  kernelsFor("cpu");
  wasm?.setThreads(count);
}

/** How many threads compute on the CPU. */
export function getNumThreads(): number {
  return backendInfo().threads;
}

registerThreads(setNumThreads);

const gpus = new GpuDevices((kernels) => registerKernels("webgpu", kernels), loadTfjs);

registerStart("webgpu", ({ kernels }) => gpus.wake(kernels));
registerBacklog(() => gpus.caughtUp());

/** The device `"webgpu"`: how it is started, and what it does. */
export const webgpu = {
  /**
   * Starts the device `"webgpu"`, or starts it anew: with options, or after the device was lost. Tensors of the device
   * before cannot be used together with those of the new one.
   *
   * @throws DeviceError (as a rejection) where there is no GPU, or no package for its kernels, saying what was looked for and
   * what to install.
   */
  init: async (options: WebGpuOptions = {}): Promise<void> => {
    await gpus.start(options);
  },

  /**
   * What serves the device: the GPU's name, bytes, launches.
   *
   * @throws DeviceError where the device was not started.
   */
  info: (): WebGpuInfo => gpus.info(),

  /**
   * How long kernels took on the GPU's own clock since it was started with `profile: true`, the longest first.
   *
   * @throws DeviceError (as a rejection) where the device was not started so.
   */
  profile: (): Promise<KernelTime[]> => gpus.profile(),
};

/** Whether a device can be used, or started: asks, and throws nothing. */
export async function isAvailable(device: Device): Promise<boolean> {
  return device === "cpu" || (device === "webgpu" && (await gpus.isAvailable()));
}

function buildFromEnvironment(): WasmBuild | null {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  const build = process?.env?.TAPEGRAD_WASM;
  return build === undefined || build === "" ? null : (build as WasmBuild);
}
