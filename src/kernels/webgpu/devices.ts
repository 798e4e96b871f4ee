/** Starts GPUs, and starts them anew. */
import { ArgumentError, DeviceError } from "../../errors.js";
import { type AdapterOptions, hasAdapter, requestDevice } from "./adapter.js";
import { createWebGpuKernels, type WebGpuKernels } from "./index.js";
import type { KernelTime } from "./profiler.js";
import type { Runtime, RuntimeOptions } from "./runtime.js";

export type { KernelTime } from "./profiler.js";

/** Settings of the device `"webgpu"`. */
export interface WebGpuOptions extends AdapterOptions, RuntimeOptions {
  /** A device of your own, to share its buffers and its queue. Default: one that is made for the purpose. */
  readonly device?: GPUDevice;
  /**
   * Whose kernels compute. `"wgsl"` (the default): this library's. `"tfjs"`: those of the npm package
   * `@tensorflow/tfjs-backend-webgpu` (with `@tensorflow/tfjs-core`) for products of matrices, convolutions without dilation and
   * groups, and average pooling, as far as they are right, and this library's for all else. To compare with; they are slower.
   */
  readonly kernels?: GpuKernels;
}

/** Whose kernels compute on a GPU. */
export type GpuKernels = "tfjs" | "wgsl";

/** What serves the device `"webgpu"`. */
export interface WebGpuInfo {
  /** Whose kernels compute. */
  readonly kernels: GpuKernels;
  /** Names of the GPU, as far as the adapter tells. */
  readonly adapter: { readonly vendor: string; readonly architecture: string; readonly description: string };
  /** Whether it has float16, and with it `autocast`: it takes the feature shader-f16. */
  readonly float16: boolean;
  /** Bytes in use, and bytes kept for the next who wants them. */
  readonly memory: { readonly used: number; readonly idle: number };
  /** Kernels launched so far. */
  readonly launches: number;
}

export class GpuDevices {
  private current: WebGpuKernels | null = null;
  private kernels: GpuKernels = "wgsl";
  private starting: Promise<WebGpuKernels> | null = null;

  /**
   * @param use Is told the kernel set that serves the device from now on.
   * @param loadTfjs Loads TensorFlow.js, and gives what makes of a kernel set one whose kernels are those.
   */
  constructor(
    private readonly use: (kernels: WebGpuKernels) => void,
    private readonly loadTfjs: () => Promise<(kernels: WebGpuKernels) => WebGpuKernels>,
  ) {}

  /** The kernel set in use, if it works and has these kernels (either, where none are named); else a new one. */
  async wake(kernels?: GpuKernels): Promise<WebGpuKernels> {
    if (kernels === undefined) return this.start();
    const { current } = this;
    if (current !== null && !current.runtime.faults.isLost && this.kernels === kernels) return current;
    return this.start({ kernels });
  }

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

  /** Ends once the GPU has run most of what it was sent. */
  async caughtUp(): Promise<void> {
    await this.current?.runtime.backlog.caughtUp();
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
    const float16 = this.current?.supports("float16") ?? false;
    const { vendor = "", architecture = "", description = "" } = device.adapterInfo ?? {};
    return {
      kernels: this.kernels,
      adapter: { vendor, architecture, description },
      float16,
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
    const { kernels: wanted = "wgsl", device } = options;
    if (wanted !== "wgsl" && wanted !== "tfjs") {
      throw new ArgumentError(
        `webgpu: got kernels ${JSON.stringify(wanted)}; expected "wgsl" or "tfjs". Leave it out for this library's own.`,
      );
    }
    const withTfjs = wanted === "tfjs" ? await this.loadTfjs() : null;
    const own = createWebGpuKernels(device ?? (await requestDevice(options)), options);
    const kernels = withTfjs === null ? own : withTfjs(own);
    this.current = kernels;
    this.kernels = wanted;
    this.use(kernels);
    return kernels;
  }
}
