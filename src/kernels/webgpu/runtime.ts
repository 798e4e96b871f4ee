/**
 * Compiles kernels and launches them, in order, on one GPUDevice.
 *
 * How to write a kernel:
 *
 * ```ts
 * const kernel = runtime.kernel("scale", () => ({     // made once for each key
 *   name: "scale",
 *   outputs: { result: "f32" },                       // array<f32> that is written
 *   inputs: { x: "f32" },                             // array<f32> that is read
 *   uniforms: { count: "u32", start: "i32", factor: "f32" },
 *   body: `
 *     if (index >= u.count) { return; }
 *     result[index] = x[u.start + i32(index)] * u.factor;`,
 * }));
 * runtime.launchEach(kernel, [out.buffer, x.buffer], [count, x.offset, 3], count);
 * ```
 *
 * - The key must tell apart all that changes the text: op, dtypes, rank, tile sizes. Sizes, strides and offsets belong
 *   into uniforms, so that few pipelines serve all shapes.
 * - In sight of `body`: the arrays, `u`, `group`, `groups` (workgroup id and count), `local`, `lane` (invocation in its
 *   workgroup, flat), `index` (invocation in all, flat over x and y: one axis holds 65,535 workgroups only), and the
 *   functions `infinity()`, `nan()`, `isNan(x)`, `isInf(x)`.
 * - `launch(kernel, buffers, uniforms, x, y, z)` counts workgroups, `launchEach(…, count)` invocations (at least). Buffers
 *   come in the order of outputs, then inputs; uniforms in their order. Bools are stored as u32 of 0 or 1.
 * - Buffers are bound whole: add the `offset` of an argument in the kernel. An input in the same buffer as an output is
 *   copied first, because WebGPU refuses it; kernels that shall work in place read from the output's name instead.
 * - Arrays of `f32` and `vec4<f32>` may turn out to be float16: write to them as `name[place] = value;`, and take no pointers to them.
 * - Stay within 8 buffers, 64 uniforms, 256 invocations and 16 KiB of workgroup memory: that runs on every adapter.
 *   What more there is stands in `runtime.device.limits`.
 * - Scratch memory: `runtime.scratch(bytes, (memory) => …)`, given back when the callback returns. Kernels run in order, so
 *   it may be handed out again at once.
 * - Arguments of the contract are tensors: `{ ...x }` loses their properties. Use `relaid(x, { strides })` of axes.ts.
 * - `&&` and `||` are branches: write `&` and `|` between bools that may both be worked out. Many branches in one kernel take
 *   some drivers seconds to compile.
 * - A reading out of bounds gives some element of the array, and a writing may change one: check bounds.
 *
 * @module
 */
import { DeviceError, TapegradError } from "../../errors.js";
import type { DeviceBuffer, LaunchWatch } from "../kernelSet.js";
import { Backlog } from "./backlog.js";
import { BATCH, Batch } from "./batch.js";
import { BindGroups } from "./bindGroups.js";
import { BufferPool, GpuMemory } from "./bufferPool.js";
import { CompiledKernels } from "./compiledKernels.js";
import { Faults } from "./faults.js";
import { COPY_DST, COPY_SRC, MAP_READ, STORAGE } from "./flags.js";
import type { HalfForm } from "./halves.js";
import { IndexFaults } from "./indexFaults.js";
import type { Kernel, KernelText } from "./kernel.js";
import { Profiler } from "./profiler.js";
import { type Fetched, Reads } from "./reads.js";

/** Settings of a {@link Runtime}. */
export interface RuntimeOptions {
  /** Sends each launch by itself, so that errors name the kernel. Slow. Default false. */
  readonly debug?: boolean;
  /** Measures each launch on the GPU's clock: see `webgpu.profile()`. Slow. Default false. */
  readonly profile?: boolean;
  /** Bytes that all buffers may take up together. Default: what the GPU has. */
  readonly maxBytes?: number;
}

/** How float16 is stored. */
export interface HalfOptions {
  /** Default: natively where the device can, else not at all. */
  readonly halves?: HalfForm;
}

export class Runtime {
  readonly faults: Faults;
  readonly pool: BufferPool;
  /** Where kernels that read indices note those out of range. */
  readonly indexFaults: IndexFaults;
  readonly backlog: Backlog;
  /** How float16 arrays are stored; null where there are none. */
  readonly halves: HalfForm | null;
  /** Launches so far. */
  launches = 0;

  private readonly kernels: CompiledKernels;
  private readonly bindGroups: BindGroups;
  private readonly reads: Reads;
  private readonly batch: Batch;
  /** Copies of inputs for the launch that is being made. */
  private readonly lent: GpuMemory[] = [];
  private readonly debug: boolean;
  /** Workgroups that one axis holds. */
  private readonly widest: number;

