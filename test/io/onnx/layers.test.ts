/** Every layer, in evaluation and in training, with batches of other sizes than the one that it was exported with. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { exportOnnx, importOnnx, manualSeed, nn, randint, randn, type Tensor } from "../../../src/index.js";
import { asFound, expectSame, keepFile, keptFiles, runOnnx } from "./support.js";

type AnyModule = nn.Module & { forward(...inputs: Tensor[]): unknown };

interface LayerCase {
  readonly name: string;
  readonly make: () => nn.Module;
  /** Inputs with a batch of the given size. */
  readonly inputs: (batch: number) => Tensor[];
  /** The cases that draw random numbers in training. */
  readonly random?: boolean;
  /** Smallest batch that makes sense in training. */
  readonly least?: number;
}

const images = (batch: number): Tensor[] => [randn([batch, 4, 7, 6])];
const rows = (batch: number): Tensor[] => [randn([batch, 6])];
const pair = (batch: number): Tensor[] => [randn([batch, 5]), randn([batch, 5])];
const even = (batch: number): Tensor[] => [randn([batch, 5]).sigmoid(), randn([batch, 5]).sigmoid()];
const classes = (batch: number): Tensor[] => [randn([batch, 5]), randint(5, [batch])];
const encoder = { dimFeedforward: 8, dropout: 0, batchFirst: true } as const;

