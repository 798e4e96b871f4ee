import type { KernelSet } from "../kernels/kernelSet.js";

type Memory = "name" | "supports" | "alloc" | "free" | "write" | "read" | "readSync" | "setAside" | "watchTimes";

/** The kernels that compute. */
export type Launch = Exclude<keyof KernelSet, Memory>;

/** For each kernel that computes, the place of its (first) output among its arguments. */
export const outputPlaces: Readonly<Record<Launch, number>> = {
  fill: 0,
  copy: 1,
  unary: 2,
  activationGrad: 3,
  binary: 3,
  compare: 3,
  where: 3,
  reduce: 2,
  argReduce: 3,
  cumsum: 3,
  argSort: 2,
  gather: 3,
  scatterAdd: 3,
  scatter: 3,
  matmul: 3,
  conv2d: 3,
  conv2dInputGrad: 3,
  conv2dWeightGrad: 2,
  conv2dGrads: 3,
  unfold: 1,
  fold: 1,
  maxPool2d: 1,
  maxPool2dGrad: 2,
  avgPool2d: 1,
  avgPool2dGrad: 1,
  softmax: 1,
  softmaxGrad: 2,
  channelStats: 1,
  batchNorm: 6,
  batchNormGrad: 7,
  groupNorm: 5,
  groupNormGrad: 7,
  bernoulli: 4,
  sgdStep: 0,
  adamStep: 0,
};

/** Kernels that do one of several things, which their first argument names. */
export const namesItself: ReadonlySet<Launch> = new Set<Launch>([
  "unary",
  "activationGrad",
  "binary",
  "compare",
  "reduce",
  "argReduce",
]);
