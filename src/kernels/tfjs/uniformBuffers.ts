/** Small buffers that TensorFlow.js writes its uniforms into, one for each program that it runs. */
import { COPY_DST, UNIFORM } from "../webgpu/flags.js";
import type { Runtime } from "../webgpu/runtime.js";

const STEP = 256;

/**
 * Hands buffers out, and has them back when the batch of commands that they were handed out for has been sent: a write goes before
 * all that was not sent yet, so that until then each program needs its own.
 */
export class UniformBuffers {
  /** By size. */
  private readonly free = new Map<number, GPUBuffer[]>();
  private readonly out: GPUBuffer[] = [];
  private batch = -1;

  constructor(private readonly runtime: Runtime) {}

  take(byteLength: number): GPUBuffer {
    if (this.batch !== this.runtime.batchNumber) {
      this.batch = this.runtime.batchNumber;
      for (const buffer of this.out.splice(0)) this.listOf(buffer.size).push(buffer);
    }
    const size = Math.ceil(byteLength / STEP) * STEP;
    const buffer = this.listOf(size).pop() ?? this.runtime.device.createBuffer({ size, usage: UNIFORM | COPY_DST });
    this.out.push(buffer);
    return buffer;
  }

  private listOf(size: number): GPUBuffer[] {
    let list = this.free.get(size);
    if (list === undefined) {
      list = [];
      this.free.set(size, list);
    }
    return list;
  }
}
