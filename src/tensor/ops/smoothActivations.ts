/** Activation functions with smooth curves, elementwise. */
import { ArgumentError } from "../../errors.js";
import { isGradEnabled } from "../autograd.js";
import type { Tensor } from "../tensor.js";
import { sigmoid, tanh } from "./activations.js";
import { abs, add, add_, clamp, div, exp, exp_, mul, mul_, neg, neg_, square, sub } from "./arithmetic.js";
import { gt } from "./compare.js";
import { addInto, applyComposed, mulInto } from "./composed.js";
import { erf, expm1, log1p } from "./elementary.js";
import { where } from "./where.js";

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
export function gelu(x: Tensor, { approximate = "none" }: GeluOptions = {}): Tensor {
  if (approximate !== "none" && approximate !== "tanh") {
    throw new ArgumentError(
      `gelu: got approximate = ${JSON.stringify(approximate)}; expected "none" or "tanh". Choose one of them.`,
    );
  }
  const tanhForm = approximate === "tanh";
  return applyComposed(
    {
      name: "gelu",
      forward: (x) => mul_(tanhForm ? add_(tanh(geluArgument(x)), 1) : add_(erf(mul(x, Math.SQRT1_2)), 1), mul(x, 0.5)),
      saves: "input",
      grad: tanhForm ? geluTanhGrad : geluGrad,
    },
    x,
  );
}

/** As {@link mulInto}, eˣ. */
function expInto(x: Tensor): Tensor {
  return isGradEnabled() ? exp(x) : exp_(x);
}

/** √(2/π)·(x + 0.044715·x³) */
function geluArgument(x: Tensor): Tensor {
  const scale = Math.sqrt(2 / Math.PI);
  return mulInto(addInto(mulInto(square(x), 0.044715 * scale), scale), x);
}

/** Φ(x) + x·φ(x) */
function geluGrad(g: Tensor, x: Tensor): Tensor {
  const t = mul(x, Math.SQRT1_2);
  const twice = mulInto(mulInto(expInto(mulInto(square(t), -1)), x), Math.sqrt(2 / Math.PI));
  return mulInto(mulInto(addInto(addInto(twice, erf(t)), 1), 0.5), g);
}

/** With t the tanh of u(x): ½·(1 + t + x·(1 − t²)·u′). */
function geluTanhGrad(g: Tensor, x: Tensor): Tensor {
  const t = tanh(geluArgument(x));
  const scale = Math.sqrt(2 / Math.PI);
  const slope = mulInto(addInto(mulInto(square(x), 3 * 0.044715 * scale), scale), x);
  const bend = mulInto(addInto(mulInto(square(t), -1), 1), slope);
  return mulInto(mulInto(addInto(addInto(bend, t), 1), 0.5), g);
}

/**
 * x·sigmoid(x), which others call swish.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.silu.html
 */
export function silu(x: Tensor): Tensor {
  return applyComposed(
    {
      name: "silu",
      forward: (x) => mul_(sigmoid(x), x),
      saves: "input",
      grad: (g, x) => {
        // s·(1 + x·(1 − s))
        const s = sigmoid(x);
        return mulInto(mulInto(addInto(mulInto(addInto(neg(s), 1), x), 1), s), g);
      },
    },
    x,
  );
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
  return applyComposed(
    {
      name: "mish",
      forward: (x) => mul(tanhSoftplus(x), x),
      saves: "input",
      grad: (g, x) => {
        const t = tanhSoftplus(x);
        const bend = addInto(mulInto(square(t), -1), 1);
        return mulInto(addInto(mulInto(mulInto(bend, sigmoid(x)), x), t), g);
      },
    },
    x,
  );
}

/** tanh(log(1 + w)) = (w² + 2w) / (w² + 2w + 2), w = eˣ. */
function tanhSoftplus(x: Tensor): Tensor {
  const w = expInto(clamp(x, null, MISH_STRAIGHT));
  const n = mulInto(add(w, 2), w);
  return div(n, add(n, 2));
}

/**
 * log(1 + e^(beta·x)) / beta, a smooth relu; x itself where beta·x is above the threshold.
 *
 * @throws ArgumentError where beta is 0, or a setting is no number.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softplus.html
 */
export function softplus(x: Tensor, { beta = 1, threshold = 20 }: SoftplusOptions = {}): Tensor {
  if (!Number.isFinite(beta) || beta === 0 || typeof threshold !== "number" || Number.isNaN(threshold)) {
    throw new ArgumentError(
      `softplus: got beta = ${beta} and threshold = ${threshold}; expected numbers, beta finite and not 0. Use 1 and 20.`,
    );
  }
  return applyComposed(
    {
      name: "softplus",
      forward: (x) => {
        const z = mul(x, beta);
        return where(gt(z, threshold), x, mul(log1p(exp(z)), 1 / beta));
      },
      saves: "input",
      grad: (g, x) => {
        const z = mul(x, beta);
        return where(gt(z, threshold), g, mul(g, sigmoid(z)));
      },
    },
    x,
  );
}

/**
 * x where x > 0, else alpha·(eˣ − 1).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.elu.html
 * @see D.-A. Clevert, T. Unterthiner, S. Hochreiter: Exponential Linear Units, https://arxiv.org/abs/1511.07289
 */
export function elu(x: Tensor, alpha = 1): Tensor {
  return applyComposed(
    {
      name: "elu",
      forward: (x) => where(gt(x, 0), x, mul(expm1(x), alpha)),
      saves: "input",
      grad: (g, x) => where(gt(x, 0), g, mulInto(mulInto(exp(x), alpha), g)),
    },
    x,
  );
}

/**
 * log(sigmoid(x)), without overflow: min(x, 0) − log(1 + e^(−|x|)).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.logsigmoid.html
 */
export function logSigmoid(x: Tensor): Tensor {
  return applyComposed(
    {
      name: "logSigmoid",
      forward: (x) => sub(clamp(x, null, 0), log1p(exp_(neg_(abs(x))))),
      saves: "input",
      grad: (g, x) => mul(g, sigmoid(neg(x))),
    },
    x,
  );
}