const cases: LayerCase[] = [
  { name: "Linear", make: () => new nn.Linear(6, 3), inputs: rows },
  { name: "Linear", make: () => new nn.Linear(6, 3, { bias: false }), inputs: (n) => [randn([n, 2, 6])] },
  { name: "Conv2d", make: () => new nn.Conv2d(4, 6, 3, { stride: 2, padding: 1, groups: 2 }), inputs: images },
  {
    name: "Conv2d",
    make: () => new nn.Conv2d(4, 2, [2, 3], { padding: "same", dilation: 2, bias: false }),
    inputs: images,
  },
  ...(["reflect", "replicate", "circular"] as const).map((paddingMode) => ({
    name: "Conv2d",
    make: () => new nn.Conv2d(4, 2, 3, { padding: [2, 1], paddingMode }),
    inputs: images,
  })),
  { name: "ConvTranspose2d", make: () => new nn.ConvTranspose2d(4, 2, 3), inputs: images },
  {
    name: "ConvTranspose2d",
    make: () => new nn.ConvTranspose2d(4, 6, 3, { stride: [2, 3], padding: 1, outputPadding: 1, groups: 2 }),
    inputs: images,
  },
  { name: "Unfold", make: () => new nn.Unfold([2, 3], { padding: 1, stride: 2 }), inputs: images },
  { name: "Fold", make: () => new nn.Fold([5, 6], [2, 3], { stride: 1 }), inputs: (n) => [randn([n, 12, 16])] },
  { name: "MaxPool2d", make: () => new nn.MaxPool2d(2), inputs: images },
  { name: "MaxPool2d", make: () => new nn.MaxPool2d(3, { stride: 2, padding: 1, ceilMode: true }), inputs: images },
  { name: "MaxPool2d", make: () => new nn.MaxPool2d(2, { stride: 3, dilation: 4, ceilMode: true }), inputs: images },
  { name: "MaxPool2d", make: () => new nn.MaxPool2d([2, 3], { dilation: 2, returnIndices: true }), inputs: images },
  { name: "AvgPool2d", make: () => new nn.AvgPool2d(2), inputs: images },
  {
    name: "AvgPool2d",
    make: () => new nn.AvgPool2d(3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
    inputs: images,
  },
  {
    name: "AvgPool2d",
    make: () => new nn.AvgPool2d([3, 2], { padding: 1, ceilMode: true, stride: 3 }),
    inputs: images,
  },
  { name: "AvgPool2d", make: () => new nn.AvgPool2d(3, { padding: 1, divisorOverride: 4 }), inputs: images },
  { name: "AdaptiveAvgPool2d", make: () => new nn.AdaptiveAvgPool2d(1), inputs: images },
  { name: "AdaptiveAvgPool2d", make: () => new nn.AdaptiveAvgPool2d([3, null]), inputs: images },
  { name: "BatchNorm1d", make: () => new nn.BatchNorm1d(6), inputs: rows, least: 2 },
  { name: "BatchNorm1d", make: () => new nn.BatchNorm1d(3, { momentum: null }), inputs: (n) => [randn([n, 3, 5])] },
  { name: "BatchNorm2d", make: () => new nn.BatchNorm2d(4, { eps: 1e-3 }), inputs: images },
  {
    name: "BatchNorm2d",
    make: () => new nn.BatchNorm2d(4, { affine: false, trackRunningStats: false }),
    inputs: images,
  },
  { name: "Dropout", make: () => new nn.Dropout(0.3), inputs: images, random: true },
  { name: "Dropout", make: () => new nn.Dropout(1), inputs: images },
  { name: "Flatten", make: () => new nn.Flatten(), inputs: images },
  { name: "Flatten", make: () => new nn.Flatten(2, 3), inputs: images },
  { name: "Flatten", make: () => new nn.Flatten(0, 1), inputs: images },
  { name: "Identity", make: () => new nn.Identity(), inputs: images },
  { name: "ReLU", make: () => new nn.ReLU(), inputs: images },
  { name: "ReLU", make: () => new nn.ReLU({ inplace: true }), inputs: images },
  { name: "LeakyReLU", make: () => new nn.LeakyReLU(0.2), inputs: images },
  { name: "Tanh", make: () => new nn.Tanh(), inputs: images },
  { name: "Sigmoid", make: () => new nn.Sigmoid(), inputs: images },
  { name: "Softmax", make: () => new nn.Softmax(1), inputs: images },
  { name: "Softmax", make: () => new nn.Softmax(0), inputs: rows },
  { name: "LogSoftmax", make: () => new nn.LogSoftmax(-1), inputs: rows },
  {
    name: "Sequential",
    make: () => new nn.Sequential(new nn.Conv2d(4, 2, 3), new nn.ReLU(), new nn.Flatten(), new nn.Linear(40, 3)),
    inputs: images,
  },
  ...[
    new nn.ReLU6(),
    new nn.Hardtanh(-0.5, 0.7),
    new nn.Hardswish(),
    new nn.Hardsigmoid(),
    new nn.PReLU({ numParameters: 4 }),
    new nn.ELU(0.7),
    new nn.GELU(),
    new nn.SiLU(),
    new nn.Mish(),
    new nn.Softplus({ beta: 2 }),
    new nn.LogSigmoid(),
    new nn.GroupNorm(2, 4),
    new nn.LayerNorm([7, 6]),
    new nn.InstanceNorm2d(4, { affine: true }),
    new nn.InstanceNorm2d(4, { trackRunningStats: true }),
    new nn.Unflatten(1, [2, 2]),
    new nn.ConstantPad2d([1, 2, 0, 1], 3),
    new nn.ZeroPad2d(1),
    new nn.ReflectionPad2d([1, 2, 2, 1]),
    new nn.ReplicationPad2d([1, 2, 2, 1]),
    new nn.CircularPad2d(2),
  ].map((layer) => ({ name: layer.constructor.name, make: () => layer, inputs: images })),
  ...[
    new nn.InstanceNorm1d(3),
    new nn.ConstantPad1d(2, -1),
    new nn.ZeroPad1d([1, 0]),
    new nn.ReflectionPad1d(2),
    new nn.ReplicationPad1d([0, 3]),
    new nn.CircularPad1d(1),
  ].map((layer) => ({ name: layer.constructor.name, make: () => layer, inputs: (n: number) => [randn([n, 3, 5])] })),
  ...[
    new nn.Conv1d(3, 4, 3, { padding: 1, stride: 2 }),
    new nn.Conv1d(3, 4, 2, { padding: "same", dilation: 2 }),
    new nn.ConvTranspose1d(3, 2, 3, { stride: 2, outputPadding: 1 }),
    new nn.MaxPool1d(2),
    new nn.AvgPool1d(2, { padding: 1 }),
    new nn.Upsample({ scaleFactor: 2 }),
  ].map((layer) => ({ name: layer.constructor.name, make: () => layer, inputs: (n: number) => [randn([n, 3, 5])] })),
  ...[
    new nn.AdaptiveMaxPool2d([3, 2]),
    new nn.PixelShuffle(2),
    new nn.Upsample({ scaleFactor: 2, mode: "bilinear" }),
    new nn.Upsample({ size: [3, 9], mode: "bilinear", alignCorners: true }),
    new nn.LocalResponseNorm(3, { alpha: 0.5 }),
  ].map((layer) => ({ name: layer.constructor.name, make: () => layer, inputs: images })),
  ...[
    new nn.SELU(),
    new nn.CELU(2),
    new nn.GLU(1),
    new nn.Softsign(),
    new nn.Softmin(1),
    new nn.Softmax2d(),
    new nn.Tanhshrink(),
    new nn.Hardshrink(0.3),
    new nn.Softshrink(0.3),
    new nn.Threshold(0.1, 2),
    new nn.SiLU({ inplace: true }),
    new nn.ChannelShuffle(2),
  ].map((layer) => ({ name: layer.constructor.name, make: () => layer, inputs: images })),
  ...[new nn.AdaptiveAvgPool1d(3), new nn.AdaptiveMaxPool1d(3)].map((layer) => ({
    name: layer.constructor.name,
    make: () => layer,
    inputs: (n: number) => [randn([n, 3, 5])],
  })),
  ...[
    new nn.TransformerEncoderLayer(6, 2, { ...encoder, normFirst: true, activation: "gelu" }),
    new nn.TransformerEncoder(new nn.TransformerEncoderLayer(6, 2, encoder), 2),
  ].map((layer) => ({ name: layer.constructor.name, make: () => layer, inputs: (n: number) => [randn([n, 3, 6])] })),
  { name: "PixelUnshuffle", make: () => new nn.PixelUnshuffle(2), inputs: (n) => [randn([n, 2, 4, 6])] },
  { name: "Dropout2d", make: () => new nn.Dropout2d(0.4), inputs: images, random: true },
  { name: "Embedding", make: () => new nn.Embedding(7, 3, { paddingIdx: 2 }), inputs: (n) => [randint(7, [n, 4])] },
  { name: "CosineSimilarity", make: () => new nn.CosineSimilarity(), inputs: pair },
  {
    name: "MaxUnpool2d",
    make: () => new nn.MaxUnpool2d(2),
    inputs: (n) => randn([n, 2, 4, 6]).maxPool2dWithIndices(2),
  },
  {
    name: "MultiheadAttention",
    make: () => new nn.MultiheadAttention(6, 2, { batchFirst: true }),
    inputs: (n) => [randn([n, 3, 6]), randn([n, 4, 6]), randn([n, 4, 6])],
  },
  { name: "GELU", make: () => new nn.GELU({ approximate: "tanh" }), inputs: rows },
  { name: "Bilinear", make: () => new nn.Bilinear(5, 5, 3), inputs: pair },
  { name: "MSELoss", make: () => new nn.MSELoss(), inputs: pair },
  ...[
    new nn.HuberLoss({ delta: 0.7 }),
    new nn.SmoothL1Loss(),
    new nn.KLDivLoss({ reduction: "batchmean" }),
    new nn.BCELoss(),
  ].map((layer) => ({ name: layer.constructor.name, make: () => layer, inputs: even })),
  ...[new nn.PoissonNLLLoss({ full: true }), new nn.MultiLabelSoftMarginLoss()].map((layer) => ({
    name: layer.constructor.name,
    make: () => layer,
    inputs: even,
  })),
  ...[new nn.SoftMarginLoss(), new nn.HingeEmbeddingLoss({ reduction: "sum" })].map((layer) => ({
    name: layer.constructor.name,
    make: () => layer,
    inputs: (n: number) => [randn([n, 5]), randn([n, 5]).sign()],
  })),
  {
    name: "GaussianNLLLoss",
    make: () => new nn.GaussianNLLLoss({ full: true }),
    inputs: (n) => [...pair(n), randn([n, 5]).exp()],
  },
  {
    name: "CosineEmbeddingLoss",
    make: () => new nn.CosineEmbeddingLoss({ margin: 0.1 }),
    inputs: (n) => [...pair(n), randn([n]).sign()],
  },
  {
    name: "MarginRankingLoss",
    make: () => new nn.MarginRankingLoss(),
    inputs: (n) => [randn([n]), randn([n]), randn([n]).sign()],
  },
  { name: "TripletMarginLoss", make: () => new nn.TripletMarginLoss(), inputs: (n) => [...pair(n), randn([n, 5])] },
  { name: "MSELoss", make: () => new nn.MSELoss({ reduction: "sum" }), inputs: pair },
  { name: "L1Loss", make: () => new nn.L1Loss({ reduction: "none" }), inputs: pair },
  { name: "BCEWithLogitsLoss", make: () => new nn.BCEWithLogitsLoss(), inputs: even },
  { name: "CrossEntropyLoss", make: () => new nn.CrossEntropyLoss(), inputs: classes },
  { name: "CrossEntropyLoss", make: () => new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }), inputs: even },
  {
    name: "CrossEntropyLoss",
    make: () => new nn.CrossEntropyLoss({ weight: randn([5]).exp(), ignoreIndex: 2 }),
    inputs: classes,
  },
  { name: "NLLLoss", make: () => new nn.NLLLoss({ reduction: "none" }), inputs: classes },
];

