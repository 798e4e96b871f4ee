/** Parts, repetitions, masks and products: what the golden values and gradient checks leave open. */
import { describe, expect, test } from "vitest";
import "../../support/strictKernels.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ShapeError } from "../../../src/errors.js";
import { arange, tensor } from "../../../src/tensor/create.js";
import { einsum } from "../../../src/tensor/ops/joining.js";
import { testRefusals } from "../../support/refusals.js";

describe("sharing", () => {
  test("split, chunk, unbind and diagonal give views", () => {
    const x = arange(9).reshape([3, 3]);
    x.split(2)[0]?.select(0, 0).mul_(10);
    x.chunk(3)[2]?.add_(100);
    x.unbind(1)[0]?.neg_();
    x.diagonal().fill_(7);
    expect(x.toArraySync()).toEqual([
      [7, 10, 20],
      [-3, 7, 5],
      [-106, 107, 7],
    ]);
  });

  test("repeat, tile, tril and maskedFill copy", () => {
    const x = arange(4).reshape([2, 2]);
    for (const copy of [x.repeat([1, 1]), x.tile([1]), x.tril(5), x.maskedFill(tensor([false, false]), 1)])
      copy.add_(1);
    expect(x.toArraySync()).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });
});

test("masks hide NaN and infinities, and tril drops them", () => {
  const x = tensor([
    [1, Number.NaN],
    [2, Number.POSITIVE_INFINITY],
  ]);
  expect(x.tril(-1).toArraySync()).toEqual([
    [0, 0],
    [2, 0],
  ]);
  expect(x.maskedFill(x.isfinite().logicalNot(), 0).toArraySync()).toEqual([
    [1, 0],
    [2, 0],
  ]);
});

test("chunks of an empty axis are as many as asked for", () => {
  expect(
    tensor([])
      .chunk(3)
      .map(({ shape }) => shape),
  ).toEqual([[0], [0], [0]]);
});

