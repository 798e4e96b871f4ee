/** The WASM sets that tests of single kernels run on. */
import { createReferenceKernels } from "../../../src/kernels/reference/index.js";
import { createWasmKernels, type WasmKernels } from "../../../src/kernels/wasm/index.js";
import { KernelBench, type KernelCase, type Outputs } from "../bench.js";
import { expectNear } from "../compare.js";

const major = Number(process.versions.node.split(".")[0]);

/** The builds that run here: the revectorized one takes Node 24. */
export const builds = major < 24 ? (["simd", "relaxed"] as const) : (["simd", "relaxed", "revectorized"] as const);

/** Each build on one thread and on two, every job shared however small, in poisoned memory with guard zones. */
export function wasmSets(): [name: string, kernels: WasmKernels][] {
  return builds.flatMap((build) =>
    [1, 2].map((threads): [string, WasmKernels] => {
      const kernels = createWasmKernels({ build, threads, guard: true, poison: true, alwaysShare: true });
      return [`${build}, threads: ${threads}`, kernels];
    }),
  );
}

const reference = createReferenceKernels();

/** Runs `run` on a set and on the reference set and compares the results; then looks for writes outside buffers. */
export async function agrees(kernels: WasmKernels, run: KernelCase["run"], tolerance = 1e-5, seed = 1): Promise<void> {
  const expected = await run(new KernelBench(reference, seed));
  const got = await outputs(kernels, run, seed);
  expectNear(got, expected, tolerance);
}

/** The results of `run`, whose buffers are then freed, which also checks their guard zones. */
export async function outputs(kernels: WasmKernels, run: KernelCase["run"], seed = 1): Promise<Outputs> {
  const made: ReturnType<WasmKernels["alloc"]>[] = [];
  const watched: WasmKernels = {
    ...kernels,
    alloc: (dtype, length) => {
      const buffer = kernels.alloc(dtype, length);
      made.push(buffer);
      return buffer;
    },
  };
  const results = await run(new KernelBench(watched, seed));
  for (const buffer of made) kernels.free(buffer);
  return results;
}
