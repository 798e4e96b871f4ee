/** Reductions: what the golden values and gradient checks leave open. */
import { describe, expect, expectTypeOf, test } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ShapeError } from "../../../src/errors.js";
import { arange, tensor, zeros } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import { argmax, argmin, max, min, type ValuesAndIndices } from "../../../src/tensor/ops/extremes.js";
import { amax, amin, mean, norm, std, var as variance } from "../../../src/tensor/ops/reductions.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import { type Refusal, testRefusals } from "../../support/refusals.js";

const refusals: readonly Refusal[] = [
  [
    "a mean of whole numbers",
    (z) => mean(z("int32", 3)),
    new DTypeError("mean: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
  ],
  [
    "a variance of bools",
    (z) => variance(z("bool", 3)),
    new DTypeError("var: got a tensor of bool; expected float32 or float64. Cast it with .float() first."),
  ],
  [
    "a norm of whole numbers",
    (z) => norm(z("int32", 3)),
    new DTypeError("norm: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
  ],
  [
    "an axis that is not there",
    (z) => mean(z(2, 3), 2),
    new ShapeError("mean: got axis 2; expected a whole number from -2 to 1 for 2 axes. Choose an axis in that range."),
  ],
  [
    "an axis named twice",
    (z) => std(z(2, 3), [1, -1]),
    new ShapeError("std: got axes [1,-1]; expected each axis once. Remove the repeated axis."),
  ],
  [
    "a correction that is no number",
    (z) => std(z(2, 3), 1, { correction: Number.NaN }),
    new ArgumentError("std: got the correction NaN; expected a finite number. Use 1 for a sample, 0 for a population."),
  ],
  [
    "the greatest of nothing",
    (z) => amax(z(2, 0), 1),
    new ShapeError(
      "amax: got shape [2, 0] with nothing along axis 1; expected at least one element to choose from. Leave that axis out, or handle the empty case before.",
    ),
  ],
  [
    "the smallest of nothing",
    (z) => amin(z(0, 3)),
    new ShapeError(
      "amin: got shape [0, 3] with nothing along axis 0; expected at least one element to choose from. Leave that axis out, or handle the empty case before.",
    ),
  ],
  [
    "p that is no number",
    (z) => norm(z(3), Number.NaN),
    new ArgumentError("norm: got p = NaN; expected a number, Infinity or -Infinity. Use 2 for the length."),
  ],
  [
    "the infinity norm of nothing",
    (z) => norm(z(0), Number.POSITIVE_INFINITY),
    new ShapeError(
      "norm: got shape [0] with nothing along axis 0; expected at least one element to choose from. Leave that axis out, or handle the empty case before.",
    ),
  ],
  [
    "a maximum along an axis of nothing",
    (z) => max(z(2, 0), 1),
    new ShapeError(
      "max: got shape [2, 0] with nothing along axis 1; expected at least one element to choose from. Choose another axis, or handle the empty case before.",
    ),
  ],
  [
    "a minimum along an axis that is not there",
    (z) => min(z(2, 3), -3),
    new ShapeError("min: got axis -3; expected a whole number from -2 to 1 for 2 axes. Choose an axis in that range."),
  ],
  [
    "the maximum of two tensors",
    (z) => max(z(2), z(2) as unknown as number),
    new ArgumentError(
      "max: got an axis of type object; expected a whole number. Use maximum(a, b) for the max of two tensors, amax for several axes.",
    ),
  ],
  [
    "the place of the greatest of nothing",
    (z) => argmax(z(2, 0)),
    new ShapeError(
      "argmax: got shape [2, 0] with nothing in it; expected at least one element to choose from. Choose another axis, or handle the empty case before.",
    ),
  ],
  [
    "the places of the smallest along an axis of nothing",
    (z) => argmin(z(2, 0), 1),
    new ShapeError(
      "argmin: got shape [2, 0] with nothing along axis 1; expected at least one element to choose from. Choose another axis, or handle the empty case before.",
    ),
  ],
];

describe("reductions", () => {
  testRefusals(refusals);

  test("norms of infinite order: the gradient is shared among ties, and is 0 at 0", () => {
    const values = [
      [1, -5, 5],
      [0, 3, -3],
    ];
    const x = tensor(values, { requiresGrad: true });
    const most = x.norm(Number.POSITIVE_INFINITY, 1);
    expect(most.toArraySync()).toEqual([5, 3]);
    most.sum().backward();
    expect(x.grad?.toArraySync()).toEqual([
      [0, -0.5, 0.5],
      [0, 0.5, -0.5],
    ]);
    const y = tensor(values, { requiresGrad: true });
    const least = y.norm(Number.NEGATIVE_INFINITY, 1);
    expect(least.toArraySync()).toEqual([1, 0]);
    least.sum().backward();
    expect(y.grad?.abs().toArraySync()).toEqual([
      [1, 0, 0],
      [0, 0, 0],
    ]);
  });

  test("the variance of numbers far from 0 keeps its digits", () => {
    const x = arange(1000, { dtype: "float64" }).add(1e9);
    expect(x.var().itemSync()).toBeCloseTo((1000 * 1001) / 12, 6);
    expect(x.std(0, { correction: 0 }).itemSync()).toBeCloseTo(Math.sqrt((1e6 - 1) / 12), 9);
  });

  test("the gradient where a standard deviation or a norm is 0 is 0, to any order", () => {
    for (const flat of [(x: Tensor) => x.std(), (x: Tensor) => x.sub(2).norm(), (x: Tensor) => x.sub(2).norm(3)]) {
      const x = tensor([2, 2, 2], { requiresGrad: true });
      flat(x).backward(null, { createGraph: true });
      const first = x.grad;
      expect(first?.toArraySync()).toEqual([0, 0, 0]);
      x.grad = null;
      first?.sum().backward();
      expect(x.grad as Tensor | null).not.toBeNull();
      expect((x.grad as Tensor | null)?.toArraySync()).toEqual([0, 0, 0]);
    }
  });

  test("places and extremes of a tensor that is not contiguous", () => {
    const x = tensor([
      [1, 9, 3],
      [7, 2, 8],
    ]).transpose(0, 1);
    expect(x.argmax().itemSync()).toBe(2);
    expect(x.argmin(0).toArraySync()).toEqual([0, 1]);
    const { values, indices } = x.max(1);
    expect(values.toArraySync()).toEqual([7, 9, 8]);
    expect(indices.toArraySync()).toEqual([1, 0, 1]);
    expect(indices.dtype).toBe("int32");
  });

  test("max and min are typed as they are called", () => {
    const x = zeros([2, 3]);
    expectTypeOf(x.max()).toEqualTypeOf<Tensor>();
    expectTypeOf(x.max(1)).toEqualTypeOf<ValuesAndIndices>();
    expectTypeOf(x.min()).toEqualTypeOf<Tensor>();
    expectTypeOf(x.min(1, { keepdim: true })).toEqualTypeOf<ValuesAndIndices>();
    expectTypeOf(max(x)).toEqualTypeOf<Tensor>();
    expectTypeOf(min(x, -1)).toEqualTypeOf<ValuesAndIndices>();
  });

  test("leave nothing but their results in memory", () => {
    const x = arange(24).reshape([2, 3, 4]).requiresGrad_();
    const reductions: readonly ((x: Tensor) => Tensor | ValuesAndIndices)[] = [
      (x) => x.sum(1),
      (x) => x.mean([0, 2]),
      (x) => x.var(1),
      (x) => x.std(1, { keepdim: true }),
      (x) => x.amax(),
      (x) => x.norm(3, 1),
      (x) => x.norm(Number.POSITIVE_INFINITY),
      (x) => x.max(1),
      (x) => x.argmin(),
      (x) => x.transpose(0, 1).argmin(),
    ];
    const before = memoryStats().tensors;
    for (const reduce of reductions) {
      for (const input of [x.detach(), x]) {
        const result = reduce(input);
        const results = "values" in result ? [result.values, result.indices] : [result];
        const [first] = results;
        if (first?.requiresGrad) first.sum().backward();
        x.grad?.dispose();
        x.grad = null;
        for (const each of results) each.dispose();
        x.spent?.giveBack("in a test");
      }
      expect(memoryStats().tensors, reduce.toString()).toBe(before);
    }
  });
});
