import "../../../src/tensor/methods.js";
import type { Conv2dOptions, ConvTranspose2dOptions } from "../../../src/tensor/ops/convolution.js";
import type { GradCase } from "../gradCase.js";

const convolutions: [string, number[], number[], Conv2dOptions][] = [
  ["defaults", [2, 2, 4, 3], [3, 2, 3, 2], {}],
  ["stride that skips the last row", [1, 1, 6, 5], [2, 1, 3, 2], { stride: [2, 3] }],
  ["padding", [1, 2, 3, 2], [1, 2, 2, 3], { padding: [1, 2] }],
  ["same, even kernel", [1, 1, 3, 4], [1, 1, 2, 4], { padding: "same" }],
  ["dilation", [1, 1, 5, 5], [1, 1, 2, 3], { dilation: [3, 2] }],
  ["groups", [2, 4, 3, 3], [2, 2, 2, 2], { groups: 2 }],
  ["depthwise, everything", [1, 2, 6, 5], [4, 1, 2, 3], { groups: 2, stride: 2, padding: [1, 2], dilation: [2, 1] }],
  ["one image", [2, 3, 3], [1, 2, 2, 2], { padding: 1 }],
];

const transposed: [string, number[], number[], ConvTranspose2dOptions][] = [
  ["defaults", [2, 2, 2, 3], [2, 3, 3, 2], {}],
  ["stride and output padding", [1, 1, 2, 2], [1, 2, 3, 2], { stride: [2, 3], outputPadding: [1, 2] }],
  ["padding", [1, 2, 3, 3], [2, 1, 3, 3], { padding: 1 }],
  ["output padding beyond the stride", [1, 1, 2, 2], [1, 1, 2, 2], { dilation: 3, outputPadding: 2 }],
  [
    "groups, everything",
    [1, 4, 3, 2],
    [4, 1, 2, 3],
    { groups: 2, stride: 2, padding: 1, dilation: 2, outputPadding: 1 },
  ],
  ["one image", [2, 2, 2], [2, 1, 2, 2], {}],
];

export const cases: GradCase[] = [
  ...convolutions.flatMap(([name, x, weight, options]): GradCase[] => [
    { op: "conv2d", name, shapes: [x, weight], fn: (x, w) => x.conv2d(w, null, options) },
    {
      op: "conv2d",
      name: `${name}, with bias`,
      shapes: [x, weight, [weight[0] ?? 1]],
      fn: (x, w, b) => x.conv2d(w, b, options),
      second: false,
    },
  ]),
  { op: "conv2d", name: "bias, twice", shapes: [[1, 1, 3, 3], [2, 1, 2, 2], [2]], fn: (x, w, b) => x.conv2d(w, b) },
  {
    op: "conv2d",
    name: "channels last",
    shapes: [
      [1, 3, 3, 2],
      [2, 2, 1, 2],
    ],
    fn: (x, w) => x.permute([0, 3, 1, 2]).conv2d(w.permute([3, 0, 1, 2])),
  },
  ...transposed.flatMap(([name, x, weight, options]): GradCase[] => [
    { op: "convTranspose2d", name, shapes: [x, weight], fn: (x, w) => x.convTranspose2d(w, null, options) },
    {
      op: "convTranspose2d",
      name: `${name}, with bias`,
      shapes: [x, weight, [(weight[1] ?? 1) * (options.groups ?? 1)]],
      fn: (x, w, b) => x.convTranspose2d(w, b, options),
    },
  ]),
];
