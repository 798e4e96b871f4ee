/** One step of an optimizer for one parameter, in place. */
import type { KernelSet, TypedArray } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import type { ArrayOf } from "./arrays.js";

export function optimizerKernels(arrayOf: ArrayOf): Pick<KernelSet, "sgdStep" | "adamStep"> {
  return {
    sgdStep(parameter, grad, momentumBuffer, hyper) {
      const { lr, momentum, dampening, weightDecay, nesterov, firstStep } = hyper;
      const weights = arrayOf(parameter);
      const gradients = arrayOf(grad);
      const velocities = momentumBuffer === null ? null : arrayOf(momentumBuffer);
      const direction = hyper.maximize ? -1 : 1;
      const penalty = hyper.l1Mode === "subgradient" ? hyper.l1 : 0;
      const size = elementCount(parameter.shape);
      const velocityStart = momentumBuffer?.offset ?? 0;
      for (let i = 0; i < size; i += 1) {
        const w = weights[parameter.offset + i] as number;
        let g = direction * (gradients[grad.offset + i] as number) + penalty * sign(w) + weightDecay * w;
        if (velocities !== null) {
          const old = velocities[velocityStart + i] as number;
          const velocity = firstStep ? g : momentum * old + (1 - dampening) * g;
          velocities[velocityStart + i] = velocity;
          g = nesterov ? g + momentum * velocity : velocity;
        }
        weights[parameter.offset + i] = w - lr * g;
      }
      if (hyper.l1Mode === "proximal" && hyper.l1 !== 0) softThreshold(weights, parameter.offset, size, lr * hyper.l1);
    },

    adamStep(parameter, grad, m, v, vMax, hyper) {
      const { lr, beta1, beta2, eps, weightDecay } = hyper;
      const weights = arrayOf(parameter);
      const gradients = arrayOf(grad);
      const means = arrayOf(m);
      const squares = arrayOf(v);
      const maxima = vMax === null ? null : arrayOf(vMax);
      const maximaStart = vMax?.offset ?? 0;
      const direction = hyper.maximize ? -1 : 1;
      const penalty = hyper.l1Mode === "subgradient" ? hyper.l1 : 0;
      const shrink = hyper.decoupled ? 1 - lr * weightDecay : 1;
      const decay = hyper.decoupled ? 0 : weightDecay;
      const stepSize = lr / (1 - beta1 ** hyper.step);
      const squareScale = Math.sqrt(1 - beta2 ** hyper.step);
      const size = elementCount(parameter.shape);
      for (let i = 0; i < size; i += 1) {
        const w = weights[parameter.offset + i] as number;
        const g = direction * (gradients[grad.offset + i] as number) + penalty * sign(w) + decay * w;
        const mean = beta1 * (means[m.offset + i] as number) + (1 - beta1) * g;
        const square = beta2 * (squares[v.offset + i] as number) + (1 - beta2) * g * g;
        means[m.offset + i] = mean;
        squares[v.offset + i] = square;
        let largest = square;
        if (maxima !== null) {
          largest = Math.max(maxima[maximaStart + i] as number, square);
          maxima[maximaStart + i] = largest;
        }
        weights[parameter.offset + i] = w * shrink - (stepSize * mean) / (Math.sqrt(largest) / squareScale + eps);
      }
      if (hyper.l1Mode === "proximal" && hyper.l1 !== 0) softThreshold(weights, parameter.offset, size, lr * hyper.l1);
    },
  };
}

function sign(value: number): number {
  return value > 0 ? 1 : value < 0 ? -1 : 0;
}

/** Moves every weight towards 0 by `threshold`, and those that are nearer to exactly 0. */
function softThreshold(weights: TypedArray, start: number, size: number, threshold: number): void {
  for (let i = start; i < start + size; i += 1) {
    const w = weights[i] as number;
    weights[i] = w > threshold ? w - threshold : w < -threshold ? w + threshold : Number.isNaN(w) ? w : 0;
  }
}
