import { describe, expect, test } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError } from "../../../src/errors.js";
import { arange, ones } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import { dropout } from "../../../src/tensor/ops/dropout.js";
import { manualSeed } from "../../../src/tensor/random.js";
import { rand } from "../../../src/tensor/randomTensors.js";
import { type Refusal, testRefusals } from "../../support/refusals.js";

const refusals: readonly Refusal[] = [
  [
    "a probability above 1",
    (z) => dropout(z(3), 1.5),
    new ArgumentError("dropout: got p = 1.5; expected 0 <= p <= 1. p is the probability that an element becomes 0."),
  ],
  [
    "a probability of NaN, also in evaluation",
    (z) => dropout(z(3), Number.NaN, false),
    new ArgumentError("dropout: got p = NaN; expected 0 <= p <= 1. p is the probability that an element becomes 0."),
  ],
  [
    "whole numbers",
    (z) => dropout(z("int32", 3)),
    new DTypeError("dropout: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
  ],
];

describe("dropout", () => {
  testRefusals(refusals);

  test("draws PyTorch's masks for the same seed", () => {
    // PyTorch 2.13.0: torch.manual_seed(11); F.dropout(torch.arange(1., 13), 0.25); F.dropout(torch.ones(6), 0.5); torch.rand(1)
    manualSeed(11);
    const kept = [1, 0, 3, 4, 5, 6, 7, 8, 0, 10, 0, 12].map((value) => Math.fround(value * Math.fround(1 / 0.75)));
    expect(dropout(arange(1, 13), 0.25).toArraySync()).toEqual(kept);
    expect(dropout(ones([6])).toArraySync()).toEqual([0, 2, 2, 2, 0, 2]);
    expect(rand([1]).itemSync()).toBeCloseTo(0.99, 4);
  });

  test("draws nothing where nothing is left to chance", () => {
    manualSeed(11);
    const x = ones([3]);
    expect(dropout(x, 0)).toBe(x);
    expect(dropout(x, 0.5, false)).toBe(x);
    expect(dropout(x, 1).toArraySync()).toEqual([0, 0, 0]);
    expect(rand([1]).itemSync()).toBeCloseTo(0.149, 4);
  });

  test("the gradient goes through what was kept, and the mask is given back with it", () => {
    manualSeed(11);
    const x = ones([6]).requiresGrad_();
    const before = memoryStats().tensors;
    const out = dropout(x);
    expect(memoryStats().tensors - before).toBe(2);
    out.backward(ones([6]));
    expect(x.grad?.toArraySync()).toEqual(out.toArraySync());
    out.dispose();
    // What is left are the ones and the gradient.
    expect(memoryStats().tensors - before).toBe(2);
  });
});
