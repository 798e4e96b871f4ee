/** Images read at other places, pools of sequences and shuffled channels: what the golden values and gradient checks leave open. */
import { expect, test } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ShapeError } from "../../../src/errors.js";
import { arange, tensor } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import type { AffineGridOptions, GridSampleOptions } from "../../../src/tensor/ops/gridSample.js";
import { rand, randn } from "../../../src/tensor/randomTensors.js";
import { testRefusals } from "../../support/refusals.js";

const wrong = <T>(value: unknown): T => value as T;

testRefusals([
  [
    "a mode that PyTorch has",
    (z) => z(1, 1, 2, 2).gridSample(z(1, 2, 2, 2), { mode: wrong("bicubic") }),
    new ArgumentError('gridSample: got mode "bicubic"; expected one of "bilinear", "nearest". Choose one of them.'),
  ],
  [
    "a padding mode that PyTorch has",
    (z) => z(1, 1, 2, 2).gridSample(z(1, 2, 2, 2), { paddingMode: wrong("reflection") }),
    new ArgumentError(
      'gridSample: got paddingMode "reflection"; expected one of "zeros", "border". Choose one of them.',
    ),
  ],
  [
    "an option in PyTorch's spelling",
    (z) => z(1, 1, 2, 2).gridSample(z(1, 2, 2, 2), wrong<GridSampleOptions>({ align_corners: true })),
    new ArgumentError(
      'gridSample: got the option "align_corners"; expected only mode, paddingMode, alignCorners. Correct its name, or leave it out.',
    ),
  ],
  [
    "volumes",
    (z) => z(1, 1, 2, 2, 2).gridSample(z(1, 2, 2, 2, 3)),
    new ShapeError(
      "gridSample: got an input of shape [1, 1, 2, 2, 2]; expected [batch, channels, height, width] without extents of 0. Unsqueeze a single image.",
    ),
  ],
  [
    "a grid whose coordinates come first",
    (z) => z(1, 1, 2, 2).gridSample(z(1, 2, 3, 4)),
    new ShapeError(
      "gridSample: got a grid of shape [1, 2, 3, 4] for an input of shape [1, 1, 2, 2]; expected [1, height, width, 2], with column and row in the last axis. Reshape or permute the grid.",
    ),
  ],
  [
    "a grid for other images",
    (z) => z(2, 1, 2, 2).gridSample(z(1, 2, 3, 2)),
    new ShapeError(
      "gridSample: got a grid of shape [1, 2, 3, 2] for an input of shape [2, 1, 2, 2]; expected [2, height, width, 2], with column and row in the last axis. Reshape or permute the grid.",
    ),
  ],
  [
    "a grid of another dtype",
    (z) => z(1, 1, 2, 2).gridSample(z("float64", 1, 2, 3, 2)),
    new DTypeError(
      'gridSample: got tensors of float32 and float64; expected one dtype. Cast one of them with .to("float64").',
    ),
  ],
  [
    "a matrix of another shape",
    (z) => z(1, 3, 2).affineGrid([1, 1, 2, 2]),
    new ShapeError(
      "affineGrid: got theta of shape [1, 3, 2] for the size [1, 1, 2, 2]; expected [N, 2, 3] for [N, C, H, W], with extents of 1 or more. Correct one of them.",
    ),
  ],
  [
    "matrices for other images",
    (z) => z(2, 2, 3).affineGrid([1, 1, 2, 2]),
    new ShapeError(
      "affineGrid: got theta of shape [2, 2, 3] for the size [1, 1, 2, 2]; expected [N, 2, 3] for [N, C, H, W], with extents of 1 or more. Correct one of them.",
    ),
  ],
  [
    "a setting in the place of options",
    (z) => z(1, 2, 3).affineGrid([1, 1, 2, 2], wrong<AffineGridOptions>(true)),
    new ArgumentError(
      "affineGrid: got true as options; expected an object such as { alignCorners: … }. Put options last, by name.",
    ),
  ],
  [
    "an image where a sequence belongs",
    (z) => z(1, 1, 2, 2).adaptiveAvgPool1d(2),
    new ShapeError(
      "adaptiveAvgPool1d: got an input of shape [1, 1, 2, 2]; expected [batch, channels, length], or [channels, length] for a single sequence. Reshape or unsqueeze it.",
    ),
  ],
  [
    "no windows",
    (z) => z(1, 4).adaptiveMaxPool1d(0),
    new ArgumentError("adaptiveMaxPool1d: got outputSize 0; expected a whole number of 1 or more. Correct outputSize."),
  ],
  [
    "indices from a function that gives one tensor",
    (z) => z(1, 4).adaptiveMaxPool1d(2, { returnIndices: true }),
    new ArgumentError(
      "adaptiveMaxPool1d: got returnIndices true; expected false, as this function always returns one tensor. Call adaptiveMaxPool1dWithIndices(x, outputSize), which returns [values, indices].",
    ),
  ],
  [
    "groups that do not divide the channels",
    (z) => z(1, 4, 2).channelShuffle(3),
    new ShapeError(
      "channelShuffle: got 4 channels in shape [1, 4, 2]; expected a multiple of groups = 3. Correct groups or the channels.",
    ),
  ],
  [
    "a matrix to shuffle",
    (z) => z(2, 4).channelShuffle(2),
    new ShapeError(
      "channelShuffle: got an input of shape [2, 4]; expected [batch, channels, …] with one axis more at least. Unsqueeze it.",
    ),
  ],
]);

test("the identity leaves an image as it is, and a turn turns it", () => {
  const x = arange(12).float().reshape([1, 1, 3, 4]);
  const grid = tensor([
    [
      [1, 0, 0],
      [0, 1, 0],
    ],
  ]).affineGrid([1, 1, 3, 4]);
  x.gridSample(grid)
    .dataSync()
    .forEach((value, i) => {
      expect(value).toBeCloseTo(i, 5);
    });
  const turned = tensor([
    [
      [-1, 0, 0],
      [0, -1, 0],
    ],
  ]).affineGrid([1, 1, 3, 4]);
  expect(x.gridSample(turned, { mode: "nearest" }).toArraySync()).toEqual(x.flip([2, 3]).toArraySync());
});

test("temporaries are given back", () => {
  const x = randn([2, 3, 40, 40]).requiresGrad_();
  const grid = rand([2, 30, 30, 2]).mul(2).sub(1).detach().requiresGrad_();
  const sequence = randn([4, 8, 1001]).requiresGrad_();
  const step = () => {
    for (const leaf of [x, grid, sequence]) leaf.clearGrad("in a test");
    x.channelShuffle(3).gridSample(grid).sum().backward();
    sequence.adaptiveAvgPool1d(300).add(sequence.adaptiveMaxPool1d(300)).sum().backward();
  };
  step();
  const { tensors } = memoryStats();
  for (let i = 0; i < 3; i++) step();
  expect(memoryStats().tensors).toBe(tensors);
});
