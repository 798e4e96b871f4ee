/** Attention, embeddings, lengths and dropped channels: what the golden values and gradient checks leave open. */
import { describe, expect, test } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ShapeError } from "../../../src/errors.js";
import { full, ones, tensor, zeros } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import { manualSeed } from "../../../src/tensor/random.js";
import { randn } from "../../../src/tensor/randomTensors.js";
import { testRefusals } from "../../support/refusals.js";

describe("attention", () => {
  test("a causal query does not see what comes later, not even NaN and infinities", () => {
    const [q, k, v] = [randn([3, 2]), randn([3, 2]), randn([3, 2])];
    const before = q.scaledDotProductAttention(k, v, { isCausal: true }).narrow(0, 0, 2).dataSync();
    const bad = tensor([[0], [0], [1]]).gt(0);
    const after = q
      .scaledDotProductAttention(k.maskedFill(bad, Number.POSITIVE_INFINITY), v, { isCausal: true })
      .narrow(0, 0, 2)
      .dataSync();
    expect(after).toEqual(before);
  });

  test("a query without keys gives zeros, and no NaN in any gradient", () => {
    for (const attnMask of [zeros([2, 3]).gt(0), full([2, 3], Number.NEGATIVE_INFINITY)]) {
      const leaves = [randn([2, 4]), randn([3, 4]), randn([3, 4])].map((leaf) => leaf.requiresGrad_());
      const [q = zeros([]), k = q, v = q] = leaves;
      const out = q.scaledDotProductAttention(k, v, { attnMask });
      expect(out.dataSync().every((value) => value === 0)).toBe(true);
      out.sum().backward();
      for (const leaf of leaves) expect(leaf.grad?.dataSync().every((value) => value === 0)).toBe(true);
    }
  });

  test("dropout takes weights away, and gives its scale to the others", () => {
    manualSeed(1);
    const [q, k] = [zeros([1, 2]), zeros([1000, 2])];
    const out = q.scaledDotProductAttention(k, ones([1000, 1]), { dropoutP: 0.5 }).itemSync();
    expect(Math.abs(out - 1)).toBeGreaterThan(1e-6);
    expect(Math.abs(out - 1)).toBeLessThan(0.2);
  });

  test("temporaries are given back", () => {
    const [q, k, v] = [randn([2, 64, 8]), randn([2, 64, 8]), randn([2, 64, 8])].map((leaf) => leaf.requiresGrad_());
    const step = () => {
      for (const leaf of [q, k, v]) leaf?.clearGrad("in a test");
      if (q && k && v) q.scaledDotProductAttention(k, v, { isCausal: true }).sum().backward();
    };
    step();
    const { tensors } = memoryStats();
    for (let i = 0; i < 3; i++) step();
    expect(memoryStats().tensors).toBe(tensors);
  });
});

describe("dropout2d", () => {
  test("drops whole channels, scales the others, and does nothing out of training", () => {
    manualSeed(2);
    const x = ones([8, 16, 2, 2]);
    const sums = x.dropout2d(0.25).sum([2, 3]).dataSync();
    const kept = [...sums].filter((sum) => sum !== 0);
    expect(kept.every((sum) => Math.abs(sum - 4 / 0.75) < 1e-5)).toBe(true);
    expect(kept.length).toBeGreaterThan(70);
    expect(kept.length).toBeLessThan(120);
    expect(x.dropout2d(0.25, false)).toBe(x);
  });

  test("draws as PyTorch does", () => {
    // torch.manual_seed(0); F.dropout2d(torch.ones(1, 8, 1, 1), 0.5).flatten()
    manualSeed(0);
    expect([...ones([1, 8, 1, 1]).dropout2d(0.5).dataSync()]).toEqual([0, 0, 2, 0, 0, 0, 2, 2]);
  });
});

test("a padding row gets no gradient, others do", () => {
  const weight = ones([3, 2]).requiresGrad_();
  tensor([0, 2, 2], { dtype: "int32" }).embedding(weight, { paddingIdx: -1 }).sum().backward();
  expect(weight.grad?.toArraySync()).toEqual([
    [1, 1],
    [0, 0],
    [0, 0],
  ]);
});

