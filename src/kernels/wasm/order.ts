/** The order of rows of float32. */
import type { KernelSet } from "../kernelSet.js";
import type { Loops } from "../reference/index.js";
import { elementCount } from "../strides.js";
import * as id from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";

export function orderKernels(engine: Engine, fallback: Loops): Pick<KernelSet, "argSort"> {
  return {
    argSort(x, descending, out) {
      const count = elementCount(x.shape);
      if (x.dtype !== "float32" || count === 0) {
        fallback.argSort(x, descending, out);
        return;
      }
      const length = x.shape.at(-1) ?? 1;
      engine.withScratch(engine.threads * (16 * length + id.SORT_COUNTS), (scratch) => {
        engine.words.set([addressOf(x), addressOf(out), length, descending ? 1 : 0, scratch]);
        engine.launch(id.ARG_SORT, count / length, 20 * count);
      });
    },
  };
}
