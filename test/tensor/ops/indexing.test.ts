import { describe, expect, test } from "vitest";
import "../../support/strictKernels.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, AutogradError, DTypeError, ReleasedTensorError, ShapeError } from "../../../src/errors.js";
import { arange, tensor, zeros } from "../../../src/tensor/create.js";
import type { NestedArray, Tensor } from "../../../src/tensor/tensor.js";
import { testRefusals } from "../../support/refusals.js";

function places(data: NestedArray<number>): Tensor {
  return tensor(data, { dtype: "int32" });
}

describe("gather", () => {
  test("chooses along an axis", () => {
    const x = arange(6).reshape([2, 3]);
    expect(
      x
        .gather(
          1,
          places([
            [2, 2],
            [0, 1],
          ]),
        )
        .toArraySync(),
    ).toEqual([
      [2, 2],
      [3, 4],
    ]);
    expect(
      x
        .gather(
          0,
          places([
            [1, 0],
            [1, 1],
            [0, 0],
          ]),
        )
        .toArraySync(),
    ).toEqual([
      [3, 1],
      [3, 4],
      [0, 1],
    ]);
    expect(
      x
        .transpose(0, 1)
        .gather(
          -1,
          places([
            [1, 0],
            [0, 1],
          ]).transpose(0, 1),
        )
        .toArraySync(),
    ).toEqual([
      [3, 0],
      [1, 4],
    ]);
  });

  test("adds up the gradients of places that were chosen again", () => {
    const x = tensor([1, 2, 3], { requiresGrad: true });
    x.gather(0, places([2, 0, 2, 2]))
      .mul(tensor([1, 10, 100, 1000]))
      .sum()
      .backward();
    expect(x.grad?.toArraySync()).toEqual([10, 0, 1101]);
  });

  test("sees that its index was changed before the backward pass", () => {
    const x = tensor([1, 2, 3], { requiresGrad: true });
    const index = places([0, 1]);
    const y = x.gather(0, index).sum();
    index.add_(7);
    expect(() => y.backward()).toThrow(AutogradError);
  });
});

