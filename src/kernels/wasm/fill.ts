import type { KernelSet } from "../kernelSet.js";

import type { Loops } from "../reference/index.js";
import { elementCount, isDense } from "../strides.js";
import { FILL } from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";

/** `fill` for dense arrays of 32-bit elements. */
export function fillKernels(engine: Engine, fallback: Loops): Pick<KernelSet, "fill"> {
  return {
    fill(out, value) {
      const isWord = out.dtype === "float32" || out.dtype === "int32";
      if (!isWord || !isDense(out.shape, out.strides)) return fallback.fill(out, value);
      engine.words[0] = addressOf(out);
      if (out.dtype === "float32") engine.fractions[1] = value;
      else engine.words[1] = value;
      const count = elementCount(out.shape);
      engine.launch(FILL, count, count / 4, 4096);
    },
  };
}