describe.each([...new Set(cases.map(({ name }) => name))])("%s", (name) => {
  for (const each of cases.filter((candidate) => candidate.name === name)) {
    const layer = each.make() as AnyModule;
    for (const training of each.random === true ? [false] : [false, true]) {
      test(`${layer} ${training ? "in training" : "in evaluation"}`, async () => {
        manualSeed(3);
        const { least = 1 } = each;
        const bytes = await exportOnnx(layer, each.inputs(least), { training });
        keepFile(bytes);
        layer.train(training);
        const imported = await importOnnx(bytes);
        for (const batch of [least, 2, 5]) {
          const inputs = each.inputs(batch);
          const found = await runOnnx(bytes, inputs);
          const expected = layer.forward(...inputs.map((x) => x.clone()));
          await expectSame(found, expected);
          await expectSame(asFound(imported.forward(...inputs)), expected);
        }
      });
    }
  }
});

test("dropout draws anew at each run in training", async () => {
  const layer = new nn.Dropout(0.3);
  const x = randn([50, 40]);
  const bytes = await exportOnnx(layer, x, { training: true });
  keepFile(bytes);
  const elements = await x.data();
  const runs = await Promise.all([0, 1].map(async () => (await runOnnx(bytes, [x]))[0]?.data as Float32Array));
  for (const run of runs) {
    const kept = [...run].filter((value, i) => Math.abs(value - (elements[i] ?? 0) / 0.7) < 1e-5);
    const dropped = [...run].filter((value) => value === 0);
    expect(kept.length + dropped.length).toBe(2000);
    expect(kept.length).toBeGreaterThan(1300);
    expect(kept.length).toBeLessThan(1500);
  }
  expect(runs[0]).not.toEqual(runs[1]);
});

