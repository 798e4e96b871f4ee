import "../../../src/tensor/methods.js";
import type { GradCase } from "../gradCase.js";

/** Drawn values become zeros where they are small: products have derivatives there, too. */
const withZeros = (value: number): number => (Math.abs(value) < 0.5 ? 0 : value);

export const cases: GradCase[] = [
  { op: "sort", name: "last axis", shapes: [[2, 4]], fn: (x) => x.sort().values.square() },
  {
    op: "sort",
    name: "first axis, descending",
    shapes: [[3, 2]],
    fn: (x) => x.sort(0, { descending: true }).values.square(),
  },
  { op: "topk", name: "smallest", shapes: [[5]], fn: (x) => x.topk(2, 0, { largest: false }).values.square() },
  { op: "prod", name: "all", shapes: [[2, 3]], fn: (x) => x.prod() },
  {
    op: "prod",
    name: "large and small",
    shapes: [[2, 6]],
    fn: (x) =>
      x
        .mul(2 ** 40)
        .prod(1)
        .mul(2 ** -200),
  },
  { op: "prod", name: "an axis, zeros", shapes: [[3, 5, 2]], domain: withZeros, fn: (x) => x.prod(1) },
  { op: "logsumexp", name: "an axis", shapes: [[2, 3]], fn: (x) => x.logsumexp(1) },
  { op: "logsumexp", name: "all, kept", shapes: [[2, 3]], fn: (x) => x.logsumexp(null, { keepdim: true }) },
  { op: "cumsum", name: "first axis", shapes: [[5, 2]], fn: (x) => x.square().cumsum(0) },
  { op: "cumsum", name: "last axis", shapes: [[2, 3]], fn: (x) => x.cumsum(-1).square() },
];
