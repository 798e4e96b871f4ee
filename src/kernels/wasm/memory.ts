/** Memory kernels of the WASM set, and the way to its memory for the reference loops. */
import { TapegradError } from "../../errors.js";
import { bytesPerElement } from "../dtype.js";
import type { DeviceBuffer, DType, KernelSet, Strided, TypedArray } from "../kernelSet.js";
import type { ArrayOf } from "../reference/index.js";
import type { Engine } from "./engine.js";
import { Block } from "./heap.js";

type MemoryKernels = Pick<KernelSet, "supports" | "alloc" | "free" | "write" | "read"> & {
  readonly readSync: NonNullable<KernelSet["readSync"]>;
};

/** Bytes before and behind each buffer that nobody may write to. */
const GUARD = 64;
const GUARD_BYTE = 0xa5;
/** What poisoned memory holds: NaN as float32, absurd as anything else. */
const POISON_BYTE = 0xff;

/** Watches over the memory in tests. */
export interface Precautions {
  /** Fill memory with NaN when it is made and when it is freed. */
  readonly poison: boolean;
  /** Put zones around every buffer, and find out who wrote to them. */
  readonly guard: boolean;
}

/** The bytes of a typed array over the engine's memory. Its type says ArrayBuffer because the loops do not care which kind it is. */
function viewOf(engine: Engine, dtype: DType, pointer: number, length: number): TypedArray {
  const buffer = engine.buffer as ArrayBuffer;
  if (dtype === "float32") return new Float32Array(buffer, pointer, length);
  if (dtype === "float64") return new Float64Array(buffer, pointer, length);
  if (dtype === "int32") return new Int32Array(buffer, pointer, length);
  return new Uint8Array(buffer, pointer, length);
}

/** The block behind a buffer. */
export function blockOf(buffer: DeviceBuffer): Block {
  if (buffer instanceof Block && !buffer.free) return buffer;
  throw new TapegradError(
    `wasm: got a buffer of ${buffer.byteLength} bytes that ${buffer instanceof Block ? "was freed" : "another kernel set made"}; ` +
      "expected a live one of the wasm kernel set. This is a bug in the library: please report it.",
  );
}

/** Address of an argument's first element. */
export function addressOf(x: Strided): number {
  return blockOf(x.buffer).pointer + x.offset * bytesPerElement(x.dtype);
}

export function wasmMemory(
  engine: Engine,
  precautions: Precautions,
): { kernels: MemoryKernels; arrayOf: ArrayOf; checkGuards(): void } {
  const { poison, guard } = precautions;
  const guarded = new Set<Block>();

  function viewOfBlock(buffer: DeviceBuffer): TypedArray {
    const block = blockOf(buffer);
    if (block.view === null || block.view.buffer !== engine.buffer) {
      block.view = viewOf(engine, block.dtype, block.pointer, block.byteLength / bytesPerElement(block.dtype));
    }
    return block.view;
  }

  function zones(block: Block): Uint8Array[] {
    const end = block.pointer + block.byteLength;
    const behind = block.address + block.size - end;
    return [new Uint8Array(engine.buffer, block.address, GUARD), new Uint8Array(engine.buffer, end, behind)];
  }

  function checkGuard(block: Block): void {
    if (zones(block).every((zone) => zone.every((byte) => byte === GUARD_BYTE))) return;
    throw new TapegradError(
      `wasm: got a write outside a ${block.dtype} buffer of ${block.byteLength} bytes; expected kernels to stay within their tensors. ` +
        "This is a bug in the library: please report it.",
    );
  }

  function readSync(buffer: DeviceBuffer, _dtype: DType, offset: number, length: number): TypedArray {
    return copyOf(viewOfBlock(buffer).subarray(offset, offset + length));
  }

  return {
    arrayOf: (x) => viewOfBlock(x.buffer),
    checkGuards: () => {
      for (const block of guarded) checkGuard(block);
    },
    kernels: {
      supports: (dtype) => dtype !== "float16",
      alloc(dtype, length) {
        const bytes = length * bytesPerElement(dtype);
        const block = engine.heap.alloc(guard ? bytes + 2 * GUARD : bytes);
        block.dtype = dtype;
        block.byteLength = bytes;
        if (guard) {
          block.pointer = block.address + GUARD;
          guarded.add(block);
          for (const zone of zones(block)) zone.fill(GUARD_BYTE);
        }
        if (poison) new Uint8Array(engine.buffer, block.pointer, bytes).fill(POISON_BYTE);
        return block;
      },
      free(buffer) {
        const block = blockOf(buffer);
        if (guard) {
          checkGuard(block);
          guarded.delete(block);
        }
        if (poison) new Uint8Array(engine.buffer, block.address, block.size).fill(POISON_BYTE);
        engine.heap.free(block);
      },
      write(buffer, _dtype, offset, data) {
        viewOfBlock(buffer).set(data, offset);
      },
      read: async (buffer, dtype, offset, length) => readSync(buffer, dtype, offset, length),
      readSync,
    },
  };
}

/** A copy in memory of its own: what a slice of shared memory would not be. */
function copyOf(view: TypedArray): TypedArray {
  if (view instanceof Float32Array) return new Float32Array(view);
  if (view instanceof Float64Array) return new Float64Array(view);
  if (view instanceof Int32Array) return new Int32Array(view);
  return new Uint8Array(view);
}