test("an export leaves running statistics, modes and generators as they were", async () => {
  const model = new nn.Sequential(new nn.BatchNorm1d(6), new nn.Dropout(0.5));
  manualSeed(5);
  const before = await Promise.all(Object.values(model.stateDict()).map((held) => held.toArray()));
  await exportOnnx(model, randn([4, 6]), { training: true });
  expect(await Promise.all(Object.values(model.stateDict()).map((held) => held.toArray()))).toEqual(before);
  expect(model.modules().map(({ training }) => training)).toEqual([true, true, true]);
  const next = await randn([3]).toArray();
  manualSeed(5);
  randn([4, 6]);
  expect(await randn([3]).toArray()).toEqual(next);
});

test("the ONNX checker finds nothing wrong with any of these files", () => {
  const kept = keptFiles();
  const script = fileURLToPath(new URL("check.py", import.meta.url));
  expect(execFileSync("python3", [script, kept.folder], { encoding: "utf8" })).toBe(`${kept.count} files\n`);
});

test("every layer has a case", () => {
  const covered = new Set(cases.map(({ name }) => name));
  // Containers compute nothing of their own, and lazy layers become those that they stand for.
  const others = new Set(["Module", "ModuleDict", "ModuleList", "LazyConv2d", "LazyLinear"]);
  const layers = Object.entries(nn).flatMap(([name, value]) =>
    typeof value === "function" && value.prototype instanceof nn.Module ? [name] : [],
  );
  expect(layers.filter((name) => !covered.has(name) && !others.has(name))).toEqual([]);
});
