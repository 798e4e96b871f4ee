/** Reductions of float32: how the axes are cut into outputs and runs. */
import type { KernelSet, ReduceOp, Strided } from "../kernelSet.js";
import type { Loops } from "../reference/index.js";
import { at, elementCount, isDense } from "../strides.js";
import * as id from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import type { Block } from "./heap.js";
import { addressOf } from "./memory.js";

const ids: Record<ReduceOp, number> = {
  sum: id.SUM,
  amax: id.AMAX,
  amin: id.AMIN,
  prod: id.PROD,
  sumSquares: id.SUM_SQUARES,
};

/** Most axes of either kind after merging. */
const MAX_RANK = 8;

interface Axis {
  readonly extent: number;
  readonly stride: number;
}

/** Axes that lie evenly behind one another become one. Outermost first. */
function merge(axes: readonly Axis[]): Axis[] {
  const merged: Axis[] = [];
  for (const axis of axes) {
    const outer = merged.at(-1);
    if (outer !== undefined && outer.stride === axis.stride * axis.extent) {
      merged[merged.length - 1] = { extent: outer.extent * axis.extent, stride: axis.stride };
    } else {
      merged.push(axis);
    }
  }
  return merged;
}

export function reduceKernels(engine: Engine, fallback: Loops): Pick<KernelSet, "reduce" | "argReduce"> {
  let scratch: Block | null = null;

  function scratchFor(bytes: number): number {
    if (scratch === null || scratch.byteLength < bytes) {
      if (scratch !== null) engine.heap.free(scratch);
      scratch = engine.heap.alloc(bytes);
    }
    return scratch.pointer;
  }

  /** One output from one dense run: blocks of fixed size, so that the sum does not depend on the number of threads. */
  function reduceAll(op: number, x: Strided, out: Strided, count: number): void {
    const blocks = Math.ceil(count / id.REDUCE_BLOCK);
    const at7 = scratchFor(8 * Math.max(blocks, 1));
    const { words } = engine;
    words[0] = op;
    words[1] = addressOf(x);
    words[2] = addressOf(out);
    words[5] = blocks;
    words[6] = count;
    words[7] = at7;
    engine.launch(id.REDUCE_BLOCKS, blocks, count);
    engine.launch(id.REDUCE_FINISH, 1, 1);
  }

  function writeAxes(axes: readonly Axis[], extents: number, strides: number): void {
    axes.forEach(({ extent, stride }, place) => {
      engine.words[extents + place] = extent;
      engine.words[strides + place] = stride;
    });
  }

  /** False where it must be left to the loops. */
  function reduce(op: number, x: Strided, out: Strided): boolean {
    const axes = x.shape.map((extent, axis) => ({
      extent,
      stride: at(x.strides, axis),
      kept: at(out.shape, axis) !== 1,
    }));
    const real = axes.filter(({ extent }) => extent !== 1);
    const kept = merge(real.filter((axis) => axis.kept));
    const reduced = merge(real.filter((axis) => !axis.kept));
    if (kept.length > MAX_RANK || reduced.length > MAX_RANK) return false;
    const outputs = elementCount(out.shape);
    const count = elementCount(x.shape);
    if (outputs === 0) return true;
    const each = count / outputs;
    if (outputs === 1 && isDense(x.shape, x.strides)) {
      reduceAll(op, x, out, count);
      return true;
    }
    const { words } = engine;
    words[0] = op;
    words[1] = addressOf(x);
    words[2] = addressOf(out);
    words[5] = outputs;
    words[6] = each;
    const innermost = kept.at(-1);
    const acrossRows = innermost !== undefined && innermost.stride === 1 && reduced.at(-1)?.stride !== 1 && each > 0;
    const runs = reduced.length === 0 ? [{ extent: each, stride: 1 }] : reduced;
    words[3] = kept.length;
    words[4] = runs.length;
    writeAxes(kept, 16, 24);
    writeAxes(runs, 32, 40);
    if (acrossRows) {
      const blocks = Math.ceil(innermost.extent / id.REDUCE_WIDTH);
      engine.launch(id.REDUCE_ROWS, (outputs / innermost.extent) * blocks, count);
    } else {
      engine.launch(id.REDUCE_RUNS, outputs, count);
    }
    return true;
  }

  /** Counts of dense bools along their last axes. False where it must be left to the loops. */
  function count(x: Strided, out: Strided): boolean {
    const first = x.shape.findIndex((extent, axis) => extent !== 1 && at(out.shape, axis) === 1);
    const isLast = first >= 0 && x.shape.slice(first).every((_, i) => at(out.shape, first + i) === 1);
    const outputs = elementCount(out.shape);
    if (!isLast || outputs === 0 || !isDense(x.shape, x.strides)) return false;
    const length = elementCount(x.shape) / outputs;
    engine.words.set([addressOf(x), addressOf(out), length]);
    engine.launch(id.COUNT_BOOLS, outputs, elementCount(x.shape) / 8);
    return true;
  }

  return {
    reduce(op, x, out) {
      if (op === "sum" && x.dtype === "bool" && count(x, out)) return;
      if (x.dtype === "float32" && reduce(ids[op], x, out)) return;
      fallback.reduce(op, x, out);
    },
    argReduce(op, x, axis, out) {
      if (x.dtype !== "float32" || !isDense(x.shape, x.strides)) {
        fallback.argReduce(op, x, axis, out);
        return;
      }
      const outputs = elementCount(out.shape);
      const inner = elementCount(x.shape.slice(axis + 1));
      const extent = at(x.shape, axis);
      const { words } = engine;
      words[0] = ids[op];
      words[1] = addressOf(x);
      words[2] = addressOf(out);
      words[3] = extent;
      words[4] = inner;
      words[5] = inner;
      words[6] = inner * extent;
      engine.launch(id.ARG_REDUCE, outputs, 2 * outputs * extent);
    },
  };
}
