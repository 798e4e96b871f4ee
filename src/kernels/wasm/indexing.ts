/** Reading and writing along an axis at given places: gather and scatter of 32-bit words, sums of float32. */
import type { KernelSet, Strided } from "../kernelSet.js";
import type { Loops } from "../reference/index.js";
import { at, denseStrides, elementCount } from "../strides.js";
import * as id from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";
import { writeRows } from "./rows.js";

/** Least elements in a chunk, so that threads write to cache lines of their own. */
const GATHER_GRAIN = 1024;
const SCATTER_GRAIN = 16;

export function indexKernels(engine: Engine, fallback: Loops): Pick<KernelSet, "gather" | "scatter" | "scatterAdd"> {
  /** False where it must be left to the loops. */
  function run(kernel: number, x: Strided, axis: number, index: Strided, out: Strided): boolean {
    const count = elementCount(x.shape);
    if (count === 0) return true;
    const { words } = engine;
    // The axis itself is walked inside the kernel, by one thread.
    const others = (list: readonly number[]) => list.toSpliced(axis, 1);
    const strides = [others(out.strides), others(x.strides), others(index.strides)];
    if (writeRows(words, others(x.shape), strides) === null) return false;
    words[3] = addressOf(out);
    words[5] = addressOf(x);
    words[7] = addressOf(index);
    words.set([at(x.shape, axis), at(x.strides, axis), at(index.strides, axis), at(out.strides, axis)], 12);
    engine.launch(kernel, count / at(x.shape, axis), 2 * count, SCATTER_GRAIN);
    return true;
  }

  return {
    gather(x, axis, index, out) {
      const count = elementCount(out.shape);
      if (count === 0) return;
      const { words } = engine;
      const isWord = x.dtype === "float32" || x.dtype === "int32";
      const strides = [denseStrides(out.shape), x.strides.with(axis, 0), index.strides];
      if (!isWord || writeRows(words, out.shape, strides) === null) return fallback.gather(x, axis, index, out);
      words[3] = addressOf(out);
      words[5] = addressOf(x);
      words[7] = addressOf(index);
      words[12] = at(x.strides, axis);
      engine.launch(id.GATHER, count, 2 * count, GATHER_GRAIN);
    },

    scatter(x, axis, index, out) {
      const isWord = x.dtype === "float32" || x.dtype === "int32";
      if (!isWord || !run(id.SCATTER, x, axis, index, out)) fallback.scatter(x, axis, index, out);
    },

    scatterAdd(x, axis, index, out) {
      if (x.dtype !== "float32" || !run(id.SCATTER_ADD, x, axis, index, out)) fallback.scatterAdd(x, axis, index, out);
    },
  };
}
