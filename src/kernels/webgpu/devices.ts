/** Starts GPUs, and starts them anew. */
import { DeviceError } from "../../errors.js";
import { type AdapterOptions, hasAdapter, requestDevice } from "./adapter.js";
import { createWebGpuKernels, type WebGpuKernels } from "./index.js";
import type { KernelTime } from "./profiler.js";
import type { Runtime, RuntimeOptions } from "./runtime.js";

export type { KernelTime } from "./profiler.js";

/** Settings of the device `"webgpu"`. */
export interface WebGpuOptions extends AdapterOptions, RuntimeOptions {
  /** A device of your own, to share its buffers and its queue. Default: one that is made for the purpose. */
  readonly device?: GPUDevice;
}

/** What serves the device `"webgpu"`. */
export interface WebGpuInfo {
  /** Names of the GPU, as far as the adapter tells. */
  readonly adapter: { readonly vendor: string; readonly architecture: string; readonly description: string };
  /** Bytes in use, and bytes kept for the next who wants them. */
  readonly memory: { readonly used: number; readonly idle: number };
  /** Kernels launched so far. */
  readonly launches: number;
}

export class GpuDevices {
  private current: WebGpuKernels | null = null;
  private starting: Promise<WebGpuKernels> | null = null;

  /** `use` is told the kernel set that serves the device from now on. */
  constructor(private readonly use: (kernels: WebGpuKernels) => void) {}

  /** The kernel set in use; a new one with options, or where there is none that works. */
  async start(options: WebGpuOptions = {}): Promise<WebGpuKernels> {
    if (Object.keys(options).length === 0) {
      if (this.current !== null && !this.current.runtime.faults.isLost) return this.current;
      this.starting ??= this.make(options).finally(() => {
        this.starting = null;
      });
      return this.starting;
    }
    return this.make(options);
  }

  async isAvailable(): Promise<boolean> {
    return (this.current !== null && !this.current.runtime.faults.isLost) || hasAdapter();
  }

  async profile(): Promise<KernelTime[]> {
    const { profiler } = this.runtimeFor("webgpu.profile");
    if (profiler !== null) return profiler.report();
    throw new DeviceError(
      "webgpu.profile: got a device that measures nothing; expected one that was started for it. Start it with await webgpu.init({ profile: true }).",
    );
  }

  info(): WebGpuInfo {
    const { device, pool, launches } = this.runtimeFor("webgpu.info");
    const { vendor = "", architecture = "", description = "" } = device.adapterInfo ?? {};
    return {
      adapter: { vendor, architecture, description },
      memory: { used: pool.usedBytes, idle: pool.idleBytes },
      launches,
    };
  }

  private runtimeFor(where: string): Runtime {
    if (this.current !== null) return this.current.runtime;
    throw new DeviceError(
      `${where}: got a call before the device was started; expected it after. Call await webgpu.init() first.`,
    );
  }

  private async make(options: WebGpuOptions): Promise<WebGpuKernels> {
    const kernels = createWebGpuKernels(options.device ?? (await requestDevice(options)), options);
    this.current = kernels;
    this.use(kernels);
    return kernels;
  }
}
