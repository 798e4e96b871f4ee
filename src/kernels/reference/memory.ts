/** Device memory of the reference set: typed arrays, and a pool of those that were given back. */
import { TapegradError } from "../../errors.js";
import { newTypedArray } from "../dtype.js";
import type { DeviceBuffer, DType, KernelSet, TypedArray } from "../kernelSet.js";
import type { ArrayOf } from "./arrays.js";

/** Bytes that the pool keeps at most; the buffers that lay in it for longest go first. */
const poolLimit = 256 * 2 ** 20;

/** What poisoned memory holds: it shows in any result that depends on it. */
const poisonValues = {
  float16: Number.NaN,
  float32: Number.NaN,
  float64: Number.NaN,
  int32: 0x7eadbeef,
  bool: 0xaa,
} as const;

type MemoryKernels = Pick<KernelSet, "supports" | "alloc" | "free" | "write" | "read"> & {
  readonly readSync: NonNullable<KernelSet["readSync"]>;
};

class ReferenceBuffer implements DeviceBuffer {
  /** Null once the buffer was freed. */
  array: TypedArray | null;
  readonly dtype: DType;
  readonly byteLength: number;

  constructor(array: TypedArray, dtype: DType) {
    this.array = array;
    this.dtype = dtype;
    this.byteLength = array.byteLength;
  }
}

/** Arrays waiting to be used again, by dtype and exact length. */
class Pool {
  private readonly waiting = new Map<string, TypedArray[]>();
  private bytes = 0;

  take(dtype: DType, length: number): TypedArray | undefined {
    const key = `${dtype} ${length}`;
    const arrays = this.waiting.get(key);
    const array = arrays?.pop();
    if (array === undefined) return undefined;
    this.bytes -= array.byteLength;
    this.waiting.delete(key);
    if (arrays !== undefined && arrays.length > 0) this.waiting.set(key, arrays); // now the last to go
    return array;
  }

  put(dtype: DType, array: TypedArray): void {
    if (array.byteLength > poolLimit) return;
    const key = `${dtype} ${array.length}`;
    const arrays = this.waiting.get(key) ?? [];
    arrays.push(array);
    this.waiting.delete(key);
    this.waiting.set(key, arrays);
    this.bytes += array.byteLength;
    this.shrink();
  }

  private shrink(): void {
    for (const [key, arrays] of this.waiting) {
      while (this.bytes > poolLimit && arrays.length > 0) this.bytes -= arrays.shift()?.byteLength ?? 0;
      if (arrays.length > 0) return;
      this.waiting.delete(key);
    }
  }
}

/** Memory kernels of the reference set, and the way to the arrays for its loops. */
export function referenceMemory(name: string, poison: boolean): { kernels: MemoryKernels; arrayOf: ArrayOf } {
  const pool = new Pool();

  function liveArray(where: string, buffer: DeviceBuffer): TypedArray {
    if (!(buffer instanceof ReferenceBuffer)) {
      throw new TapegradError(
        `${where}: got a buffer of another kernel set; expected one made by the ${name} kernel set. ` +
          "This is a bug in the library: please report it.",
      );
    }
    if (buffer.array === null) {
      throw new TapegradError(
        `${where}: got a buffer of ${buffer.byteLength} bytes that was freed; expected a live one of the ${name} ` +
          "kernel set. This is a bug in the library: please report it.",
      );
    }
    return buffer.array;
  }

  function readSync(buffer: DeviceBuffer, _dtype: DType, offset: number, length: number): TypedArray {
    return liveArray("read", buffer).slice(offset, offset + length);
  }

  return {
    arrayOf: (x) => liveArray("kernel argument", x.buffer),
    kernels: {
      supports: (dtype) => dtype !== "float16",
      alloc(dtype, length) {
        const array = pool.take(dtype, length) ?? newTypedArray(dtype, length);
        if (poison) array.fill(poisonValues[dtype]);
        return new ReferenceBuffer(array, dtype);
      },
      free(buffer) {
        const array = liveArray("free", buffer);
        const freed = buffer as ReferenceBuffer;
        freed.array = null;

        pool.put(freed.dtype, array);
      },
      write(buffer, _dtype, offset, data) {
        liveArray("write", buffer).set(data, offset);
      },
      read: async (buffer, dtype, offset, length) => readSync(buffer, dtype, offset, length),
      readSync,
    },
  };
}
