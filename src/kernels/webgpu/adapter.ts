/** Finds a GPU: the browser's, or in Node the one that the npm package `webgpu` offers. */
import { DeviceError } from "../../errors.js";

/** Which GPU to take where there are several. */
export interface AdapterOptions {
  /** Default `"high-performance"`. */
  readonly powerPreference?: "low-power" | "high-performance";
}

/** Limits in which more is better and whose defaults are small. */
const wantedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
] as const;

const wantedFeatures = ["timestamp-query", "shader-f16", "subgroups"] as const;

/**
 * Features of Dawn to do without. With the first, SwiftShader takes half a second over each kernel with 8 KiB of workgroup
 * memory; other drivers do not notice. With the second, clocks tick every 65 µs, as a guard against pages that spy.
 */
const dawnFlags = [
  "disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension,timestamp_quantization",
];

/** Dawn aborts the process at exit when this is collected while a device lives. */
let dawn: GPU | null = null;

/**
 * The entry to WebGPU.
 *
 * @throws DeviceError (as a rejection) where there is none.
 */
async function findGpu(): Promise<GPU> {
  const { navigator, process } = globalThis as {
    navigator?: { gpu?: GPU };
    process?: { versions?: { node?: string } };
  };
  if (navigator?.gpu) return navigator.gpu;
  if (process?.versions?.node === undefined) {
    throw new DeviceError(
      "webgpu: looked for navigator.gpu and found none; expected a browser with WebGPU, and a page from https or localhost. " +
        'Use a newer browser, or the device "cpu".',
    );
  }
  dawn ??= await loadDawn();
  return dawn;
}

async function loadDawn(): Promise<GPU> {
  // A name that bundlers cannot follow: the package is for Node alone.
  const name: string = "webgpu";
  let module: { create(flags: readonly string[]): GPU };
  try {
    module = await import(/* @vite-ignore */ name);
  } catch (cause) {
    throw new DeviceError(
      'webgpu: looked for the npm package "webgpu", which brings WebGPU to Node, and could not load it ' +
        `(${cause instanceof Error ? cause.message.split("\n")[0] : String(cause)}). Install it with: npm install webgpu`,
      { cause },
    );
  }
  return module.create(dawnFlags);
}

async function findAdapter(options: AdapterOptions): Promise<GPUAdapter> {
  const gpu = await findGpu();
  const adapter = await gpu.requestAdapter({ powerPreference: options.powerPreference ?? "high-performance" });
  if (adapter !== null) return adapter;
  throw new DeviceError(
    dawn === null
      ? "webgpu: navigator.gpu is there but offers no adapter; expected a GPU that the browser may use. " +
          'Switch hardware acceleration on in its settings, or use the device "cpu".'
      : 'webgpu: the npm package "webgpu" is there but found no adapter; expected a GPU with a driver for Vulkan, Metal or ' +
          "Direct3D 12. Install one (on Debian: apt-get install libvulkan1 mesa-vulkan-drivers), or for a driver that runs on " +
          "the CPU: apt-get install libvulkan1 chromium, with VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json",
  );
}

/** Whether there is an adapter. */
export async function hasAdapter(): Promise<boolean> {
  try {
    await findAdapter({});
    return true;
  } catch {
    return false;
  }
}

/**
 * A new device with all that its adapter offers.
 *
 * @throws DeviceError (as a rejection) where there is no adapter, naming what was looked for and what to install.
 */
export async function requestDevice(options: AdapterOptions): Promise<GPUDevice> {
  const adapter = await findAdapter(options);
  const offered = adapter.limits as unknown as Record<string, number | undefined>;
  const requiredLimits: Record<string, number> = {};
  for (const name of wantedLimits) {
    const limit = offered[name];
    if (limit !== undefined) requiredLimits[name] = limit;
  }
  const requiredFeatures = wantedFeatures.filter((name) => adapter.features.has(name)) as GPUFeatureName[];
  const device = await adapter.requestDevice({ label: "tapegrad", requiredLimits, requiredFeatures });
  if (dawn !== null) destroyAtExit(device);
  return device;
}

/** Devices of Dawn; null before there is one. */
let made: Set<WeakRef<GPUDevice>> | null = null;

/** A process that ends while its driver computes may crash in it: to destroy a device is to wait until it has done. */
function destroyAtExit(device: GPUDevice): void {
  if (made === null) {
    const devices = new Set<WeakRef<GPUDevice>>();
    made = devices;
    const { process } = globalThis as { process?: { once(event: "exit", listener: () => void): void } };
    process?.once("exit", () => {
      for (const reference of devices) reference.deref()?.destroy();
    });
  }
  const reference = new WeakRef(device);
  made.add(reference);
  void device.lost.then(() => made?.delete(reference));
}
