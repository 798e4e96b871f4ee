import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

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
