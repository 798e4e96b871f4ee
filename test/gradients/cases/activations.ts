import "../../../src/tensor/methods.js";
import type { GradCase } from "../gradCase.js";

const positive = (value: number): number => Math.abs(value) + 0.2;
/** Wider than the parts of which hard activations are made. */
const wide = (value: number): number => 5 * value;

export const cases: GradCase[] = [
  { op: "sin", name: "", shapes: [[4]], domain: wide, fn: (x) => x.sin() },
  { op: "cos", name: "", shapes: [[4]], domain: wide, fn: (x) => x.cos() },
  { op: "erf", name: "", shapes: [[6]], domain: (value) => 3 * value, fn: (x) => x.erf() },
  { op: "log1p", name: "", shapes: [[4]], domain: positive, fn: (x) => x.log1p() },
  { op: "log1p", name: "below 0", shapes: [[4]], domain: (value) => -Math.abs(value) / 2, fn: (x) => x.log1p() },
  { op: "expm1", name: "", shapes: [[6]], domain: (value) => 2 * value, fn: (x) => x.expm1() },
  { op: "rsqrt", name: "", shapes: [[4]], domain: positive, fn: (x) => x.rsqrt() },
  { op: "reciprocal", name: "", shapes: [[4]], fn: (x) => x.reciprocal() },
  { op: "round", name: "", shapes: [[6]], domain: wide, fn: (x) => x.round() },
  { op: "floor", name: "", shapes: [[6]], domain: wide, fn: (x) => x.floor() },
  { op: "ceil", name: "", shapes: [[6]], domain: wide, fn: (x) => x.ceil() },
  { op: "lerp", name: "number", shapes: [[3], [3]], fn: (a, b) => a.lerp(b, 0.3) },
  { op: "lerp", name: "tensor, broadcast", shapes: [[2, 3], [3], [2, 1]], fn: (a, b, w) => a.lerp(b, w) },
  { op: "gelu", name: "exact", shapes: [[6]], domain: wide, fn: (x) => x.gelu() },
  { op: "gelu", name: "tanh", shapes: [[6]], domain: wide, fn: (x) => x.gelu({ approximate: "tanh" }) },
  { op: "silu", name: "", shapes: [[6]], domain: wide, fn: (x) => x.silu() },
  { op: "mish", name: "", shapes: [[6]], domain: wide, fn: (x) => x.mish() },
  { op: "softplus", name: "", shapes: [[6]], domain: wide, fn: (x) => x.softplus() },
  { op: "softplus", name: "beta, threshold", shapes: [[6]], fn: (x) => x.softplus({ beta: 3, threshold: 1.1 }) },
  { op: "elu", name: "", shapes: [[6]], fn: (x) => x.elu(0.7) },
  { op: "logSigmoid", name: "", shapes: [[6]], domain: wide, fn: (x) => x.logSigmoid() },
  { op: "hardtanh", name: "", shapes: [[8]], domain: wide, fn: (x) => x.hardtanh(-2, 1.5) },
  { op: "hardtanh_", name: "non-leaf", shapes: [[8]], domain: wide, fn: (x) => x.mul(1.1).hardtanh_(-2, 1.5) },
  { op: "relu6", name: "", shapes: [[8]], domain: (value) => 12 * value, fn: (x) => x.relu6() },
  { op: "hardswish", name: "", shapes: [[8]], domain: wide, fn: (x) => x.hardswish() },
  { op: "hardsigmoid", name: "", shapes: [[8]], domain: wide, fn: (x) => x.hardsigmoid() },
  { op: "prelu", name: "one weight", shapes: [[2, 3], [1]], fn: (x, w) => x.prelu(w) },
  { op: "prelu", name: "a weight for each channel", shapes: [[2, 3, 2], [3]], fn: (x, w) => x.prelu(w) },
];
