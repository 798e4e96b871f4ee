import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "../../support/strictKernels.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, AutogradError, ReleasedTensorError, ShapeError } from "../../../src/errors.js";
import { tensor } from "../../../src/tensor/create.js";
import { flatten, squeeze } from "../../../src/tensor/ops/index.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import { testRefusals } from "../../support/refusals.js";

function counting(...shape: number[]): Tensor {
  const count = shape.reduce((product, extent) => product * extent, 1);
  return tensor(
    Float32Array.from({ length: count }, (_, i) => i),
    { shape },
  );
}

/** Whether a change of `x` shows in `y`. */
function shares(x: Tensor, y: Tensor): boolean {
  const before = String(y.dataSync());
  x.add_(100);
  const seen = String(y.dataSync()) !== before;
  x.sub_(100);
  return seen;
}

describe("views", () => {
  test.each<[string, (x: Tensor) => Tensor]>([
    ["view", (x) => x.view([6])],
    ["reshape where strides allow it", (x) => x.transpose(0, 1).reshape([3, 1, 2])],
    ["flatten of a dense tensor", (x) => x.flatten()],
    ["permute", (x) => x.permute([1, 0])],
    ["transpose", (x) => x.transpose(0, 1)],
    ["squeeze", (x) => x.squeeze()],
    ["unsqueeze", (x) => x.unsqueeze(0)],
    ["detach", (x) => x.detach()],
  ])("%s shares storage", (_, view) => {
    const x = counting(2, 3);
    expect(shares(x, view(x))).toBe(true);
  });

  test.each<[string, (x: Tensor) => Tensor]>([
    ["clone", (x) => x.clone()],
    ["contiguous of a transposed tensor", (x) => x.transpose(0, 1).contiguous()],
    ["reshape where strides do not allow it", (x) => x.transpose(0, 1).reshape([6])],
  ])("%s has storage of its own", (_, copy) => {
    const x = counting(2, 3);
    expect(shares(x, copy(x))).toBe(false);
  });

  test("contiguous is the tensor itself where it can be", () => {
    const x = counting(2, 3);
    expect(x.contiguous()).toBe(x);
    expect(x.transpose(0, 1).isContiguous()).toBe(false);
    expect(x.transpose(0, 1).contiguous().isContiguous()).toBe(true);
  });

  test("outlive the handle of their base", () => {
    const x = counting(2, 3);
    const y = x.transpose(0, 1);
    x.dispose();
    expect(y.toArraySync()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
  });

  test("squeeze gives another handle even where nothing changes", () => {
    const x = counting(2, 3);
    const y = squeeze(x);
    expect(y).not.toBe(x);
    expect(y.shape).toEqual([2, 3]);
    y.dispose();
    expect(x.isReleased).toBe(false);
  });
});

test("reshape keeps the elements in order whatever the strides", () => {
  const extents = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(extents, fc.array(fc.nat(), { minLength: 4, maxLength: 4 }), fc.nat(), (shape, keys, cut) => {
      const order = shape.map((_, axis) => axis).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
      const x = counting(...shape).permute(order);
      const split = cut % (x.ndim + 1);
      const target = [-1, ...x.shape.slice(split), 1];
      const y = x.reshape(target);
      expect(y.shape.slice(1)).toEqual(target.slice(1));
      expect(y.dataSync()).toEqual(x.dataSync());
    }),
  );
});

test("permute reads element [i, j, k] at its own place", () => {
  const y = counting(2, 3, 4).permute([2, 0, 1]);
  expect(y.shape).toEqual([4, 2, 3]);
  expect(y.strides).toEqual([1, 12, 4]);
  expect(y.slice(3, 1, 2).itemSync()).toBe(23);
});

describe("squeeze and unsqueeze", () => {
  test.each<[string, (x: Tensor) => Tensor, number[]]>([
    ["squeeze all", (x) => x.squeeze(), [3]],
    ["squeeze one", (x) => x.squeeze(0), [3, 1]],
    ["squeeze several", (x) => x.squeeze([0, -1]), [3]],
    ["squeeze what is not 1", (x) => x.squeeze(1), [1, 3, 1]],
    ["unsqueeze in front", (x) => x.unsqueeze(0), [1, 1, 3, 1]],
    ["unsqueeze behind", (x) => x.unsqueeze(-1), [1, 3, 1, 1]],
    ["unsqueeze from the end", (x) => x.unsqueeze(-4), [1, 1, 3, 1]],
  ])("%s", (_, op, shape) => {
    expect(op(counting(1, 3, 1)).shape).toEqual(shape);
  });
});

