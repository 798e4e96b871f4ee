/**
 * The kernel set that the CPU uses: AssemblyScript kernels in float32, on several threads where memory can be shared.
 * What they do not cover runs in the reference loops, on the same memory.
 *
 * @module
 */
import type { KernelSet } from "../kernelSet.js";
import { createReferenceLoops } from "../reference/index.js";
import type { WasmBuild } from "./build.js";
import { convolutionKernels } from "./convolution.js";
import { elementwiseKernels } from "./elementwise.js";
import { Engine, type EngineOptions } from "./engine.js";
import { indexKernels } from "./indexing.js";
import { matmulKernels } from "./matmul.js";
import { type Precautions, wasmMemory } from "./memory.js";
import { normalizationKernels } from "./normalization.js";
import { optimizerKernels } from "./optimizerSteps.js";
import { orderKernels } from "./order.js";
import { poolKernels } from "./pool.js";
import { randomKernels } from "./random.js";
import { reduceKernels } from "./reduce.js";
import { windowKernels } from "./windows.js";

export type { WasmBuild } from "./build.js";

/** Options of {@link createWasmKernels}. */
export interface WasmOptions extends EngineOptions, Partial<Precautions> {}

/** A WASM kernel set, and what can be asked and told of it beyond the contract. */
export interface WasmKernels extends KernelSet {
  readonly bernoulli: NonNullable<KernelSet["bernoulli"]>;
  /** Which build runs. */
  readonly build: WasmBuild;
  /** Threads that large jobs are shared among. */
  readonly threads: number;
  setThreads(count: number): void;
  /** Bytes in use, and bytes that the memory has. */
  readonly heap: { readonly used: number; readonly size: number };
  /** Throws where somebody wrote outside a buffer; only with the option `guard`. */
  checkGuards(): void;
}

/** A new WASM kernel set with memory of its own. */
export function createWasmKernels(options: WasmOptions = {}): WasmKernels {
  const engine = new Engine(options);
  const { kernels, arrayOf, checkGuards } = wasmMemory(engine, {
    poison: options.poison ?? false,
    guard: options.guard ?? false,
  });
  const loops = createReferenceLoops(arrayOf);
  const elementwise = elementwiseKernels(engine, loops);
  const windows = windowKernels(engine, loops);
  const products = matmulKernels(engine, loops);
  const reductions = reduceKernels(engine, loops);
  return {
    name: "wasm",
    ...kernels,
    ...loops,
    ...elementwise,
    ...reductions,
    ...normalizationKernels(engine, loops),
    ...optimizerKernels(engine, loops),
    ...orderKernels(engine, loops),
    ...poolKernels(engine, loops),
    ...windows,
    ...indexKernels(engine, loops),
    ...products,
    ...convolutionKernels(engine, loops, { ...elementwise, ...windows, ...products, ...reductions }),
    ...randomKernels(engine),
    build: engine.build,
    get threads() {
      return engine.threads;
    },
    setThreads: (count) => engine.setThreads(count),
    get heap() {
      return engine.heap.stats;
    },
    checkGuards,
  };
}
