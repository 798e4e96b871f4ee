/** Memory kernels of the WebGPU set: every element takes four bytes, bools too, so that no two threads share a word. */
import type { DeviceBuffer, DType, KernelSet, TypedArray } from "../kernelSet.js";
import { Asides } from "./asides.js";
import type { Runtime } from "./runtime.js";

type MemoryKernels = Pick<
  KernelSet,
  "supports" | "alloc" | "free" | "write" | "read" | "readSync" | "setAside" | "watchTimes"
>;

/** Watches over the memory in tests. */
export interface Precautions {
  /** Fill memory with NaN when it is handed out. */
  readonly poison: boolean;
}

export function memoryKernels(runtime: Runtime, { poison }: Precautions): MemoryKernels {
  const { pool } = runtime;
  const asides = new Asides(runtime);
  return {
    supports: (dtype) => dtype !== "float64",

    alloc(_dtype, length) {
      runtime.faults.checkAlive();
      const memory = pool.take(Math.max(length, 1) * 4);
      if (poison) runtime.write(memory, 0, new Uint8Array(memory.byteLength).fill(0xff));
      return memory;
    },

    free: (buffer: DeviceBuffer) => runtime.free(buffer),

    write(buffer, dtype, offset, data) {
      runtime.write(buffer, offset * 4, dtype === "bool" ? Uint32Array.from(data) : data);
    },

    async read(buffer, dtype, offset, length) {
      return typed(dtype, await runtime.read(buffer, offset * 4, length * 4));
    },

    readSync: null,

    watchTimes: (launched) => runtime.watchTimes(launched),

    setAside: (buffer, dtype, length) => asides.put(buffer, length * 4, (bytes) => typed(dtype, bytes)),
  };
}

function typed(dtype: DType, bytes: ArrayBuffer): TypedArray {
  if (dtype === "bool") return Uint8Array.from(new Uint32Array(bytes));
  return dtype === "int32" ? new Int32Array(bytes) : new Float32Array(bytes);
}
