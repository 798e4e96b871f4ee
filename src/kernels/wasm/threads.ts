/** The worker threads: each runs the same module over the same memory, and helps with the chunks of a job. */
import { FAILED } from "./assembly/kernelIds.js";
import { nodeModule } from "./build.js";

/** A running worker, whatever the platform calls it. */
interface Helper {
  stop(): void;
}

interface NodeWorker {
  unref(): void;
  terminate(): Promise<number>;
  on(event: "error" | "exit", listener: (reason: unknown) => void): void;
}

interface NodeThreads {
  readonly Worker: new (
    source: string,
    options: { eval: true; workerData: unknown; execArgv: string[]; stdin: false },
  ) => NodeWorker;
}

/**
 * What a worker runs. It is text because bundlers then need no configuration to carry it. Growing by nothing tells the engine to
 * look up the memory's size: where the main thread grew it while the worker took it over, V8 may have missed that, and a fill of
 * what is new would be out of bounds.
 */
const START = `
const { module, memory, index, crew } = data;
const { work } = new WebAssembly.Instance(module, { env: { memory } }).exports;
memory.grow(0);
try {
  work(index, crew);
} catch (error) {
  Atomics.store(new Int32Array(memory.buffer, 0, 128), ${FAILED >> 2}, crew);
  throw error;
}`;

// A block, because other runtimes than Node may have a `module` around it already.
const NODE_SOURCE = `{ const { workerData: data } = require("node:worker_threads");${START} }`;
const WEB_SOURCE = `onmessage = ({ data }) => {${START}};`;

/** Cores of this machine. */
export function coreCount(): number {
  const navigator = globalThis.navigator as { hardwareConcurrency?: number } | undefined;
  const os = nodeModule("node:os") as { availableParallelism(): number } | null;
  return os?.availableParallelism() ?? navigator?.hardwareConcurrency ?? 1;
}

/** Whether threads can share memory here. In a browser that takes cross-origin isolation. */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  return isolated !== false && (nodeModule("node:worker_threads") !== null || typeof Worker !== "undefined");
}

/**
 * Starts worker number `index` (from 1) of a crew. It comes to help when it is up; nobody waits for it.
 *
 * @param onDeath told why, should the worker end by itself
 */
export function startHelper(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  index: number,
  crew: number,
  onDeath: (reason: string) => void,
): Helper {
  const data = { module, memory, index, crew };
  const threads = nodeModule("node:worker_threads") as NodeThreads | null;
  if (threads !== null) {
    const worker = new threads.Worker(NODE_SOURCE, { eval: true, workerData: data, execArgv: [], stdin: false });
    let stopped = false;
    worker.unref();
    worker.on("error", (reason) => {
      if (!stopped) onDeath(String(reason));
    });
    worker.on("exit", (code) => {
      if (!stopped) onDeath(`exit code ${String(code)}`);
    });
    return {
      stop: () => {
        stopped = true;
        void worker.terminate();
      },
    };
  }
  const url = URL.createObjectURL(new Blob([WEB_SOURCE], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.onerror = (event) => onDeath(event.message);
  worker.postMessage(data);
  return {
    stop: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
