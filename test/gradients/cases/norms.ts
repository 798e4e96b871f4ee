import "../../../src/tensor/methods.js";
import { tensor } from "../../../src/tensor/create.js";
import type { GradCase } from "../gradCase.js";

const running = () => [tensor([0.3, -0.7], { dtype: "float64" }), tensor([0.5, 2], { dtype: "float64" })] as const;

export const cases: GradCase[] = [
  { op: "layerNorm", name: "last axis", shapes: [[3, 4], [4], [4]], fn: (x, w, b) => x.layerNorm(4, w, b) },
  { op: "layerNorm", name: "two axes, plain", shapes: [[2, 2, 3]], fn: (x) => x.layerNorm([2, 3]) },
  {
    op: "layerNorm",
    name: "bias alone, of a permuted tensor",
    shapes: [[3, 2], [3]],
    fn: (x, b) => x.transpose(0, 1).layerNorm([3], null, b, { eps: 0.2 }),
  },
  { op: "layerNorm", name: "weight alone", shapes: [[2, 3], [3]], fn: (x, w) => x.layerNorm([3], w) },
  { op: "groupNorm", name: "[N, C, L]", shapes: [[2, 4, 2], [4], [4]], fn: (x, w, b) => x.groupNorm(2, w, b) },
  { op: "groupNorm", name: "[N, C], one group", shapes: [[2, 3], [3]], fn: (x, w) => x.groupNorm(1, w) },
  { op: "groupNorm", name: "bias alone", shapes: [[1, 4, 3], [4]], fn: (x, b) => x.groupNorm(2, null, b) },
  {
    op: "groupNorm",
    name: "as many groups as channels",
    shapes: [[2, 2, 3], [2], [2]],
    fn: (x, w, b) => x.groupNorm(2, w, b, { eps: 0.1 }),
  },
  {
    op: "groupNorm",
    name: "of a permuted tensor, plain",
    shapes: [[3, 4, 2]],
    fn: (x) => x.permute([2, 1, 0]).groupNorm(2),
  },
  {
    op: "instanceNorm",
    name: "[N, C, H, W]",
    shapes: [[2, 2, 2, 2], [2], [2]],
    fn: (x, w, b) => x.instanceNorm(null, null, w, b),
  },
  { op: "instanceNorm", name: "plain", shapes: [[2, 2, 3]], fn: (x) => x.instanceNorm() },
  {
    op: "instanceNorm",
    name: "running statistics",
    shapes: [[2, 2, 3], [2]],
    fn: (x, w) => x.instanceNorm(...running(), w, null, { useInputStats: false }),
  },
];
