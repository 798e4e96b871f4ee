/** Convolutions: what the golden values and gradient checks leave open. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ShapeError } from "../../../src/errors.js";
import { arange, ones } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import { conv2d, convTranspose2d } from "../../../src/tensor/ops/convolution.js";
import { unfold } from "../../../src/tensor/ops/windows.js";
import { Generator } from "../../../src/tensor/random.js";
import { randn } from "../../../src/tensor/randomTensors.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import { type Refusal, testRefusals } from "../../support/refusals.js";

const refusals: readonly Refusal[] = [
  [
    "a kernel higher than the padded input",
    (z) => conv2d(z(1, 1, 3, 3), z(1, 1, 6, 2), null, { padding: 1 }),
    new ShapeError(
      "conv2d: got height 3, padded to 5, for a kernel of height 6 with dilation 1; expected at least 1·(6 − 1) + 1 = 6, since the output height is floor((padded − dilation·(kernel − 1) − 1) / stride) + 1. Use a smaller kernel or more padding.",
    ),
  ],
  [
    "a kernel that dilation makes too wide",
    (z) => conv2d(z(1, 1, 3, 3), z(1, 1, 2, 2), null, { dilation: [1, 3] }),
    new ShapeError(
      "conv2d: got width 3, padded to 3, for a kernel of width 2 with dilation 3; expected at least 3·(2 − 1) + 1 = 4, since the output width is floor((padded − dilation·(kernel − 1) − 1) / stride) + 1. Use a smaller kernel or more padding.",
    ),
  ],
  [
    "stride 0",
    (z) => conv2d(z(1, 1, 3, 3), z(1, 1, 2, 2), null, { stride: 0 }),
    new ArgumentError(
      "conv2d: got stride 0; expected a whole number of 1 or more, or a pair of them as [height, width]. Correct stride.",
    ),
  ],
  [
    "three strides",
    (z) => conv2d(z(1, 1, 3, 3), z(1, 1, 2, 2), null, { stride: [1, 2, 3] as unknown as [number, number] }),
    new ArgumentError(
      "conv2d: got stride [1, 2, 3]; expected a whole number of 1 or more, or a pair of them as [height, width]. Correct stride.",
    ),
  ],
  [
    "negative padding",
    (z) => conv2d(z(1, 1, 3, 3), z(1, 1, 2, 2), null, { padding: [0, -1] }),
    new ArgumentError(
      "conv2d: got padding [0, -1]; expected a whole number of 0 or more, or a pair of them as [height, width]. Correct padding.",
    ),
  ],
  [
    "padding of another name",
    (z) => conv2d(z(1, 1, 3, 3), z(1, 1, 2, 2), null, { padding: "circular" as "same" }),
    new ArgumentError(
      'conv2d: got padding "circular"; expected "same", "valid", a whole number of 0 or more, or a pair of them as [height, width]. Correct padding.',
    ),
  ],
  [
    'padding "same" with a stride',
    (z) => conv2d(z(1, 1, 3, 3), z(1, 1, 2, 2), null, { padding: "same", stride: [1, 2] }),
    new ArgumentError(
      'conv2d: got padding "same" with stride [1, 2]; expected stride 1, as no padding keeps the extents with another. Give the padding in numbers.',
    ),
  ],
  [
    "dilation 0",
    (z) => conv2d(z(1, 1, 3, 3), z(1, 1, 2, 2), null, { dilation: 0 }),
    new ArgumentError(
      "conv2d: got dilation 0; expected a whole number of 1 or more, or a pair of them as [height, width]. Correct dilation.",
    ),
  ],
  [
    "groups 0",
    (z) => conv2d(z(1, 1, 3, 3), z(1, 1, 2, 2), null, { groups: 0 }),
    new ArgumentError(
      "conv2d: got groups 0 for 1 output channels; expected a whole number of 1 or more that divides them. Correct groups.",
    ),
  ],
  [
    "groups that do not divide the filters",
    (z) => conv2d(z(1, 6, 3, 3), z(4, 2, 2, 2), null, { groups: 3 }),
    new ArgumentError(
      "conv2d: got groups 3 for 4 output channels; expected a whole number of 1 or more that divides them. Correct groups.",
    ),
  ],
  [
    "channels that do not fit",
    (z) => conv2d(z(1, 4, 3, 3), z(4, 2, 2, 2)),
    new ShapeError(
      "conv2d: got 4 channels in the input of shape [1, 4, 3, 3]; expected 2, for a weight of shape [4, 2, 2, 2] [outChannels, channels / groups, height, width] and groups 1. Correct the channels of one of them.",
    ),
  ],
  [
    "channels that do not fit the groups",
    (z) => conv2d(z(1, 3, 3, 3), z(4, 2, 2, 2), z(4), { groups: 2 }),
    new ShapeError(
      "conv2d: got 3 channels in the input of shape [1, 3, 3, 3]; expected 4, for a weight of shape [4, 2, 2, 2] [outChannels, channels / groups, height, width] and groups 2. Correct the channels of one of them.",
    ),
  ],
  [
    "a bias of the wrong length",
    (z) => conv2d(z(1, 2, 3, 3), z(4, 2, 2, 2), z(3)),
    new ShapeError("conv2d: got a bias of shape [3]; expected [4], one for each output channel. Reshape it."),
  ],
  [
    "an input of two axes",
    (z) => conv2d(z(3, 3), z(4, 2, 2, 2)),
    new ShapeError(
      "conv2d: got an input of shape [3, 3]; expected [batch, channels, height, width], or [channels, height, width] for a single image. Reshape or unsqueeze it.",
    ),
  ],
  [
    "an input without rows",
    (z) => conv2d(z(1, 2, 0, 3), z(4, 2, 2, 2), null, { padding: 2 }),
    new ShapeError(
      "conv2d: got an input of shape [1, 2, 0, 3]; expected no extent of 0 but the batch's. Leave the empty input out.",
    ),
  ],
  [
    "a weight of three axes",
    (z) => conv2d(z(1, 2, 3, 3), z(2, 2, 2)),
    new ShapeError(
      "conv2d: got a weight of shape [2, 2, 2]; expected 4 axes, channels by channels by kernel height by width, and none of them empty. Reshape it.",
    ),
  ],
  [
    "an empty kernel",
    (z) => conv2d(z(1, 2, 3, 3), z(4, 2, 2, 0)),
    new ShapeError(
      "conv2d: got a weight of shape [4, 2, 2, 0]; expected 4 axes, channels by channels by kernel height by width, and none of them empty. Reshape it.",
    ),
  ],
  [
    "whole numbers",
    (z) => conv2d(z("int32", 1, 2, 3, 3), z("int32", 4, 2, 2, 2)),
    new DTypeError("conv2d: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
  ],
  [
    "dtypes that differ",
    (z) => conv2d(z(1, 2, 3, 3), z("float64", 4, 2, 2, 2)),
    new DTypeError(
      'conv2d: got tensors of float32 and float64; expected one dtype. Cast one of them with .to("float64").',
    ),
  ],
  [
    "a number for the weight",
    (z) => conv2d(z(1, 1, 4, 4), 3 as unknown as Tensor),
    new ArgumentError("conv2d: got 3; expected a tensor. Make one with tensor(…)."),
  ],
  [
    "an output beyond 32 bits",
    (z) => conv2d(z(1, 1, 1, 1), z(1, 1, 1, 1), null, { padding: 100000 }),
    new ShapeError(
      "conv2d: got shape [1, 1, 200001, 200001] with 40000400001 elements; expected at most 2147483647. Split the tensor.",
    ),
  ],
  [
    "channels that do not fit the transposed weight",
    (z) => convTranspose2d(z(1, 2, 3, 3), z(3, 2, 2, 2)),
    new ShapeError(
      "convTranspose2d: got 2 channels in the input of shape [1, 2, 3, 3]; expected 3, for a weight of shape [3, 2, 2, 2] [channels, outChannels / groups, height, width]. Correct the channels of one of them.",
    ),
  ],
  [
    "an empty transposed output",
    (z) => convTranspose2d(z(1, 2, 1, 1), z(2, 2, 1, 1), null, { padding: 1 }),
    new ShapeError(
      "convTranspose2d: got an input of height 1, whose output height is (1 − 1)·1 − 2 + 1·(1 − 1) + 0 + 1 = -1; expected at least 1, by (extent − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1. Use less padding.",
    ),
  ],
  [
    "output padding as large as the stride",
    (z) => convTranspose2d(z(1, 2, 3, 3), z(2, 2, 2, 2), null, { stride: 2, outputPadding: [0, 2] }),
    new ArgumentError(
      "convTranspose2d: got an output padding of 2 for the width; expected less than the stride 2 or the dilation 1. Make outputPadding smaller.",
    ),
  ],
  [
    "groups that do not divide the channels",
    (z) => convTranspose2d(z(1, 2, 3, 3), z(2, 2, 2, 2), null, { groups: 3 }),
    new ArgumentError(
      "convTranspose2d: got groups 3 for 2 input channels; expected a whole number of 1 or more that divides them. Correct groups.",
    ),
  ],
  [
    "a transposed bias of the wrong length",
    (z) => convTranspose2d(z(1, 2, 3, 3), z(2, 2, 2, 2), z(2), { groups: 2 }),
    new ShapeError("convTranspose2d: got a bias of shape [2]; expected [4], one for each output channel. Reshape it."),
  ],
  [
    "a transposed output beyond 32 bits",
    (z) => convTranspose2d(z(1, 1, 3, 3), z(1, 1, 2, 2), null, { stride: 2 ** 20 }),
    new ShapeError(
      "convTranspose2d: got shape [1, 1, 2097154, 2097154] with 4398054899716 elements; expected at most 2147483647. Split the tensor.",
    ),
  ],
];

const count = (min: number, max: number) => fc.integer({ min, max });

const settings = fc
  .record({
    batch: count(0, 2),
    groups: count(1, 2),
    groupChannels: count(1, 2),
    groupFilters: count(1, 3),
    kernel: fc.tuple(count(1, 3), count(1, 4)),
    stride: fc.tuple(count(1, 3), count(1, 3)),
    padding: fc.tuple(count(0, 2), count(0, 3)),
    dilation: fc.tuple(count(1, 3), count(1, 2)),
    extra: fc.tuple(count(0, 4), count(0, 4)),
  })
  .map((s) => {
    const extent = (axis: 0 | 1): number =>
      Math.max(1, s.dilation[axis] * (s.kernel[axis] - 1) + 1 - 2 * s.padding[axis]) + s.extra[axis];
    return { ...s, height: extent(0), width: extent(1) };
  });

function total(x: Tensor): number {
  return x.sum().itemSync();
}

describe("conv2d and convTranspose2d", () => {
  testRefusals(refusals);

  test("conv2d is the weight times the columns of unfold, group by group", () => {
    fc.assert(
      fc.property(settings, ({ batch, groups, groupChannels, groupFilters, kernel, height, width, ...s }) => {
        const generator = new Generator(3);
        const options = { dtype: "float64", generator } as const;
        const x = randn([batch, groups * groupChannels, height, width], options);
        const weight = randn([groups * groupFilters, groupChannels, ...kernel], options);
        const window = { stride: s.stride, padding: s.padding, dilation: s.dilation };
        const out = conv2d(x, weight, null, { ...window, groups });
        for (let group = 0; group < groups; group++) {
          const columns = unfold(x.narrow(1, group * groupChannels, groupChannels), kernel, window);
          const filters = weight.narrow(0, group * groupFilters, groupFilters).reshape([groupFilters, -1]);
          const expected = filters.matmul(columns).flatten();
          const got = out.narrow(1, group * groupFilters, groupFilters).flatten();
          expect(got.shape).toEqual(expected.shape);
          expect(total(got.sub(expected).abs().gt(1e-12).int())).toBe(0);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("convTranspose2d is the transpose of conv2d: ⟨conv2d(x), y⟩ = ⟨x, convTranspose2d(y)⟩", () => {
    fc.assert(
      fc.property(settings, ({ batch, groups, groupChannels, groupFilters, kernel, height, width, ...s }) => {
        const generator = new Generator(4);
        const options = { dtype: "float64", generator } as const;
        const x = randn([batch, groups * groupChannels, height, width], options);
        const weight = randn([groups * groupFilters, groupChannels, ...kernel], options);
        const given = { stride: s.stride, padding: s.padding, dilation: s.dilation, groups };
        const out = conv2d(x, weight, null, given);
        const y = randn(out.shape, options);
        const smallest = (axis: 0 | 1): number =>
          ((out.shape[2 + axis] ?? 0) - 1) * s.stride[axis] -
          2 * s.padding[axis] +
          s.dilation[axis] * (kernel[axis] - 1) +
          1;
        const back = convTranspose2d(y, weight, null, {
          ...given,
          outputPadding: [height - smallest(0), width - smallest(1)],
        });
        expect(back.shape).toEqual(x.shape);
        expect(total(out.mul(y))).toBeCloseTo(total(back.mul(x)), 9);
      }),
      { numRuns: 60 },
    );
  });

  test('padding "same" puts the odd row and column at the bottom and right', () => {
    const x = arange(16).reshape([1, 1, 4, 4]);
    expect(
      conv2d(x, ones([1, 1, 2, 2]), null, { padding: "same" })
        .squeeze()
        .toArraySync(),
    ).toEqual([
      [10, 14, 18, 10],
      [26, 30, 34, 18],
      [42, 46, 50, 26],
      [25, 27, 29, 15],
    ]);
    expect(conv2d(x, ones([1, 1, 2, 3]), null, { padding: "valid" }).shape).toEqual([1, 1, 3, 2]);
  });

  test("leave nothing but their result in memory", () => {
    const image = arange(48).reshape([4, 4, 3]).permute([2, 0, 1]);
    const weight = ones([2, 2, 3, 3]).permute([1, 0, 2, 3]);
    const before = memoryStats().tensors;
    const out = conv2d(image, ones([2, 3, 3, 3]));
    expect(out.shape).toEqual([2, 2, 2]);
    expect(memoryStats().tensors - before).toBe(2);
    convTranspose2d(out, weight);
    expect(memoryStats().tensors - before).toBe(3);
  });

  test("the gradient of an input that wants none is not worked out", () => {
    const x = ones([1, 1, 4, 4]);
    const weight = ones([1, 1, 3, 3]).requiresGrad_();
    const inputGrad = vi.spyOn(x.kernels, "conv2dInputGrad");
    conv2d(x, weight).sum().backward();
    expect(inputGrad).not.toHaveBeenCalled();
    conv2d(x.requiresGrad_(), weight).sum().backward();
    expect(inputGrad).toHaveBeenCalledOnce();
    inputGrad.mockRestore();
  });
});