describe("errors", () => {
  testRefusals([
    [
      "t of an image",
      (z) => z(2, 3, 4).t(),
      new ShapeError(
        "t: got a tensor of shape [2, 3, 4]; expected two axes at most. Use transpose(dim0, dim1), or permute.",
      ),
    ],
    [
      "sizes that do not add up",
      (z) => z(2, 5).split([2, 2], 1),
      new ShapeError(
        "split: got the sizes [2, 2], which add up to 4, on axis 1 of shape [2, 5]; expected whole numbers that add up to 5. Correct the sizes.",
      ),
    ],
    [
      "a size of 0",
      (z) => z(4).split(0),
      new ArgumentError(
        "split: got the size 0; expected a whole number of 1 or more, or an array of sizes. Correct the size.",
      ),
    ],
    [
      "no chunks",
      (z) => z(4).chunk(0),
      new ArgumentError("chunk: got 0 chunks; expected a whole number of 1 or more. Correct their number."),
    ],
    [
      "unbind of a scalar",
      (z) => z().unbind(),
      new ShapeError("unbind: got a tensor without axes; expected at least one axis. Use .unsqueeze(0) first."),
    ],
    [
      "too few counts",
      (z) => z(2, 3).repeat([2]),
      new ShapeError(
        "repeat: got 1 counts for shape [2, 3]; expected one for each of its 2 axes at least. Use 1 where nothing is repeated, or tile.",
      ),
    ],
    [
      "moves to fewer places",
      (z) => z(2, 3).movedim([0, 1], 0),
      new ShapeError(
        "movedim: got 2 source axes and 1 destinations; expected as many of both. Name a place for each axis.",
      ),
    ],
    [
      "an axis moved twice",
      (z) => z(2, 3).movedim([0, 0], [0, 1]),
      new ShapeError("movedim: got axes [0,0]; expected each axis once. Remove the repeated axis."),
    ],
    [
      "tril of a vector",
      (z) => z(3).tril(),
      new ShapeError("tril: got shape [3]; expected at least two axes, those of a matrix. Add one with .unsqueeze(0)."),
    ],
    [
      "half a diagonal",
      (z) => z(3, 3).triu(0.5),
      new ArgumentError("triu: got diagonal 0.5; expected a whole number. 0 is the main one, 1 the one above it."),
    ],
    [
      "a diagonal within one axis",
      (z) => z(3, 3).diagonal(0, 1, -1),
      new ShapeError("diagonal: got axis 1 twice for shape [3, 3]; expected two different ones. Correct dim1 or dim2."),
    ],
    [
      "a mask of numbers",
      (z) => z(3).maskedFill(z(3), 0),
      new DTypeError(
        "maskedFill: got a mask of float32; expected bool. Compare first, as in x.maskedFill(x.lt(0), 0).",
      ),
    ],
    [
      "a fraction for whole numbers",
      (z) => z("int32", 3).maskedFill(z("bool", 3), 0.5),
      new DTypeError(
        "maskedFill: got 0.5; expected whole numbers from -2147483648 to 2147483647 for int32. Round it, or use another dtype.",
      ),
    ],
    [
      "a value with axes",
      (z) => z(3).maskedFill(z("bool", 3), z(1)),
      new ShapeError(
        "maskedFill: got a value of shape [1]; expected a number, or a tensor without axes. Use where for more values.",
      ),
    ],
    [
      "an index matrix",
      (z) => z(3, 3).indexSelect(0, z("int32", 1, 1)),
      new ShapeError("indexSelect: got an index of shape [1, 1]; expected one axis. Flatten it, or use gather."),
    ],
    [
      "an index out of range",
      (z) => z(0, 3).indexSelect(0, z("int32", 1)),
      new ShapeError(
        "indexSelect: got index 0 on axis 0 of shape [0, 3]; expected an axis with at least one place. Check for empty tensors first.",
      ),
    ],
    [
      "scatter of another dtype",
      (z) => z(3).scatter(0, z("int32", 2), z("int32", 2)),
      new DTypeError(
        'scatter: got src of int32 for a tensor of float32; expected the same dtype. Cast one with .to("float32").',
      ),
    ],
    [
      "mm of batches",
      (z) => z(2, 2, 3).mm(z(3, 2)),
      new ShapeError(
        "mm: got shapes [2, 2, 3] and [3, 2]; expected 2 axes each. Use matmul, which takes any number, or reshape them.",
      ),
    ],
    [
      "bmm that would broadcast",
      (z) => z(2, 2, 3).bmm(z(1, 3, 2)),
      new ShapeError("bmm: got 2 and 1 matrices; expected as many of both. Use matmul, which broadcasts."),
    ],
    [
      "an equation with signs",
      (z) => einsum("i+j->k", z(2)),
      new ArgumentError(
        'einsum: got the equation "i+j->k"; expected letters, commas and at most one "->", with "..." for further axes. Write it as in "ij,jk->ik".',
      ),
    ],
    [
      "an operand too few",
      (z) => einsum("i,j->ij", z(2)),
      new ArgumentError(
        'einsum: got 1 operands for the equation "i,j->ij"; expected 2, one for each term. Correct either.',
      ),
    ],
    [
      "a term of other length",
      (z) => einsum("ijk->i", z(2, 3)),
      new ShapeError(
        'einsum: got shape [2, 3] for the term "ijk" of "ijk->i"; expected 3 axes. Correct the term, or reshape the operand.',
      ),
    ],
    [
      "an unknown letter in the result",
      (z) => einsum("ij->ik", z(2, 3)),
      new ArgumentError(
        'einsum: got "k" in the result of "ij->ik", and in no operand; expected each letter once, and from an operand. Correct what stands behind "->".',
      ),
    ],
    [
      "extents that differ",
      (z) => einsum("ij,jk", z(2, 3), z(2, 2)),
      new ShapeError(
        'einsum: got extents 3 and 2 for "j" in "ij,jk"; expected one extent, or 1. Correct the equation or the operands.',
      ),
    ],
  ]);
});
