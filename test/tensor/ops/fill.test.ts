import { describe, expect, it } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, AutogradError, DTypeError, ShapeError, type TapegradError } from "../../../src/errors.js";
import { arange, ones, tensor, zeros } from "../../../src/tensor/create.js";
import { defaultGenerator } from "../../../src/tensor/random.js";
import { noGrad } from "../../../src/tensor/scopes.js";
import type { Tensor } from "../../../src/tensor/tensor.js";

// That random fills give PyTorch's numbers is tested in ../randomTensors.test.ts.

describe("fills in place", () => {
  it("write every element, and return the tensor", () => {
    const x = ones([2, 2]);
    expect(x.fill_(2.5)).toBe(x);
    expect(x.toArraySync()).toEqual([
      [2.5, 2.5],
      [2.5, 2.5],
    ]);
    expect(x.zero_()).toBe(x);
    expect(x.toArraySync()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it("write what the dtype makes of a value", () => {
    expect(zeros([2], { dtype: "bool" }).fill_(256).toArraySync()).toEqual([true, true]);
    expect(zeros([2], { dtype: "int32" }).fill_(true).toArraySync()).toEqual([1, 1]);
    expect(ones([2], { dtype: "bool" }).zero_().dataSync()).toEqual(new Uint8Array(2));
  });

  it("write views through to their base", () => {
    const x = zeros([2, 3]);
    x.select(1, 1).fill_(7);
    x.transpose(0, 1)
      .select(0, 2)
      .copy_(tensor([1, 2]));
    expect(x.toArraySync()).toEqual([
      [0, 7, 1],
      [0, 7, 2],
    ]);
    x.select(0, 1).uniform_(5, 6);
    expect(x.toArraySync()).toEqual([[0, 7, 1], expect.any(Array)]);
    expect(x.select(0, 1).amin().itemSync()).toBeGreaterThanOrEqual(5);
  });

  it("count as a change", () => {
    const x = ones([2]);
    const changes: ((x: Tensor) => Tensor)[] = [
      (x) => x.fill_(1),
      (x) => x.zero_(),
      (x) => x.copy_(ones([2])),
      (x) => x.uniform_(),
      (x) => x.normal_(),
      (x) => x.bernoulli_(),
    ];
    changes.forEach((change, index) => {
      change(x);
      expect(x.storage.version).toBe(index + 1);
    });
  });

  it("are found out where the old elements were saved", () => {
    const w = ones([2]).requiresGrad_();
    const x = w.mul(1);
    const y = x.square().sum();
    noGrad(() => x.fill_(3));
    expect(() => y.backward()).toThrow(AutogradError);
  });

  it("give the gradient of what they overwrite as 0", () => {
    const w = ones([2]).requiresGrad_();
    w.mul(2).fill_(3).sum().backward();
    expect(w.grad?.toArraySync()).toEqual([0, 0]);
  });

  it("take a leaf that requires grad inside noGrad", () => {
    const w = zeros([2], { requiresGrad: true });
    noGrad(() => w.fill_(4));
    expect([w.toArraySync(), w.requiresGrad, w.isLeaf]).toEqual([[4, 4], true, true]);
  });

  it("fill nothing", () => {
    for (const x of [zeros([0]), zeros([2, 0]).transpose(0, 1)]) {
      x.fill_(1)
        .uniform_()
        .normal_()
        .bernoulli_()
        .copy_(ones([1]));
      expect(x.numel()).toBe(0);
    }
  });
});

describe("copy_", () => {
  it("casts and broadcasts", () => {
    const x = zeros([2, 3], { dtype: "int32" });
    expect(x.copy_(tensor([1.9, -1.9, 5]))).toBe(x);
    expect(x.toArraySync()).toEqual([
      [1, -1, 5],
      [1, -1, 5],
    ]);
    expect(
      zeros([2])
        .copy_(tensor([true, false]))
        .toArraySync(),
    ).toEqual([1, 0]);
  });

  it("reads what it overwrites", () => {
    const x = arange(6).reshape([2, 3]);
    x.copy_(x.flip(1));
    const square = arange(4).reshape([2, 2]);
    square.copy_(square.transpose(0, 1));
    expect(square.toArraySync()).toEqual([
      [0, 2],
      [1, 3],
    ]);
    const row = arange(4);
    row.narrow(0, 1, 3).copy_(row.narrow(0, 0, 3));
    expect(row.toArraySync()).toEqual([0, 0, 1, 2]);
  });

  it("hands the gradient on to its source, in the source's shape and dtype", () => {
    const source = tensor([3], { dtype: "float64", requiresGrad: true });
    const w = ones([2, 2]).requiresGrad_();
    const x = w.mul(2).copy_(source);
    expect(String(x)).toContain("gradFn=<copy_>");
    x.mul(tensor([1, 2]))
      .sum()
      .backward();
    expect(source.grad?.toArraySync()).toEqual([6]);
    expect(source.grad?.dtype).toBe("float64");
    expect(w.grad?.toArraySync()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it("puts a tensor without history on the tape", () => {
    const source = tensor([3, 4], { requiresGrad: true });
    const x = zeros([2]);
    x.copy_(source);
    expect([x.requiresGrad, x.isLeaf]).toEqual([true, false]);
    const whole = zeros([2], { dtype: "int32" });
    whole.copy_(source);
    expect(whole.requiresGrad).toBe(false);
  });
});

describe("bernoulli", () => {
  it("is 1 with the probability in each place", () => {
    const p = tensor([0, 1, 0.25]).expand([4000, 3]);
    const share = p.bernoulli().mean(0).toArraySync() as number[];
    expect(share.slice(0, 2)).toEqual([0, 1]);
    expect(share[2]).toBeCloseTo(0.25, 1);
    expect(p.bernoulli().dtype).toBe("float32");
  });

  it("passes a gradient of 0", () => {
    const p = tensor([0.5, 0.5], { requiresGrad: true });
    p.bernoulli().sum().backward();
    expect(p.grad?.toArraySync()).toEqual([0, 0]);
  });
});

describe("refusals", () => {
  it.each<[string, (x: Tensor) => unknown, TapegradError]>([
    [
      "a fraction for int32",
      () => zeros([2], { dtype: "int32" }).fill_(0.5),
      new DTypeError(
        "fill_: got 0.5; expected whole numbers from -2147483648 to 2147483647 for int32. Round it, or use another dtype.",
      ),
    ],
    [
      "a tensor as the value",
      (x) => x.fill_(x as never),
      new ArgumentError(
        "fill_: got a Tensor as the value; expected a number or a boolean. Convert it, or use copy_ for a tensor.",
      ),
    ],
    [
      "a source that does not fit",
      (x) => x.copy_(zeros([3])),
      new ShapeError(
        "copy_: got shapes [2] and [3]; expected shapes that broadcast, that is, extents that are equal or 1 counting from the last axis. Reshape or unsqueeze one of them.",
      ),
    ],
    [
      "a source of more axes",
      (x) => x.copy_(zeros([1, 2])),
      new ShapeError(
        "copy_: got shape [1, 2] to put into [2]; expected a shape that broadcasts to it. Reshape the source.",
      ),
    ],
    [
      "a source that would stretch the target",
      () => ones([1]).copy_(zeros([2])),
      new ShapeError(
        "copy_: got shape [2] to put into [1]; expected a shape that broadcasts to it. Reshape the source.",
      ),
    ],
    [
      "a source that is a number",
      (x) => x.copy_(1 as never),
      new ArgumentError("copy_: got 1; expected a tensor. Make one with tensor(…)."),
    ],
    [
      "an expanded tensor",
      () => zeros([1]).expand([2]).fill_(1),
      new ShapeError(
        "fill_: got an expanded tensor of shape [2], in which several elements are one place in memory; expected one place for each. Use .clone() first.",
      ),
    ],
    [
      "a leaf that requires grad",
      () => zeros([2], { requiresGrad: true }).uniform_(),
      new AutogradError(
        "uniform_: got a leaf that requires grad; expected a tensor whose old values no gradient needs. Change it inside noGrad(() => …), or use the form without underscore.",
      ),
    ],
    [
      "normal numbers for int32",
      () => zeros([2], { dtype: "int32" }).normal_(),
      new DTypeError("normal_: got int32; expected float32 or float64. Use randint for whole numbers."),
    ],
    [
      "a negative standard deviation",
      (x) => x.normal_(0, -1),
      new ArgumentError(
        "normal: got mean = 0 and std = -1; expected both finite in float32 and std >= 0. std is the standard deviation, in the units of mean.",
      ),
    ],
    [
      "a standard deviation of NaN, for nothing",
      () => zeros([0]).transpose(0, 0).normal_(0, Number.NaN),
      new ArgumentError(
        "normal: got mean = 0 and std = NaN; expected both finite in float32 and std >= 0. std is the standard deviation, in the units of mean.",
      ),
    ],
    [
      "a probability of 2",
      (x) => x.bernoulli_(2),
      new ArgumentError("bernoulli: got p = 2; expected 0 <= p <= 1. p is the probability of a one."),
    ],
    [
      "probabilities beyond 1",
      () => tensor([0.5, 1.5]).bernoulli(),
      new ArgumentError(
        "bernoulli: got 1.5 as element 1; expected probabilities from 0 to 1. Use sigmoid or clamp first.",
      ),
    ],
    [
      "probabilities of NaN",
      () => tensor([Number.NaN]).bernoulli(),
      new ArgumentError(
        "bernoulli: got NaN as element 0; expected probabilities from 0 to 1. Use sigmoid or clamp first.",
      ),
    ],
    [
      "whole probabilities",
      () => tensor([1], { dtype: "int32" }).bernoulli(),
      new DTypeError("bernoulli: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
    ],
  ])("%s", (_, call, error) => {
    const x = ones([2]);
    const before = defaultGenerator.getState();
    expect(() => call(x)).toThrow(error);
    expect(x.toArraySync()).toEqual([1, 1]);
    expect(x.storage.version).toBe(0);
    expect(defaultGenerator.getState()).toEqual(before);
  });
});
