import "../../../src/tensor/methods.js";
import { tensor } from "../../../src/tensor/create.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import type { GradCase } from "../gradCase.js";

const positive = (value: number): number => Math.abs(value) + 0.1;
/** Rounding has jumps, which finite differences must not meet. */
const betweenWholes = (value: number): number => 0.3 + value / 8;

type Unary =
  | "sin_"
  | "cos_"
  | "erf_"
  | "log1p_"
  | "expm1_"
  | "rsqrt_"
  | "reciprocal_"
  | "round_"
  | "floor_"
  | "ceil_"
  | "elu_";

const unary = (op: Unary, domain?: (value: number) => number): GradCase => ({
  op,
  name: "non-leaf",
  shapes: [[2, 3]],
  fn: (x: Tensor) => {
    const y = x.mul(1);
    return y[op]().add(y);
  },
  ...(domain === undefined ? {} : { domain }),
});

const mask = tensor([true, false, true]);
const places = tensor([[1, 0, 1]], { dtype: "int32" });

export const cases: readonly GradCase[] = [
  ...(["sin_", "cos_", "erf_", "expm1_", "elu_"] as const).map((op) => unary(op)),
  ...(["log1p_", "rsqrt_", "reciprocal_"] as const).map((op) => unary(op, positive)),
  ...(["round_", "floor_", "ceil_"] as const).map((op) => unary(op, betweenWholes)),
  { op: "lerp_", name: "weights", shapes: [[2, 3], [2, 3], [3]], fn: (x, end, weight) => x.mul(2).lerp_(end, weight) },
  { op: "maskedFill_", name: "tensor", shapes: [[2, 3], []], fn: (x, value) => x.square().maskedFill_(mask, value) },
  {
    op: "scatter_",
    name: "replace",
    shapes: [
      [2, 3],
      [1, 3],
    ],
    fn: (x, src) => x.square().scatter_(0, places, src),
  },
  {
    op: "scatter_",
    name: "multiply",
    shapes: [
      [2, 3],
      [1, 3],
    ],
    fn: (x, src) => x.square().scatter_(0, places, src, { reduce: "multiply" }),
  },
  { op: "cumsum_", name: "", shapes: [[2, 3]], fn: (x) => x.square().cumsum_(1).square() },
  { op: "tril_", name: "", shapes: [[3, 3]], fn: (x) => x.square().tril_() },
  { op: "triu_", name: "", shapes: [[3, 3]], fn: (x) => x.square().triu_(1) },
];
