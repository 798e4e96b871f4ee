/**
 * Average pooling by TensorFlow.js, where its divisors are ours. Its maximum pooling is not used: of equal values it takes the
 * last one, and it knows nothing below −10²⁰.
 *
 * @module
 */
import type { AvgPoolGeometry, Dense, KernelSet } from "../kernelSet.js";
import type { WebGpuKernels } from "../webgpu/index.js";
import type { Launcher } from "./launcher.js";
import { isExactStride, padding } from "./windows.js";
import { Workspace } from "./workspace.js";

export function poolKernels(
  kernels: WebGpuKernels,
  launcher: Launcher,
): Pick<KernelSet, "avgPool2d" | "avgPool2dGrad"> {
  return {
    avgPool2d(x, out, g) {
      // It divides by the number of taps inside the input.
      const served = serves(g) && (!g.countIncludePad || isInside(g, 0, 0, 0, 0));
      if (!served) {
        kernels.avgPool2d(x, out, g);
        return;
      }
      Workspace.lend(kernels, (workspace) => {
        const inputs = { x: asPlanes(workspace.input(x, out), g.inHeight, g.inWidth) };
        workspace.output(out, (target) => launcher.run("AvgPool", inputs, attributes(g), target));
      });
    },

    avgPool2dGrad(outGrad, xGrad, g) {
      // It divides by the number of all taps.
      const { padTop, padBottom, padLeft, padRight } = g;
      const whole = g.countIncludePad ? isInside(g, padTop, padBottom, padLeft, padRight) : isInside(g, 0, 0, 0, 0);
      if (!serves(g) || !whole || !isExactStride(g)) {
        kernels.avgPool2dGrad(outGrad, xGrad, g);
        return;
      }
      Workspace.lend(kernels, (workspace) => {
        const dy = asPlanes(workspace.input(outGrad, xGrad), g.outHeight, g.outWidth);
        // Of the input it wants the shape alone.
        const input = { ...dy, shape: [g.batch * g.channels, g.inHeight, g.inWidth, 1] };
        workspace.output(xGrad, (target) => launcher.run("AvgPoolGrad", { dy, input }, attributes(g), target));
      });
    },
  };
}

function serves(g: AvgPoolGeometry): boolean {
  const { batch, channels, inHeight, inWidth, outHeight, outWidth } = g;
  return (
    g.divisorOverride === null &&
    g.dilationHeight === 1 &&
    g.dilationWidth === 1 &&
    Math.min(batch, channels, inHeight, inWidth, outHeight, outWidth) > 0
  );
}

/** Whether all windows lie within the input with so much padding around it. */
function isInside(g: AvgPoolGeometry, top: number, bottom: number, left: number, right: number): boolean {
  const [[, below], [, beside]] = padding(g);
  return g.padTop <= top && below <= bottom && g.padLeft <= left && beside <= right;
}

/** Planes as images with one channel, which is last. */
function asPlanes(x: Dense, height: number, width: number): Dense {
  const planes = x.shape.slice(0, -2).reduce((count, extent) => count * extent, 1);
  return { ...x, shape: [planes, height, width, 1] };
}

function attributes(g: AvgPoolGeometry): Record<string, unknown> {
  const [vertical, horizontal] = padding(g);
  return {
    filterSize: [g.kernelHeight, g.kernelWidth],
    strides: [g.strideHeight, g.strideWidth],
    pad: [[0, 0], vertical, horizontal, [0, 0]],
  };
}
