import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test, vi } from "vitest";
import { DeviceError } from "../../../src/errors.js";
import type { Strided } from "../../../src/kernels/kernelSet.js";
import { GEMM_SCRATCH_BYTES } from "../../../src/kernels/wasm/assembly/gemmSizes.js";
import { CREW, FINISHED, MULTIPLY_BATCH, TICKET_BYTES, TICKETS } from "../../../src/kernels/wasm/assembly/kernelIds.js";
import { buildBytes } from "../../../src/kernels/wasm/build.js";
import { Engine } from "../../../src/kernels/wasm/engine.js";
import { createWasmKernels, type WasmKernels } from "../../../src/kernels/wasm/index.js";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The worker threads that are started from now on. */
function watchWorkers(): Worker[] {
  const workers: Worker[] = [];
  const unref = Worker.prototype.unref;
  vi.spyOn(Worker.prototype, "unref").mockImplementation(function (this: Worker) {
    workers.push(this);
    unref.call(this);
  });
  return workers;
}

const SIZE = 150;

function matrix(kernels: WasmKernels, salt: number): Strided {
  const buffer = kernels.alloc("float32", SIZE * SIZE);
  const values = Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i * salt));
  kernels.write(buffer, "float32", 0, values);
  return { buffer, dtype: "float32", shape: [SIZE, SIZE], strides: [SIZE, 1], offset: 0 };
}

/** A large product: many chunks for each thread. */
function product(kernels: WasmKernels): number[] {
  const [a, b, out] = [matrix(kernels, 1), matrix(kernels, 2), matrix(kernels, 3)];
  kernels.matmul(a, b, null, out);
  const result = [...(kernels.readSync?.(out.buffer, "float32", 0, SIZE * SIZE) ?? [])];
  for (const { buffer } of [a, b, out]) kernels.free(buffer);
  return result;
}

const expected = product(createWasmKernels({ threads: 1 }));

describe("the number of threads", () => {
  test("changes at any time, at once, and changes no result", async () => {
    const workers = watchWorkers();
    const kernels = createWasmKernels({ threads: 1, alwaysShare: true });
    expect(product(kernels)).toEqual(expected);
    expect(workers.length).toBe(0);
    for (const threads of [2, 5, 3, 1, 2]) {
      kernels.setThreads(threads);
      expect(kernels.threads).toBe(threads);
      for (let i = 0; i < 20; i++) expect(product(kernels)).toEqual(expected);
      // Long enough for the workers to be up, and to go to sleep.
      await pause(1000);
      for (let i = 0; i < 20; i++) expect(product(kernels)).toEqual(expected);
    }
    expect(workers.length).toBe(1 + 4 + 2 + 1);
  });

  describe("a thread", () => {
    /** The main thread's side of a job of seven chunks for three threads of crew 7: products without any elements. */
    function job() {
      const memory = new WebAssembly.Memory({ initial: 2, maximum: 65536, shared: true });
      const module = new WebAssembly.Module(buildBytes("simd", true));
      const { post, help } = new WebAssembly.Instance(module, { env: { memory } }).exports as {
        post(kernel: number, units: number, size: number, chunks: number, threads: number, crew: number): void;
        help(crew: number): void;
      };
      const control = new Int32Array(memory.buffer, 0, 128);
      control[CREW >> 2] = 7;
      post(MULTIPLY_BATCH, 7, 1, 7, 3, 7);
      /** First chunk and end of what is left to each thread. */
      const left = () =>
        [0, 1, 2].map((thread) => {
          const ticket = new BigUint64Array(memory.buffer, TICKETS + thread * TICKET_BYTES, 1)[0] ?? 0n;
          expect(ticket >> 48n).toBe(7n);
          return [Number(ticket & 0xffffffn), Number((ticket >> 24n) & 0xffffffn)];
        });
      return { help, left, finished: () => control[FINISHED >> 2] };
    }

    test("that was dismissed, but is not gone yet, claims nothing of the next job", () => {
      const { help, left, finished } = job();
      help(6);
      expect(left()).toEqual([
        [0, 2],
        [2, 4],
        [4, 7],
      ]);
      expect(finished()).toBe(0);
    });

    test("does its own chunks from the first on, and the others' from the last", () => {
      const { help, left, finished } = job();
      help(7);
      expect(left()).toEqual([
        [2, 2],
        [2, 2],
        [4, 4],
      ]);
      expect(finished()).toBe(7);
    });
  });

  test.each([0, -1, 1.5, Number.NaN, 65])("%d is refused", (count) => {
    const kernels = createWasmKernels({ threads: 1 });
    expect(() => kernels.setThreads(count)).toThrow(
      `setNumThreads: got ${count}; expected a whole number from 1 to 64. Leave it out for one thread a core.`,
    );
    expect(kernels.threads).toBe(1);
  });

  test("starts none for the first jobs: a short script is through before they were up", () => {
    const workers = watchWorkers();
    const kernels = createWasmKernels({ threads: 3 });
    expect(product(kernels)).toEqual(expected);
    expect(workers.length).toBe(0);
    for (let i = 0; i < 1000 && workers.length === 0; i++) expect(product(kernels)).toEqual(expected);
    expect(workers.length).toBe(2);
    kernels.setThreads(1);
  });

  test("workers that are dismissed end", async () => {
    const workers = watchWorkers();
    const kernels = createWasmKernels({ threads: 3, alwaysShare: true });
    product(kernels);
    const ended = workers.map((worker) => new Promise((resolve) => worker.once("exit", resolve)));
    expect(ended.length).toBe(2);
    kernels.setThreads(1);
    await Promise.all(ended);
  });
});

