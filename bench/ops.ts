/** Single ops, each with its gradient where it has one: `npm run bench -- --only op:`. bench/pytorch_ops.py has the same. */
import { full, manualSeed, nn, noGrad, ones, optim, rand, randint, randn, randnLike, type Tensor } from "tapegrad";
import type { Line } from "./lines.js";

const f = nn.functional;

/** About a million elements, as an activation map, as rows, and as the heads of an attention. */
const IMAGE = [64, 64, 16, 16];
const ROWS = [512, 768];
const HEADS = [8, 4, 256, 32];

/** What `run` computes from `inputs`, and the gradients of those that want one, for an output gradient of random numbers. */
function op(name: string, make: () => readonly Tensor[], run: (...inputs: Tensor[]) => Tensor): Line {
  return {
    name: `op: ${name}`,
    prepare: () => {
      manualSeed(0);
      const inputs = make();
      const leaves = inputs.filter(({ requiresGrad }) => requiresGrad);
      if (leaves.length === 0) {
        return (times) => {
          for (let i = 0; i < times; i++) noGrad(() => void run(...inputs));
        };
      }
      const optimizer = new optim.SGD(leaves, { lr: 0.1 });
      const gradient = noGrad(() => randnLike(run(...inputs)));
      return (times) => {
        for (let i = 0; i < times; i++) {
          optimizer.zeroGrad();
          run(...inputs).backward(gradient);
        }
      };
    },
  };
}

const leaf = (shape: readonly number[]): Tensor => randn([...shape]).requiresGrad_();

/** A function of one tensor. */
function unary(name: string, run: (x: Tensor) => Tensor, make: () => Tensor = () => leaf(IMAGE)): Line {
  return op(name, () => [make()], run as (...inputs: Tensor[]) => Tensor);
}

/** A loss of two tensors, of which the first wants a gradient. */
function loss(name: string, run: (x: Tensor, y: Tensor) => Tensor, make = (): Tensor => leaf(IMAGE)): Line {
  return op(name, () => [make(), rand(IMAGE)], run as (...inputs: Tensor[]) => Tensor);
}

const positive = (): Tensor => rand(IMAGE).add(0.5).requiresGrad_();
const share = (): Tensor => rand(IMAGE).mul(0.98).add(0.01).requiresGrad_();
const places = (): Tensor => randint(64, [64, 64, 16, 16]);

/** One step of an optimizer on a parameter with a million elements. */
function step(name: string, make: (weights: nn.Parameter) => { step(): unknown }): Line {
  return {
    name: `op: ${name}`,
    prepare: () => {
      manualSeed(0);
      const weights = new nn.Parameter(randn([1_000_000]));
      const optimizer = make(weights);
      weights.grad = randn([1_000_000]);
      return (times) => {
        for (let i = 0; i < times; i++) optimizer.step();
      };
    },
  };
}

function clipping(): Line {
  return {
    name: "op: clipGradNorm",
    prepare: () => {
      const weights = new nn.Parameter(randn([1_000_000]));
      weights.grad = randn([1_000_000]);
      return (times) => {
        for (let i = 0; i < times; i++) noGrad(() => void nn.utils.clipGradNorm_(weights, 1e6));
      };
    },
  };
}

function averaging(): Line {
  return {
    name: "op: EMA of a Linear",
    prepare: () => {
      const model = new nn.Linear(1000, 1000);
      const average = new optim.swaUtils.AveragedModel(new nn.Linear(1000, 1000), {
        avgFn: optim.swaUtils.getEmaAvgFn(),
      });
      average.updateParameters(model);
      return (times) => {
        for (let i = 0; i < times; i++) average.updateParameters(model);
      };
    },
  };
}

function dropout(name: string, layer: nn.Layer): Line {
  return unary(name, (x) => layer.forward(x));
}

