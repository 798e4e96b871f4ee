import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "../../support/strictKernels.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, ReleasedTensorError, ShapeError } from "../../../src/errors.js";
import { arange, ones, tensor, zeros } from "../../../src/tensor/create.js";
import { cat, stack } from "../../../src/tensor/ops/joining.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import { testRefusals } from "../../support/refusals.js";

describe("cat", () => {
  test("undoes narrow", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }),
        (axis, lengths) => {
          const shape = [2, 3, 2].map((n, i) => (i === axis ? lengths.reduce((sum, length) => sum + length, 0) : n));
          const x = arange(shape.reduce((product, n) => product * n, 1)).reshape(shape);
          let start = 0;
          const parts = lengths.map((length) => {
            start += length;
            return x.narrow(axis, start - length, length);
          });
          const joined = cat(parts, axis - 3);
          expect(joined.shape).toEqual(shape);
          expect(joined.dataSync()).toEqual(x.dataSync());
        },
      ),
    );
  });

  test("gives each tensor its part of the gradient, in its own dtype", () => {
    const a = tensor([1, 2], { requiresGrad: true });
    const b = tensor([3], { dtype: "float64", requiresGrad: true });
    const empty = zeros([0], { requiresGrad: true });
    const joined = cat([a, empty, b, a]);
    expect(joined.dtype).toBe("float64");
    joined.backward(tensor([1, 2, 3, 4, 5], { dtype: "float64" }));
    expect([a.grad?.dtype, a.grad?.toArraySync()]).toEqual(["float32", [5, 7]]);
    expect([b.grad?.dtype, b.grad?.toArraySync()]).toEqual(["float64", [3]]);
    expect(empty.grad?.shape).toEqual([0]);
  });

  test("copies", () => {
    const x = ones([2]);
    cat([x]).add_(1);
    expect(x.toArraySync()).toEqual([1, 1]);
  });
});

test("stack undoes select", () => {
  const x = arange(12).reshape([2, 3, 2]);
  for (const axis of [0, 1, 2, -1]) {
    const parts = Array.from({ length: x.size(axis) }, (_, i) => x.select(axis, i));
    expect(stack(parts, axis).toArraySync()).toEqual(x.toArraySync());
  }
});

describe("errors", () => {
  testRefusals([
    [
      "an empty list",
      () => cat([]),
      new ArgumentError("cat: got an empty list; expected an array of one tensor or more. Write cat([a, b])."),
    ],
    [
      "what is no list",
      () => stack(3 as unknown as Tensor[]),
      new ArgumentError("stack: got 3; expected an array of one tensor or more. Write stack([a, b])."),
    ],
    [
      "what is no tensor",
      (z) => cat([z(2), 1 as unknown as Tensor]),
      new ArgumentError("cat: got 1; expected a tensor. Make one with tensor(…)."),
    ],
    [
      "cat of scalars",
      (z) => cat([z(2), z()]),
      new ShapeError("cat: got tensor 1 without axes; expected at least one axis. Use stack, or .unsqueeze(0) first."),
    ],
    [
      "cat of other extents",
      (z) => cat([z(2, 3), z(2, 4)]),
      new ShapeError(
        "cat: got shapes [2, 3] and [2, 4] (tensor 1) on axis 0; expected equal shapes but for that axis. Reshape or pad one of them.",
      ),
    ],
    [
      "cat of other ranks",
      (z) => cat([z(2, 3), z(3)], 0),
      new ShapeError(
        "cat: got shapes [2, 3] and [3] (tensor 1) on axis 0; expected equal shapes but for that axis. Reshape or pad one of them.",
      ),
    ],
    [
      "cat on an axis that is not there",
      (z) => cat([z(0), z(2, 3)], 2),
      new ShapeError("cat: got axis 2; expected a whole number from -2 to 1 for 2 axes. Choose an axis in that range."),
    ],
    [
      "stack of other shapes",
      (z) => stack([z(2, 3), z(2, 1)]),
      new ShapeError(
        "stack: got shapes [2, 3] and [2, 1] (tensor 1); expected equal shapes. " +
          "Use cat to join along an axis that is there, or reshape one of them.",
      ),
    ],
    [
      "stack on an axis too far",
      (z) => stack([z(2)], 2),
      new ShapeError(
        "stack: got axis 2; expected a whole number from -2 to 1 for 2 axes. Choose an axis in that range.",
      ),
    ],
  ]);

  test("released tensors", () => {
    const x = arange(3);
    x.dispose();
    expect(() => cat([arange(2), x])).toThrow(ReleasedTensorError);
    expect(() => stack([x])).toThrow(ReleasedTensorError);
  });
});