describe("gradients", () => {
  test("of views add up in the base", () => {
    const x = tensor([1, 2, 3, 4], { requiresGrad: true });
    const y = x.view([2, 2]);
    y.transpose(0, 1).mul(y).sum().backward();
    expect(x.grad?.toArraySync()).toEqual([2, 6, 4, 8]);
  });

  test("do not pass detach", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    x.detach().mul(3).add(x).sum().backward();
    expect(x.grad?.toArraySync()).toEqual([1, 1]);
    expect(x.detach().requiresGrad).toBe(false);
  });

  test("a view taken before a recorded in-place change is refused", () => {
    const x = tensor([1, 2], { requiresGrad: true }).mul(1);
    const y = x.view([2, 1]);
    x.mul_(2);
    expect(() => y.mul(1)).toThrow(AutogradError);
  });
});

describe("errors", () => {
  const order = "expected an array with each of its 2 axes once. Name every axis.";
  testRefusals([
    [
      "reshape to another count",
      (z) => z(2, 3).reshape([4, -1]),
      new ShapeError(
        "reshape: got shape [4, -1] for 6 elements; expected a shape of just as many. Correct the extents, or leave one as -1.",
      ),
    ],
    [
      "reshape to what is no array",
      (z) => z(6).reshape(6 as unknown as number[]),
      new ShapeError("reshape: got shape 6; expected an array of extents. Write [6]."),
    ],
    [
      "permute with an axis twice",
      (z) => z(2, 3).permute([1, -1]),
      new ShapeError(`permute: got axes [1,-1] for shape [2, 3]; ${order}`),
    ],
    [
      "permute with an axis left out",
      (z) => z(2, 3).permute([0]),
      new ShapeError(`permute: got axes [0] for shape [2, 3]; ${order}`),
    ],
    [
      "permute with what is no array",
      (z) => z(2, 3).permute(1 as unknown as number[]),
      new ShapeError(`permute: got axes [1] for shape [2, 3]; ${order}`),
    ],
    [
      "transpose out of range",
      (z) => z(2, 3).transpose(0, 2),
      new ShapeError(
        "transpose: got axis 2; expected a whole number from -2 to 1 for 2 axes. Choose an axis in that range.",
      ),
    ],
    [
      "unsqueeze out of range",
      (z) => z(2).unsqueeze(3),
      new ShapeError(
        "unsqueeze: got axis 3; expected a whole number from -2 to 1 for 2 axes. Choose an axis in that range.",
      ),
    ],
    [
      "squeeze with an axis twice",
      (z) => z(1, 1).squeeze([0, -2]),
      new ShapeError("squeeze: got axes [0,-2]; expected each axis once. Remove the repeated axis."),
    ],
    [
      "flatten out of order",
      (z) => z(2, 3).flatten(1, 0),
      new ShapeError("flatten: got axes 1 to 0; expected the first before the last. Swap them."),
    ],
    [
      "what is no tensor",
      () => flatten([1, 2] as unknown as Tensor),
      new ArgumentError("flatten: got Array; expected a tensor. Make one with tensor(…)."),
    ],
  ]);

  test("refuses a view with strides that cannot carry it", () => {
    expect(() => counting(3, 3).transpose(0, 1).view([9])).toThrow(
      new ShapeError(
        "view: got shape [9] for a tensor of shape [3, 3] and strides [1, 3]; " +
          "expected a shape that these strides can carry without a copy. Use .reshape(), or .contiguous() before .view().",
      ),
    );
  });

  test.each<[string, (x: Tensor) => unknown]>([
    ["clone", (x) => x.clone()],
    ["contiguous", (x) => x.contiguous()],
    ["detach", (x) => x.detach()],
    ["view", (x) => x.view([6])],
    ["reshape", (x) => x.reshape([6])],
    ["flatten", (x) => x.flatten()],
    ["permute", (x) => x.permute([1, 0])],
    ["transpose", (x) => x.transpose(0, 1)],
    ["squeeze", (x) => x.squeeze()],
    ["unsqueeze", (x) => x.unsqueeze(0)],
  ])("%s refuses a released tensor", (_, op) => {
    const x = counting(2, 3);
    x.dispose();
    expect(() => op(x)).toThrow(ReleasedTensorError);
  });
});
