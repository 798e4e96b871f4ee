import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "../../support/strictKernels.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ReleasedTensorError, ShapeError } from "../../../src/errors.js";
import { arange, ones } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import type { PadMode } from "../../../src/tensor/ops/pad.js";
import { testRefusals } from "../../support/refusals.js";

/** Which place of an axis of `n` the padded place `i` shows, counted from the first place; null for the value. */
function source(i: number, n: number, mode: PadMode): number | null {
  if (mode === "constant") return i >= 0 && i < n ? i : null;
  if (mode === "replicate") return Math.min(Math.max(i, 0), n - 1);
  if (mode === "circular") return (i + n) % n;
  return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
}

const mode = fc.constantFrom<PadMode>("constant", "reflect", "replicate", "circular");

test("shows at every place what the mode says", () => {
  fc.assert(
    fc.property(
      mode,
      fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 })),
      fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
      fc.boolean(),
      (mode, [h, w], sizes, turned) => {
        const most = (n: number): number => (mode === "reflect" ? n - 1 : mode === "circular" ? n : 6);
        const [left = 0, right = 0, top = 0, bottom = 0] = sizes.map((size, i) => size % (most(i < 2 ? w : h) + 1));
        const x = turned
          ? arange(h * w)
              .reshape([w, h])
              .transpose(0, 1)
          : arange(h * w).reshape([h, w]);
        const y = x.pad([left, right, top, bottom], mode, mode === "constant" ? -7 : 0);
        expect(y.shape).toEqual([top + h + bottom, left + w + right]);
        const values = x.toArraySync() as number[][];
        const expected = Array.from({ length: top + h + bottom }, (_, i) =>
          Array.from({ length: left + w + right }, (_, j) => {
            const row = source(i - top, h, mode);
            const column = source(j - left, w, mode);
            return row === null || column === null ? -7 : values[row]?.[column];
          }),
        );
        expect(y.toArraySync()).toEqual(expected);
      },
    ),
    { numRuns: 400 },
  );
});

test("negative padding cuts off", () => {
  expect(arange(5).pad([-1, -2]).toArraySync()).toEqual([1, 2]);
  expect(arange(5).pad([-2, 1], "constant", 9).toArraySync()).toEqual([2, 3, 4, 9]);
  expect(arange(5).pad([-5, 0]).shape).toEqual([0]);
  expect(arange(5).pad([-1, 2], "reflect").toArraySync()).toEqual([1, 2, 3, 4, 3, 2]);
  expect(arange(5).pad([-3, 2], "circular").toArraySync()).toEqual([3, 4, 3, 4]);
});

test("the result is a copy even without padding", () => {
  const x = arange(3);
  x.pad([]).add_(1);
  expect(x.toArraySync()).toEqual([0, 1, 2]);
});

test("the gradient counts the copies of each place", () => {
  const x = ones([1, 3], { requiresGrad: true });
  x.pad([2, 3], "circular").sum().backward();
  expect(x.grad?.toArraySync()).toEqual([[2, 3, 3]]);
  const y = ones([3, 2], { requiresGrad: true });
  y.pad([1, 0, 3, 0], "replicate").sum().backward();
  expect(y.grad?.toArraySync()).toEqual([
    [8, 4],
    [2, 1],
    [2, 1],
  ]);
});

test("leaves nothing behind", () => {
  const x = ones([1, 40, 40], { requiresGrad: true });
  const { tensors } = memoryStats();
  const y = x.pad([3, 3, 3, 3], "replicate");
  expect(memoryStats().tensors).toBe(tensors + 1);
  y.sum().backward();
  y.dispose();
  // The sum, small and spent, and the gradient.
  expect(memoryStats().tensors).toBeLessThanOrEqual(tensors + 2);
});

describe("errors", () => {
  const pairs = (shape: string, most: number): string =>
    `for shape ${shape}; expected two numbers for each padded axis, at most ${most}. List [before, after] of the last axis first.`;
  testRefusals([
    ["half a pair", (z) => z(3).pad([1]), new ShapeError(`pad: got padding [1] ${pairs("[3]", 2)}`)],
    [
      "more pairs than axes",
      (z) => z(3).pad([1, 1, 1, 1]),
      new ShapeError(`pad: got padding [1, 1, 1, 1] ${pairs("[3]", 2)}`),
    ],
    [
      "what is no list",
      (z) => z(3).pad(1 as unknown as number[]),
      new ShapeError(`pad: got padding 1 ${pairs("[3]", 2)}`),
    ],
    [
      "half a place",
      (z) => z(3).pad([0.5, 0]),
      new ShapeError("pad: got padding [0.5, 0]; expected whole numbers. Round them."),
    ],
    [
      "cutting off more than there is",
      (z) => z(2, 5).pad([-3, -3]),
      new ShapeError(
        "pad: got padding [-3, -3] on axis 1 of shape [2, 5]; expected to cut off at most its 5 places. Make the negative padding smaller.",
      ),
    ],
    [
      "reflecting the whole extent",
      (z) => z(2, 5).pad([0, 5], "reflect"),
      new ShapeError(
        'pad: got padding [0, 5] on axis 1 of shape [2, 5] with mode "reflect"; expected less than the extent 5. ' +
          'Pad less, or use mode "circular" or "replicate".',
      ),
    ],
    [
      "circling twice",
      (z) => z(2, 5).pad([6, 0], "circular"),
      new ShapeError(
        'pad: got padding [6, 0] on axis 1 of shape [2, 5] with mode "circular"; expected at most the 5 places that are not cut off. ' +
          "Pad less, or pad twice.",
      ),
    ],
    [
      "circling over what is cut off",
      (z) => z(5).pad([4, -2], "circular"),
      new ShapeError(
        'pad: got padding [4, -2] on axis 0 of shape [5] with mode "circular"; expected at most the 3 places that are not cut off. ' +
          "Pad less, or pad twice.",
      ),
    ],
    [
      "repeating no edge",
      (z) => z(2, 0).pad([1, 0], "replicate"),
      new ShapeError(
        'pad: got padding [1, 0] on axis 1 of shape [2, 0] with mode "replicate"; expected an axis that has an edge. Check for empty tensors first.',
      ),
    ],
    [
      "an unknown mode",
      (z) => z(3).pad([1, 1], "zeros" as PadMode),
      new ArgumentError(
        'pad: got mode "zeros"; expected one of constant, reflect, replicate, circular. Name one of them.',
      ),
    ],
    [
      "a value that would be ignored",
      (z) => z(3).pad([1, 1], "reflect", 2),
      new ArgumentError(
        'pad: got the value 2 with mode "reflect"; expected a value with mode "constant" alone. Leave it out.',
      ),
    ],
    [
      "a fraction for int32",
      (z) => z("int32", 3).pad([1, 1], "constant", 0.5),
      new DTypeError(
        "pad: got 0.5; expected whole numbers from -2147483648 to 2147483647 for int32. Round it, or use another dtype.",
      ),
    ],
    [
      "an extent that overflows",
      (z) => z(3).pad([2 ** 31, 0]),
      new ShapeError(
        "pad: got shape [2147483651] with 2147483651 elements; expected at most 2147483647. Split the tensor.",
      ),
    ],
  ]);

  test("a released tensor", () => {
    const x = arange(3);
    x.dispose();
    expect(() => x.pad([1, 1])).toThrow(ReleasedTensorError);
  });
});
