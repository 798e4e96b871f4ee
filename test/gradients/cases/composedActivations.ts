import "../../../src/tensor/methods.js";
import { manualSeed } from "../../../src/tensor/random.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import type { GradCase } from "../gradCase.js";

const wide = (value: number): number => 5 * value;
/** Drops the same elements at each call. */
const seeded = (fn: () => Tensor): Tensor => {
  manualSeed(5);
  return fn();
};

export const cases: GradCase[] = [
  { op: "selu", name: "", shapes: [[6]], fn: (x) => x.selu() },
  { op: "selu_", name: "non-leaf", shapes: [[6]], fn: (x) => x.mul(1.1).selu_() },
  { op: "celu", name: "", shapes: [[6]], fn: (x) => x.celu() },
  { op: "celu", name: "alpha", shapes: [[6]], domain: wide, fn: (x) => x.celu(2.5) },
  { op: "celu_", name: "non-leaf", shapes: [[6]], fn: (x) => x.mul(1.1).celu_(0.5) },
  { op: "silu_", name: "non-leaf", shapes: [[6]], fn: (x) => x.mul(1.1).silu_() },
  { op: "mish_", name: "non-leaf", shapes: [[6]], fn: (x) => x.mul(1.1).mish_() },
  { op: "hardswish_", name: "non-leaf", shapes: [[8]], domain: wide, fn: (x) => x.mul(1.1).hardswish_() },
  { op: "hardsigmoid_", name: "non-leaf", shapes: [[8]], domain: wide, fn: (x) => x.mul(1.1).hardsigmoid_() },
  { op: "glu", name: "last axis", shapes: [[2, 6]], fn: (x) => x.glu() },
  { op: "glu", name: "channels", shapes: [[2, 4, 3]], fn: (x) => x.glu(1) },
  { op: "softsign", name: "", shapes: [[6]], domain: wide, fn: (x) => x.softsign() },
  { op: "softmin", name: "", shapes: [[2, 3]], fn: (x) => x.softmin(0) },
  { op: "tanhshrink", name: "", shapes: [[6]], fn: (x) => x.tanhshrink() },
  { op: "hardshrink", name: "", shapes: [[8]], fn: (x) => x.hardshrink(0.3).square() },
  { op: "softshrink", name: "", shapes: [[8]], fn: (x) => x.softshrink(0.3).square() },
  { op: "threshold", name: "", shapes: [[8]], fn: (x) => x.threshold(0.2, 3).square() },
  { op: "threshold_", name: "non-leaf", shapes: [[8]], fn: (x) => x.mul(1.1).threshold_(0.2, 3).square() },
  { op: "dropout_", name: "non-leaf", shapes: [[8]], fn: (x) => seeded(() => x.mul(1.1).dropout_(0.4).square()) },
  {
    op: "dropout2d_",
    name: "non-leaf",
    shapes: [[2, 3, 1, 2]],
    fn: (x) => seeded(() => x.mul(1.1).dropout2d_(0.4).square()),
  },
];