export const ops: readonly Line[] = [
  unary("relu", f.relu),
  unary("leakyRelu", (x) => f.leakyRelu(x, 0.1)),
  unary("tanh", f.tanh),
  unary("sigmoid", f.sigmoid),
  unary("gelu", (x) => f.gelu(x)),
  unary("gelu, tanh", (x) => f.gelu(x, { approximate: "tanh" })),
  unary("silu", f.silu),
  unary("mish", f.mish),
  unary("softplus", (x) => f.softplus(x)),
  unary("elu", (x) => f.elu(x)),
  unary("logSigmoid", f.logSigmoid),
  unary("hardtanh", (x) => f.hardtanh(x)),
  unary("relu6", f.relu6),
  unary("hardswish", f.hardswish),
  unary("hardsigmoid", f.hardsigmoid),
  op(
    "prelu",
    () => [leaf(IMAGE), full([64], 0.25).requiresGrad_()],
    (x, w = x) => f.prelu(x as Tensor, w),
  ),
  unary("exp", f.exp),
  unary("log", f.log, positive),
  unary("sqrt", f.sqrt, positive),
  unary("rsqrt", f.rsqrt, positive),
  unary("reciprocal", f.reciprocal, positive),
  unary("square", f.square),
  unary("abs", f.abs),
  unary("clamp", (x) => f.clamp(x, -1, 1)),
  unary("log1p", f.log1p, positive),
  unary("expm1", f.expm1),
  unary("sin", f.sin),
  unary("cos", f.cos),
  unary("erf", f.erf),
  unary("round", f.round),
  unary("floor", f.floor),
  unary("ceil", f.ceil),
  unary("pow 3", (x) => f.pow(x, 3)),
  op(
    "mul",
    () => [leaf(IMAGE), leaf(IMAGE)],
    (a, b) => f.mul(a as Tensor, b as Tensor),
  ),
  op(
    "lerp",
    () => [leaf(IMAGE), leaf(IMAGE)],
    (a, b) => f.lerp(a as Tensor, b as Tensor, 0.3),
  ),
  op(
    "where",
    () => [randn(IMAGE).gt(0), leaf(IMAGE), leaf(IMAGE)],
    (c, a, b) => f.where(c as Tensor, a as Tensor, b as Tensor),
  ),
  op(
    "maskedFill",
    () => [leaf(IMAGE), randn(IMAGE).gt(0)],
    (x, m) => f.maskedFill(x as Tensor, m as Tensor, 0),
  ),
  op(
    "isnan",
    () => [randn(IMAGE)],
    (x) => f.isnan(x as Tensor),
  ),
  unary("mean", (x) => f.mean(x)),
  unary(
    "var of rows",
    (x) => f.var(x, 1),
    () => leaf(ROWS),
  ),
  unary(
    "amax of rows",
    (x) => f.amax(x, 1),
    () => leaf(ROWS),
  ),
  unary(
    "logsumexp",
    (x) => f.logsumexp(x, 1),
    () => leaf(ROWS),
  ),
  unary(
    "softmax",
    (x) => f.softmax(x, 1),
    () => leaf(ROWS),
  ),
  unary(
    "logSoftmax",
    (x) => f.logSoftmax(x, 1),
    () => leaf(ROWS),
  ),
  unary(
    "cumsum",
    (x) => f.cumsum(x, 1),
    () => leaf(ROWS),
  ),
  unary(
    "prod of rows",
    (x) => f.prod(x, 1),
    () => rand(ROWS).add(0.5).requiresGrad_(),
  ),
  unary("norm", (x) => f.norm(x)),
  op(
    "all",
    () => [ones(IMAGE, { dtype: "bool" })],
    (x) => f.all(x as Tensor),
  ),
  op(
    "any",
    () => [randn(IMAGE).gt(9)],
    (x) => f.any(x as Tensor),
  ),
  op(
    "argmax",
    () => [randn(ROWS)],
    (x) => f.argmax(x as Tensor, 1),
  ),
  unary(
    "sort",
    (x) => f.sort(x, 1).values,
    () => leaf(ROWS),
  ),
  op(
    "argsort",
    () => [randn(ROWS)],
    (x) => f.argsort(x as Tensor, 1),
  ),
  unary(
    "topk 5",
    (x) => f.topk(x, 5, 1).values,
    () => leaf(ROWS),
  ),
  op(
    "embedding",
    () => [randint(1000, [32, 64]), leaf([1000, 256])],
    (i, w) => f.embedding(i as Tensor, w as Tensor),
  ),
  op(
    "gather",
    () => [leaf(IMAGE), places()],
    (x, i) => f.gather(x as Tensor, 1, i as Tensor),
  ),
  op(
    "scatter",
    () => [leaf(IMAGE), places(), leaf(IMAGE)],
    (x, i, y) => f.scatter(x as Tensor, 1, i as Tensor, y as Tensor),
  ),
  op(
    "indexSelect",
    () => [leaf([1000, 512]), randint(1000, [1000])],
    (x, i) => f.indexSelect(x as Tensor, 0, i as Tensor),
  ),
  unary("permute", (x) => x.permute([0, 2, 3, 1]).contiguous()),
  op(
    "cat",
    () => [leaf(IMAGE), leaf(IMAGE)],
    (a, b) => f.cat([a as Tensor, b as Tensor], 1),
  ),
  unary(
    "tril",
    (x) => f.tril(x),
    () => leaf([768, 768]),
  ),
  op(
    "batchNorm",
    () => [leaf(IMAGE), leaf([64]), leaf([64])],
    (x, w, b) => f.batchNorm(x as Tensor, null, null, w as Tensor, b as Tensor, { training: true }),
  ),
  op(
    "layerNorm",
    () => [leaf(ROWS), leaf([768]), leaf([768])],
    (x, w, b) => f.layerNorm(x as Tensor, [768], w as Tensor, b as Tensor),
  ),
  op(
    "groupNorm",
    () => [leaf(IMAGE), leaf([64]), leaf([64])],
    (x, w, b) => f.groupNorm(x as Tensor, 8, w as Tensor, b as Tensor),
  ),
  op(
    "instanceNorm",
    () => [leaf(IMAGE), leaf([64]), leaf([64])],
    (x, w, b) => f.instanceNorm(x as Tensor, null, null, w as Tensor, b as Tensor),
  ),
  unary("localResponseNorm", (x) => f.localResponseNorm(x, 5)),
  unary(
    "normalize",
    (x) => f.normalize(x),
    () => leaf(ROWS),
  ),
  op(
    "cosineSimilarity",
    () => [leaf(ROWS), leaf(ROWS)],
    (a, b) => f.cosineSimilarity(a as Tensor, b as Tensor),
  ),
  dropout("dropout", new nn.Dropout(0.5)),
  dropout("dropout2d", new nn.Dropout2d(0.5)),
  unary(
    "maxPool1d",
    (x) => f.maxPool1d(x, 2),
    () => leaf([64, 64, 256]),
  ),
  unary(
    "avgPool1d",
    (x) => f.avgPool1d(x, 2),
    () => leaf([64, 64, 256]),
  ),
  unary("maxPool2d", (x) => f.maxPool2d(x, 2)),
  unary("avgPool2d", (x) => f.avgPool2d(x, 2)),
  unary("adaptiveAvgPool2d", (x) => f.adaptiveAvgPool2d(x, 1)),
  unary(
    "interpolate, nearest",
    (x) => f.interpolate(x, { scaleFactor: 2 }),
    () => leaf([16, 64, 16, 16]),
  ),
  unary(
    "interpolate, bilinear",
    (x) => f.interpolate(x, { scaleFactor: 2, mode: "bilinear" }),
    () => leaf([16, 64, 16, 16]),
  ),
  unary("pixelShuffle", (x) => f.pixelShuffle(x, 2)),
  unary("pad, reflect", (x) => f.pad(x, [1, 1, 1, 1], "reflect")),
  op(
    "attention",
    () => [leaf(HEADS), leaf(HEADS), leaf(HEADS)],
    (q, k, v) => f.scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor),
  ),
  op(
    "crossEntropy",
    () => [leaf([1024, 1000]), randint(1000, [1024])],
    (x, y) => f.crossEntropy(x as Tensor, y as Tensor),
  ),
  loss("mseLoss", (x, y) => f.mseLoss(x, y)),
  loss("l1Loss", (x, y) => f.l1Loss(x, y)),
  loss("smoothL1Loss", (x, y) => f.smoothL1Loss(x, y)),
  loss("huberLoss", (x, y) => f.huberLoss(x, y)),
  loss("binaryCrossEntropy", (x, y) => f.binaryCrossEntropy(x, y), share),
  loss("BCE with logits", (x, y) => f.binaryCrossEntropyWithLogits(x, y)),
  loss("klDiv", (x, y) => f.klDiv(x, y)),
  op(
    "cosineEmbeddingLoss",
    () => [leaf(ROWS), leaf(ROWS), ones([512])],
    (a, b, y) => f.cosineEmbeddingLoss(a as Tensor, b as Tensor, y as Tensor),
  ),
  op(
    "marginRankingLoss",
    () => [leaf(IMAGE), leaf(IMAGE), ones(IMAGE)],
    (a, b, y) => f.marginRankingLoss(a as Tensor, b as Tensor, y as Tensor),
  ),
  op(
    "tripletMarginLoss",
    () => [leaf(ROWS), leaf(ROWS), leaf(ROWS)],
    (a, p, n) => f.tripletMarginLoss(a as Tensor, p as Tensor, n as Tensor),
  ),
  step("SGD, momentum", (w) => new optim.SGD([w], { lr: 1e-3, momentum: 0.9 })),
  step("AdamW", (w) => new optim.AdamW([w], { lr: 1e-3 })),
  step("RMSprop", (w) => new optim.RMSprop([w], { lr: 1e-3 })),
  step("Adagrad", (w) => new optim.Adagrad([w], { lr: 1e-3 })),
  step("NAdam", (w) => new optim.NAdam([w], { lr: 1e-3 })),
  clipping(),
  averaging(),
];
