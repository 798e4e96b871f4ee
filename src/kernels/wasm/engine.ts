/** The running module: its memory, its arguments, and how a job is shared among threads. */
import { ArgumentError, DeviceError, OutOfMemoryError } from "../../errors.js";
import * as id from "./assembly/kernelIds.js";
import { buildBytes, chooseBuild, type WasmBuild } from "./build.js";
import { type Block, Heap } from "./heap.js";
import { canShareMemory, coreCount, startHelper } from "./threads.js";

/** Options of the WASM kernel set. */
export interface EngineOptions {
  /** Which build to run. Default: the best that the engine validates; never the revectorized one. */
  readonly build?: WasmBuild | null;
  /** Threads, the main one included. Default: the cores of the machine. */
  readonly threads?: number;
  /** Share every job of two units or more, however small it is, so that tests see all kernels shared. */
  readonly alwaysShare?: boolean;
  /** Milliseconds without any progress after which a thread counts as lost. Default 20,000. */
  readonly patience?: number;
}

interface Exports {
  run(kernel: number, begin: number, end: number): void;
  post(kernel: number, units: number, size: number, chunks: number, threads: number, crew: number): void;
  help(crew: number): void;
}

/** Work (in steps of some nanoseconds) below which waking another thread costs more than it saves. */
const SHARING_PAYS = 50_000;
/** Work to share that is done alone before threads are started: what takes as long as to start them, some tens of milliseconds. */
const STARTING_PAYS = 20_000_000;
/** Least chunks for each thread: enough that a thread that was held up leaves the rest to the others. */
const CHUNKS_PER_THREAD = 4;
/** Most of them, in long jobs, and work below which a chunk costs more to claim than its being short is worth. */
const MOST_CHUNKS_PER_THREAD = 16;
const CHUNK_PAYS = 50_000;
/** Crews are numbered from 1 to what 16 bits hold, and then anew. */
const CREWS = 65535;

/** Most threads, so that scratch memory for each can be laid out once. */
export const MAX_THREADS = 64;

export class Engine {
  readonly build: WasmBuild;
  readonly heap: Heap;
  /** The job's arguments as whole numbers and addresses. Write them, then {@link launch}. */
  words: Int32Array;
  /** The same words as fractions. */
  fractions: Float32Array;

  private readonly memory: WebAssembly.Memory;
  private readonly module: WebAssembly.Module;
  private readonly exports: Exports;
  private readonly shared: boolean;
  private readonly alwaysShare: boolean;
  private readonly patience: number;
  private helpers: { stop(): void }[] = [];
  private crew = 0;
  private wantedThreads: number;
  /** Work that was done without the threads that are wanted. */
  private doneAlone = 0;
  private control: Int32Array;
  private death: string | null = null;

  /** @throws ArgumentError where the build cannot run here, or the thread count is no whole number of 1 or more. */
  constructor(options: EngineOptions = {}) {
    this.build = chooseBuild(options.build ?? null);
    this.shared = canShareMemory();
    this.alwaysShare = options.alwaysShare ?? false;
    this.patience = options.patience ?? 20_000;
    this.memory = new WebAssembly.Memory({ initial: 2, maximum: 65536, shared: this.shared });
    this.module = new WebAssembly.Module(buildBytes(this.build, this.shared));
    // The one place where the module's exports get their types.
    this.exports = new WebAssembly.Instance(this.module, { env: { memory: this.memory } })
      .exports as unknown as Exports;
    this.heap = new Heap(this.memory, 2 * id.STATIC_BASE, () => this.refresh());
    this.words = new Int32Array(0);
    this.fractions = new Float32Array(0);
    this.control = new Int32Array(0);
    this.refresh();
    this.wantedThreads = 1;
    this.setThreads(options.threads ?? Math.min(coreCount(), MAX_THREADS));
  }

  /** The memory as it is now. It is another object after each growth. */
  get buffer(): ArrayBufferLike {
    return this.memory.buffer;
  }

  /** Threads that jobs are cut up for. */
  get threads(): number {
    return this.wantedThreads;
  }

  /**
   * Sets the number of threads, the main one included. Where memory cannot be shared it stays 1.
   *
   * @throws ArgumentError where it is no whole number from 1 to 64.
   */
  setThreads(count: number): void {
    if (!Number.isInteger(count) || count < 1 || count > MAX_THREADS) {
      throw new ArgumentError(
        `setNumThreads: got ${String(count)}; expected a whole number from 1 to ${MAX_THREADS}. Leave it out for one thread a core.`,
      );
    }
    this.dismissHelpers();
    this.wantedThreads = this.shared ? count : 1;
  }

