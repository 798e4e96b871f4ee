import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "../../support/strictKernels.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, ReleasedTensorError, ShapeError } from "../../../src/errors.js";
import { arange } from "../../../src/tensor/create.js";
import { meshgrid } from "../../../src/tensor/ops/joining.js";
import { testRefusals } from "../../support/refusals.js";

describe("flip", () => {
  test("turns the named axes round", () => {
    const x = arange(12).reshape([2, 2, 3]);
    expect(x.flip([0, -1]).toArraySync()).toEqual([
      [
        [8, 7, 6],
        [11, 10, 9],
      ],
      [
        [2, 1, 0],
        [5, 4, 3],
      ],
    ]);
    expect(x.transpose(0, 2).flip(0).select(2, 0).toArraySync()).toEqual([
      [2, 5],
      [1, 4],
      [0, 3],
    ]);
  });

  test("copies", () => {
    const x = arange(3);
    x.flip(0).add_(1);
    expect(x.toArraySync()).toEqual([0, 1, 2]);
  });
});

describe("roll", () => {
  test("moves every element to its place plus the shift, modulo the extent", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: -12, max: 12 }),
        fc.boolean(),
        (n, shift, turned) => {
          const dense = arange(n * 2).reshape([2, n]);
          const x = turned
            ? arange(n * 2)
                .reshape([n, 2])
                .transpose(0, 1)
            : dense;
          const y = x.roll(shift, 1);
          for (let i = 0; i < n; i++) {
            const place = (((i + shift) % n) + n) % n;
            expect(y.select(1, place).dataSync()).toEqual(x.select(1, i).dataSync());
          }
          expect(y.roll(-shift, 1).dataSync()).toEqual(x.dataSync());
        },
      ),
    );
  });

  test("rolls without axes as if there were one", () => {
    expect(arange(6).reshape([2, 3]).roll(2).toArraySync()).toEqual([
      [4, 5, 0],
      [1, 2, 3],
    ]);
    expect(arange(6).reshape([2, 3]).roll([2], null).shape).toEqual([2, 3]);
  });

  test("does not look at its list of shifts again for the gradient", () => {
    const x = arange(3, { dtype: "float32", requiresGrad: true });
    const shifts = [1];
    const y = x.roll(shifts).mul(arange(3)).sum();
    shifts[0] = 0;
    y.backward();
    expect(x.grad?.toArraySync()).toEqual([1, 2, 0]);
  });
});

describe("errors", () => {
  const align = "expected one shift for each axis. Name as many axes in dims as there are shifts.";
  testRefusals([
    [
      "flip of an axis twice",
      (z) => z(2, 3).flip([0, -2]),
      new ShapeError("flip: got axes [0,-2]; expected each axis once. Remove the repeated axis."),
    ],
    [
      "flip of an axis that is not there",
      (z) => z(2, 3).flip(2),
      new ShapeError(
        "flip: got axis 2; expected a whole number from -2 to 1 for 2 axes. Choose an axis in that range.",
      ),
    ],
    [
      "several shifts without axes",
      (z) => z(3).roll([1, 2]),
      new ShapeError(`roll: got 2 shifts for no axes; ${align}`),
    ],
    [
      "more axes than shifts",
      (z) => z(2, 3).roll(1, [0, 1]),
      new ShapeError(`roll: got 1 shifts for 2 axes; ${align}`),
    ],
    [
      "half a shift",
      (z) => z(3).roll(0.5),
      new ShapeError("roll: got shifts [0.5]; expected whole numbers. Round them."),
    ],
    [
      "roll of an axis that is not there",
      (z) => z(3).roll(1, 1),
      new ShapeError(
        "roll: got axis 1; expected a whole number from -1 to 0 for 1 axes. Choose an axis in that range.",
      ),
    ],
  ]);

  testRefusals([
    [
      "a turn in a plane of one axis",
      (z) => z(2, 3).rot90(1, [1, -1]),
      new ShapeError("rot90: got the axes [1, -1]; expected two, those of the plane. Name two different axes."),
    ],
    [
      "half a right angle",
      (z) => z(2, 3).rot90(0.5),
      new ArgumentError("rot90: got k = 0.5; expected a whole number of right angles. Round it."),
    ],
    [
      "the trace of a batch",
      (z) => z(2, 3, 3).trace(),
      new ShapeError(
        "trace: got shape [2, 3, 3]; expected a matrix. For batches of them write .diagonal(0, -2, -1).sum(-1).",
      ),
    ],
    [
      "a grid of matrices",
      (z) => meshgrid([z(2), z(2, 2)]),
      new ShapeError("meshgrid: got a tensor of shape [2, 2]; expected one axis for each. Flatten it."),
    ],
    [
      "a grid of nothing",
      () => meshgrid([]),
      new ArgumentError(
        "meshgrid: got an empty list; expected an array of one tensor or more. Write meshgrid([a, b]).",
      ),
    ],
    [
      "another indexing",
      (z) => meshgrid([z(2)], { indexing: "yx" as "xy" }),
      new ArgumentError('meshgrid: got indexing "yx"; expected "ij" or "xy". Choose one of them.'),
    ],
  ]);

  test("released tensors", () => {
    const x = arange(3);
    x.dispose();
    expect(() => x.flip(0)).toThrow(ReleasedTensorError);
    expect(() => x.roll(1)).toThrow(ReleasedTensorError);
  });
});