// A machine with more to do than cores may start the worker late: then the test begins anew.
describe("a worker that dies", { retry: 2 }, () => {
  test("is an error at the next large job; then one thread goes on, and new ones can be started", async () => {
    const workers = watchWorkers();
    const kernels = createWasmKernels({ threads: 2, alwaysShare: true });
    product(kernels);
    await workers[0]?.terminate();
    expect(() => product(kernels)).toThrow(DeviceError);
    expect(kernels.threads).toBe(1);
    expect(product(kernels)).toEqual(expected);
    kernels.setThreads(2);
    await pause(1000);
    expect(product(kernels)).toEqual(expected);
    expect(workers.length).toBe(2);
  });

  test("in the midst of a job does not hang it", async () => {
    const workers = watchWorkers();
    const kernels = createWasmKernels({ threads: 2, alwaysShare: true, patience: 300 });
    for (let round = 0; round < 10; round++) {
      kernels.setThreads(2);
      product(kernels);
      await pause(60);
      void workers.at(-1)?.terminate();
      // Whichever comes first: the job's end, the loss of a chunk, or the news of the death.
      try {
        for (let i = 0; i < 10; i++) expect(product(kernels)).toEqual(expected);
        await pause(20);
        product(kernels);
        expect.unreachable("the death went unnoticed");
      } catch (error) {
        expect(error).toBeInstanceOf(DeviceError);
      }
      expect(product(kernels)).toEqual(expected);
    }
  });

  test("of a fault in a kernel is an error, whichever thread it hits", async () => {
    const engine = new Engine({ threads: 2, alwaysShare: true });
    for (let round = 0; round < 10; round++) {
      engine.setThreads(2);
      const scratch = engine.heap.alloc(2 ** 18 + 2 * GEMM_SCRATCH_BYTES);
      // The second product of the batch begins far outside the memory.
      const far = 2 ** 30;
      const job = (step: number): void => {
        engine.put(0, [scratch.address, step, 400, 4, scratch.address, 0, 400, 4]);
        engine.put(8, [0, 0, 0, 0, scratch.address, 0, 400, 100, 100, 100, scratch.address + 2 ** 18]);
        engine.launch(MULTIPLY_BATCH, 2, 1e6);
      };
      job(0);
      await pause(60);
      expect(() => job(far)).toThrow(DeviceError);
      expect(() => job(0)).not.toThrow();
      expect(engine.threads).toBe(1);
      engine.heap.free(scratch);
    }
  });

  test("says what happened and what to do", async () => {
    const workers = watchWorkers();
    const kernels = createWasmKernels({ threads: 2, alwaysShare: true });
    product(kernels);
    await pause(1000);
    await workers[0]?.terminate();
    expect(() => product(kernels)).toThrow(
      "wasm: got a worker thread that died (exit code 1); expected it to finish its part. Results since the last read are lost; " +
        "computing goes on with one thread. Call setNumThreads to start new ones.",
    );
  });
});

describe("memory that cannot be shared", () => {
  test("means one thread and the same results", () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    const kernels = createWasmKernels({ threads: 4, alwaysShare: true });
    vi.unstubAllGlobals();
    expect(kernels.threads).toBe(1);
    expect(product(kernels)).toEqual(expected);
    kernels.setThreads(3);
    expect(kernels.threads).toBe(1);
    expect(product(kernels)).toEqual(expected);
  });

  test.each(["simd", "relaxed"] as const)("is one bit in the module (%s)", (build) => {
    const [shared, unshared] = [buildBytes(build, true), buildBytes(build, false)];
    expect(shared.filter((byte, i) => byte !== unshared[i]).length).toBe(1);
    expect(WebAssembly.validate(unshared)).toBe(WebAssembly.validate(shared));
  });
});

test("a process with workers asleep ends by itself", async () => {
  const child = fileURLToPath(new URL("threadsChild.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", child], { timeout: 60_000 });
  expect(stdout).toBe("2 threads: done\n");
});
