/** Softmax: what the golden values and gradient checks leave open. */
import { describe, expect, test, vi } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { DTypeError, ShapeError } from "../../../src/errors.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import { logSoftmax, softmax } from "../../../src/tensor/ops/softmax.js";
import { Generator } from "../../../src/tensor/random.js";
import { randn } from "../../../src/tensor/randomTensors.js";
import { expectSameGradients } from "../../support/gradients.js";
import { type Refusal, testRefusals } from "../../support/refusals.js";

const refusals: readonly Refusal[] = [
  [
    "whole numbers",
    (z) => softmax(z("int32", 3), 0),
    new DTypeError("softmax: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
  ],
  [
    "an axis that is not there",
    (z) => logSoftmax(z(2, 3), 2),
    new ShapeError(
      "logSoftmax: got axis 2; expected a whole number from -2 to 1 for 2 axes. Choose an axis in that range.",
    ),
  ],
];

const double = (seed: number) => ({ dtype: "float64", generator: new Generator(seed) }) as const;

describe("softmax and logSoftmax", () => {
  testRefusals(refusals);

  test.each([softmax, logSoftmax])("the gradient that can be differentiated is that of the fused kernel: %s", (op) => {
    expectSameGradients((x) => op(x, 1), [randn([3, 4], double(1))]);
    expectSameGradients((x) => op(x, 0), [randn([3, 4], double(2))]);
  });

  test("along the last axis of a dense tensor nothing is copied", () => {
    const x = randn([3, 4]).requiresGrad_();
    const copy = vi.spyOn(x.kernels, "copy");
    logSoftmax(x, -1).backward(randn([3, 4]));
    expect(copy).not.toHaveBeenCalled();
    softmax(x, 0);
    expect(copy).toHaveBeenCalledOnce();
    copy.mockRestore();
  });

  test("leave nothing but their result in memory", () => {
    const x = randn([2, 3, 4]);
    const before = memoryStats().tensors;
    const out = softmax(x, 1);
    expect(out.shape).toEqual([2, 3, 4]);
    expect(memoryStats().tensors - before).toBe(1);
    out.dispose();
    expect(memoryStats().tensors).toBe(before);
  });
});
