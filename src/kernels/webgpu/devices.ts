/** Starts GPUs, and starts them anew. */
import { DeviceError } from "../../errors.js";
import { type AdapterOptions, hasAdapter, requestDevice } from "./adapter.js";
import { createWebGpuKernels, type WebGpuKernels } from "./index.js";
import type { RuntimeOptions } from "./runtime.js";

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

  info(): WebGpuInfo {
    if (this.current === null) {
      throw new DeviceError(
        "webgpu.info: got a call before the device was started; expected it after. Call await webgpu.init() first.",
      );
    }
    const { device, pool, launches } = this.current.runtime;
    const { vendor = "", architecture = "", description = "" } = device.adapterInfo ?? {};
    return {
      adapter: { vendor, architecture, description },
      memory: { used: pool.usedBytes, idle: pool.idleBytes },
      launches,
    };
  }

  private async make(options: WebGpuOptions): Promise<WebGpuKernels> {
    const kernels = createWebGpuKernels(options.device ?? (await requestDevice(options)), options);
    this.current = kernels;
    this.use(kernels);
    return kernels;
  }
}
