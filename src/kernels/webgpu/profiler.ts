/** Measures kernels on the GPU's own clock. */
import { DeviceError } from "../../errors.js";
import type { LaunchWatch } from "../kernelSet.js";
import { COPY_DST, COPY_SRC, MAP_READ, QUERY_RESOLVE, READ_MODE } from "./flags.js";

/** How long the launches of one kernel took. */
export interface KernelTime {
  readonly kernel: string;
  readonly launches: number;
  readonly milliseconds: number;
}

/** A kernel of a batch, and who wants to be told its times. */
interface Launch {
  readonly name: string;
  readonly tell: ReturnType<LaunchWatch> | undefined;
}

/** Bytes of one time. */
const TIME = 8;

export class Profiler {
  /** Is told of each launch. */
  watch: LaunchWatch | null = null;
  private readonly querySet: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private readonly pending = new Set<Promise<void>>();
  private readonly times = new Map<string, { launches: number; nanoseconds: number }>();
  /** Kernels of the batch under way. */
  private batch: Launch[] = [];

  /** @throws DeviceError where the GPU does not tell the time. */
  constructor(
    private readonly device: GPUDevice,
    launches: number,
  ) {
    if (!device.features.has("timestamp-query")) {
      throw new DeviceError(
        'webgpu.init: got profile = true for a GPU without the feature "timestamp-query"; expected one that has it. Leave profile out.',
      );
    }
    this.querySet = device.createQuerySet({ type: "timestamp", count: 2 * launches });
    this.resolved = device.createBuffer({ size: 2 * launches * TIME, usage: QUERY_RESOLVE | COPY_SRC });
  }

  /** Settings of the pass of the next launch. */
  next(name: string): GPUComputePassDescriptor {
    const index = 2 * this.batch.length;
    this.batch.push({ name, tell: this.watch?.(name) });
    return {
      timestampWrites: {
        querySet: this.querySet,
        beginningOfPassWriteIndex: index,
        endOfPassWriteIndex: index + 1,
      },
    };
  }

  /** Puts the times of the batch behind its commands. The function that it returns is called once these were sent. */
  close(encoder: GPUCommandEncoder): () => void {
    const { batch } = this;
    if (batch.length === 0) return () => undefined;
    this.batch = [];
    const size = 2 * batch.length * TIME;
    const staging = this.device.createBuffer({ size, usage: MAP_READ | COPY_DST });
    encoder.resolveQuerySet(this.querySet, 0, 2 * batch.length, this.resolved, 0);
    encoder.copyBufferToBuffer(this.resolved, 0, staging, 0, size);
    return () => {
      const read = this.read(staging, batch)
        // The device is gone, and the times with it.
        .catch(() => undefined)
        .finally(() => this.pending.delete(read));
      this.pending.add(read);
    };
  }

  /** The times so far, the longest first. */
  async report(): Promise<KernelTime[]> {
    await Promise.all(this.pending);
    return [...this.times]
      .map(([kernel, { launches, nanoseconds }]) => ({ kernel, launches, milliseconds: nanoseconds / 1e6 }))
      .sort((a, b) => b.milliseconds - a.milliseconds);
  }

  /** Lets go of the GPU's memory, once nothing is under way. */
  destroy(): void {
    this.querySet.destroy();
    this.resolved.destroy();
  }

  private async read(staging: GPUBuffer, batch: readonly Launch[]): Promise<void> {
    await staging.mapAsync(READ_MODE);
    const times = new BigUint64Array(staging.getMappedRange());
    batch.forEach(({ name, tell }, i) => {
      const [begin = 0n, end = 0n] = times.subarray(2 * i);
      const sum = this.times.get(name) ?? { launches: 0, nanoseconds: 0 };
      sum.launches++;
      sum.nanoseconds += Number(end - begin);
      this.times.set(name, sum);
      tell?.(begin, end);
    });
    staging.destroy();
  }
}
