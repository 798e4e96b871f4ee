/** Reads from the GPU: through buffers that the script can map. */
import { DeviceError, TapegradError } from "../../errors.js";
import type { Batch } from "./batch.js";
import type { BufferPool, GpuMemory } from "./bufferPool.js";
import type { Faults } from "./faults.js";
import { READ_MODE } from "./flags.js";
import { IndexFaults } from "./indexFaults.js";

/** Bytes of idle buffers for reading that are kept at most. */
const IDLE_BYTES = 2 ** 26;

/** Bytes that were read, and the notes of {@link IndexFaults} at that time. */
export interface Fetched {
  readonly bytes: ArrayBuffer;
  readonly notes: Int32Array<ArrayBuffer>;
}

export class Reads {
  constructor(
    private readonly device: GPUDevice,
    private readonly faults: Faults,
    private readonly staging: BufferPool,
    /** Where kernels note indices out of range. */
    private readonly notes: GpuMemory,
    private readonly batch: Batch,
    private readonly flush: () => void,
  ) {}

  /**
   * The bytes (in fours) from `byteOffset` on, once all that was launched before has run.
   *
   * @throws DeviceError where they cannot be had (as a rejection).
   */
  async fetch(memory: GpuMemory, byteOffset: number, byteLength: number): Promise<Fetched> {
    const size = byteLength + IndexFaults.BYTES;
    const staging = this.staging.take(size);
    try {
      const encoder = this.batch.outsidePasses();
      if (byteLength > 0) encoder.copyBufferToBuffer(memory.buffer, byteOffset, staging.buffer, 0, byteLength);
      encoder.copyBufferToBuffer(this.notes.buffer, 0, staging.buffer, byteLength, IndexFaults.BYTES);
      staging.lastBatch = this.batch.number;
      this.flush();
      await staging.buffer.mapAsync(READ_MODE, 0, size);
      const mapped = staging.buffer.getMappedRange(0, size);
      const bytes = mapped.slice(0, byteLength);
      const notes = new Int32Array(mapped.slice(byteLength));
      staging.buffer.unmap();
      return { bytes, notes };
    } catch (error) {
      staging.failed = true;
      if (error instanceof TapegradError) throw error;
      await this.lossOrTimePassed();
      await this.faults.settle();
      throw new DeviceError(
        `webgpu: a read failed (${String(error)}). Read again, or make a new device with await webgpu.init().`,
      );
    } finally {
      this.staging.give(staging);
      if (this.staging.idleBytes > IDLE_BYTES) this.staging.trim(IDLE_BYTES / 2);
    }
  }

  /** Waits for the news that the device was lost, which may come after a read has failed for it. */
  private async lossOrTimePassed(): Promise<void> {
    await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, 50))]);
  }
}
