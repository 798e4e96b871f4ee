import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "../../support/strictKernels.js";
import "../../../src/tensor/methods.js";
import { ReleasedTensorError, ShapeError } from "../../../src/errors.js";
import { arange, tensor } from "../../../src/tensor/create.js";
import { testRefusals } from "../../support/refusals.js";

/** Where each element lies, in row-major order. */
function places(shape: readonly number[], strides: readonly number[], offset: number): number[] {
  return shape.reduce<number[]>(
    (found, extent, axis) =>
      found.flatMap((place) => Array.from({ length: extent }, (_, i) => place + i * (strides[axis] ?? 0))),
    [offset],
  );
}

const layout = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 6 })), { maxLength: 4 })
  .map((axes) => ({ shape: axes.map(([extent]) => extent), strides: axes.map(([, stride]) => stride) }));

describe("im2col by strides", () => {
  const x = arange(25, { dtype: "float32" }).reshape([5, 5]);
  const windows = x.asStrided([3, 3, 3, 3], [5, 1, 5, 1]);

  test("gives the windows of a 5×5 image", () => {
    const columns = windows.contiguous().reshape([9, 9]);
    expect(columns.select(0, 0).toArraySync()).toEqual([0, 1, 2, 5, 6, 7, 10, 11, 12]);
    const products = columns.mul(arange(9)).sum(1).reshape([3, 3]);
    expect(products.toArraySync()).toEqual([
      [312, 348, 384],
      [492, 528, 564],
      [672, 708, 744],
    ]);
  });

  test("reshape copies where view cannot", () => {
    expect(() => windows.view([9, 9])).toThrow(
      new ShapeError(
        "view: got shape [9, 9] for a tensor of shape [3, 3, 3, 3] and strides [5, 1, 5, 1]; " +
          "expected a shape that these strides can carry without a copy. Use .reshape(), or .contiguous() before .view().",
      ),
    );
    expect(windows.reshape([9, 9]).dataSync()).toEqual(windows.dataSync());
  });
});

test("reads the storage, not the view that it is called on", () => {
  const y = arange(10).slice([4, 8]);
  expect(y.asStrided([3], [1]).toArraySync()).toEqual([4, 5, 6]);
  expect(y.asStrided([3], [1], 0).toArraySync()).toEqual([0, 1, 2]);
});

test("its gradient counts how often each place is read", () => {
  fc.assert(
    fc.property(layout, fc.integer({ min: 0, max: 3 }), ({ shape, strides }, offset) => {
      const read = places(shape, strides, offset);
      const length = Math.max(...read) + 3;
      const x = arange(length, { dtype: "float64", requiresGrad: true });
      const y = x.asStrided(shape, strides, offset);
      expect([...y.dataSync()]).toEqual(read);
      const weights = read.map((_, i) => i + 1);
      y.backward(tensor(Float64Array.from(weights), { shape }));
      const expected = new Array<number>(length).fill(0);
      read.forEach((place, i) => {
        expected[place] = (expected[place] ?? 0) + (weights[i] ?? 0);
      });
      expect(x.grad?.toArraySync()).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

describe("errors", () => {
  testRefusals([
    [
      "a view that reaches beyond the storage",
      (z) => z(5, 5).asStrided([3, 4], [8, 3]),
      new ShapeError(
        "asStrided: got shape [3, 4], strides [8, 3] and offset 0, which reach element 25; expected a view within the storage of 25 elements. " +
          "Make the shape, the strides or the offset smaller.",
      ),
    ],
    [
      "an offset beyond the storage",
      (z) => z(5).asStrided([], [], 5),
      new ShapeError(
        "asStrided: got shape [], strides [] and offset 5, which reach element 5; expected a view within the storage of 5 elements. " +
          "Make the shape, the strides or the offset smaller.",
      ),
    ],
    [
      "a negative stride",
      (z) => z(5).asStrided([2], [-1], 4),
      new ShapeError(
        "asStrided: got strides [-1] for shape [2]; expected 1 whole numbers of 0 or more. Give each axis its step in elements.",
      ),
    ],
    [
      "strides for another number of axes",
      (z) => z(5).asStrided([2], [1, 1]),
      new ShapeError(
        "asStrided: got strides [1, 1] for shape [2]; expected 1 whole numbers of 0 or more. Give each axis its step in elements.",
      ),
    ],
    [
      "a negative offset",
      (z) => z(5).asStrided([2], [1], -1),
      new ShapeError(
        "asStrided: got offset -1; expected a whole number of 0 or more. Count from the start of the storage.",
      ),
    ],
    [
      "a negative extent",
      (z) => z(5).asStrided([-1], [1]),
      new ShapeError(
        "asStrided: got shape [-1]; expected extents that are whole numbers of 0 or more. Correct the extent -1.",
      ),
    ],
  ]);

  test("a released tensor", () => {
    const x = arange(5);
    x.dispose();
    expect(() => x.asStrided([2], [1])).toThrow(ReleasedTensorError);
  });
});
