/** Softmax and its logarithm along the last axis. */
import type { KernelSet } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import type { ArrayOf } from "./arrays.js";

export function softmaxKernels(arrayOf: ArrayOf): Pick<KernelSet, "softmax" | "softmaxGrad"> {
  return {
    softmax(x, out, logarithm) {
      const source = arrayOf(x);
      const target = arrayOf(out);
      const classes = x.shape.at(-1) ?? 1;
      const size = elementCount(x.shape);
      for (let row = 0; row < size; row += classes) {
        const p = x.offset + row;
        const t = out.offset + row;
        let largest = Number.NEGATIVE_INFINITY;
        for (let i = 0; i < classes; i += 1) largest = Math.max(largest, source[p + i] as number);
        let sum = 0;
        for (let i = 0; i < classes; i += 1) sum += Math.exp((source[p + i] as number) - largest);
        if (logarithm) {
          const logSum = Math.log(sum);
          for (let i = 0; i < classes; i += 1) target[t + i] = (source[p + i] as number) - largest - logSum;
        } else {
          for (let i = 0; i < classes; i += 1) target[t + i] = Math.exp((source[p + i] as number) - largest) / sum;
        }
      }
    },

    softmaxGrad(outGrad, y, xGrad, logarithm) {
      const gradient = arrayOf(outGrad);
      const output = arrayOf(y);
      const target = arrayOf(xGrad);
      const classes = y.shape.at(-1) ?? 1;
      const size = elementCount(y.shape);
      for (let row = 0; row < size; row += classes) {
        const p = outGrad.offset + row;
        const q = y.offset + row;
        const t = xGrad.offset + row;
        let sum = 0;
        if (logarithm) {
          for (let i = 0; i < classes; i += 1) sum += gradient[p + i] as number;
          for (let i = 0; i < classes; i += 1) {
            target[t + i] = (gradient[p + i] as number) - Math.exp(output[q + i] as number) * sum;
          }
        } else {
          for (let i = 0; i < classes; i += 1) sum += (gradient[p + i] as number) * (output[q + i] as number);
          for (let i = 0; i < classes; i += 1) {
            target[t + i] = (output[q + i] as number) * ((gradient[p + i] as number) - sum);
          }
        }
      }
    },
  };
}
