/** Where the time goes, and the memory. */
import { ArgumentError } from "../errors.js";
import { replaceFile } from "../io/replaceFile.js";
import { presentKernels } from "../tensor/device.js";
import { memoryStats } from "../tensor/memory.js";
import { checkOptions } from "../tensor/options.js";
import { chromeTrace } from "./chromeTrace.js";
import { installInstruments } from "./instruments.js";
import { Recorder } from "./recorder.js";
import { formatBytes, formatTime, type ProfileRow, rowsOf, type TableOptions, tableOf } from "./rows.js";

export type { ProfileRow, TableOptions } from "./rows.js";

/** What {@link profile} measured. Its text, `String(profile)`, is a table. */
export class Profile {
  /** A row for each op, module and optimizer, the longest self time first. */
  readonly rows: readonly ProfileRow[];

  /** @internal */
  constructor(
    private readonly recorder: Recorder,
    /** Milliseconds that the function took. */
    readonly wallTime: number,
    /**
     * What times of a GPU are: `"device"`, of its own clock, and in `deviceTime`; `"dispatch"`, of launching alone, for it tells
     * no times. `"none"` where no GPU was in use: times of the CPU are those of computing.
     */
    readonly gpuTimes: "device" | "dispatch" | "none",
  ) {
    this.rows = rowsOf(recorder.spans, gpuTimes === "device");
  }

  /** Bytes of memory that were asked for. */
  get bytesAllocated(): number {
    return this.recorder.allocated;
  }

  /** Bytes of memory that were given back. */
  get bytesFreed(): number {
    return this.recorder.freed;
  }

  /** Most bytes that were alive at a time, those from before included. */
  get peakBytes(): number {
    return this.recorder.peak;
  }

  /**
   * The rows as text.
   *
   * @throws ArgumentError where a setting is none.
   * @see https://pytorch.org/docs/stable/profiler.html
   */
  table(options: TableOptions = {}): string {
    checkOptions("table", options, ["sortBy", "rowLimit"]);
    const { sortBy = this.gpuTimes === "device" ? "deviceTime" : "selfTime", rowLimit = 100 } = options;
    const note = {
      none: [],
      device: ["Self and Total are times of launching; GPU is what the GPU's own clock says."],
      dispatch: ["Times are those of launching, for what computes on a GPU: it does not tell its own."],
    }[this.gpuTimes];
    return [
      tableOf(this.rows, sortBy, rowLimit),
      `${formatTime(this.wallTime)} in all; ${formatBytes(this.bytesAllocated)} asked for, ` +
        `${formatBytes(this.bytesFreed)} given back, ${formatBytes(this.peakBytes)} at most`,
      ...note,
    ].join("\n");
  }

  /** The table as it is by default. */
  toString(): string {
    return this.table();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.table();
  }

  /** The course of events as JSON text, which chrome://tracing and https://ui.perfetto.dev show: modules, ops, kernels, memory. */
  chromeTrace(): string {
    return chromeTrace(this.recorder);
  }

  /**
   * Writes {@link chromeTrace} to a file. Node only.
   *
   * @throws FileError (as a rejection) where the file cannot be written.
   */
  async exportChromeTrace(path: string | URL): Promise<void> {
    const bytes = new TextEncoder().encode(this.chromeTrace());
    const inBrowsers = "In a browser, make new Blob([profile.chromeTrace()]) of it.";
    await replaceFile("exportChromeTrace", path, pieces(bytes), inBrowsers);
  }
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

let isProfiling = false;

/**
 * Runs `fn`, which may be asynchronous, and tells what took how long and how much memory: ops, forward and in the walk back,
 * modules, optimizer steps. Costs nothing while it does not run.
 *
 * An op here is what reaches the kernels: `crossEntropy` shows as the ops that it is made of. What other code does meanwhile, between
 * the awaits of `fn`, is measured too. On a GPU the times are of its own clock where it has one, with each kernel sent by itself;
 * it waits for them in the end. A device has to be started, and modules made, before it begins. Run `fn` once before: the
 * first time compiles.
 *
 * @throws ArgumentError (as a rejection) where a profile is being taken already, or `fn` is no function.
 * @see https://pytorch.org/docs/stable/profiler.html
 */
export async function profile(fn: () => unknown): Promise<Profile> {
  if (typeof fn !== "function") {
    throw new ArgumentError(`profile: got ${String(fn)}; expected a function. Pass what to measure: profile(() => …).`);
  }
  if (isProfiling) {
    throw new ArgumentError(
      "profile: got a call while another one measures; expected one at a time. Await the one before, and profile only the outer function.",
    );
  }
  isProfiling = true;
  try {
    return await measured(fn);
  } finally {
    isProfiling = false;
  }
}

async function measured(fn: () => unknown): Promise<Profile> {
  const kernels = presentKernels();
  const recorder = new Recorder(memoryStats().bytes);
  const remove = installInstruments(recorder, new Set(kernels.values()));
  const gpu = kernels.get("webgpu");
  let endOfTimes: (() => Promise<void>) | null = null;
  let wallTime = 0;
  try {
    endOfTimes = gpu?.watchTimes?.((name) => recorder.deviceLaunch(name)) ?? null;
    const start = recorder.now();
    await fn();
    wallTime = recorder.now() - start;
  } finally {
    recorder.finish();
    remove();
    await endOfTimes?.();
  }
  const gpuTimes = !recorder.usesDevice ? "none" : endOfTimes === null ? "dispatch" : "device";
  return new Profile(recorder, wallTime, gpuTimes);
}
