/**
 * The reference kernel set: plain TypeScript loops over typed arrays, for every dtype. It is the definition that the
 * faster sets are compared with. Sums and products are accumulated in double precision and rounded once.
 *
 * @module
 */
import type { KernelSet } from "../kernelSet.js";
import type { ArrayOf } from "./arrays.js";
import { batchNormKernels } from "./batchNorm.js";
import { convolutionKernels } from "./convolution.js";
import { elementwiseKernels } from "./elementwise.js";
import { groupNormKernels } from "./groupNorm.js";
import { indexKernels } from "./indexing.js";
import { matmulKernels } from "./matmul.js";
import { referenceMemory } from "./memory.js";
import { optimizerKernels } from "./optimizerSteps.js";
import { orderKernels } from "./order.js";
import { poolKernels } from "./pool.js";
import { reduceKernels } from "./reduce.js";
import { softmaxKernels } from "./softmax.js";
import { windowKernels } from "./windows.js";

export type { ArrayOf } from "./arrays.js";

/** The part of a kernel set that computes. */
export type Loops = Omit<KernelSet, "name" | "supports" | "alloc" | "free" | "write" | "read" | "readSync">;

/** All reference loops over memory of any kind: a kernel set on the CPU can fall back on them with its own memory. */
export function createReferenceLoops(arrayOf: ArrayOf): Loops {
  return {
    ...elementwiseKernels(arrayOf),
    ...reduceKernels(arrayOf),
    ...orderKernels(arrayOf),
    ...indexKernels(arrayOf),
    ...matmulKernels(arrayOf),
    ...convolutionKernels(arrayOf),
    ...windowKernels(arrayOf),
    ...poolKernels(arrayOf),
    ...softmaxKernels(arrayOf),
    ...batchNormKernels(arrayOf),
    ...groupNormKernels(arrayOf),
    ...optimizerKernels(arrayOf),
  };
}

/** Options of {@link createReferenceKernels}. */
export interface ReferenceOptions {
  /** Fill all memory with NaN (or absurd integers) when it is made and when it is freed, to catch whoever reads it. */
  readonly poison?: boolean;
}

/** A new reference kernel set with memory of its own. */
export function createReferenceKernels(options: ReferenceOptions = {}): KernelSet {
  const name = "reference";
  const { kernels, arrayOf } = referenceMemory(name, options.poison ?? false);
  return { name, ...kernels, ...createReferenceLoops(arrayOf) };
}
