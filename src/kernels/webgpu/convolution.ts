/** Convolution and its gradients: products in tiles, or straight from the definition where a group has few channels. */
import type { ConvGeometry, Dense, KernelSet } from "../kernelSet.js";
import { elementCount, perChannel } from "../strides.js";
import { type ConvolutionKernels, directConvolution } from "./convolutionDirect.js";
import { forwardText, inputGradText, weightGradText } from "./convolutionText.js";
import { runProduct } from "./product.js";
import type { ProductForm } from "./productText.js";
import type { Runtime } from "./runtime.js";
import { convNumbers } from "./windowGeometry.js";

export function convolutionKernels(
  runtime: Runtime,
  form: ProductForm,
  { binary, reduce, unary }: Pick<KernelSet, "binary" | "reduce" | "unary">,
): ConvolutionKernels {
  const direct = directConvolution(runtime);
  const { leastRows } = form;

  function forward(x: Dense, weight: Dense, bias: Dense | null, out: Dense, g: ConvGeometry): void {
    const rows = g.outChannels / g.groups;
    if (rows < leastRows) {
      direct.conv2d(x, weight, bias, out, g);
      return;
    }
    const depth = (g.channels / g.groups) * g.kernelHeight * g.kernelWidth;
    const sizes = { batch: g.groups, rows, columns: g.batch * g.outHeight * g.outWidth, depth };
    const target = { buffer: out.buffer, start: out.offset, count: elementCount(out.shape) };
    const buffers = [x.buffer, weight.buffer, ...(bias === null ? [] : [bias.buffer])];
    const numbers = [x.offset, weight.offset, bias?.offset ?? 0, ...convNumbers(g)];
    runProduct(runtime, form, forwardText(bias !== null), sizes, target, buffers, numbers);
  }

  function inputGrad(outGrad: Dense, weight: Dense, bias: Dense | null, xGrad: Dense, g: ConvGeometry): void {
    const rows = g.channels / g.groups;
    if (rows < leastRows) {
      direct.conv2dInputGrad(outGrad, weight, bias, xGrad, g);
      return;
    }
    const phaseHeight = Math.ceil(g.inHeight / g.strideHeight);
    const phaseWidth = Math.ceil(g.inWidth / g.strideWidth);
    const steps = [tapStep(g.strideHeight, g.dilationHeight), tapStep(g.strideWidth, g.dilationWidth)] as const;
    const taps = Math.ceil(g.kernelHeight / steps[0]) * Math.ceil(g.kernelWidth / steps[1]);
    const sizes = {
      batch: g.groups * g.strideHeight * g.strideWidth,
      rows,
      columns: g.batch * phaseHeight * phaseWidth,
      depth: (g.outChannels / g.groups) * taps,
    };
    const target = { buffer: xGrad.buffer, start: xGrad.offset, count: elementCount(xGrad.shape) };
    const buffers = [outGrad.buffer, weight.buffer, ...(bias === null ? [] : [bias.buffer])];
    const starts = [outGrad.offset, weight.offset, bias?.offset ?? 0];
    const numbers = [...starts, phaseHeight, phaseWidth, ...steps, ...convNumbers(g)];
    runProduct(runtime, form, inputGradText(bias !== null), sizes, target, buffers, numbers);
  }

  return {
    conv2d(x, weight, bias, out, g, relu = false) {
      forward(x, weight, bias, out, g);
      if (relu) unary("relu", out, out, 0, 0);
    },

    conv2dInputGrad(outGrad, weight, bias, xGrad, g, gate = null) {
      inputGrad(outGrad, weight, bias, xGrad, g);
      if (gate !== null) binary("reluGrad", xGrad, gate, xGrad);
    },

    conv2dWeightGrad(outGrad, x, weightGrad, g, biasGrad = null) {
      if (biasGrad !== null) reduce("sum", outGrad, perChannel(biasGrad));
      const rows = g.outChannels / g.groups;
      const columns = (g.channels / g.groups) * g.kernelHeight * g.kernelWidth;
      if (rows < leastRows || columns < leastRows) {
        direct.conv2dWeightGrad(outGrad, x, weightGrad, g);
        return;
      }
      const sizes = { batch: g.groups, rows, columns, depth: g.batch * g.outHeight * g.outWidth };
      const target = { buffer: weightGrad.buffer, start: weightGrad.offset, count: elementCount(weightGrad.shape) };
      const numbers = [outGrad.offset, x.offset, ...convNumbers(g)];
      runProduct(runtime, form, weightGradText, sizes, target, [outGrad.buffer, x.buffer], numbers);
    },
  };
}

/** Distance of the taps through which a place is seen: stride / gcd(stride, dilation). */
function tapStep(stride: number, dilation: number): number {
  let [a, b] = [stride, dilation];
  while (b !== 0) [a, b] = [b, a % b];
  return stride / a;
}
