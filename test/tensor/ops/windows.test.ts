/** unfold and fold: what the golden values and gradient checks leave open. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ShapeError } from "../../../src/errors.js";
import { arange, ones } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import { fold, unfold } from "../../../src/tensor/ops/windows.js";
import { type Refusal, testRefusals } from "../../support/refusals.js";

const refusals: readonly Refusal[] = [
  [
    "a window larger than the image",
    (z) => unfold(z(1, 1, 3, 3), 4),
    new ShapeError(
      "unfold: got height 3, padded to 3, for a kernel of height 4 with dilation 1; expected at least 1·(4 − 1) + 1 = 4, since the output height is floor((padded − dilation·(kernel − 1) − 1) / stride) + 1. Use a smaller kernel or more padding.",
    ),
  ],
  [
    "a window of 0",
    (z) => unfold(z(1, 1, 3, 3), 0),
    new ArgumentError(
      "unfold: got kernelSize 0; expected a whole number of 1 or more, or a pair of them as [height, width]. Correct kernelSize.",
    ),
  ],
  [
    "a broken stride",
    (z) => unfold(z(1, 1, 3, 3), 2, { stride: 1.5 }),
    new ArgumentError(
      "unfold: got stride 1.5; expected a whole number of 1 or more, or a pair of them as [height, width]. Correct stride.",
    ),
  ],
  [
    "an image of two axes",
    (z) => unfold(z(3, 3), 2),
    new ShapeError(
      "unfold: got an input of shape [3, 3]; expected [batch, channels, height, width], or [channels, height, width] for a single image. Reshape or unsqueeze it.",
    ),
  ],
  [
    "an image without channels",
    (z) => unfold(z(1, 0, 3, 3), 2),
    new ShapeError(
      "unfold: got an input of shape [1, 0, 3, 3]; expected no extent of 0 but the batch's. Leave the empty input out.",
    ),
  ],
  [
    "whole numbers",
    (z) => unfold(z("int32", 1, 1, 3, 3), 2),
    new DTypeError("unfold: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
  ],
  [
    "too many columns",
    (z) => fold(z(1, 4, 10), 4, 2),
    new ShapeError(
      "fold: got 10 columns in shape [1, 4, 10]; expected 3·3 = 9, the windows over an output of 4×4, each way floor((size + 2·padding − dilation·(kernel − 1) − 1) / stride) + 1. Correct outputSize, or the settings of the windows.",
    ),
  ],
  [
    "rows that are no multiple of the window",
    (z) => fold(z(1, 5, 9), 4, 2),
    new ShapeError(
      "fold: got columns of shape [1, 5, 9]; expected [batch, channels·2·2, windows], or the same without batch: the rows must be a multiple of 4. Correct kernelSize, or reshape the columns.",
    ),
  ],
  [
    "columns of one axis",
    (z) => fold(z(4), 4, 2),
    new ShapeError(
      "fold: got columns of shape [4]; expected [batch, channels·2·2, windows], or the same without batch: the rows must be a multiple of 4. Correct kernelSize, or reshape the columns.",
    ),
  ],
  [
    "an output of 0",
    (z) => fold(z(1, 4, 9), 0, 2),
    new ArgumentError(
      "fold: got outputSize 0; expected a whole number of 1 or more, or a pair of them as [height, width]. Correct outputSize.",
    ),
  ],
  [
    "an output smaller than the window",
    (z) => fold(z(1, 4, 9), [1, 4], 2),
    new ShapeError(
      "fold: got height 1, padded to 1, for a kernel of height 2 with dilation 1; expected at least 1·(2 − 1) + 1 = 2, since the output height is floor((padded − dilation·(kernel − 1) − 1) / stride) + 1. Use a smaller kernel or more padding.",
    ),
  ],
  [
    "whole numbers to add up",
    (z) => fold(z("int32", 1, 4, 9), 4, 2),
    new DTypeError("fold: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
  ],
];

const pairFrom = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

describe("unfold and fold", () => {
  testRefusals(refusals);

  test("a column is a window, channel by channel, row by row", () => {
    const columns = unfold(arange(18).reshape([1, 2, 3, 3]), 2);
    expect(columns.shape).toEqual([1, 8, 4]);
    expect(columns.select(2, 1).toArraySync()).toEqual([[1, 2, 4, 5, 10, 11, 13, 14]]);
  });

  test("fold of unfold gives each element as often as windows hold it", () => {
    fc.assert(
      fc.property(
        pairFrom(1, 3),
        pairFrom(1, 3),
        pairFrom(0, 2),
        pairFrom(1, 2),
        pairFrom(5, 8),
        (kernel, stride, padding, dilation, [height, width]) => {
          const x = arange(1, 2 * height * width + 1).reshape([1, 2, height, width]);
          const options = { stride, padding, dilation };
          const sums = fold(unfold(x, kernel, options), [height, width], kernel, options);
          const counts = fold(unfold(ones([1, 2, height, width]), kernel, options), [height, width], kernel, options);
          expect(sums.toArraySync()).toEqual(x.mul(counts).toArraySync());
        },
      ),
      { numRuns: 60 },
    );
  });

  test("leave nothing but their result in memory", () => {
    const image = arange(32).reshape([4, 4, 2]).permute([2, 0, 1]);
    const before = memoryStats().tensors;
    const columns = unfold(image, 2);
    fold(columns.transpose(0, 1).clone().transpose(0, 1), 4, 2).shape;
    expect(memoryStats().tensors - before).toBe(3);
  });
});