describe("scatterAdd", () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const index = places([
    [0, 0],
    [2, 1],
  ]);
  const src = tensor([
    [10, 20, 99],
    [30, 40, 99],
  ]);
  const expected = [
    [31, 2, 3],
    [4, 45, 36],
  ];

  test("adds to a copy", () => {
    expect(x.scatterAdd(1, index, src).toArraySync()).toEqual(expected);
    expect(x.toArraySync()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  test("adds in place", () => {
    const y = x.clone();
    expect(y.scatterAdd_(1, index, src)).toBe(y);
    expect(y.toArraySync()).toEqual(expected);
    const z = zeros([3, 2]);
    z.transpose(0, 1).scatterAdd_(1, index, src);
    expect(z.toArraySync()).toEqual([
      [30, 0],
      [0, 40],
      [0, 30],
    ]);
  });

  test("adds a tensor to itself as it was", () => {
    const y = tensor([1, 2, 4]);
    y.scatterAdd_(0, places([1, 2, 0]), y);
    expect(y.toArraySync()).toEqual([5, 3, 6]);
    const counts = places([1, 1, 0]);
    counts.scatterAdd_(0, counts, places([5, 5, 5]));
    expect(counts.toArraySync()).toEqual([6, 11, 0]);
  });

  test("gives gradients to both, and none to what was not read", () => {
    const a = tensor([1, 2, 3], { requiresGrad: true });
    const b = tensor([1, 2, 3], { requiresGrad: true });
    a.mul(1)
      .scatterAdd_(0, places([2, 2]), b)
      .mul(tensor([1, 10, 100]))
      .sum()
      .backward();
    expect(a.grad?.toArraySync()).toEqual([1, 10, 100]);
    expect(b.grad?.toArraySync()).toEqual([100, 100, 0]);
  });

  test("refuses to write to an expanded tensor", () => {
    expect(() =>
      zeros([1])
        .expand([3])
        .scatterAdd_(0, places([0]), zeros([1])),
    ).toThrow(
      new ShapeError(
        "scatterAdd_: got an expanded tensor of shape [3], in which several elements are one place in memory; " +
          "expected one place for each. Use .clone() first.",
      ),
    );
  });

  test("refuses to change a leaf that requires grad while recording", () => {
    const leaf = tensor([1, 2], { requiresGrad: true });
    expect(() => leaf.scatterAdd_(0, places([0]), tensor([1]))).toThrow(AutogradError);
    expect(leaf.toArraySync()).toEqual([1, 2]);
  });
});

describe("oneHot", () => {
  test("marks the class", () => {
    const y = places([1, 0, 2]).oneHot();
    expect(y.dtype).toBe("int32");
    expect(y.toArraySync()).toEqual([
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
    ]);
    expect(
      places([[1], [0]])
        .transpose(0, 1)
        .oneHot(2)
        .toArraySync(),
    ).toEqual([
      [
        [0, 1],
        [1, 0],
      ],
    ]);
    expect(places(1).oneHot(4).toArraySync()).toEqual([0, 1, 0, 0]);
  });
});

describe("indices out of range touch nothing", () => {
  const text = (where: string, index: number): string =>
    `${where}: got index ${index} on axis 1 of shape [2, 3]; expected 0 to 2. Indices do not count from the end here: correct the index.`;

  test.each([3, -1])("index %d", (wrong) => {
    const x = zeros([2, 3]);
    const index = places([[0, wrong]]);
    const src = zeros([1, 2]).add(1);
    expect(() => x.gather(1, index)).toThrow(new ShapeError(text("gather", wrong)));
    expect(() => x.scatterAdd(1, index, src)).toThrow(new ShapeError(text("scatterAdd", wrong)));
    expect(() => x.scatterAdd_(1, index, src)).toThrow(new ShapeError(text("scatterAdd_", wrong)));
    expect(x.toArraySync()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  test("a label that is no class", () => {
    expect(() => places([0, 3]).oneHot(3)).toThrow(
      new ArgumentError("oneHot: got label 3; expected 0 to 2. Correct the labels, or pass a larger numClasses."),
    );
    expect(() => places([0, -2]).oneHot()).toThrow(
      new ArgumentError("oneHot: got label -2; expected 0 or more. Correct the labels."),
    );
  });
});

describe("errors", () => {
  const smaller =
    "expected as many axes (one at least), none larger but the indexed one. Unsqueeze, expand or cut the index.";
  testRefusals([
    [
      "an index that is not int32",
      (z) => z(3).gather(0, z(2)),
      new DTypeError("gather: got an index of float32; expected int32. Cast it with .int() first."),
    ],
    [
      "an index with fewer axes",
      (z) => z(2, 3).gather(0, z("int32", 3)),
      new ShapeError(`gather: got an index of shape [3] for shape [2, 3] and axis 0; ${smaller}`),
    ],
    [
      "an index that is larger on another axis",
      (z) => z(2, 3).gather(0, z("int32", 2, 4)),
      new ShapeError(`gather: got an index of shape [2, 4] for shape [2, 3] and axis 0; ${smaller}`),
    ],
    [
      "a scalar",
      (z) => z().gather(0, z("int32")),
      new ShapeError(`gather: got an index of shape [] for shape [] and axis 0; ${smaller}`),
    ],
    [
      "an axis that is not there",
      (z) => z(3).gather(1, z("int32", 3)),
      new ShapeError(
        "gather: got axis 1; expected a whole number from -1 to 0 for 1 axes. Choose an axis in that range.",
      ),
    ],
    [
      "an index into nothing",
      (z) => z(0).gather(0, z("int32", 1)),
      new ShapeError(
        "gather: got index 0 on axis 0 of shape [0]; expected an axis with at least one place. Check for empty tensors first.",
      ),
    ],
    [
      "src of another dtype",
      (z) => z(3).scatterAdd(0, z("int32", 2), z("float64", 2)),
      new DTypeError(
        'scatterAdd: got src of float64 for a tensor of float32; expected the same dtype. Cast one with .to("float32").',
      ),
    ],
    [
      "an index that is larger than src",
      (z) => z(3).scatterAdd(0, z("int32", 3), z(2)),
      new ShapeError(
        "scatterAdd: got an index of shape [3] for src of shape [2]; expected an index that is no larger on any axis. " +
          "Cut the index, or give it the shape of src.",
      ),
    ],
    [
      "scatterAdd with an index larger than x",
      (z) => z(3, 1).scatterAdd(0, z("int32", 3, 2), z(3, 2)),
      new ShapeError(`scatterAdd: got an index of shape [3, 2] for shape [3, 1] and axis 0; ${smaller}`),
    ],
    [
      "labels that are not int32",
      (z) => z(3).oneHot(),
      new DTypeError("oneHot: got a tensor of float32; expected int32. Cast it with .int() first."),
    ],
    [
      "no classes",
      (z) => z("int32", 3).oneHot(0),
      new ArgumentError(
        "oneHot: got numClasses 0; expected a whole number of 1 or more, or -1 to infer it. Correct it.",
      ),
    ],
    [
      "classes counted by nothing",
      (z) => z("int32", 0).oneHot(),
      new ArgumentError(
        "oneHot: got an empty tensor of shape [0] and numClasses -1; expected elements to count the classes by. Pass numClasses.",
      ),
    ],
  ]);

  test("released tensors", () => {
    const x = arange(3);
    const index = places([0]);
    index.dispose();
    expect(() => x.gather(0, index)).toThrow(ReleasedTensorError);
    expect(() => x.scatterAdd(0, index, x)).toThrow(ReleasedTensorError);
    expect(() => index.oneHot()).toThrow(ReleasedTensorError);
  });
});
