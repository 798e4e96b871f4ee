/** Activation functions and their slopes in WGSL. */
import type { ActivationOp } from "../kernelSet.js";

/** f(x), which may use alpha and beta. */
export const activationText: Readonly<Record<ActivationOp, string>> = {
  elu: "select(exponentialLess1(x) * alpha, x, x > 0.0)",
  gelu: "0.5 * x * (1.0 + errorFunction(x * 0.70710678))",
  geluTanh: "0.5 * x * (1.0 + hyperbolicTangent(geluArgument(x)))",
  hardsigmoid: "select(min(max(x + 3.0, 0.0), 6.0) / 6.0, x, isNan(x))",
  hardswish: "select(x * min(max(x + 3.0, 0.0), 6.0) / 6.0, x, isNan(x))",
  hardtanh: "select(min(max(x, alpha), beta), x, isNan(x))",
  huber: "select(min(abs(x), alpha) * (abs(x) - 0.5 * min(abs(x), alpha)), x, isNan(x))",
  leakyRelu: "select(x * alpha, x, x > 0.0)",
  logSigmoid: "-softplus(-x)",
  mish: "x * tanhSoftplus(x)",
  silu: "x * sigmoid(x)",
  softplus: "select(softplus(x * alpha) / alpha, x, x * alpha > beta)",
};

/** f′(x), to be multiplied by g. */
const slopeText: Readonly<Record<ActivationOp, string>> = {
  elu: "eluSlope(x, alpha)",
  gelu: "(0.5 * (1.0 + errorFunction(x * 0.70710678)) + 0.39894228 * x * exp(-0.5 * x * x))",
  geluTanh: "geluTanhSlope(x)",
  hardsigmoid: "select(0.0, 1.0 / 6.0, (x > -3.0) & (x < 3.0))",
  hardswish: "select(select(1.0, x / 3.0 + 0.5, x < 3.0), 0.0, x <= -3.0)",
  hardtanh: "select(0.0, 1.0, (x > alpha) & (x < beta))",
  huber: "select(clamp(x, -alpha, alpha), x, isNan(x))",
  leakyRelu: "select(alpha, 1.0, x > 0.0)",
  logSigmoid: "sigmoid(-x)",
  mish: "mishSlope(x)",
  silu: "siluSlope(x)",
  softplus: "select(sigmoid(x * alpha), 1.0, x * alpha > beta)",
};

/** g · f′(x). */
export function activationGradText(op: ActivationOp): string {
  return `g * ${slopeText[op]}`;
}

/** Functions that the expressions call, beside those for all elementwise kernels. */
export const activationFunctions = `
// log(1 + e^x), without overflow.
fn softplus(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  return max(x, 0.0) + logarithmOf1Plus(exp(-abs(x)));
}
fn eluSlope(x: f32, alpha: f32) -> f32 {
  if (isNan(x)) { return x; }
  return select(alpha * exp(min(x, 0.0)), 1.0, x > 0.0);
}
fn geluArgument(x: f32) -> f32 {
  return 0.79788456 * (x + 0.044715 * x * x * x);
}
fn geluTanhSlope(x: f32) -> f32 {
  let t = hyperbolicTangent(geluArgument(x));
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * 0.79788456 * (1.0 + 0.134145 * x * x);
}
// With w = e^x: (w^2 + 2 w) / (w^2 + 2 w + 2). Beyond 20 it is 1.
fn tanhSoftplus(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let w = exp(min(x, 20.0));
  let n = w * (w + 2.0);
  return n / (n + 2.0);
}
fn mishSlope(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  if (x > 20.0) { return 1.0; }
  let w = exp(x);
  let n = w * (w + 2.0);
  let inverse = 1.0 / (n + 2.0);
  return n * inverse + x * (4.0 * w * (w + 1.0) * inverse) * inverse;
}
fn siluSlope(x: f32) -> f32 {
  let s = sigmoid(x);
  return s * (1.0 + x * (1.0 - s));
}
`;
