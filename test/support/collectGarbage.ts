import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type MemoryStats, memoryStats } from "tapegrad";

setFlagsFromString("--expose-gc");

/** Collects garbage now; finalizers run between later tasks. */
export const collectGarbage = runInNewContext("gc") as () => void;

/** Collects garbage, several times, and lets the finalizers run. */
export async function collectAndFinalize(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/**
 * What is alive once the garbage of earlier tests is gone: to be compared with, wherever a test awaits in between, for
 * the collector would give that garbage back during the await.
 */
export async function settledMemory(): Promise<MemoryStats> {
  await collectAndFinalize();
  return memoryStats();
}
