/** Activation functions of a number, and their slopes. */
import type { ActivationOp } from "../kernelSet.js";
import { erf } from "./functions.js";

/** A function with two parameters. */
export type Curve = (x: number, alpha: number, beta: number) => number;

/** Beyond this tanh(softplus(x)) is 1, and its exponentials would overflow. */
const MISH_STRAIGHT = 20;
const GELU_SCALE = Math.sqrt(2 / Math.PI);
const GELU_BEND = 0.044715;

export const activations: Readonly<Record<ActivationOp, Curve>> = {
  elu: (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x)),
  gelu: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  geluTanh: (x) => 0.5 * x * (1 + Math.tanh(geluArgument(x))),
  hardsigmoid: (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
  hardswish: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  hardtanh: (x, alpha, beta) => Math.min(Math.max(x, alpha), beta),
  huber: (x, alpha) => {
    const near = Math.min(Math.abs(x), alpha);
    return near * (Math.abs(x) - near / 2);
  },
  leakyRelu: (x, alpha) => (x > 0 ? x : x * alpha),
  logSigmoid: (x) => -softplus(-x),
  mish: (x) => x * tanhSoftplus(x),
  silu: (x) => x * sigmoid(x),
  softplus: (x, alpha, beta) => (x * alpha > beta ? x : softplus(x * alpha) / alpha),
};

export const slopes: Readonly<Record<ActivationOp, Curve>> = {
  elu: (x, alpha) => (x > 0 ? 1 : alpha * Math.exp(x)),
  gelu: (x) => 0.5 * (1 + erf(x * Math.SQRT1_2)) + 0.5 * GELU_SCALE * x * Math.exp(-0.5 * x * x),
  geluTanh: (x) => {
    const t = Math.tanh(geluArgument(x));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * GELU_SCALE * (1 + 3 * GELU_BEND * x * x);
  },
  hardsigmoid: (x) => (x > -3 && x < 3 ? 1 / 6 : 0),
  hardswish: (x) => (x <= -3 ? 0 : x < 3 ? x / 3 + 0.5 : 1),
  hardtanh: (x, alpha, beta) => (x > alpha && x < beta ? 1 : 0),
  huber: (x, alpha) => Math.min(Math.max(x, -alpha), alpha),
  leakyRelu: (x, alpha) => (x > 0 ? 1 : alpha),
  logSigmoid: (x) => sigmoid(-x),
  mish: (x) => {
    if (x > MISH_STRAIGHT) return 1;
    const t = tanhSoftplus(x);
    return t + x * sigmoid(x) * (1 - t * t);
  },
  silu: (x) => {
    const s = sigmoid(x);
    return s * (1 + x * (1 - s));
  },
  softplus: (x, alpha, beta) => (x * alpha > beta ? 1 : sigmoid(x * alpha)),
};

function geluArgument(x: number): number {
  return GELU_SCALE * (x + GELU_BEND * x ** 3);
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** log(1 + eˣ) */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** tanh(log(1 + w)) = (w² + 2w) / (w² + 2w + 2), w = eˣ. */
function tanhSoftplus(x: number): number {
  const w = Math.exp(Math.min(x, MISH_STRAIGHT));
  const n = w * (w + 2);
  return n / (n + 2);
}
