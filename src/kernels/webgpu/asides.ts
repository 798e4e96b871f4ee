/**
 * Small arrays that nobody computes with any more but somebody may read: losses, accuracies. They are copied together, so
 * that their buffers are free at once, and read together when a chunk of them is full.
 *
 * @module
 */
import type { Aside, DeviceBuffer, TypedArray } from "../kernelSet.js";
import type { GpuMemory } from "./bufferPool.js";
import type { Runtime } from "./runtime.js";

const CHUNK_BYTES = 2 ** 18;

/** Arrays that lie one behind the other in one buffer. */
interface Chunk {
  readonly memory: GpuMemory;
  used: number;
  readonly arrived: Promise<ArrayBuffer>;
  /** What was promised to those whose arrays lie here. */
  readonly promised: Promise<TypedArray>[];
  arrive(bytes: ArrayBuffer | Promise<ArrayBuffer>): void;
}

export class Asides {
  private chunk: Chunk | null = null;

  constructor(private readonly runtime: Runtime) {}

  /** Copies the first `byteLength` bytes of a buffer; they must fit into a chunk. */
  put(buffer: DeviceBuffer, byteLength: number, typed: (bytes: ArrayBuffer) => TypedArray): Aside {
    if (this.chunk !== null && this.chunk.used + byteLength > CHUNK_BYTES) {
      this.send(this.chunk);
      this.chunk = null;
    }
    this.chunk ??= newChunk(this.runtime.pool.take(CHUNK_BYTES));
    const { memory, used, arrived, promised } = this.chunk;
    this.runtime.copy(buffer, memory, 0, used, byteLength);
    this.chunk.used += byteLength;
    const data = arrived.then((bytes) => typed(bytes.slice(used, used + byteLength)));
    promised.push(data);
    return {
      data,
      restore: (target) => this.runtime.copy(memory, target, used, 0, byteLength),
    };
  }

  private send(chunk: Chunk): void {
    chunk.arrive(this.runtime.fetch(chunk.memory, 0, chunk.used).then(({ bytes }) => bytes));
    // Until all have theirs, one of them may want it back here.
    void Promise.allSettled(chunk.promised).then(() => this.runtime.free(chunk.memory));
  }
}

function newChunk(memory: GpuMemory): Chunk {
  let arrive: Chunk["arrive"] = () => undefined;
  const arrived = new Promise<ArrayBuffer>((resolve) => {
    arrive = resolve;
  });
  return { memory, used: 0, arrived, promised: [], arrive };
}