  /** Workers stop some time after they are told to: what keeps them from the next job is that it is for another crew. */
  private dismissHelpers(): void {
    for (const helper of this.helpers) helper.stop();
    this.helpers = [];
    this.death = null;
    this.crew = (this.crew % CREWS) + 1;
    Atomics.store(this.control, id.CREW >> 2, this.crew);
  }

  /** Writes `values` as the job's arguments from number `place` on. */
  put(place: number, values: readonly number[]): void {
    const { words } = this;
    for (let i = 0; i < values.length; i++) words[place + i] = values[i] ?? 0;
  }

  /**
   * Runs a kernel on units 0 … units − 1, with the arguments that were written before. Returns when all is done. The
   * chunks depend on nothing but the numbers given here and the thread count, so results repeat to the bit.
   *
   * @param work rough cost of all units, in simple steps of an inner loop; decides whether to share
   * @param grain least units in a chunk
   */
  launch(kernel: number, units: number, work: number, grain = 1): void {
    if (units <= 0) return;
    const least = this.alwaysShare ? 1 : grain;
    if (this.wantedThreads === 1 || units <= least || (work < SHARING_PAYS && !this.alwaysShare)) {
      this.exports.run(kernel, 0, units);
      return;
    }
    const chunks = Math.floor(work / CHUNK_PAYS / this.wantedThreads);
    const each = Math.min(Math.max(chunks, CHUNKS_PER_THREAD), MOST_CHUNKS_PER_THREAD);
    const size = Math.max(Math.ceil(units / (this.wantedThreads * each)), least);
    this.share(kernel, units, size, Math.ceil(units / size), work);
  }

  /**
   * Runs `use` with the address of `bytes` bytes of memory that are its own for the time of the call.
   *
   * @throws OutOfMemoryError where there is no room for them.
   */
  withScratch(bytes: number, use: (address: number) => void): void {
    this.withBlock(bytes, (block) => use(block.address));
  }

  /** As {@link withScratch}, with the block of memory, which arrays may lie in. */
  withBlock(bytes: number, use: (block: Block) => void): void {
    const block = this.scratch(bytes);
    try {
      use(block);
    } finally {
      this.heap.free(block);
    }
  }

  private scratch(bytes: number): Block {
    try {
      return this.heap.alloc(bytes);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const { used, size } = this.heap.stats;
      throw new OutOfMemoryError(
        `wasm: got a kernel that works in ${bytes} bytes with ${used} of ${size} bytes in use; expected room for them. ` +
          "Make batches smaller, or run under noGrad what needs no gradient.",
      );
    }
  }

  private share(kernel: number, units: number, size: number, chunks: number, work: number): void {
    if (this.death !== null) this.failThreads(this.death);
    if (this.doneAlone < STARTING_PAYS && !this.alwaysShare) this.doneAlone += work;
    else while (this.helpers.length < this.wantedThreads - 1) this.addHelper();
    this.exports.post(kernel, units, size, chunks, this.wantedThreads, this.crew);
    try {
      this.exports.help(this.crew);
    } catch (error) {
      this.failThreads(String(error));
    }
    this.awaitChunks(chunks);
  }

  /** Waits for the chunks that other threads are at. They are few and short, so it looks again and again. */
  private awaitChunks(chunks: number): void {
    let since = 0;
    let last = -1;
    for (let looks = 1; ; looks++) {
      const finished = Atomics.load(this.control, id.FINISHED >> 2);
      if (finished === chunks) return;
      if (looks % 10_000 !== 0) continue;
      if (Atomics.load(this.control, id.FAILED >> 2) === this.crew) this.failThreads("it failed inside a kernel");
      const now = performance.now();
      if (finished !== last) since = now;
      last = finished;
      if (now - since > this.patience) this.failThreads(`no progress for ${this.patience / 1000} s`);
    }
  }

  private failThreads(reason: string): never {
    this.setThreads(1);
    throw new DeviceError(
      `wasm: got a worker thread that died (${reason}); expected it to finish its part. Results since the last read are lost; ` +
        `computing goes on with one thread. Call setNumThreads to start new ones.`,
    );
  }

  private addHelper(): void {
    const index = this.helpers.length + 1;
    this.helpers.push(
      startHelper(this.module, this.memory, index, this.crew, (reason) => {
        this.death = reason;
      }),
    );
  }

  private refresh(): void {
    const { buffer } = this.memory;
    this.words = new Int32Array(buffer, id.JOB_ARGUMENTS, 128);
    this.fractions = new Float32Array(buffer, id.JOB_ARGUMENTS, 128);
    this.control = new Int32Array(buffer, 0, 256);
  }
}
