import "../../../src/tensor/methods.js";
import { Generator } from "../../../src/tensor/random.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import type { GradCase } from "../gradCase.js";

/** Nothing of a fill's gradient is left; the square keeps the result on the tape, and would show any that is. */
const filled = (fill: (x: Tensor) => Tensor) => (a: Tensor) => fill(a.mul(2)).mul(a.square());

export const cases: GradCase[] = [
  { op: "fill_", name: "non-leaf", shapes: [[2, 3]], fn: filled((x) => x.fill_(3)) },
  { op: "zero_", name: "non-leaf", shapes: [[3]], fn: filled((x) => x.zero_().add(1)) },
  {
    op: "uniform_",
    name: "non-leaf",
    shapes: [[3]],
    fn: filled((x) => x.uniform_(1, 2, { generator: new Generator(1) })),
  },
  {
    op: "normal_",
    name: "non-leaf",
    shapes: [[3]],
    fn: filled((x) => x.normal_(0, 1, { generator: new Generator(1) })),
  },
  {
    op: "bernoulli_",
    name: "non-leaf",
    shapes: [[6]],
    fn: filled((x) => x.bernoulli_(0.5, { generator: new Generator(1) })),
  },
  {
    op: "bernoulli",
    name: "probabilities",
    shapes: [[6]],
    domain: (value) => Math.abs(value) * 0.5 + 0.2,
    fn: (p) => p.bernoulli({ generator: new Generator(1) }).mul(p.square()),
  },
  {
    op: "copy_",
    name: "same shape",
    shapes: [
      [2, 3],
      [2, 3],
    ],
    fn: (a, b) => a.mul(2).copy_(b).mul(a).mul(b),
  },
  { op: "copy_", name: "broadcast", shapes: [[2, 3], [3]], fn: (a, b) => a.mul(2).copy_(b.square()).mul(a) },
  { op: "copy_", name: "from itself", shapes: [[4]], fn: (a) => a.mul(2).copy_(a).mul(a) },
];
