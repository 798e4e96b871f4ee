/**
 * Convolutions by TensorFlow.js: those without dilation and groups. Its gradients leave dilation out of account without a
 * word, and it has none for groups. Forward, images go there with their channels last: with channels first it reads wrong
 * elements where four divides both the width of the output and the number of filters.
 *
 * @module
 */
import type { ConvGeometry, Dense, KernelSet } from "../kernelSet.js";
import { perChannel } from "../strides.js";
import type { WebGpuKernels } from "../webgpu/index.js";
import type { Launcher } from "./launcher.js";
import { ROW_TILE } from "./matmul.js";
import { isExactStride, padding } from "./windows.js";
import { permuted, Workspace } from "./workspace.js";

type ConvolutionKernels = Pick<KernelSet, "conv2d" | "conv2dInputGrad" | "conv2dWeightGrad">;

export function convolutionKernels(kernels: WebGpuKernels, launcher: Launcher): ConvolutionKernels {
  const { maxComputeWorkgroupsPerDimension: widest } = launcher.runtime.device.limits;
  const serves = (g: ConvGeometry): boolean =>
    g.groups === 1 &&
    g.dilationHeight === 1 &&
    g.dilationWidth === 1 &&
    Math.min(g.batch, g.channels, g.outChannels, g.inHeight, g.inWidth, g.outHeight, g.outWidth) > 0 &&
    Math.max(g.batch, g.channels, g.outChannels, g.inHeight * g.inWidth, g.outHeight * g.outWidth) <= widest;

  /** Adds a bias of each channel to an array [batch, channel, y, x]. */
  const addBias = (out: Dense, bias: Dense | null): void => {
    if (bias === null) return;
    const { buffer, dtype, offset } = bias;
    kernels.binary("add", out, { buffer, dtype, offset, shape: out.shape, strides: [0, 1, 0, 0] }, out);
  };

  return {
    conv2d(x, weight, bias, out, g, relu = false) {
      if (!serves(g)) {
        kernels.conv2d(x, weight, bias, out, g, relu);
        return;
      }
      Workspace.lend(kernels, (workspace) => {
        const images = workspace.input(permuted(x, [0, 2, 3, 1]), out);
        const inputs = { x: images, filter: workspace.padded(toFilter(weight), ROW_TILE) };
        const result = workspace.array([g.batch, g.outHeight, g.outWidth, g.outChannels]);
        const [vertical, horizontal] = padding(g);
        const attrs = { ...attributes(g), dataFormat: "NHWC", pad: [[0, 0], vertical, horizontal, [0, 0]] };
        launcher.run("Conv2D", inputs, attrs, result);
        kernels.copy(permuted(result, [0, 3, 1, 2]), out);
        addBias(out, bias);
        if (relu) kernels.unary("relu", out, out, 0, 0);
      });
    },

    conv2dInputGrad(outGrad, weight, bias, xGrad, g, gate = null) {
      if (!serves(g) || !isExactStride(g)) {
        kernels.conv2dInputGrad(outGrad, weight, bias, xGrad, g, gate);
        return;
      }
      Workspace.lend(kernels, (workspace) => {
        const inputs = { dy: workspace.input(outGrad, xGrad), filter: workspace.input(toFilter(weight), xGrad) };
        const attrs = { ...attributes(g), inputShape: [g.batch, g.channels, g.inHeight, g.inWidth] };
        workspace.output(xGrad, (target) => launcher.run("Conv2DBackpropInput", inputs, attrs, target));
        addBias(xGrad, bias);
        if (gate !== null) kernels.binary("reluGrad", xGrad, gate, xGrad);
      });
    },

    conv2dWeightGrad(outGrad, x, weightGrad, g, biasGrad = null) {
      if (!serves(g)) {
        kernels.conv2dWeightGrad(outGrad, x, weightGrad, g, biasGrad);
        return;
      }
      if (biasGrad !== null) kernels.reduce("sum", outGrad, perChannel(biasGrad));
      Workspace.lend(kernels, (workspace) => {
        const inputs = { dy: workspace.input(outGrad, weightGrad), x: workspace.input(x, weightGrad) };
        const filterGrad = workspace.array([g.kernelHeight, g.kernelWidth, g.channels, g.outChannels]);
        const attrs = { ...attributes(g), filterShape: filterGrad.shape };
        launcher.run("Conv2DBackpropFilter", inputs, attrs, filterGrad);
        kernels.copy(permuted(filterGrad, [3, 2, 0, 1]), weightGrad);
      });
    },
  };
}

/** [filter, channel, y, x] as [y, x, channel, filter]. */
const toFilter = (weight: Dense) => permuted(weight, [2, 3, 1, 0]);

function attributes(g: ConvGeometry): Record<string, unknown> {
  const [vertical, horizontal] = padding(g);
  return {
    strides: [g.strideHeight, g.strideWidth],
    pad: [[0, 0], [0, 0], vertical, horizontal],
    dataFormat: "NCHW",
    dilations: [1, 1],
  };
}
