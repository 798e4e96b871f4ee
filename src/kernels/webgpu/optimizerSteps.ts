/** Optimizer steps, in place and in one launch. */
import type { Dense, KernelSet, L1Mode } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import type { Runtime } from "./runtime.js";

const declarations = `
fn signOf(x: f32) -> f32 { return f32(x > 0.0) - f32(x < 0.0); }
// Moves x towards 0 by the threshold, and what is nearer to exactly 0.
fn softened(x: f32, threshold: f32) -> f32 {
  if (isNan(x)) { return x; }
  return signOf(x) * max(abs(x) - threshold, 0.0);
}
`;

function penaltyOf({ l1, l1Mode }: { l1: number; l1Mode: L1Mode }): number {
  return l1Mode === "subgradient" ? l1 : 0;
}

function thresholdOf({ l1, l1Mode, lr }: { l1: number; l1Mode: L1Mode; lr: number }): number {
  return l1Mode === "proximal" ? lr * l1 : 0;
}

export function optimizerKernels(runtime: Runtime): Pick<KernelSet, "sgdStep" | "adamStep"> {
  return {
    sgdStep(parameter, grad, momentumBuffer, hyper) {
      const momentum = momentumBuffer !== null;
      const kernel = runtime.kernel(`sgdStep/${momentum}/${hyper.nesterov}`, () => ({
        name: "sgdStep",
        outputs: { parameter: "f32", ...(momentum && { velocity: "f32" }) },
        inputs: { grad: "f32" },
        uniforms: {
          count: "u32",
          parameterStart: "u32",
          gradStart: "u32",
          velocityStart: "u32",
          firstStep: "u32",
          lr: "f32",
          momentum: "f32",
          keptGrad: "f32",
          weightDecay: "f32",
          direction: "f32",
          penalty: "f32",
          threshold: "f32",
        },
        declarations,
        body: `
  if (index >= u.count) { return; }
  let w = parameter[u.parameterStart + index];
  var g = u.direction * grad[u.gradStart + index] + u.penalty * signOf(w) + u.weightDecay * w;
  ${
    momentum
      ? `
  let i = u.velocityStart + index;
  let v = select(u.momentum * velocity[i] + u.keptGrad * g, g, u.firstStep != 0u);
  velocity[i] = v;
  g = ${hyper.nesterov ? "g + u.momentum * v" : "v"};`
      : ""
  }
  parameter[u.parameterStart + index] = softened(w - u.lr * g, u.threshold);`,
      }));
      const count = elementCount(parameter.shape);
      const buffers = [parameter.buffer, ...(momentumBuffer === null ? [] : [momentumBuffer.buffer]), grad.buffer];
      const uniforms = [
        count,
        parameter.offset,
        grad.offset,
        momentumBuffer?.offset ?? 0,
        hyper.firstStep ? 1 : 0,
        hyper.lr,
        hyper.momentum,
        1 - hyper.dampening,
        hyper.weightDecay,
        hyper.maximize ? -1 : 1,
        penaltyOf(hyper),
        thresholdOf(hyper),
      ];
      runtime.launchEach(kernel, buffers, uniforms, count);
    },

    adamStep(parameter, grad, m, v, vMax, hyper) {
      const { lr, beta1, beta2, eps, weightDecay, step, decoupled } = hyper;
      const kernel = runtime.kernel(`adamStep/${vMax !== null}`, () => ({
        name: "adamStep",
        outputs: { parameter: "f32", m: "f32", v: "f32", ...(vMax !== null && { vMax: "f32" }) },
        inputs: { grad: "f32" },
        uniforms: {
          count: "u32",
          parameterStart: "u32",
          gradStart: "u32",
          mStart: "u32",
          vStart: "u32",
          vMaxStart: "u32",
          direction: "f32",
          penalty: "f32",
          decay: "f32",
          shrink: "f32",
          beta1: "f32",
          rest1: "f32",
          beta2: "f32",
          rest2: "f32",
          eps: "f32",
          stepSize: "f32",
          squareScale: "f32",
          threshold: "f32",
        },
        declarations,
        body: `
  if (index >= u.count) { return; }
  let w = parameter[u.parameterStart + index];
  let g = u.direction * grad[u.gradStart + index] + u.penalty * signOf(w) + u.decay * w;
  let mean = u.beta1 * m[u.mStart + index] + u.rest1 * g;
  let square = u.beta2 * v[u.vStart + index] + u.rest2 * g * g;
  m[u.mStart + index] = mean;
  v[u.vStart + index] = square;
  ${
    vMax === null
      ? "let largest = square;"
      : `
  let before = vMax[u.vMaxStart + index];
  let largest = select(max(before, square), before + square, isNan(before) | isNan(square));
  vMax[u.vMaxStart + index] = largest;`
  }
  let next = w * u.shrink - u.stepSize * mean / (sqrt(largest) / u.squareScale + u.eps);
  parameter[u.parameterStart + index] = softened(next, u.threshold);`,
      }));
      const count = elementCount(parameter.shape);
      const arrays: readonly Dense[] = vMax === null ? [parameter, m, v, grad] : [parameter, m, v, vMax, grad];
      const uniforms = [
        count,
        parameter.offset,
        grad.offset,
        m.offset,
        v.offset,
        vMax?.offset ?? 0,
        hyper.maximize ? -1 : 1,
        penaltyOf(hyper),
        decoupled ? 0 : weightDecay,
        decoupled ? 1 - lr * weightDecay : 1,
        beta1,
        1 - beta1,
        beta2,
        1 - beta2,
        eps,
        lr / (1 - beta1 ** step),
        Math.sqrt(1 - beta2 ** step),
        thresholdOf(hyper),
      ];
      runtime.launchEach(
        kernel,
        arrays.map(({ buffer }) => buffer),
        uniforms,
        count,
      );
    },
  };
}
