/** Matrix products: what the golden values and gradient checks leave open. */
import { describe, expect, test } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ShapeError } from "../../../src/errors.js";
import { grad } from "../../../src/tensor/backward.js";
import { arange, zeros } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import { linear, matmul } from "../../../src/tensor/ops/matmul.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import { type Refusal, testRefusals } from "../../support/refusals.js";

const refusals: readonly Refusal[] = [
  [
    "inner extents that differ",
    (z) => matmul(z(2, 3), z(2, 3)),
    new ShapeError(
      "matmul: got shapes [2, 3] and [2, 3]; expected as many columns in the first as rows in the second, and they are 3 and 2. Transpose or reshape one of them.",
    ),
  ],
  [
    "vectors of different lengths",
    (z) => matmul(z(3), z(4)),
    new ShapeError(
      "matmul: got shapes [3] and [4]; expected as many columns in the first as rows in the second, and they are 3 and 4. Transpose or reshape one of them.",
    ),
  ],
  [
    "a scalar",
    (z) => matmul(z(), z(3)),
    new ShapeError("matmul: got shapes [] and [3]; expected at least 1 axis each. Use mul for scalars."),
  ],
  [
    "batches that do not broadcast",
    (z) => matmul(z(2, 2, 3), z(3, 3, 2)),
    new ShapeError(
      "matmul of [2, 2, 3] by [3, 3, 2], axes before the last two: got shapes [2] and [3]; expected shapes that broadcast, that is, extents that are equal or 1 counting from the last axis. Reshape or unsqueeze one of them.",
    ),
  ],
  [
    "dtypes that differ",
    (z) => matmul(z(2, 3), z("int32", 3)),
    new DTypeError(
      'matmul: got tensors of float32 and int32; expected one dtype. Cast one of them with .to("float32").',
    ),
  ],
  [
    "an integer before a fraction",
    (z) => matmul(z("int32", 2, 3), z(3)),
    new DTypeError(
      'matmul: got tensors of int32 and float32; expected one dtype. Cast one of them with .to("float32").',
    ),
  ],
  [
    "bools",
    (z) => matmul(z("bool", 2, 3), z("bool", 3)),
    new DTypeError("matmul: got tensors of bool; expected numbers. Cast them with .float() or .int()."),
  ],
  [
    "a result beyond 32 bits",
    (z) => matmul(z(65536, 1), z(1, 65536)),
    new ShapeError(
      "matmul: got shape [65536, 65536] with 4294967296 elements; expected at most 2147483647. Split the tensor.",
    ),
  ],
  [
    "a number for a tensor",
    (z) => matmul(z(2, 3), 3 as unknown as Tensor),
    new ArgumentError("matmul: got 3; expected a tensor. Make one with tensor(…)."),
  ],
  [
    "the wrong width",
    (z) => linear(z(8, 400), z(120, 576), z(120)),
    new ShapeError(
      "linear: got 400 features in the last axis of the input, which has shape [8, 400]; expected 576, for a weight of shape [120, 576]. Reshape or flatten the input to 576 features, or make the layer new nn.Linear(400, 120), or new nn.LazyLinear(120), which infers it.",
    ),
  ],
  [
    "an input without axes",
    (z) => linear(z(), z(1, 1)),
    new ShapeError("linear: got an input of shape []; expected 1 features in its last axis. Reshape it to [1]."),
  ],
  [
    "a weight that is no matrix",
    (z) => linear(z(2, 3), z(3)),
    new ShapeError("linear: got a weight of shape [3]; expected [outFeatures, inFeatures]. Reshape it."),
  ],
  [
    "a bias of the wrong length",
    (z) => linear(z(2, 3), z(4, 3), z(3)),
    new ShapeError(
      "linear: got a bias of shape [3] for a weight of shape [4, 3]; expected [4], one for each row of the weight. Reshape it.",
    ),
  ],
  [
    "a bias that is a matrix",
    (z) => linear(z(2, 3), z(4, 3), z(1, 4)),
    new ShapeError(
      "linear: got a bias of shape [1, 4] for a weight of shape [4, 3]; expected [4], one for each row of the weight. Reshape it.",
    ),
  ],
  [
    "a weight of another dtype",
    (z) => linear(z(2, 3), z("float64", 4, 3)),
    new DTypeError(
      'linear: got tensors of float32 and float64; expected one dtype. Cast one of them with .to("float64").',
    ),
  ],
  [
    "a layer of bools",
    (z) => linear(z("bool", 2, 3), z("bool", 4, 3)),
    new DTypeError("linear: got tensors of bool; expected numbers. Cast them with .float() or .int()."),
  ],
  [
    "a layer's result beyond 32 bits",
    (z) => linear(z(65536, 1), z(65536, 1)),
    new ShapeError(
      "linear: got shape [65536, 65536] with 4294967296 elements; expected at most 2147483647. Split the tensor.",
    ),
  ],
];

/** How many tensors `fn` leaves alive. */
function leftBy(fn: () => Tensor): number {
  const before = memoryStats().tensors;
  fn();
  return memoryStats().tensors - before;
}

describe("matmul and linear", () => {
  testRefusals(refusals);

  test("reads operands through their strides", () => {
    const a = arange(24).reshape([2, 3, 4]);
    const b = arange(12).reshape([3, 4]);
    const turned = matmul(a, b.transpose(0, 1));
    expect(turned.toArraySync()).toEqual(matmul(a, b.transpose(0, 1).clone()).toArraySync());
    const part = matmul(a.permute([2, 0, 1]), b.slice(null, [0, 2]));
    expect(part.toArraySync()).toEqual(
      matmul(a.permute([2, 0, 1]).clone(), b.slice(null, [0, 2]).clone()).toArraySync(),
    );
    expect(part.shape).toEqual([4, 2, 2]);
  });

  test("multiplies an expanded operand without a copy of it", () => {
    const row = arange(3).expand([2, 3]);
    expect(matmul(row, row.transpose(0, 1)).toArraySync()).toEqual([
      [5, 5],
      [5, 5],
    ]);
  });

  test("leave nothing but their result in memory", () => {
    const batch = arange(24).reshape([2, 3, 4]);
    const weight = arange(8).reshape([2, 4]);
    expect(leftBy(() => matmul(batch, weight.transpose(0, 1)))).toBe(1);
    expect(leftBy(() => matmul(batch.permute([1, 0, 2]), zeros([4])))).toBe(2);
    expect(leftBy(() => linear(batch.permute([1, 0, 2]), weight))).toBe(1);
    expect(leftBy(() => linear(batch, weight, weight.select(1, 0)))).toBe(1);
  });

  test("a weight's gradient has the weight's own layout", () => {
    const weight = arange(8).reshape([2, 4]).clone().requiresGrad_();
    const [weightGrad] = grad(linear(arange(12).reshape([3, 4]), weight).sum(), weight);
    expect(weightGrad?.isContiguous()).toBe(true);
    expect(weightGrad?.toArraySync()).toEqual([
      [12, 15, 18, 21],
      [12, 15, 18, 21],
    ]);
  });
});
