import "../../../src/tensor/methods.js";
import { tensor } from "../../../src/tensor/create.js";
import type { GradCase } from "../gradCase.js";

const pair = [
  [2, 3],
  [2, 3],
];
const positive = (value: number): number => Math.abs(value) + 0.2;
const signs = tensor([
  [1, -1, 1],
  [-1, -1, 1],
]);

export const cases: GradCase[] = [
  { op: "poissonNllLoss", name: "", shapes: pair, fn: (x, t) => x.poissonNllLoss(t) },
  {
    op: "poissonNllLoss",
    name: "no logarithm, full",
    shapes: pair,
    domain: (value) => 2 * Math.abs(value) + 0.2,
    fn: (x, t) => x.poissonNllLoss(t, { logInput: false, full: true }),
  },
  {
    op: "gaussianNllLoss",
    name: "",
    shapes: [...pair, [2, 3]],
    domain: positive,
    fn: (x, t, v) => x.gaussianNllLoss(t, v, { full: true }),
  },
  {
    op: "gaussianNllLoss",
    name: "a variance for each sample, none",
    shapes: [...pair, [2]],
    domain: positive,
    fn: (x, t, v) => x.gaussianNllLoss(t, v, { reduction: "none" }),
  },
  { op: "softMarginLoss", name: "", shapes: pair, fn: (x, t) => x.softMarginLoss(t) },
  {
    op: "hingeEmbeddingLoss",
    name: "",
    shapes: [[2, 3]],
    fn: (x) => x.square().hingeEmbeddingLoss(signs, { margin: 0.7 }),
  },
  {
    op: "multilabelSoftMarginLoss",
    name: "weight",
    shapes: [...pair, [3]],
    domain: positive,
    fn: (x, t, weight) => x.multilabelSoftMarginLoss(t, { weight }),
  },
];
