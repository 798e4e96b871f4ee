/** Pooling of float32. */
import type { Dense, KernelSet, WindowGeometry } from "../kernelSet.js";
import type { Loops } from "../reference/index.js";
import { elementCount } from "../strides.js";
import * as id from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";
import { writeGeometry } from "./windows.js";

type PoolKernels = Pick<KernelSet, "maxPool2d" | "maxPool2dGrad" | "avgPool2d" | "avgPool2dGrad">;

export function poolKernels(engine: Engine, fallback: Loops): PoolKernels {
  function writeJob(arrays: readonly Dense[], g: WindowGeometry): void {
    arrays.forEach((array, slot) => {
      engine.words[slot] = addressOf(array);
    });
    writeGeometry(engine, g);
  }

  /** Launches over output rows. */
  function overRows(kernel: number, g: WindowGeometry): void {
    const rows = g.batch * g.channels * g.outHeight;
    engine.launch(kernel, rows, rows * g.outWidth * g.kernelHeight * g.kernelWidth);
  }

  /** Launches over planes, where windows of one plane may overlap. */
  function overPlanes(kernel: number, g: WindowGeometry, perOutput: number): void {
    const planes = g.batch * g.channels;
    engine.launch(kernel, planes, planes * (g.inHeight * g.inWidth + perOutput * g.outHeight * g.outWidth));
  }

  return {
    maxPool2d(x, out, indices, g) {
      if (x.dtype !== "float32") return fallback.maxPool2d(x, out, indices, g);
      if (elementCount(out.shape) === 0) return;
      writeJob([x, out, indices], g);
      overRows(id.MAX_POOL, g);
    },

    maxPool2dGrad(outGrad, indices, xGrad, g, gate = null) {
      if (xGrad.dtype !== "float32") return fallback.maxPool2dGrad(outGrad, indices, xGrad, g, gate);
      writeJob([outGrad, indices, xGrad], g);
      engine.words[3] = gate === null ? 0 : addressOf(gate);
      overPlanes(id.MAX_POOL_GRAD, g, 1);
    },

    avgPool2d(x, out, g) {
      if (x.dtype !== "float32") return fallback.avgPool2d(x, out, g);
      if (elementCount(out.shape) === 0) return;
      writeJob([x, out], g);
      writeDivisor(g);
      overRows(id.AVG_POOL, g);
    },

    avgPool2dGrad(outGrad, xGrad, g) {
      if (xGrad.dtype !== "float32") return fallback.avgPool2dGrad(outGrad, xGrad, g);
      writeJob([outGrad, xGrad], g);
      writeDivisor(g);
      overPlanes(id.AVG_POOL_GRAD, g, g.kernelHeight * g.kernelWidth);
    },
  };

  function writeDivisor(g: Parameters<KernelSet["avgPool2d"]>[2]): void {
    engine.words.set([g.padBottom, g.padRight, g.countIncludePad ? 1 : 0, g.divisorOverride === null ? 0 : 1], 2);
    engine.fractions[6] = g.divisorOverride ?? 1;
  }
}
