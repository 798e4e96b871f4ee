/** im2col and col2im of float32. */
import type { KernelSet, WindowGeometry } from "../kernelSet.js";
import type { Loops } from "../reference/index.js";
import { elementCount } from "../strides.js";
import * as id from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";

/** Writes a geometry where the window kernels look for it. */
export function writeGeometry(engine: Engine, g: WindowGeometry): void {
  engine.words.set(
    [
      ...[g.batch, g.channels, g.inHeight, g.inWidth, g.outHeight, g.outWidth, g.kernelHeight, g.kernelWidth],
      ...[g.strideHeight, g.strideWidth, g.padTop, g.padLeft, g.dilationHeight, g.dilationWidth],
    ],
    id.GEOMETRY,
  );
}

export function windowKernels(engine: Engine, fallback: Loops): Pick<KernelSet, "unfold" | "fold"> {
  return {
    unfold(x, columns, g) {
      if (x.dtype !== "float32") return fallback.unfold(x, columns, g);
      engine.words[0] = addressOf(x);
      engine.words[1] = addressOf(columns);
      writeGeometry(engine, g);
      const rows = g.batch * g.channels * g.kernelHeight * g.kernelWidth;
      engine.launch(id.UNFOLD, rows, elementCount(columns.shape));
    },

    fold(columns, out, g) {
      if (out.dtype !== "float32") return fallback.fold(columns, out, g);
      engine.words[0] = addressOf(columns);
      engine.words[1] = addressOf(out);
      writeGeometry(engine, g);
      engine.launch(id.FOLD, g.batch * g.channels, elementCount(out.shape) + elementCount(columns.shape));
    },
  };
}
