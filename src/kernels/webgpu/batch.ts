/** Commands that were recorded and are not sent yet, with the uniforms of their launches. */
import { COPY_DST, UNIFORM } from "./flags.js";
import { type Kernel, UNIFORM_BYTES } from "./kernel.js";
import type { Profiler } from "./profiler.js";

/** Launches that one batch holds at most. */
export const BATCH = 128;

export class Batch {
  /** Grows from each batch to the next: what one before this used may be written to at once. */
  number = 1;
  /** Measures each launch, which is a pass of its own then. */
  profiler: Profiler | null = null;
  /** Where kernels find their uniforms, each launch {@link UNIFORM_BYTES} behind the one before. */
  readonly uniformBuffer: GPUBuffer;

  private readonly integers = new Int32Array((BATCH * UNIFORM_BYTES) / 4);
  private readonly floats = new Float32Array(this.integers.buffer);
  private readonly offsets = Array.from({ length: BATCH }, (_, slot) => [slot * UNIFORM_BYTES]);

  private encoder: GPUCommandEncoder | null = null;
  private pass: GPUComputePassEncoder | null = null;
  private pipeline: GPUComputePipeline | null = null;
  private launches = 0;

  constructor(private readonly device: GPUDevice) {
    this.uniformBuffer = device.createBuffer({
      label: "uniforms",
      size: BATCH * UNIFORM_BYTES,
      usage: UNIFORM | COPY_DST,
    });
  }

  get isEmpty(): boolean {
    return this.encoder === null;
  }

  get isFull(): boolean {
    return this.launches === BATCH;
  }

  /** Records a launch of x·y·z workgroups, in a batch that is not full. */
  launch(kernel: Kernel, group: GPUBindGroup, uniforms: readonly number[], x: number, y: number, z: number): void {
    const slot = this.launches++;
    const { floats, pipeline } = kernel;
    for (let i = 0, word = (slot * UNIFORM_BYTES) / 4; i < floats.length; i++, word++) {
      if (floats[i]) this.floats[word] = uniforms[i] ?? 0;
      else this.integers[word] = uniforms[i] ?? 0;
    }
    const pass = this.openPass(kernel.name);
    if (this.pipeline !== pipeline) pass.setPipeline(pipeline);
    this.pipeline = pipeline;
    pass.setBindGroup(0, group, this.offsets[slot]);
    pass.dispatchWorkgroups(x, y, z);
  }

  /** Lets somebody else record a launch, in a batch that is not full: `act` must leave pass and encoder open. */
  record(name: string, act: (encoder: GPUCommandEncoder, pass: GPUComputePassEncoder) => void): void {
    this.launches++;
    const pass = this.openPass(name);
    act(this.openEncoder(), pass);
    this.pipeline = null;
  }

  /** The encoder, for commands outside of passes. */
  outsidePasses(): GPUCommandEncoder {
    this.closePass();
    return this.openEncoder();
  }

  /** Sends what was recorded, if anything was, and begins the next batch. */
  send(): void {
    const { encoder, device } = this;
    if (encoder === null) return;
    this.closePass();
    this.encoder = null;
    if (this.launches > 0)
      device.queue.writeBuffer(this.uniformBuffer, 0, this.integers, 0, (this.launches * UNIFORM_BYTES) / 4);
    this.launches = 0;
    const readTimes = this.profiler?.close(encoder);
    device.queue.submit([encoder.finish()]);
    readTimes?.();
    this.number++;
  }

  private openEncoder(): GPUCommandEncoder {
    this.encoder ??= this.device.createCommandEncoder();
    return this.encoder;
  }

  private openPass(name: string): GPUComputePassEncoder {
    if (this.profiler !== null) this.closePass();
    this.pass ??= this.openEncoder().beginComputePass(this.profiler?.next(name));
    return this.pass;
  }

  private closePass(): void {
    this.pass?.end();
    this.pass = null;
    this.pipeline = null;
  }
}
