import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "../../support/strictKernels.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, ReleasedTensorError, ShapeError } from "../../../src/errors.js";
import { arange, tensor } from "../../../src/tensor/create.js";
import type { SliceRange } from "../../../src/tensor/ops/slicing.js";
import type { NestedArray, Tensor } from "../../../src/tensor/tensor.js";
import { testRefusals } from "../../support/refusals.js";

type Nested = NestedArray<number | boolean>;

/** The places that Python's slice of a list of `extent` elements takes. */
function placesOf([start, stop, step]: readonly (number | null | undefined)[], extent: number): number[] {
  const bound = (value: number): number => (value < 0 ? value + extent : value);
  const all = Array.from({ length: extent }, (_, i) => i).filter((i) => {
    return i >= bound(start ?? 0) && i < bound(stop ?? extent);
  });
  return all.filter((_, i) => i % (step ?? 1) === 0);
}

/** The slice of nested arrays, taken element by element. */
function sliceNested(x: Nested, ranges: readonly SliceRange[]): Nested {
  const [range, ...rest] = ranges;
  if (range === undefined || !Array.isArray(x)) return x;
  if (typeof range === "number") return sliceNested(x.at(range) ?? [], rest);
  return placesOf(range ?? [], x.length).map((place) => sliceNested(x[place] ?? [], rest));
}

const bound = fc.option(fc.integer({ min: -6, max: 6 }), { nil: null });
const range: fc.Arbitrary<SliceRange> = fc.oneof(
  fc.integer({ min: -2, max: 1 }),
  fc.constant(null),
  fc.tuple(bound, bound, fc.integer({ min: 1, max: 4 })),
);
const extents = fc.tuple(
  fc.integer({ min: 2, max: 4 }),
  fc.integer({ min: 2, max: 5 }),
  fc.integer({ min: 2, max: 4 }),
);

describe("slice", () => {
  test("takes what Python takes, of dense and of permuted tensors", () => {
    fc.assert(
      fc.property(extents, fc.array(range, { maxLength: 3 }), fc.boolean(), (shape, ranges, permuted) => {
        const dense = arange(shape[0] * shape[1] * shape[2]).reshape(shape);
        const x = permuted ? dense.permute([2, 0, 1]) : dense;
        const y = x.slice(...ranges);
        expect(y.toArraySync()).toEqual(sliceNested(x.toArraySync(), ranges));
        expect(y.storage).toBe(x.storage);
      }),
      { numRuns: 500 },
    );
  });

  test("of slices counts on", () => {
    expect(arange(20).slice([2, null, 3]).slice([1, -1, 2]).toArraySync()).toEqual([5, 11]);
  });

  test("is written through", () => {
    const x = arange(6).reshape([2, 3]);
    x.slice(null, [1]).mul_(10);
    expect(x.toArraySync()).toEqual([
      [0, 10, 20],
      [3, 40, 50],
    ]);
  });

  test("takes undefined for what is left out", () => {
    expect(arange(5).slice([undefined, undefined, 2]).toArraySync()).toEqual([0, 2, 4]);
    expect(arange(5).slice([3]).toArraySync()).toEqual([3, 4]);
    expect(arange(5).slice([]).toArraySync()).toEqual([0, 1, 2, 3, 4]);
  });

  test("puts gradients back in place", () => {
    const x = arange(10, { requiresGrad: true, dtype: "float32" });
    x.slice([1, 8, 3])
      .mul(tensor([1, 2, 3]))
      .sum()
      .backward();
    expect(x.grad?.toArraySync()).toEqual([0, 1, 0, 0, 2, 0, 0, 3, 0, 0]);
  });
});

test("narrow and select are views", () => {
  const x = arange(12).reshape([3, 4]);
  expect(x.narrow(1, -3, 2).toArraySync()).toEqual([
    [1, 2],
    [5, 6],
    [9, 10],
  ]);
  expect(x.select(0, -1).toArraySync()).toEqual([8, 9, 10, 11]);
  expect(x.select(1, 2).toArraySync()).toEqual([2, 6, 10]);
  expect(x.select(1, 2).storage).toBe(x.storage);
  expect(x.narrow(0, 3, 0).shape).toEqual([0, 4]);
});

describe("errors", () => {
  testRefusals([
    [
      "narrow beyond the end",
      (z) => z(2, 5).narrow(1, 3, 3),
      new ShapeError(
        "narrow: got start 3 and length 3 on axis 1 of shape [2, 5]; expected places within its extent of 5. " +
          "Choose start and length so that start + length ≤ 5.",
      ),
    ],
    ["narrow before the start", (z) => z(5).narrow(0, -6, 1), new ShapeError(narrowText(-6, 1))],
    ["narrow with a negative length", (z) => z(5).narrow(0, 1, -1), new ShapeError(narrowText(1, -1))],
    ["narrow with a fraction", (z) => z(5).narrow(0, 0.5, 1), new ShapeError(narrowText(0.5, 1))],
    [
      "narrow on an axis that is not there",
      (z) => z(5).narrow(1, 0, 1),
      new ShapeError(
        "narrow: got axis 1; expected a whole number from -1 to 0 for 1 axes. Choose an axis in that range.",
      ),
    ],
    [
      "select of a scalar",
      (z) => z().select(0, 0),
      new ShapeError(
        "select: got a tensor without axes; expected at least one axis. Use .unsqueeze(0) first, or leave it as it is.",
      ),
    ],
    [
      "select out of range",
      (z) => z(2, 5).select(-1, 5),
      new ShapeError(
        "select: got index 5 on axis 1 of shape [2, 5]; expected a whole number from -5 to 4. Choose an index in that range.",
      ),
    ],
    [
      "an index into nothing",
      (z) => z(0, 5).slice(0),
      new ShapeError(
        "slice: got index 0 on axis 0 of shape [0, 5]; expected an axis with at least one place. Check for empty tensors first.",
      ),
    ],
    [
      "too many ranges",
      (z) => z(2, 5).slice(0, null, 0),
      new ShapeError(
        "slice: got 3 ranges for shape [2, 5]; expected at most one for each of its 2 axes. Leave some out.",
      ),
    ],
    [
      "a negative step",
      (z) => z(5).slice([null, null, -1]),
      new ArgumentError(
        "slice: got step -1; expected a whole number of 1 or more. To go backwards, use .flip() on the result.",
      ),
    ],
    [
      "a step of 0",
      (z) => z(5).slice([0, 5, 0]),
      new ArgumentError(
        "slice: got step 0; expected a whole number of 1 or more. To go backwards, use .flip() on the result.",
      ),
    ],
    [
      "a fraction",
      (z) => z(5).slice([0.5]),
      new ArgumentError("slice: got the bound 0.5; expected a whole number or null. Round it."),
    ],
    [
      "a range that is none",
      (z) => z(5).slice("1:3" as unknown as SliceRange),
      new ArgumentError("slice: got the range 1:3; expected an index, [start, stop, step] or null. Write one of them."),
    ],
  ]);

  test.each<[string, (x: Tensor) => unknown]>([
    ["narrow", (x) => x.narrow(0, 0, 1)],
    ["select", (x) => x.select(0, 0)],
    ["slice", (x) => x.slice(0)],
  ])("%s refuses a released tensor", (_, op) => {
    const x = arange(5);
    x.dispose();
    expect(() => op(x)).toThrow(ReleasedTensorError);
  });
});

function narrowText(start: number, length: number): string {
  return (
    `narrow: got start ${start} and length ${length} on axis 0 of shape [5]; expected places within its extent of 5. ` +
    "Choose start and length so that start + length ≤ 5."
  );
}
