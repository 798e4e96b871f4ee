/** Batch normalisation: what the golden values and gradient checks leave open. */
import { describe, expect, test, vi } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, AutogradError, DTypeError, ShapeError } from "../../../src/errors.js";
import { arange, full, ones, tensor, zeros } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import { batchNorm } from "../../../src/tensor/ops/normalization.js";
import { Generator } from "../../../src/tensor/random.js";
import { rand, randn } from "../../../src/tensor/randomTensors.js";
import { expectSameGradients } from "../../support/gradients.js";
import { type Refusal, testRefusals } from "../../support/refusals.js";

const training = { training: true };

const refusals: readonly Refusal[] = [
  [
    "an input without channels",
    (z) => batchNorm(z(3), null, null, null, null, training),
    new ShapeError(
      "batchNorm: got shape [3]; expected at least two axes, [N, C, …]. Add the missing one with .unsqueeze(0).",
    ),
  ],
  [
    "whole numbers",
    (z) => batchNorm(z("int32", 2, 3), null, null, null, null, training),
    new DTypeError("batchNorm: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
  ],
  [
    "one value per channel in training",
    (z) => batchNorm(z(1, 3), z(3), z(3), null, null, training),
    new ShapeError(
      "batchNorm: got 1 values per channel in training with shape [1, 3]; expected at least 2, which a variance takes. Use larger batches, or drop the last one of an epoch.",
    ),
  ],
  [
    "no running variance in evaluation",
    (z) => batchNorm(z(2, 3), z(3), null),
    new ArgumentError(
      "batchNorm: got no running variance outside of training; expected both. Pass them, or { training: true } to use those of the batch.",
    ),
  ],
  [
    "weights for other channels",
    (z) => batchNorm(z(2, 3, 4), z(3), z(3), z(4)),
    new ShapeError(
      "batchNorm: got weight of shape [4]; expected [3], one number per channel of [2, 3, 4]. Make the number of channels the same.",
    ),
  ],
  [
    "a bias of another dtype",
    (z) => batchNorm(z(2, 3), z(3), z(3), z(3), z("float64", 3)),
    new DTypeError(
      'batchNorm: got bias of float64 for an input of float32; expected one dtype. Cast one of them with .to("float32").',
    ),
  ],
  [
    "a momentum of NaN",
    (z) => batchNorm(z(2, 3), z(3), z(3), null, null, { training: true, momentum: Number.NaN }),
    new ArgumentError(
      "batchNorm: got momentum = NaN; expected a finite number. It is the batch's weight in the running statistics; use 0.1.",
    ),
  ],
  [
    "eps of 0 in training",
    (z) => batchNorm(z(2, 3), null, null, null, null, { training: true, eps: 0 }),
    new ArgumentError(
      "batchNorm: got eps = 0; expected more than 0 in training. It keeps the divisor away from 0; use 1e-5.",
    ),
  ],
];

describe("batchNorm", () => {
  testRefusals(refusals);

  test("training moves the running statistics, with the unbiased variance", () => {
    // PyTorch 2.13.0: F.batch_norm(x, mean, var, training=True, momentum=0.3), then a batch with the default momentum.
    const mean = tensor([1, -1]);
    const variance = tensor([2, 0.5]);
    const version = mean.storage.version;
    const first = tensor([
      [1, 2],
      [4, 8],
      [0, 5],
    ]);
    batchNorm(first, mean, variance, null, null, { training: true, momentum: 0.3 });
    expect(mean.dataSync()[0]).toBeCloseTo(1.2, 6);
    expect(mean.dataSync()[1]).toBeCloseTo(0.8, 6);
    expect(variance.dataSync()[0]).toBeCloseTo(2.7, 6);
    expect(variance.dataSync()[1]).toBeCloseTo(3.05, 6);
    expect(mean.storage.version).toBeGreaterThan(version);
    batchNorm(arange(12).reshape([2, 2, 3]).square(), mean, variance, null, null, training);
    expect(mean.dataSync()[0]).toBeCloseTo(3.6467, 4);
    expect(variance.dataSync()[1]).toBeCloseTo(233.0117, 3);
  });

  test("evaluation leaves the running statistics alone, and backward sees when they changed since", () => {
    const [mean, variance] = [zeros([2]), ones([2])];
    const x = randn([3, 2]).requiresGrad_();
    const out = batchNorm(x, mean, variance);
    expect(mean.toArraySync()).toEqual([0, 0]);
    expect(variance.toArraySync()).toEqual([1, 1]);
    batchNorm(x.detach(), mean, variance, null, null, training);
    expect(() => out.sum().backward()).toThrow(AutogradError);
  });

  test("the gradients that can be differentiated are those of the fused kernel", () => {
    const options = { dtype: "float64", generator: new Generator(1) } as const;
    const [x, weight, bias] = [randn([3, 2, 4], options), randn([2], options), randn([2], options)];
    const [mean, variance] = [randn([2], options), rand([2], options).add(0.5)];
    expectSameGradients((x, w, b) => batchNorm(x, null, null, w, b, { training: true, eps: 0.01 }), [x, weight, bias]);
    expectSameGradients((x, w, b) => batchNorm(x, mean, variance, w, b), [x, weight, bias]);
    expectSameGradients((x, b) => batchNorm(x, null, null, null, b, training), [x, bias]);
    expectSameGradients((x, w) => batchNorm(x, mean, variance, w), [x, weight]);
  });

  test("one kernel serves all three gradients", () => {
    const x = randn([4, 2]).requiresGrad_();
    const weight = ones([2]).requiresGrad_();
    const bias = zeros([2]).requiresGrad_();
    const kernel = vi.spyOn(x.kernels, "batchNormGrad");
    batchNorm(x, null, null, weight, bias, training).sum().backward();
    expect(kernel).toHaveBeenCalledOnce();
    kernel.mockRestore();
    expect(bias.grad?.toArraySync()).toEqual([4, 4]);
  });

  test("running statistics that share one place in memory are refused untouched", () => {
    const mean = zeros([1]);
    expect(() => batchNorm(ones([2, 3]), mean.expand([3]), ones([3]), null, null, training)).toThrow(
      new ShapeError(
        "batchNorm: got an expanded tensor of shape [3], in which several elements are one place in memory; expected one place for each. Use .clone() first.",
      ),
    );
    expect(mean.itemSync()).toBe(0);
  });

  test("a constant channel becomes the bias", () => {
    const out = batchNorm(full([3, 1], 7), null, null, tensor([2]), tensor([0.5]), training);
    expect(out.toArraySync()).toEqual([[0.5], [0.5], [0.5]]);
  });

  test("leaves nothing but its result in memory", () => {
    const x = randn([2, 4, 3]).transpose(1, 2);
    const [mean, variance, weight] = [zeros([3]), ones([3]), ones([3]).requiresGrad_()];
    const before = memoryStats().tensors;
    for (const options of [training, {}]) {
      const out = batchNorm(x, mean, variance, null, null, options);
      expect(memoryStats().tensors - before).toBe(1);
      out.dispose();
      batchNorm(x, mean, variance, weight, null, options).sum().backward();
      weight.spent?.giveBack("in a test");
      weight.grad?.dispose();
      weight.grad = null;
      expect(memoryStats().tensors).toBe(before);
    }
  });
});
