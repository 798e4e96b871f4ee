/** What the browser offers to compute with. */
import { DeviceError, getNumThreads, webgpu } from "tapegrad";
import type { Offer } from "./messages.js";

/** Asks for a GPU, and starts it. */
export async function findOffer(): Promise<Offer> {
  const threads = getNumThreads();
  const isolated = globalThis.crossOriginIsolated;
  try {
    await webgpu.init();
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return { threads, isolated, gpu: null, gpuMissing: whyNoGpu() };
  }
  const { vendor, architecture, description } = webgpu.info().adapter;
  return { threads, isolated, gpu: description || [vendor, architecture].join(" ").trim() || "GPU", gpuMissing: null };
}

function whyNoGpu(): string {
  if (!globalThis.isSecureContext)
    return "WebGPU works only on pages from https or localhost, and this one is from neither.";
  if (!("gpu" in navigator))
    return "This browser has no WebGPU. Recent versions of Chrome, Edge, Firefox and Safari do.";
  return "This browser has WebGPU but found no graphics card to use. Hardware acceleration may be switched off in its settings.";
}
