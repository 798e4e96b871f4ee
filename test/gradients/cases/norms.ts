import "../../../src/tensor/methods.js";
import { tensor } from "../../../src/tensor/create.js";
import { manualSeed } from "../../../src/tensor/random.js";
import type { GradCase } from "../gradCase.js";

const running = () => [tensor([0.3, -0.7], { dtype: "float64" }), tensor([0.5, 2], { dtype: "float64" })] as const;

const words = () =>
  tensor(
    [
      [1, 3],
      [1, 0],
    ],
    { dtype: "int32" },
  );

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
  { op: "localResponseNorm", name: "", shapes: [[2, 4, 2]], fn: (x) => x.localResponseNorm(3, { alpha: 0.5 }) },
  { op: "normalize", name: "rows", shapes: [[2, 3]], fn: (x) => x.normalize() },
  { op: "normalize", name: "p = 3", shapes: [[2, 3]], fn: (x) => x.normalize(3, 0) },
  { op: "cosineSimilarity", name: "broadcast", shapes: [[2, 3], [3]], fn: (a, b) => a.cosineSimilarity(b, -1) },
  {
    op: "cosineSimilarity",
    name: "shorter than eps",
    shapes: [
      [2, 3],
      [2, 3],
    ],
    fn: (a, b) => a.cosineSimilarity(b, 1, { eps: 9 }),
  },
  { op: "embedding", name: "repeats", shapes: [[4, 2]], fn: (w) => words().embedding(w.square()) },
  {
    op: "embedding",
    name: "one row of two features",
    shapes: [[1, 2]],
    fn: (w) => tensor(0, { dtype: "int32" }).embedding(w.square()),
  },
  {
    op: "scaledDotProductAttention",
    name: "heads that share keys",
    shapes: [
      [4, 2, 2],
      [2, 3, 2],
      [2, 3, 1],
    ],
    fn: (q, k, v) => q.scaledDotProductAttention(k, v, { enableGqa: true }),
  },
  {
    op: "scaledDotProductAttention",
    name: "causal",
    shapes: [
      [2, 3, 2],
      [2, 3, 2],
      [2, 3, 2],
    ],
    fn: (q, k, v) => q.scaledDotProductAttention(k, v, { isCausal: true }),
  },
  {
    op: "scaledDotProductAttention",
    name: "mask with an empty row",
    shapes: [
      [2, 2],
      [3, 2],
      [3, 1],
    ],
    fn: (q, k, v) =>
      q.scaledDotProductAttention(k, v, {
        attnMask: tensor([
          [true, false, true],
          [false, false, false],
        ]),
      }),
  },
  {
    op: "scaledDotProductAttention",
    name: "mask to add, scale",
    shapes: [
      [2, 2],
      [3, 2],
      [3, 2],
      [2, 3],
    ],
    fn: (q, k, v, m) => q.scaledDotProductAttention(k, v, { attnMask: m, scale: 2 }),
  },
  {
    op: "dropout2d",
    name: "p = 0.4",
    shapes: [[2, 3, 1, 2]],
    fn: (x) => {
      manualSeed(3);
      return x.square().dropout2d(0.4);
    },
  },
];
