/** Pooling: what the golden values and gradient checks leave open. */
import { describe, expect, test } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ShapeError } from "../../../src/errors.js";
import { arange, ones } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import { adaptiveAvgPool2d, avgPool2d, maxPool2d, maxPool2dWithIndices } from "../../../src/tensor/ops/pooling.js";
import { manualSeed } from "../../../src/tensor/random.js";
import { randn } from "../../../src/tensor/randomTensors.js";
import { type Refusal, testRefusals } from "../../support/refusals.js";

const refusals: readonly Refusal[] = [
  [
    "a window larger than the input",
    (z) => maxPool2d(z(1, 1, 4, 4), 5),
    new ShapeError(
      "maxPool2d: got height 4, padded to 4, for a kernel of height 5 with dilation 1; expected at least 1·(5 − 1) + 1 = 5, since the output height is floor((padded − dilation·(kernel − 1) − 1) / stride) + 1. Use a smaller kernel or more padding.",
    ),
  ],
  [
    "padding of more than half of the window",
    (z) => maxPool2d(z(1, 1, 4, 4), [4, 3], { padding: 2 }),
    new ArgumentError(
      "maxPool2d: got padding [2, 2] for kernel size [4, 3]; expected at most half of the kernel size each way, else a window might hold nothing but padding. Use less padding or a larger kernel.",
    ),
  ],
  [
    "returnIndices",
    (z) => maxPool2d(z(1, 1, 4, 4), 2, { returnIndices: true }),
    new ArgumentError(
      "maxPool2d: got returnIndices true; expected false, as this function always returns one tensor. Call maxPool2dWithIndices(x, kernelSize, options), which returns [values, indices].",
    ),
  ],
  [
    "a window of nothing but padding",
    (z) => maxPool2dWithIndices(z(1, 1, 1, 4), 2, { padding: 1, dilation: 2 }),
    new ShapeError(
      "maxPool2dWithIndices: got an input of height 1 on which window 0, of 2 taps from -1 on in steps of 2, holds nothing but padding; expected an element of the input in each window. Use less padding or dilation.",
    ),
  ],
  [
    "stride 0",
    (z) => maxPool2d(z(1, 1, 4, 4), 2, { stride: 0 }),
    new ArgumentError(
      "maxPool2d: got stride 0; expected a whole number of 1 or more, or a pair of them as [height, width]. Correct stride.",
    ),
  ],
  [
    "a window that is text",
    (z) => maxPool2d(z(1, 1, 4, 4), "2" as unknown as number),
    new ArgumentError(
      'maxPool2d: got kernelSize "2"; expected a whole number of 1 or more, or a pair of them as [height, width]. Correct kernelSize.',
    ),
  ],
  [
    "an input of two axes",
    (z) => maxPool2d(z(4, 4), 2),
    new ShapeError(
      "maxPool2d: got an input of shape [4, 4]; expected [batch, channels, height, width], or [channels, height, width] for a single image. Reshape or unsqueeze it.",
    ),
  ],
  [
    "whole numbers",
    (z) => maxPool2d(z("int32", 1, 1, 4, 4), 2),
    new DTypeError("maxPool2d: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
  ],
  [
    "a window wider than the input",
    (z) => avgPool2d(z(1, 1, 4, 4), [2, 5]),
    new ShapeError(
      "avgPool2d: got width 4, padded to 4, for a kernel of width 5 with dilation 1; expected at least 1·(5 − 1) + 1 = 5, since the output width is floor((padded − dilation·(kernel − 1) − 1) / stride) + 1. Use a smaller kernel or more padding.",
    ),
  ],
  [
    "padding of more than half of an average's window",
    (z) => avgPool2d(z(1, 1, 4, 4), 3, { padding: 2 }),
    new ArgumentError(
      "avgPool2d: got padding [2, 2] for kernel size [3, 3]; expected at most half of the kernel size each way, else a window might hold nothing but padding. Use less padding or a larger kernel.",
    ),
  ],
  [
    "divisor 0",
    (z) => avgPool2d(z(1, 1, 4, 4), 2, { divisorOverride: 0 }),
    new ArgumentError(
      "avgPool2d: got divisorOverride 0; expected a number that is not 0. Leave it out to divide by the window's size.",
    ),
  ],
  [
    "an input without rows",
    (z) => avgPool2d(z(1, 1, 0, 4), 2, { padding: 1 }),
    new ShapeError(
      "avgPool2d: got an input of shape [1, 1, 0, 4]; expected no extent of 0 but the batch's. Leave the empty input out.",
    ),
  ],
  [
    "an output of 0",
    (z) => adaptiveAvgPool2d(z(1, 1, 4, 4), 0),
    new ArgumentError(
      "adaptiveAvgPool2d: got outputSize 0; expected a whole number of 1 or more, null to keep the extent, or a pair of them as [height, width]. Correct outputSize.",
    ),
  ],
  [
    "a negative output",
    (z) => adaptiveAvgPool2d(z(1, 1, 4, 4), [null, -2]),
    new ArgumentError(
      "adaptiveAvgPool2d: got outputSize [null, -2]; expected a whole number of 1 or more, null to keep the extent, or a pair of them as [height, width]. Correct outputSize.",
    ),
  ],
  [
    "three output sizes",
    (z) => adaptiveAvgPool2d(z(1, 1, 4, 4), [1, 2, 3] as unknown as [number, number]),
    new ArgumentError(
      "adaptiveAvgPool2d: got outputSize [1, 2, 3]; expected a whole number of 1 or more, null to keep the extent, or a pair of them as [height, width]. Correct outputSize.",
    ),
  ],
  [
    "no output size",
    (z) => adaptiveAvgPool2d(z(1, 1, 4, 4), undefined as unknown as number),
    new ArgumentError(
      "adaptiveAvgPool2d: got outputSize undefined; expected a whole number of 1 or more, null to keep the extent, or a pair of them as [height, width]. Correct outputSize.",
    ),
  ],
  [
    "bools",
    (z) => adaptiveAvgPool2d(z("bool", 1, 1, 4, 4), 2),
    new DTypeError(
      "adaptiveAvgPool2d: got a tensor of bool; expected float32 or float64. Cast it with .float() first.",
    ),
  ],
];

describe("pooling", () => {
  testRefusals(refusals);

  test("of equal maxima the first one wins, and gets the gradient", () => {
    const x = ones([1, 1, 3, 3]).requiresGrad_();
    const [values, indices] = maxPool2dWithIndices(x, 2, { stride: 1 });
    expect(indices.dtype).toBe("int32");
    expect(indices.toArraySync()).toEqual([
      [
        [
          [0, 1],
          [3, 4],
        ],
      ],
    ]);
    values.sum().backward();
    expect(x.grad?.toArraySync()).toEqual([
      [
        [
          [1, 1, 0],
          [1, 1, 0],
          [0, 0, 0],
        ],
      ],
    ]);
  });

  test("indices point at the values, also with padding, dilation and ceil mode", () => {
    manualSeed(1);
    const x = randn([2, 3, 7, 8]);
    const options = { stride: 2, padding: 1, dilation: 2, ceilMode: true };
    const [values, indices] = maxPool2dWithIndices(x, 3, options);
    const found = x.flatten(2).gather(2, indices.flatten(2));
    expect(found.toArraySync()).toEqual(values.flatten(2).toArraySync());
    expect(maxPool2d(x, 3, { ...options, returnIndices: false }).toArraySync()).toEqual(values.toArraySync());
  });

  test("adaptive windows that are all alike are an average pool, and others are not", () => {
    const x = arange(25).reshape([1, 5, 5]);
    expect(adaptiveAvgPool2d(x, 2).toArraySync()).toEqual(avgPool2d(x, 3, { stride: 2 }).toArraySync());
    expect(adaptiveAvgPool2d(x, [1, null]).toArraySync()).toEqual([[[10, 11, 12, 13, 14]]]);
    expect(adaptiveAvgPool2d(arange(4).reshape([1, 1, 4]), [1, 3]).toArraySync()).toEqual([[[0.5, 1.5, 2.5]]]);
  });

  test("leave nothing but their result in memory", () => {
    const image = arange(50).reshape([5, 5, 2]).permute([2, 0, 1]);
    const before = memoryStats().tensors;
    maxPool2d(image, 2);
    expect(memoryStats().tensors - before).toBe(1);
    const pair = maxPool2dWithIndices(image, 2);
    expect(memoryStats().tensors - before).toBe(3);
    for (const result of pair) result.dispose();
    expect(memoryStats().tensors - before).toBe(1);
    avgPool2d(image, 2);
    expect(memoryStats().tensors - before).toBe(2);
    adaptiveAvgPool2d(image, 2);
    expect(memoryStats().tensors - before).toBe(3);
    adaptiveAvgPool2d(image, 3);
    expect(memoryStats().tensors - before).toBe(4);
  });
});