describe("errors", () => {
  testRefusals([
    [
      "keys of other length",
      (z) => z(2, 3).scaledDotProductAttention(z(4, 2), z(4, 2)),
      new ShapeError(
        "scaledDotProductAttention: got query [2, 3], key [4, 2] and value [4, 2]; expected [..., L, E], [..., S, E] and [..., S, D], none of E and S being 0. Reshape or transpose them.",
      ),
    ],
    [
      "a mask for other scores",
      (z) => z(2, 3).scaledDotProductAttention(z(4, 3), z(4, 2), { attnMask: z("bool", 5, 2, 4) }),
      new ShapeError(
        "scaledDotProductAttention: got an attnMask of shape [5, 2, 4]; expected one that broadcasts to the scores [2, 4]. Reshape it.",
      ),
    ],
    [
      "a mask of whole numbers",
      (z) => z(2, 3).scaledDotProductAttention(z(4, 3), z(4, 2), { attnMask: z("int32", 2, 4) }),
      new DTypeError("scaledDotProductAttention: got an attnMask of int32; expected bool or float32. Cast it."),
    ],
    [
      "two masks",
      (z) => z(2, 3).scaledDotProductAttention(z(4, 3), z(4, 2), { attnMask: z("bool", 2, 4), isCausal: true }),
      new ArgumentError(
        "scaledDotProductAttention: got an attnMask and isCausal; expected one of them. Put both into the mask, with tril.",
      ),
    ],
    [
      "a probability above 1",
      (z) => z(2, 3).scaledDotProductAttention(z(4, 3), z(4, 2), { dropoutP: 2 }),
      new ArgumentError(
        "scaledDotProductAttention: got dropoutP 2 and scale null; expected a probability from 0 to 1, and a finite number or null. Correct them.",
      ),
    ],
    [
      "an embedding by floats",
      (z) => z(2).embedding(z(3, 2)),
      new DTypeError(
        "embedding: got indices of float32; expected int32. Cast them with .int(); the indices come first, the weight second.",
      ),
    ],
    [
      "a row that is not there",
      (z) => z("int32", 2).embedding(z(0, 2)),
      new ShapeError(
        "embedding: got index 0 on axis 0 of shape [0, 2]; expected an axis with at least one place. Check for empty tensors first.",
      ),
    ],
    [
      "a padding row that is not there",
      (z) => z("int32", 2).embedding(z(3, 2), { paddingIdx: 3 }),
      new ArgumentError(
        "embedding: got paddingIdx 3 for 3 rows; expected a whole number from -3 to 2, or null. Correct paddingIdx.",
      ),
    ],
    [
      "a weight that is no matrix",
      (z) => z("int32", 2).embedding(z(3)),
      new ShapeError("embedding: got a weight of shape [3]; expected [rows, features]. Reshape it."),
    ],
    [
      "dropout2d of a sequence",
      (z) => z(2, 3, 4).dropout2d(),
      new ShapeError(
        "dropout2d: got an input of shape [2, 3, 4]; expected [batch, channels, height, width]. Unsqueeze it, or use dropout.",
      ),
    ],
    [
      "a negative eps",
      (z) => z(2, 3).normalize(2, 1, { eps: -1 }),
      new ArgumentError(
        "normalize: got eps = -1; expected 0 or more. It keeps the divisor away from 0; leave it out for the default.",
      ),
    ],
    [
      "neighbours of no channels",
      (z) => z(2, 3).localResponseNorm(2),
      new ShapeError(
        "localResponseNorm: got an input of shape [2, 3]; expected [N, C, …] with at least three axes, and none of them empty. Unsqueeze it.",
      ),
    ],
    [
      "a size of 0",
      (z) => z(2, 3, 4).localResponseNorm(0),
      new ArgumentError("localResponseNorm: got size 0; expected a whole number of 1 or more. Correct size."),
    ],
  ]);
});
