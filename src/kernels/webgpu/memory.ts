/**
 * Memory kernels of the WebGPU set: every element takes four bytes, bools too, so that no two threads share a word; only float16 takes
 * two. float16 is cast on the GPU on its way in and out, so that it is float32 everywhere else.
 *
 * @module
 */
import type { Aside, DeviceBuffer, DType, KernelSet, Strided, TypedArray } from "../kernelSet.js";
import { Asides } from "./asides.js";
import { bytesPerHalf } from "./halves.js";
import { array, runMap } from "./map.js";
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
  const { pool, halves } = runtime;
  const asides = new Asides(runtime);

  /** Copies `length` floats of any kind. */
  function cast(from: DeviceBuffer, fromOffset: number, to: DeviceBuffer, toOffset: number, length: number): void {
    const floats = (buffer: DeviceBuffer, offset: number): Strided => {
      return { buffer, dtype: "float32", shape: [length], strides: [1], offset };
    };
    const operands = [array("x", floats(from, fromOffset))];
    runMap(runtime, { name: "copy", expression: "x", operands, out: floats(to, toOffset) });
  }

  /** float16 as float32. */
  function widened<T>(buffer: DeviceBuffer, offset: number, length: number, use: (wide: DeviceBuffer) => T): T {
    return runtime.scratch(Math.max(length, 1) * 4, (wide) => {
      cast(buffer, offset, wide, 0, length);
      return use(wide);
    });
  }

  function putAside(buffer: DeviceBuffer, dtype: DType, length: number): Aside {
    return asides.put(buffer, length * 4, (bytes) => typed(dtype, bytes));
  }

  return {
    supports: (dtype) => dtype !== "float64" && (dtype !== "float16" || halves !== null),

    alloc(dtype, length) {
      runtime.faults.checkAlive();
      const isHalf = dtype === "float16";
      const memory = pool.take(Math.max(length, 1) * (isHalf ? bytesPerHalf(halves ?? "native") : 4));
      memory.isHalf = isHalf;
      if (poison) runtime.write(memory, 0, new Uint8Array(memory.byteLength).fill(0xff));
      return memory;
    },

    free: (buffer: DeviceBuffer) => runtime.free(buffer),

    write(buffer, dtype, offset, data) {
      if (dtype !== "float16") {
        runtime.write(buffer, offset * 4, dtype === "bool" ? Uint32Array.from(data) : data);
        return;
      }
      runtime.scratch(Math.max(data.length, 1) * 4, (wide) => {
        runtime.write(wide, 0, data);
        cast(wide, 0, buffer, offset, data.length);
      });
    },

    async read(buffer, dtype, offset, length) {
      if (dtype !== "float16") return typed(dtype, await runtime.read(buffer, offset * 4, length * 4));
      return typed(dtype, await widened(buffer, offset, length, (wide) => runtime.read(wide, 0, length * 4)));
    },

    readSync: null,

    watchTimes: (launched) => runtime.watchTimes(launched),

    setAside(buffer, dtype, length) {
      if (dtype !== "float16") return putAside(buffer, dtype, length);
      const aside = widened(buffer, 0, length, (wide) => putAside(wide, dtype, length));
      return {
        data: aside.data,
        restore: (target) =>
          runtime.scratch(Math.max(length, 1) * 4, (wide) => {
            aside.restore(wide);
            cast(wide, 0, target, 0, length);
          }),
      };
    },
  };
}

function typed(dtype: DType, bytes: ArrayBuffer): TypedArray {
  if (dtype === "bool") return Uint8Array.from(new Uint32Array(bytes));
  return dtype === "int32" ? new Int32Array(bytes) : new Float32Array(bytes);
}
