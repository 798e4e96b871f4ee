/** Activation functions with smooth curves, elementwise. */
import { ArgumentError } from "../../errors.js";
import { checkOptions } from "../options.js";
import type { Tensor } from "../tensor.js";
import { activationSpec } from "./activationSpec.js";
import { sigmoid, tanh } from "./activations.js";
import { add, clamp, div, exp, mul, neg, square } from "./arithmetic.js";
import { gt } from "./compare.js";
import { erf } from "./elementary.js";
import { applyUnary } from "./elementwise.js";
import { where } from "./where.js";

const geluSpec = activationSpec("gelu", "gelu", geluGrad);
const geluTanhSpec = activationSpec("gelu", "geluTanh", geluTanhGrad);
const siluSpec = activationSpec("silu", "silu", siluGrad);
const mishSpec = activationSpec("mish", "mish", mishGrad);
const logSigmoidSpec = activationSpec("logSigmoid", "logSigmoid", (g, x) => mul(g, sigmoid(neg(x))));

/** Settings of {@link gelu}. */
export interface GeluOptions {
  /** `"none"` (the default) for x·Φ(x), `"tanh"` for the formula with tanh that comes close to it. */
  readonly approximate?: "none" | "tanh";
}

/** Settings of {@link softplus}. */
export interface SoftplusOptions {
  /** How sharp the bend is. Default 1. */
  readonly beta?: number;
  /** Where beta·x is above this, the result is x itself. Default 20. */
  readonly threshold?: number;
}

/**
 * x·Φ(x), Φ being the distribution function of the normal distribution; or, with `{ approximate: "tanh" }`,
 * ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
 *
 * @throws ArgumentError where `approximate` is neither "none" nor "tanh".
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.gelu.html
 * @see D. Hendrycks, K. Gimpel: Gaussian Error Linear Units, https://arxiv.org/abs/1606.08415
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  checkOptions("gelu", options, ["approximate"]);
  const { approximate = "none" } = options;
  if (approximate !== "none" && approximate !== "tanh") {
    throw new ArgumentError(
      `gelu: got approximate = ${JSON.stringify(approximate)}; expected "none" or "tanh". Choose one of them.`,
    );
  }
  return applyUnary(approximate === "tanh" ? geluTanhSpec : geluSpec, x);
}

/** √(2/π)·(x + 0.044715·x³) */
function geluArgument(x: Tensor): Tensor {
  const scale = Math.sqrt(2 / Math.PI);
  return mul(add(mul(square(x), 0.044715 * scale), scale), x);
}

/** Φ(x) + x·φ(x) */
function geluGrad(g: Tensor, x: Tensor): Tensor {
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return mul(add(mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5), mul(x, density)), g);
}

/** With t the tanh of u(x): ½·(1 + t + x·(1 − t²)·u′). */
function geluTanhGrad(g: Tensor, x: Tensor): Tensor {
  const t = tanh(geluArgument(x));
  const scale = Math.sqrt(2 / Math.PI);
  const slope = mul(add(mul(square(x), 3 * 0.044715 * scale), scale), x);
  const bend = mul(add(neg(square(t)), 1), slope);
  return mul(mul(add(add(bend, t), 1), 0.5), g);
}

/**
 * x·sigmoid(x), which others call swish.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.silu.html
 */
export function silu(x: Tensor): Tensor {
  return applyUnary(siluSpec, x);
}

/** s·(1 + x·(1 − s)) */
function siluGrad(g: Tensor, x: Tensor): Tensor {
  const s = sigmoid(x);
  return mul(mul(add(mul(add(neg(s), 1), x), 1), s), g);
}

/** Beyond this tanh(softplus(x)) is 1, and its exponentials would overflow. */
const MISH_STRAIGHT = 20;

/**
 * x·tanh(log(1 + eˣ)).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.mish.html
 * @see D. Misra: Mish, https://arxiv.org/abs/1908.08681
 */
export function mish(x: Tensor): Tensor {
  return applyUnary(mishSpec, x);
}

function mishGrad(g: Tensor, x: Tensor): Tensor {
  const t = tanhSoftplus(x);
  const bend = mul(add(neg(square(t)), 1), sigmoid(x));
  return mul(add(mul(bend, x), t), g);
}

/** tanh(log(1 + w)) = (w² + 2w) / (w² + 2w + 2), w = eˣ. */
function tanhSoftplus(x: Tensor): Tensor {
  const w = exp(clamp(x, null, MISH_STRAIGHT));
  const n = mul(add(w, 2), w);
  return div(n, add(n, 2));
}

/**
 * log(1 + e^(beta·x)) / beta, a smooth relu; x itself where beta·x is above the threshold.
 *
 * @throws ArgumentError where beta is 0, or a setting is no number.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softplus.html
 */
export function softplus(x: Tensor, options: SoftplusOptions = {}): Tensor {
  checkOptions("softplus", options, ["beta", "threshold"]);
  const { beta = 1, threshold = 20 } = options;
  if (!Number.isFinite(beta) || beta === 0 || typeof threshold !== "number" || Number.isNaN(threshold)) {
    throw new ArgumentError(
      `softplus: got beta = ${beta} and threshold = ${threshold}; expected numbers, beta finite and not 0. Use 1 and 20.`,
    );
  }
  const grad = (g: Tensor, x: Tensor): Tensor => {
    const z = mul(x, beta);
    return where(gt(z, threshold), g, mul(g, sigmoid(z)));
  };
  return applyUnary(activationSpec("softplus", "softplus", grad, { alpha: beta, beta: threshold }), x);
}

/**
 * x where x > 0, else alpha·(eˣ − 1).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.elu.html
 * @see D.-A. Clevert, T. Unterthiner, S. Hochreiter: Exponential Linear Units, https://arxiv.org/abs/1511.07289
 */
export function elu(x: Tensor, alpha = 1): Tensor {
  const grad = (g: Tensor, x: Tensor): Tensor => where(gt(x, 0), g, mul(mul(exp(x), alpha), g));
  return applyUnary(activationSpec("elu", "elu", grad, { alpha }), x);
}

/**
 * log(sigmoid(x)), without overflow: min(x, 0) − log(1 + e^(−|x|)).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.logsigmoid.html
 */
export function logSigmoid(x: Tensor): Tensor {
  return applyUnary(logSigmoidSpec, x);
}
