/** Orders, products and running sums: what the golden values and gradient checks leave open. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "../../support/strictKernels.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ShapeError } from "../../../src/errors.js";
import { tensor } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import { randn } from "../../../src/tensor/randomTensors.js";
import { tidy } from "../../../src/tensor/scopes.js";
import { testRefusals } from "../../support/refusals.js";

describe("sort", () => {
  test("is JavaScript's own stable sort, for any numbers", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 70 }), fc.boolean(), (numbers, descending) => {
        const { values, indices } = tensor(numbers, { dtype: "int32" }).sort(0, { descending });
        const places = numbers
          .map((_, i) => i)
          .sort((a, b) => {
            const difference = (numbers[a] ?? 0) - (numbers[b] ?? 0);
            return descending ? -difference : difference;
          });
        expect([...indices.dataSync()]).toEqual(places);
        expect([...values.dataSync()]).toEqual(places.map((place) => numbers[place]));
      }),
    );
  });

  test("of a transposed tensor goes along the axis that was named", () => {
    const x = tensor([
      [3, 1],
      [2, 4],
    ]).transpose(0, 1);
    expect(x.sort(0).values.toArraySync()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(x.topk(1, 1).values.toArraySync()).toEqual([[3], [4]]);
  });
});

test("elements that are −∞ get no share of a sum of exponentials, nor NaN", () => {
  const x = tensor([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]).requiresGrad_();
  x.logsumexp().backward();
  expect(x.grad?.toArraySync()).toEqual([0, 0]);
});

test("the gradient of a product is right where the product vanishes or overflows", () => {
  const x = tensor([
    [1e-30, 1e-20, 1e20],
    [1e30, 1e20, 1e-30],
    [0, 2, 3],
  ]).requiresGrad_();
  x.prod(1).backward(tensor([1, 1, 1]));
  const expected = [1, 1e-10, 1e-50, 1e-10, 1, 1e50, 6, 0, 0];
  x.grad?.dataSync().forEach((value, i) => {
    const wanted = Math.fround(expected[i] ?? Number.NaN);
    expect(value === wanted || Math.abs(value / wanted - 1) < 1e-6, `${i}: ${value}`).toBe(true);
  });
});

test("the place of a tie among the greatest is the first, however many are wanted", () => {
  const x = tensor([...new Array<number>(50).fill(1), 2, 1, 2, Number.NaN, -0, 0]);
  expect(x.topk(5).indices.toArraySync()).toEqual([53, 50, 52, 0, 1]);
  expect(x.topk(3, 0, { largest: false }).indices.toArraySync()).toEqual([54, 55, 0]);
});

test("temporaries are given back", () => {
  const x = randn([40, 50]).requiresGrad_();
  const step = () => {
    x.clearGrad("in a test");
    tidy(() => x.sort().values.cumsum(1).prod(0).add(x.topk(3).values.logsumexp()).sum().backward());
  };
  step();
  const { tensors } = memoryStats();
  for (let i = 0; i < 3; i++) step();
  expect(memoryStats().tensors).toBe(tensors);
});

describe("errors", () => {
  testRefusals([
    [
      "more than there are",
      (z) => z(2, 3).topk(4),
      new ArgumentError(
        "topk: got k = 4 on axis 1 of shape [2, 3]; expected a whole number from 0 to 3. Choose a k in that range.",
      ),
    ],
    [
      "an axis that is not there",
      (z) => z(2, 3).sort(2),
      new ShapeError(
        "sort: got axis 2; expected a whole number from -2 to 1 for 2 axes. Choose an axis in that range.",
      ),
    ],
    [
      "running sums along no axis",
      (z) => z(2, 3).cumsum(-3),
      new ShapeError(
        "cumsum: got axis -3; expected a whole number from -2 to 1 for 2 axes. Choose an axis in that range.",
      ),
    ],
    [
      "exponentials of whole numbers",
      (z) => z("int32", 3).logsumexp(),
      new DTypeError("logsumexp: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
    ],
  ]);
});
