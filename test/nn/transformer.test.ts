/** Encoders of transformers: masks, copies, what they refuse, and training. */
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  manualSeed,
  nn,
  noGrad,
  optim,
  rand,
  randn,
  ShapeError,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { testRefusals } from "../support/refusals.js";

const wrong = <T>(value: unknown): T => value as T;
const small = { dimFeedforward: 8, dropout: 0, batchFirst: true } as const;

const differs = (a: Tensor, b: Tensor): boolean => a.sub(b).abs().amax().itemSync() > 1e-4;

describe("masks", () => {
  const layer = new nn.TransformerEncoderLayer(6, 2, small).eval();
  const x = randn([2, 4, 6]);
  const other = x.clone();
  other.select(1, 3).fill_(0.5);

  test("without one each place sees all others", () => {
    expect(differs(layer.forward(x).narrow(1, 0, 3), layer.forward(other).narrow(1, 0, 3))).toBe(true);
  });

  test("what is padding counts for no other place", () => {
    const srcKeyPaddingMask = tensor([
      [false, false, false, true],
      [false, false, false, true],
    ]);
    const [a, b] = [x, other].map((input) => layer.forward(input, { srcKeyPaddingMask }).narrow(1, 0, 3));
    expect(a && b && differs(a, b)).toBe(false);
  });

  test("an encoder hands its masks on, and a causal one sees what comes before alone", () => {
    const encoder = new nn.TransformerEncoder(layer, 2).eval();
    const mask = tensor([
      [false, true, true, true],
      [false, false, true, true],
      [false, false, false, true],
      [false, false, false, false],
    ]);
    const causal = encoder.forward(x, { isCausal: true });
    expect(differs(causal, encoder.forward(x, { mask }))).toBe(false);
    expect(differs(causal.narrow(1, 0, 3), encoder.forward(other, { isCausal: true }).narrow(1, 0, 3))).toBe(false);
    expect(differs(causal, encoder.forward(x))).toBe(true);
  });
});

test("an encoder begins with copies of a layer, and draws nothing for them", () => {
  const layer = new nn.TransformerEncoderLayer(6, 2, small);
  layer.linear1.weight.requiresGrad_(false);
  manualSeed(3);
  const next = rand([1]).itemSync();
  manualSeed(3);
  const encoder = new nn.TransformerEncoder(layer, 2, { norm: new nn.LayerNorm(6) });
  expect(rand([1]).itemSync()).toBe(next);
  const [first, second] = encoder.layers;
  for (const [name, parameter] of layer.namedParameters()) {
    for (const copy of [first, second]) {
      const copied = new Map(copy?.namedParameters()).get(name);
      expect(copied).not.toBe(parameter);
      expect(copied?.toArraySync()).toEqual(parameter.toArraySync());
      expect(copied?.requiresGrad).toBe(parameter.requiresGrad);
    }
  }
  noGrad(() => first?.linear1.weight.fill_(0));
  expect(second?.linear1.weight.toArraySync()).toEqual(layer.linear1.weight.toArraySync());
});

test("an encoder learns", () => {
  manualSeed(1);
  const activation = (x: Tensor): Tensor => x.tanh();
  const layer = new nn.TransformerEncoderLayer(6, 2, { ...small, activation, normFirst: true, dropout: 0.05 });
  const model = new nn.TransformerEncoder(layer, 2);
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const x = randn([8, 4, 6]);
  const target = x.flip([1]);
  const losses = Array.from({ length: 60 }, () => {
    optimizer.zeroGrad();
    const loss = nn.functional.mseLoss(model.forward(x), target);
    loss.backward();
    optimizer.step();
    return loss.itemSync();
  });
  expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 3);
});

describe("errors", () => {
  testRefusals([
    [
      "heads that do not divide the features",
      () => new nn.TransformerEncoderLayer(6, 4),
      new ArgumentError(
        "MultiheadAttention: got numHeads 4 for embedDim 6; expected a number that divides it. Correct one of them.",
      ),
    ],
    [
      "an unknown activation",
      () => new nn.TransformerEncoderLayer(6, 2, { activation: wrong("swish") }),
      new ArgumentError(
        'TransformerEncoderLayer: got activation "swish"; expected "relu", "gelu" or a function of a tensor. Choose one of them.',
      ),
    ],
    [
      "no features in between",
      () => new nn.TransformerEncoderLayer(6, 2, { dimFeedforward: 0 }),
      new ArgumentError(
        "TransformerEncoderLayer: got dimFeedforward 0; expected a whole number of 1 or more. Correct dimFeedforward.",
      ),
    ],
    [
      "a stack of what is no layer",
      () => new nn.TransformerEncoder(wrong(3), 2),
      new ArgumentError(
        "TransformerEncoder: got 3 as encoderLayer; expected a TransformerEncoderLayer, which is copied. For layers of your own use a ModuleList.",
      ),
    ],
    [
      "an option of PyTorch's for its fast path",
      () => new nn.TransformerEncoder(wrong(3), 2, wrong({ enableNestedTensor: false })),
      new ArgumentError(
        'TransformerEncoder: got the option "enableNestedTensor"; expected only norm. Correct its name, or leave it out.',
      ),
    ],
  ]);

  test("the path of the part that does not fit is named", () => {
    const encoder = new nn.TransformerEncoder(new nn.TransformerEncoderLayer(6, 2, small), 1);
    expect(() => encoder.forward(randn([2, 4, 5]))).toThrow(ShapeError);
    expect(() => encoder.forward(randn([2, 4, 5]))).toThrow(/layers\.0\.self_?[aA]ttn/);
    expect(() => encoder.forward(randn([2, 4, 6]), wrong({ srcMask: null }))).toThrow(
      'TransformerEncoder.forward: got the option "srcMask"; expected only mask, srcKeyPaddingMask, isCausal.',
    );
  });
});
