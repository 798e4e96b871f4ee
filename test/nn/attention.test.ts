/** Masks of attention, and what the layers of windows, tables and heads refuse. */
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  memoryStats,
  nn,
  noGrad,
  randn,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";

const wrong = <T>(value: unknown): T => value as T;
const close = (a: Tensor, b: Tensor): void => {
  expect(a.shape).toEqual(b.shape);
  expect(a.sub(b).abs().max().itemSync()).toBeLessThan(1e-5);
};

describe("MultiheadAttention", () => {
  const layer = new nn.MultiheadAttention(6, 2, { batchFirst: true });
  const [q, kv] = [randn([3, 4, 6]), randn([3, 5, 6])];

  test("keys that are padding count as if they were not there", () => {
    const mask = tensor([0, 0, 0, 1, 1]).eq(1).expand([3, 5]).contiguous();
    const [masked, weights] = layer.forward(q, kv, kv, { keyPaddingMask: mask });
    const short = kv.narrow(1, 0, 3).contiguous();
    close(masked, layer.forward(q, short, short)[0]);
    expect(weights?.narrow(2, 3, 2).abs().max().itemSync()).toBe(0);
  });

  test("masks agree, whichever way they come, with weights and without", () => {
    const hidden = [0, 1, 2, 3].map((query) => [0, 1, 2, 3, 4].map((key) => Number(key > query)));
    const attnMask = tensor(hidden).eq(1);
    const perHead = attnMask.expand([6, 4, 5]).contiguous();
    const [expected] = layer.forward(q, kv, kv, { isCausal: true });
    close(layer.forward(q, kv, kv, { attnMask })[0], expected);
    close(layer.forward(q, kv, kv, { attnMask: perHead })[0], expected);
    const [out, weights] = layer.forward(q, kv, kv, { attnMask, isCausal: true, needWeights: false });
    close(out, expected);
    expect(weights).toBeNull();
  });

  test("holds no memory but what it gives", () => {
    noGrad(() => {
      const before = memoryStats().tensors;
      const made = layer.forward(q, kv, kv);
      expect(memoryStats().tensors).toBe(before + made.length);
    });
  });

  test.each([
    [
      "heads that do not divide",
      () => new nn.MultiheadAttention(6, 4),
      ArgumentError,
      "MultiheadAttention: got numHeads 4 for embedDim 6;",
    ],
    [
      "an option of PyTorch's that is not there",
      () => new nn.MultiheadAttention(6, 2, wrong({ kdim: 3 })),
      ArgumentError,
      'MultiheadAttention: got the option "kdim"; expected only dropout, bias, batchFirst, dtype, device.',
    ],
    [
      "other features",
      () => layer.forward(q, zeros([3, 5, 4]), zeros([3, 5, 4])),
      ShapeError,
      "MultiheadAttention: got shapes [3, 4, 6], [3, 5, 4], [3, 5, 4]; expected [N, L, E], [N, S, E] and the same once more,",
    ],
    [
      "a mask of numbers",
      () => layer.forward(q, kv, kv, { attnMask: zeros([4, 5]) }),
      ShapeError,
      "MultiheadAttention: got attnMask of float32 and shape [4, 5]; expected bool, and [4, 5] or [6, 4, 5], true where a key does not count.",
    ],
    [
      "a mask of queries",
      () => layer.forward(q, kv, kv, { keyPaddingMask: zeros([3, 4], { dtype: "bool" }) }),
      ShapeError,
      "MultiheadAttention: got keyPaddingMask of bool and shape [3, 4]; expected bool, and [3, 5],",
    ],
  ])("refuses %s", (_, run, kind, text) => {
    expect(run).toThrow(kind);
    expect(run).toThrow(text);
  });
});

