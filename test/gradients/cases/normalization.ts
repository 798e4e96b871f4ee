import "../../../src/tensor/methods.js";
import { tensor } from "../../../src/tensor/create.js";
import { manualSeed } from "../../../src/tensor/random.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import type { GradCase } from "../gradCase.js";

const training = { training: true };
const op = "batchNorm";

/** Running mean and variance of two channels. */
function running(): [Tensor, Tensor] {
  return [tensor([0.3, -0.7], { dtype: "float64" }), tensor([0.5, 2], { dtype: "float64" })];
}

export const cases: GradCase[] = [
  {
    op,
    name: "training, [N, C]",
    shapes: [[4, 2], [2], [2]],
    fn: (x, w, b) => x.batchNorm(null, null, w, b, training),
  },
  {
    op,
    name: "training, [N, C, L]",
    shapes: [[2, 2, 3], [2], [2]],
    fn: (x, w, b) => x.batchNorm(null, null, w, b, training),
  },
  {
    op,
    name: "training, [N, C, H, W]",
    shapes: [[2, 2, 2, 2], [2], [2]],
    fn: (x, w, b) => x.batchNorm(null, null, w, b, training),
  },
  { op, name: "training, plain", shapes: [[3, 2, 2]], fn: (x) => x.batchNorm(null, null, null, null, training) },
  {
    op,
    name: "training, weight alone, eps",
    shapes: [[3, 2], [2]],
    fn: (x, w) => x.batchNorm(null, null, w, null, { training: true, eps: 0.3 }),
  },
  { op, name: "training, bias alone", shapes: [[3, 2], [2]], fn: (x, b) => x.batchNorm(null, null, null, b, training) },
  {
    op,
    name: "training, of a permuted tensor",
    shapes: [[2, 2, 3], [2]],
    fn: (x, w) => x.permute([2, 1, 0]).batchNorm(null, null, w, null, training),
  },
  {
    op,
    name: "evaluation",
    shapes: [[3, 2, 2], [2], [2]],
    fn: (x, w, b) => x.batchNorm(...running(), w, b),
  },
  {
    op,
    name: "evaluation, plain",
    shapes: [[3, 2]],
    fn: (x) => x.batchNorm(...running()),
  },
  {
    op: "dropout",
    name: "p = 0.4",
    shapes: [[4, 3]],
    fn: (x) => {
      manualSeed(3);
      return x.square().dropout(0.4);
    },
  },
  { op: "dropout", name: "p = 1", shapes: [[3]], fn: (x) => x.dropout(1) },
  { op: "dropout", name: "evaluation", shapes: [[3]], fn: (x) => x.dropout(0.4, false) },
];
