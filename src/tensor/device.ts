import { ArgumentError, DeviceError } from "../errors.js";
import type { KernelSet } from "../kernels/kernelSet.js";

/** Where a tensor lives. */
export type Device = "cpu" | "webgpu";

/** How a device is to compute; see {@link setDefaultDevice}. */
export interface DeviceOptions {
  /**
   * For `"webgpu"`: whose kernels compute, this library's (`"wgsl"`) or, as far as they are right, those of the npm package
   * `@tensorflow/tfjs-backend-webgpu` (`"tfjs"`). Where the device has others, it is started anew, and its tensors cannot be used
   * together with those made before. Default: what it has, which is `"wgsl"` at first.
   */
  readonly kernels?: "tfjs" | "wgsl";
}

const kernelSets = new Map<Device, KernelSet | (() => KernelSet)>();
const starts = new Map<Device, (options: DeviceOptions) => Promise<KernelSet>>();
const backlogs: (() => Promise<void>)[] = [];
let setCpuThreads: (count: number) => void = () => undefined;
let defaultDevice: Device = "cpu";

/** Makes `kernels` the kernel set of `device`, for tensors created from now on; a function makes it when first used. */
export function registerKernels(device: Device, kernels: KernelSet | (() => KernelSet)): void {
  kernelSets.set(device, kernels);
}

/** Says how to start a device that takes time to wake up: `start` gives the kernel set that serves it now. */
export function registerStart(device: Device, start: (options: DeviceOptions) => Promise<KernelSet>): void {
  starts.set(device, start);
}

/** Says how to wait for a device that runs behind: `caughtUp` ends once it has done most of what it was given. */
export function registerBacklog(caughtUp: () => Promise<void>): void {
  backlogs.push(caughtUp);
}

/** Says how to set the number of threads that compute on the CPU. */
export function registerThreads(set: (count: number) => void): void {
  setCpuThreads = set;
}

/** Lets one thread compute on the CPU: for workers, each of which has a core of its own at best. */
export function useOneThread(): void {
  setCpuThreads(1);
}

/** Ends once no device is far behind with its work, which would pile up. */
export async function devicesCaughtUp(): Promise<void> {
  for (const caughtUp of backlogs) await caughtUp();
}

/**
 * Makes sure that `device` can be used.
 *
 * @throws DeviceError (as a rejection) where it is not present.
 */
export async function startDevice(device: Device, options: DeviceOptions = {}): Promise<void> {
  const start = starts.get(device);
  if (start !== undefined) {
    kernelSets.set(device, await start(options));
    return;
  }
  kernelsFor(device);
  if (options.kernels !== undefined) {
    throw new ArgumentError(
      `setDefaultDevice: got kernels ${JSON.stringify(options.kernels)} for "${device}"; expected them for "webgpu" only. ` +
        "Leave them out; for the CPU, call configureCpu({ kernels }) before the first tensor.",
    );
  }
}

/** Whether `device` can be used now. */
export function isPresent(device: Device): boolean {
  return kernelSets.has(device);
}

/**
 * The kernel set that serves `device`.
 *
 * @throws DeviceError where no kernel set serves it.
 */
export function kernelsFor(device: Device): KernelSet {
  const kernels = kernelSets.get(device);
  if (kernels === undefined && starts.has(device)) {
    throw new DeviceError(
      `device: got "${device}" before it was started; expected it to be awake. ` +
        `Call await setDefaultDevice("${device}") or await ${device}.init() first.`,
    );
  }
  if (kernels === undefined) {
    const present = [...kernelSets.keys()].map((name) => `"${name}"`).join(", ") || "none";
    throw new DeviceError(
      `device: got ${JSON.stringify(device)}; expected one of the devices that are present (${present}). ` +
        `Use a device that is present.`,
    );
  }
  if (typeof kernels !== "function") return kernels;
  const made = kernels();
  kernelSets.set(device, made);
  return made;
}

/** The kernel sets of the devices that can be used now. */
export function presentKernels(): Map<Device, KernelSet> {
  return new Map([...kernelSets.keys()].map((device) => [device, kernelsFor(device)]));
}

/** The device on which factories make tensors when they are not told one; `"cpu"` at first. */
export function getDefaultDevice(): Device {
  return defaultDevice;
}

/**
 * Makes factories create tensors on `device` from now on. Await it: a GPU takes a moment to wake up.
 *
 * @throws DeviceError (as a rejection) where the device is not present; the default then stays what it was.
 * @throws ArgumentError (as a rejection) where the device has no such kernels.
 */
export async function setDefaultDevice(device: Device, options: DeviceOptions = {}): Promise<void> {
  await startDevice(device, options);
  defaultDevice = device;
}