describe("layers of windows, norms and tables refuse", () => {
  test.each([
    ["half a kernel", () => new nn.Conv1d(1, 1, 1.5), "Conv1d: got kernelSize 1.5;"],
    [
      "same padding with a stride",
      () => new nn.Conv1d(1, 1, 3, { padding: "same", stride: 2 }),
      'Conv1d: got padding "same" with stride 2;',
    ],
    [
      "an unknown padding mode",
      () => new nn.Conv1d(1, 1, 3, { paddingMode: wrong("mirror") }),
      'Conv1d: got paddingMode "mirror";',
    ],
    [
      "negative output padding",
      () => new nn.ConvTranspose1d(1, 1, 3, { outputPadding: -1 }),
      "ConvTranspose1d: got outputPadding -1;",
    ],
    [
      "indices of a 1-D pool",
      () => new nn.MaxPool1d(2, wrong({ returnIndices: true })),
      'MaxPool1d: got the option "returnIndices";',
    ],
    ["no window", () => new nn.AvgPool1d(0), "AvgPool1d: got kernelSize 0;"],
    ["an empty output", () => new nn.AdaptiveMaxPool2d(0), "AdaptiveMaxPool2d: got outputSize 0;"],
    [
      "neither size nor factor",
      () => new nn.Upsample({}),
      "Upsample: got size null and scaleFactor null; expected one of them.",
    ],
    [
      "a mode that is not there",
      () => new nn.Upsample({ size: 2, mode: wrong("trilinear") }),
      'Upsample: got mode "trilinear";',
    ],
    ["half a factor", () => new nn.PixelShuffle(0.5), "PixelShuffle: got upscaleFactor 0.5;"],
    ["no factor", () => new nn.PixelUnshuffle(0), "PixelUnshuffle: got downscaleFactor 0;"],
    ["a probability of 2", () => new nn.Dropout2d(2), "Dropout2d: got p 2;"],
    ["no rows", () => new nn.Embedding(0, 3), "Embedding: got numEmbeddings 0;"],
    [
      "padding that is no row",
      () => new nn.Embedding(3, 3, { paddingIdx: 3 }),
      "Embedding: got paddingIdx 3; expected a row from -3 to 2.",
    ],
    [
      "an option of PyTorch's tables that is not there",
      () => new nn.Embedding(3, 3, wrong({ maxNorm: 1 })),
      'Embedding: got the option "maxNorm";',
    ],
    ["no neighbours", () => new nn.LocalResponseNorm(0), "LocalResponseNorm: got size 0;"],
    ["half an axis", () => new nn.CosineSimilarity({ dim: 0.5 }), "CosineSimilarity: got dim 0.5;"],
    ["no features", () => new nn.LayerNorm([]), "LayerNorm: got no extents as normalizedShape;"],
    ["an eps of 0", () => new nn.LayerNorm(3, { eps: 0 }), "LayerNorm: got eps 0;"],
    ["groups that do not divide", () => new nn.GroupNorm(3, 4), "GroupNorm: got numGroups 3 for numChannels 4;"],
    ["a momentum of 2", () => new nn.InstanceNorm2d(3, { momentum: 2 }), "InstanceNorm2d: got momentum 2;"],
    ["no momentum", () => new nn.InstanceNorm1d(3, { momentum: wrong(null) }), "InstanceNorm1d: got momentum null;"],
    [
      "other channels",
      () => new nn.InstanceNorm2d(3).forward(zeros([2, 4, 5, 5])),
      "instanceNorm: got an input of shape [2, 4, 5, 5]; expected [N, C, H, W], or without N, with C = 3.",
    ],
    ["bounds the wrong way round", () => new nn.Hardtanh(1, -1), "Hardtanh: got minVal 1 and maxVal -1;"],
    ["no slopes", () => new nn.PReLU({ numParameters: 0 }), "PReLU: got numParameters 0;"],
    ["a form that is not there", () => new nn.GELU({ approximate: wrong("fast") }), 'GELU: got approximate "fast";'],
    ["a beta of 0", () => new nn.Softplus({ beta: 0 }), "Softplus: got beta 0;"],
    ["options in the place of a number", () => new nn.ELU(wrong({ inplace: true })), "ELU: got alpha"],
    ["a negative extent", () => new nn.Unflatten(1, [2, -3]), "Unflatten: got unflattenedSize -3;"],
  ])("%s", (_, run, text) => {
    expect(run).toThrow(text);
  });
});
