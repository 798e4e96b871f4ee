/** The order of rows of float32, and running sums. */
import type { KernelSet } from "../kernelSet.js";
import type { Loops } from "../reference/index.js";
import { at, elementCount } from "../strides.js";
import * as id from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";

export function orderKernels(engine: Engine, fallback: Loops): Pick<KernelSet, "argSort" | "cumsum"> {
  return {
    argSort(x, descending, out) {
      const count = elementCount(x.shape);
      if (x.dtype !== "float32" || count === 0) {
        fallback.argSort(x, descending, out);
        return;
      }
      const length = x.shape.at(-1) ?? 1;
      const wanted = out.shape.at(-1) ?? 1;
      if (wanted === 0) return;
      const keeps = wanted <= id.MOST_KEPT && 4 * wanted <= length;
      engine.withScratch(engine.threads * (16 * length + id.SORT_COUNTS), (scratch) => {
        engine.words.set([addressOf(x), addressOf(out), length, descending ? 1 : 0, scratch, wanted, keeps ? 1 : 0]);
        engine.launch(id.ARG_SORT, count / length, (keeps ? 2 : 20) * count);
      });
    },
    cumsum(x, axis, backwards, out) {
      const count = elementCount(x.shape);
      if (x.dtype !== "float32" || count === 0) {
        fallback.cumsum(x, axis, backwards, out);
        return;
      }
      const extent = at(x.shape, axis);
      const inner = elementCount(x.shape.slice(axis + 1));
      engine.words.set([addressOf(x), addressOf(out), extent, inner, backwards ? 1 : 0]);
      engine.launch(id.CUMSUM, (count / (extent * inner)) * Math.ceil(inner / id.CUMSUM_WIDTH), 2 * count);
    },
  };
}
