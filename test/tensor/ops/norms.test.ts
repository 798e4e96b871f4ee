/** Norms within a sample: what the golden values and gradient checks leave open. */
import { describe, expect, test } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ShapeError } from "../../../src/errors.js";
import { ones, tensor, zeros } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import { rand, randn } from "../../../src/tensor/randomTensors.js";
import { testRefusals } from "../../support/refusals.js";

describe("statistics", () => {
  test("a sample's norm does not depend on the others", () => {
    const x = randn([4, 6, 5]);
    const alone = x.narrow(0, 2, 1);
    for (const norm of [
      (of: typeof x) => of.layerNorm([6, 5]),
      (of: typeof x) => of.groupNorm(3),
      (of: typeof x) => of.instanceNorm(),
    ]) {
      const [whole, part] = [norm(x).narrow(0, 2, 1).dataSync(), norm(alone).dataSync()];
      whole.forEach((value, position) => {
        expect(value).toBeCloseTo(part[position] ?? Number.NaN, 5);
      });
    }
  });

  test("groups of all channels are a layer norm, groups of one an instance norm", () => {
    const x = rand([3, 4, 6]);
    const same = (a: typeof x, b: typeof x) => expect(a.sub(b).abs().max().itemSync()).toBeLessThan(1e-5);
    same(x.groupNorm(1), x.layerNorm([4, 6]));
    same(x.groupNorm(4), x.instanceNorm());
  });

  test("equal values give the bias", () => {
    expect(
      ones([2, 3])
        .layerNorm(3, ones([3]), tensor([1, 2, 3]))
        .toArraySync(),
    ).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(ones([1, 2, 2]).groupNorm(1).toArraySync()).toEqual([
      [
        [0, 0],
        [0, 0],
      ],
    ]);
  });

  test("running statistics of an instance norm become the mean over the batch", () => {
    // Means 1, 2 and 3, 4; unbiased variances 2, 8 and 0, 2.
    const x = tensor([
      [
        [0, 2],
        [0, 4],
      ],
      [
        [3, 3],
        [3, 5],
      ],
    ]);
    const [mean, variance] = [zeros([2]), ones([2])];
    x.instanceNorm(mean, variance, null, null, { momentum: 0.5 });
    expect(mean.toArraySync()).toEqual([1, 1.5]);
    expect(variance.toArraySync()).toEqual([1, 3]);
    x.instanceNorm(mean, variance, null, null, { useInputStats: false });
    expect(mean.toArraySync()).toEqual([1, 1.5]);
  });
});

test("a step leaves nothing behind but its gradients", () => {
  const [x, w, b] = [randn([2, 4, 8]), ones([4]), zeros([4])].map((leaf) => leaf.requiresGrad_());
  const step = () => {
    for (const leaf of [x, w, b]) leaf?.clearGrad("in a test");
    x?.groupNorm(2, w, b).square().sum().backward();
  };
  step();
  const { tensors } = memoryStats();
  for (let i = 0; i < 3; i++) step();
  expect(memoryStats().tensors).toBe(tensors);
});

describe("errors", () => {
  testRefusals([
    [
      "other last axes",
      (z) => z(2, 3, 4).layerNorm([3]),
      new ShapeError(
        "layerNorm: got an input of shape [2, 3, 4] for normalizedShape [3]; expected its last axes to be of that shape. Correct normalizedShape, or reshape the input.",
      ),
    ],
    [
      "no axes to normalize over",
      (z) => z(2, 3).layerNorm([]),
      new ShapeError(
        "layerNorm: got an input of shape [2, 3] for normalizedShape []; expected its last axes to be of that shape. Correct normalizedShape, or reshape the input.",
      ),
    ],
    [
      "a weight of another shape",
      (z) => z(2, 3).layerNorm(3, z(2)),
      new ShapeError(
        "layerNorm: got weight of shape [2] for an input of shape [2, 3]; expected [3]. Correct the shape of weight.",
      ),
    ],
    [
      "a bias of another dtype",
      (z) => z(2, 3).layerNorm(3, z(3), z("float64", 3)),
      new DTypeError(
        'layerNorm: got bias of float64 for an input of float32; expected one dtype. Cast one of them with .to("float32").',
      ),
    ],
    [
      "whole numbers",
      (z) => z("int32", 2, 3).layerNorm(3),
      new DTypeError("layerNorm: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
    ],
    [
      "an eps of 0",
      (z) => z(2, 3).groupNorm(1, null, null, { eps: 0 }),
      new ArgumentError("groupNorm: got eps = 0; expected more than 0. It keeps the divisor away from 0; use 1e-5."),
    ],
    [
      "groups that do not divide the channels",
      (z) => z(2, 3).groupNorm(2),
      new ArgumentError(
        "groupNorm: got numGroups = 2 for 3 channels; expected a whole number of 1 or more that divides them. Correct numGroups.",
      ),
    ],
    [
      "no channels",
      (z) => z(3).groupNorm(1),
      new ShapeError(
        "groupNorm: got shape [3]; expected at least two axes, [N, C, …]. Add the missing one with .unsqueeze(0).",
      ),
    ],
    [
      "nothing beside the channels",
      (z) => z(2, 3).instanceNorm(),
      new ShapeError(
        "instanceNorm: got shape [2, 3]; expected at least three axes, [N, C, …]. Add the batch with .unsqueeze(0).",
      ),
    ],
    [
      "one value per channel",
      (z) => z(2, 3, 1, 1).instanceNorm(),
      new ShapeError(
        "instanceNorm: got 1 values per channel with shape [2, 3, 1, 1]; expected at least 2, which a variance takes. Use larger inputs, or groupNorm over several channels.",
      ),
    ],
    [
      "running statistics that are not there",
      (z) => z(2, 3, 4).instanceNorm(z(3), null, null, null, { useInputStats: false }),
      new ArgumentError(
        "instanceNorm: got useInputStats false without running statistics; expected both of them. Pass runningMean and runningVar.",
      ),
    ],
    [
      "a running mean of other channels",
      (z) => z(2, 3, 4).instanceNorm(z(4)),
      new ShapeError(
        "instanceNorm: got runningMean of shape [4] for an input of shape [2, 3, 4]; expected [3]. Correct the shape of runningMean.",
      ),
    ],
    [
      "a momentum of NaN",
      (z) => z(2, 3, 4).instanceNorm(null, null, null, null, { momentum: Number.NaN }),
      new ArgumentError(
        "instanceNorm: got momentum = NaN; expected a finite number. It is the batch's weight in the running statistics; use 0.1.",
      ),
    ],
  ]);
});

test("a layer norm of many rows, which go through in stretches, gives what few give, and adds all of them up", () => {
  const [x, g] = [randn([3000, 40]).requiresGrad_(), randn([3000, 40])];
  const [w, b] = [randn([40]).requiresGrad_(), randn([40]).requiresGrad_()];
  const y = x.layerNorm(40, w, b);
  y.backward(g);
  const few = x.detach().narrow(0, 810, 20).clone().requiresGrad_();
  const z = few.layerNorm(40, w.detach(), b.detach());
  z.backward(g.narrow(0, 810, 20));
  expect(y.narrow(0, 810, 20).dataSync()).toEqual(z.dataSync());
  expect(x.grad?.narrow(0, 810, 20).dataSync()).toEqual(few.grad?.dataSync());
  const normalized = x.detach().layerNorm(40);
  const near = (a: typeof x | null, of: typeof x) => {
    expect(a?.sub(of).abs().max().itemSync()).toBeLessThan(1e-3);
  };
  near(w.grad, normalized.mul(g).sum(0));
  near(b.grad, g.sum(0));
});
