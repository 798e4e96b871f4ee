/** Buffers of a GPU, kept for the next one who wants the size. */

/** Memory on a GPU. */
export class GpuMemory {
  /** Number of the batch of commands that used it last. */
  lastBatch = 0;
  inUse = true;
  /** Whether its elements are float16, where they are floats. */
  isHalf = false;
  /** The GPU had no room for it: what uses it fails, and nobody may get it again. */
  failed = false;

  constructor(
    /** Who made it: memory of one device means nothing to another. */
    readonly pool: BufferPool,
    readonly id: number,
    readonly buffer: GPUBuffer,
    readonly byteLength: number,
  ) {}
}

/** What a pool needs of the device. */
export interface BufferSource {
  /** A new buffer; `onFailure` is called where it turns out later that there was no room. */
  create(byteLength: number, onFailure: () => void): GPUBuffer;
  /** Sends the batch under way, so that buffers may be destroyed. */
  flush(): void;
  /** Called before a buffer is destroyed. */
  forget(memory: GpuMemory): void;
}

const SMALLEST = 256;
/** Above this size there are four classes to an octave, so that at most a fifth is wasted. */
const COARSE_BELOW = 16384;
/** Batches after which an idle buffer is given back to the GPU. */
const PATIENCE = 256;
/** Idle bytes above which the longest idle are given back at once. */
const IDLE_BYTES = 2 ** 30;

/** Size of the class of buffers that serves `bytes`. */
export function sizeClass(bytes: number): number {
  if (bytes <= SMALLEST) return SMALLEST;
  const octave = 2 ** Math.ceil(Math.log2(bytes));
  if (octave <= COARSE_BELOW) return octave;
  const step = octave / 8;
  return Math.ceil(bytes / step) * step;
}

export class BufferPool {
  /** By size; the one used last at the end. */
  private readonly idle = new Map<number, GpuMemory[]>();
  private nextId = 1;
  private used = 0;
  private idling = 0;

  constructor(
    private readonly source: BufferSource,
    /** Bytes that one buffer may have. */
    private readonly largest: number,
    /** Bytes that all buffers together may have. */
    private readonly cap: number,
  ) {}

  /** Bytes handed out. */
  get usedBytes(): number {
    return this.used;
  }

  /** Bytes that wait to be handed out again. */
  get idleBytes(): number {
    return this.idling;
  }

  /** @throws RangeError where so much cannot be had. */
  take(bytes: number): GpuMemory {
    const size = Math.min(sizeClass(bytes), Math.max(this.largest, bytes));
    const memory = this.idle.get(size)?.pop();
    if (memory !== undefined) {
      this.idling -= size;
      this.used += size;
      memory.inUse = true;
      memory.isHalf = false;
      return memory;
    }
    if (size > this.largest) throw new RangeError(`${size} bytes are more than the ${this.largest} of one buffer`);
    if (this.used + this.idling + size > this.cap) {
      this.source.flush();
      this.trim(0);
    }
    if (this.used + this.idling + size > this.cap) throw new RangeError(`no room for ${size} bytes below ${this.cap}`);
    const fail = () => {
      made.failed = true;
      this.source.flush();
      this.trim(0);
    };
    const made: GpuMemory = new GpuMemory(this, this.nextId++, this.source.create(size, fail), size);
    this.used += size;
    return made;
  }

  give(memory: GpuMemory): void {
    if (!memory.inUse) return;
    memory.inUse = false;
    this.used -= memory.byteLength;
    if (memory.failed) {
      this.source.flush();
      this.destroy(memory);
      return;
    }
    this.idling += memory.byteLength;
    const list = this.idle.get(memory.byteLength);
    if (list === undefined) this.idle.set(memory.byteLength, [memory]);
    else list.push(memory);
  }

  /** Destroys what has been idle for long. Only between batches: a batch under way may still name any buffer. */
  trimOld(batch: number): void {
    if (batch % 32 === 0) this.destroyWhere((memory) => batch - memory.lastBatch > PATIENCE);
    if (this.idling > IDLE_BYTES) this.trim(IDLE_BYTES / 2);
  }

  /** Destroys idle buffers until at most `bytes` are left, the longest idle first. */
  trim(bytes: number): void {
    const oldestFirst = [...this.idle.values()].flat().sort((a, b) => a.lastBatch - b.lastBatch);
    let left = this.idling;
    const doomed = new Set<GpuMemory>();
    for (const memory of oldestFirst) {
      if (left <= bytes) break;
      left -= memory.byteLength;
      doomed.add(memory);
    }
    this.destroyWhere((memory) => doomed.has(memory));
  }

  private destroyWhere(isDoomed: (memory: GpuMemory) => boolean): void {
    for (const [size, list] of this.idle) {
      const kept = list.filter((memory) => !isDoomed(memory));
      if (kept.length === list.length) continue;
      for (const memory of list) {
        if (!isDoomed(memory)) continue;
        this.idling -= size;
        this.destroy(memory);
      }
      if (kept.length === 0) this.idle.delete(size);
      else this.idle.set(size, kept);
    }
  }

  private destroy(memory: GpuMemory): void {
    this.source.forget(memory);
    memory.buffer.destroy();
  }
}
