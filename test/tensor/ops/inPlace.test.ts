/** Ops in place without kernels of their own, and options that came with them: what golden values and gradient checks leave open. */
import { describe, expect, test } from "vitest";
import "../../support/strictKernels.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, AutogradError, DTypeError, ShapeError } from "../../../src/errors.js";
import { tensor } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import { noGrad } from "../../../src/tensor/scopes.js";
import { testRefusals } from "../../support/refusals.js";

test("the tensor itself is changed, also through a view of it, and nothing is left over", () => {
  const x = tensor([
    [1.4, 2.6],
    [-1.5, 2.5],
  ]);
  const { tensors } = memoryStats();
  expect(x.round_()).toBe(x);
  expect(memoryStats().tensors).toBe(tensors);
  x.select(0, 1).maskedFill_(tensor([true, false]), 7);
  expect(x.toArraySync()).toEqual([
    [1, 3],
    [7, 2],
  ]);
});

test("a parameter can be changed without a gradient", () => {
  const x = tensor([0, 1]).requiresGrad_();
  noGrad(() => x.cos_());
  expect(x.toArraySync()).toEqual([1, expect.closeTo(Math.cos(1), 6)]);
  expect(() => x.cos_()).toThrow(AutogradError);
});

test("an expanded tensor is refused", () => {
  expect(() => tensor([1]).expand([3]).floor_()).toThrow(
    new ShapeError(
      "floor_: got an expanded tensor of shape [3], in which several elements are one place in memory; expected one place for each. Use .clone() first.",
    ),
  );
});

describe("errors", () => {
  testRefusals([
    [
      "whole numbers that would get fractions",
      (z) => z("int32", 2).sin_(),
      new DTypeError("sin_: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
    ],
    [
      "bools that would be counted",
      (z) => z("bool", 2).cumsum_(0),
      new DTypeError(
        "cumsum_: got a tensor of bool; expected numbers, which the result is made of. Use cumsum, or cast it with .int() first.",
      ),
    ],
    [
      "an end that is larger",
      (z) => z(3).lerp_(z(2, 3), 0.5),
      new ShapeError("lerp_: got a result of shape [2, 3] to put into [3]; expected the same shape. Use lerp."),
    ],
    [
      "a reduction that is not there",
      (z) => z(3).scatter(0, z("int32", 1), z(1), { reduce: "mean" as "add" }),
      new ArgumentError('scatter: got reduce "mean"; expected "add" or "multiply", or nothing to replace. Correct it.'),
    ],
    [
      "indices of a pool that gives one tensor",
      (z) => z(1, 4, 4).adaptiveMaxPool2d(2, { returnIndices: true }),
      new ArgumentError(
        "adaptiveMaxPool2d: got returnIndices true; expected false, as this function always returns one tensor. Call adaptiveMaxPool2dWithIndices(x, outputSize), which returns [values, indices].",
      ),
    ],
    [
      "heads that cannot share keys",
      (z) => z(4, 2, 2).scaledDotProductAttention(z(3, 2, 2), z(3, 2, 2), { enableGqa: true }),
      new ShapeError(
        "scaledDotProductAttention: got query [4, 2, 2], key [3, 2, 2] and value [3, 2, 2] with enableGqa; " +
          "expected heads on the third axis from the end, as many of key as of value, and a multiple of them of query. Reshape them.",
      ),
    ],
  ]);
});