  constructor(
    readonly device: GPUDevice,
    options: RuntimeOptions & HalfOptions = {},
  ) {
    this.debug = options.debug ?? false;
    this.halves = options.halves ?? (device.features.has("shader-f16") ? "native" : null);
    this.faults = new Faults(device);
    this.kernels = new CompiledKernels(device, this.faults);
    this.backlog = new Backlog(device.queue);
    this.batch = new Batch(device);
    if (options.profile) this.batch.profiler = new Profiler(device, BATCH);
    const { limits } = device;
    this.widest = limits.maxComputeWorkgroupsPerDimension;
    // In whole vectors of four, so that what is read or written in vectors ends with the buffer.
    const largest = Math.floor(Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize) / 16) * 16;
    this.pool = new BufferPool(
      this.source("a tensor", STORAGE | COPY_SRC | COPY_DST),
      largest,
      options.maxBytes ?? Infinity,
    );
    this.bindGroups = new BindGroups(device, this.batch.uniformBuffer);
    this.indexFaults = new IndexFaults(this.pool.take(IndexFaults.BYTES));
    const staging = new BufferPool(this.source("a read", MAP_READ | COPY_DST), limits.maxBufferSize, Infinity);
    const { faults, batch, indexFaults } = this;
    this.reads = new Reads(device, faults, staging, indexFaults.memory, batch, () => this.flush());
  }

  // --- kernels ------------------------------------------------------------------------------------------------------

  /** The kernel of that key, compiled when first asked for. Of one key there may be variants, told apart by a number. */
  kernel(key: string, make: () => KernelText, variant = 0): Kernel {
    return this.kernels.get(key, variant, make);
  }

  /** Launches x·y·z workgroups; none where one of them is 0. */
  launch(
    written: Kernel,
    buffers: readonly DeviceBuffer[],
    uniforms: readonly number[],
    x: number,
    y = 1,
    z = 1,
  ): void {
    if (x === 0 || y === 0 || z === 0) return;
    this.faults.checkAlive();
    const kernel = this.halves === null ? written : this.kernels.forHalves(written, this.halves, buffers);
    const memories = this.separate(kernel, buffers);
    if (this.batch.isFull) this.flush();
    for (const memory of memories) memory.lastBatch = this.batch.number;
    this.batch.launch(kernel, this.bindGroups.of(kernel, memories), uniforms, x, y, z);
    this.launches++;
    if (this.lent.length > 0) this.giveLentBack();
    if (this.debug) this.faults.scoped(`kernel "${kernel.name}"`, () => this.flush());
  }

  /** Launches at least `count` invocations, of which `index` tells apart the first `count`. */
  launchEach(kernel: Kernel, buffers: readonly DeviceBuffer[], uniforms: readonly number[], count: number): void {
    this.launchFlat(kernel, buffers, uniforms, Math.ceil(count / kernel.size));
  }

  /** Launches at least `count` workgroups, of which `group.y * groups.x + group.x` tells apart the first `count`. */
  launchFlat(kernel: Kernel, buffers: readonly DeviceBuffer[], uniforms: readonly number[], count: number): void {
    const rows = Math.ceil(count / this.widest);
    this.launch(kernel, buffers, uniforms, Math.min(count, this.widest), Math.max(rows, 1));
  }

  /**
   * Lets a library that shares the device add a dispatch of its own to the commands under way, in the order of the calls.
   * `act` must make no buffer of this runtime's pool and must leave pass and encoder open.
   *
   * @param memories All that the dispatch reads and writes.
   */
  record(
    name: string,
    memories: readonly GpuMemory[],
    act: (encoder: GPUCommandEncoder, pass: GPUComputePassEncoder) => void,
  ): void {
    this.faults.checkAlive();
    if (this.batch.isFull) this.flush();
    for (const memory of memories) memory.lastBatch = this.batch.number;
    this.batch.record(name, act);
    this.launches++;
    if (this.debug) this.faults.scoped(`kernel "${name}"`, () => this.flush());
  }

  /** Tells of launches as the contract says; each is a pass of its own meanwhile. */
  watchTimes(launched: LaunchWatch): (() => Promise<void>) | null {
    if (!this.device.features.has("timestamp-query")) return null;
    // What was launched before is not measured.
    this.flush();
    const { batch } = this;
    const before = batch.profiler;
    const profiler = before ?? new Profiler(this.device, BATCH);
    batch.profiler = profiler;
    profiler.watch = launched;
    return async () => {
      this.flush();
      profiler.watch = null;
      batch.profiler = before;
      await profiler.report();
      if (before === null) profiler.destroy();
    };
  }

  /** Number of the batch of commands under way: what a batch before used may be written to at once. */
  get batchNumber(): number {
    return this.batch.number;
  }

  /** What measures each launch; null where nothing does. */
  get profiler(): Profiler | null {
    return this.batch.profiler;
  }

  /** Lends memory for the time of `use`. */
  scratch<T>(bytes: number, use: (memory: GpuMemory) => T): T {
    const memory = this.pool.take(bytes);
    try {
      return use(memory);
    } finally {
      this.pool.give(memory);
    }
  }

  // --- memory -------------------------------------------------------------------------------------------------------

  /** Gives memory back. Commands that use it may still be on their way. */
  free(buffer: DeviceBuffer): void {
    if (buffer instanceof GpuMemory) buffer.pool.give(buffer);
  }

  /** Writes bytes (in fours) from `byteOffset` on. */
  write(buffer: DeviceBuffer, byteOffset: number, data: ArrayBufferView<ArrayBuffer>): void {
    this.faults.checkAlive();
    if (data.byteLength === 0) return;
    const memory = this.memoryOf(buffer);
    // A write goes before all that was not sent yet.
    if (memory.lastBatch === this.batch.number) this.flush();
    this.device.queue.writeBuffer(memory.buffer, byteOffset, data);
  }

  /** Copies the first bytes (in fours) of one buffer into another. */
  copy(from: DeviceBuffer, to: DeviceBuffer, fromOffset: number, toOffset: number, byteLength: number): void {
    this.faults.checkAlive();
    const [source, target] = [this.memoryOf(from), this.memoryOf(to)];
    this.batch.outsidePasses().copyBufferToBuffer(source.buffer, fromOffset, target.buffer, toOffset, byteLength);
    source.lastBatch = target.lastBatch = this.batch.number;
  }

  /**
   * The bytes (in fours) from `byteOffset` on, once all that was launched before has run.
   *
   * @throws what went wrong since the last read (as a rejection).
   */
  async read(buffer: DeviceBuffer, byteOffset: number, byteLength: number): Promise<ArrayBuffer> {
    const { bytes, notes } = await this.fetch(buffer, byteOffset, byteLength);
    await this.faults.settle();
    this.indexFaults.check(notes, (zeros) => this.write(this.indexFaults.memory, 0, zeros));
    return bytes;
  }

  /**
   * As {@link read}, but leaves it to the next read to tell what went wrong.
   *
   * @throws DeviceError where the bytes cannot be had (as a rejection).
   */
  async fetch(buffer: DeviceBuffer, byteOffset: number, byteLength: number): Promise<Fetched> {
    this.faults.checkAlive();
    return this.reads.fetch(this.memoryOf(buffer), byteOffset, byteLength);
  }

  /** Sends all that was launched. */
  flush(): void {
    if (this.batch.isEmpty) return;
    this.batch.send();
    this.backlog.add();
    this.pool.trimOld(this.batch.number);
  }

  // --- inside -------------------------------------------------------------------------------------------------------

  /** The memories of a launch; inputs that lie in the buffer of an output are copied. */
  private separate(kernel: Kernel, buffers: readonly DeviceBuffer[]): readonly GpuMemory[] {
    const { outputCount } = kernel;
    const memories: GpuMemory[] = [];
    for (const buffer of buffers) memories.push(this.memoryOf(buffer));
    for (let i = 0; i < outputCount; i++) {
      const output = memories[i];
      for (let j = outputCount; j < memories.length; j++) {
        if (memories[j] === output && output !== undefined) memories[j] = this.copyOf(output);
      }
    }
    return memories;
  }

  private giveLentBack(): void {
    for (const memory of this.lent) this.pool.give(memory);
    this.lent.length = 0;
  }

  private copyOf(memory: GpuMemory): GpuMemory {
    const copy = this.pool.take(memory.byteLength);
    this.lent.push(copy);
    this.batch.outsidePasses().copyBufferToBuffer(memory.buffer, 0, copy.buffer, 0, memory.byteLength);
    return copy;
  }

  /**
   * The memory behind a buffer.
   *
   * @throws DeviceError where it belongs to another GPUDevice.
   */
  memoryOf(buffer: DeviceBuffer): GpuMemory {
    if (buffer instanceof GpuMemory && buffer.pool === this.pool && buffer.inUse) return buffer;
    if (buffer instanceof GpuMemory && buffer.pool !== this.pool) {
      throw new DeviceError(
        "webgpu: got a tensor of another GPUDevice; expected one of the device that webgpu.init() made last. " +
          "Make the tensor anew, or read it before the device is changed.",
      );
    }
    throw new TapegradError(
      `webgpu: got a buffer of ${buffer.byteLength} bytes that ${buffer instanceof GpuMemory ? "was freed" : "another kernel set made"}; ` +
        "expected a live one of this kernel set. This is a bug in the library: please report it.",
    );
  }

  private source(what: string, usage: number) {
    return {
      create: (size: number, onFailure: () => void) =>
        this.faults.allocating(
          `allocating ${size} bytes for ${what}`,
          () => this.device.createBuffer({ size, usage }),
          onFailure,
        ),
      flush: () => this.flush(),
      forget: (memory: GpuMemory) => this.bindGroups.forget(memory),
    };
  }
}
