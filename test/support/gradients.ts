/** Two ways to one gradient, compared: the fused kernels, and the formulas that run when gradients are differentiated. */
import { expect } from "vitest";
import { grad } from "../../src/tensor/backward.js";
import { Generator } from "../../src/tensor/random.js";
import { randn } from "../../src/tensor/randomTensors.js";
import type { Tensor } from "../../src/tensor/tensor.js";

/** Expects the same gradients of `fn` with `createGraph` and without, to the rounding of float64. */
export function expectSameGradients(fn: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): void {
  const leaves = inputs.map((input) => input.detach().requiresGrad_());
  const seed = randn(fn(...leaves).shape, { dtype: "float64", generator: new Generator(5) });
  const [fused, composed] = [false, true].map((createGraph) =>
    grad(fn(...leaves), leaves, { gradOutputs: seed, createGraph }),
  );
  leaves.forEach((_, index) => {
    const expected = fused?.[index]?.dataSync() ?? [];
    expect(expected.length).toBeGreaterThan(0);
    composed?.[index]?.dataSync().forEach((value, position) => {
      expect(value).toBeCloseTo(expected[position] ?? Number.NaN, 12);
    });
  });
  expect(composed?.some((gradient) => gradient?.requiresGrad)).toBe(true);
}
