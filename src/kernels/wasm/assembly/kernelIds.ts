/**
 * Numbers that both sides know: the AssemblyScript that runs the kernels and the TypeScript that launches them.
 *
 * @module
 */

// --- where things lie in the first page of the memory (byte offsets) --------------------------------------------------

/** Counts the jobs; sleeping workers wait here. */
export const GENERATION = 64;
/** The number of chunks of the job (bits 24 to 47) and the next chunk (below): one word, so that a claim is one atomic step. */
export const TICKET = 128;
/** Chunks that are finished. */
export const FINISHED = 192;
/** Number of the worker that failed, from 1. */
export const FAILED = 256;
/** The job: kernel, units, units in a chunk. */
export const JOB_KERNEL = 320;
export const JOB_UNITS = 324;
export const JOB_CHUNK = 328;
/** The kernel's arguments, 128 words of 32 bits. */
export const JOB_ARGUMENTS = 384;
/** Where the heap begins: what the compiler places lies between, in the second page. */
export const STATIC_BASE = 65536;

// --- kernels ----------------------------------------------------------------------------------------------------------

export const FILL = 1;
