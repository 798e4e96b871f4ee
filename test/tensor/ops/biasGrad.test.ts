/** The bias' gradient, which comes out of the kernel for the weight's gradient where both are wanted. */
import { describe, expect, test } from "vitest";
import { grad, manualSeed, randn, type Tensor, type TensorOptions, tensor } from "../../../src/index.js";

const leaf: TensorOptions = { requiresGrad: true };

/** For each filter, the sum of the gradient of five outputs in double precision. */
function sums(values: Float32Array, channels: number): number[] {
  const totals = new Array<number>(channels).fill(0);
  const places = values.length / (channels * 5);
  for (const [i, value] of values.entries()) {
    const channel = Math.floor(i / places) % channels;
    totals[channel] = (totals[channel] ?? 0) + value;
  }
  return totals;
}

function expectNear(got: Tensor | null, wanted: readonly number[]): void {
  const values = got?.toArraySync() as number[];
  expect(values).toHaveLength(wanted.length);
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(wanted[i] ?? Number.NaN, 4);
}

// Direct, Winograd, columns, and one that cuts the kernel's road in groups.
const layers = [
  { name: "few channels", x: [5, 2, 9, 9], weight: [3, 2, 3, 3], groups: 1 },
  { name: "3x3 with more channels", x: [5, 8, 12, 12], weight: [8, 8, 3, 3], groups: 1 },
  { name: "narrow rows with many weights", x: [5, 64, 5, 5], weight: [64, 64, 4, 4], groups: 1 },
  { name: "groups", x: [5, 6, 9, 7], weight: [9, 2, 3, 2], groups: 3 },
] as const;

describe.each(layers)("the gradient of a convolution's bias: $name", ({ x: xShape, weight: weightShape, groups }) => {
  const make = () => {
    manualSeed(1);
    const filters = weightShape[0];
    return { x: randn(xShape), weight: randn(weightShape, leaf), bias: randn([filters], leaf), filters };
  };

  test("is the sum of the output's gradient, whoever asks for what", () => {
    const { x, weight, bias, filters } = make();
    const out = () => x.conv2d(weight, bias, { groups });
    const g = randn(out().shape);
    const wanted = sums(g.dataSync() as Float32Array, filters);
    out().backward(g);
    expectNear(bias.grad, wanted);
    const weightGrad = weight.grad?.dataSync();
    const options = { gradOutputs: g };
    expectNear(grad(out(), [bias], options)[0] ?? null, wanted);
    expect(grad(out(), [weight], options)[0]?.dataSync()).toEqual(weightGrad);
    expectNear(grad(out(), [weight, bias], { ...options, createGraph: true })[1] ?? null, wanted);
    weight.requiresGrad_(false);
    bias.grad = null;
    out().backward(g);
    expectNear(bias.grad, wanted);
  });

  test("a bias without gradient gets none", () => {
    const { x, weight, bias } = make();
    bias.requiresGrad_(false);
    x.conv2d(weight, bias, { groups }).sum().backward();
    expect(bias.grad).toBeNull();
    expect(weight.grad).not.toBeNull();
  });
});

test("sums of 600,000 keep their digits", () => {
  const x = tensor(new Float32Array(1000 * 26 * 26), { shape: [1000, 1, 26, 26] });
  const weight = randn([3, 1, 3, 3], leaf);
  const bias = randn([3], leaf);
  const out = x.conv2d(weight, bias);
  const values = Float32Array.from({ length: out.numel() }, (_, i) => 0.1 + (i % 7) * 1e-3);
  let exact = 0;
  for (let n = 0; n < 1000; n++) for (let i = 0; i < 576; i++) exact += values[n * 3 * 576 + i] ?? 0;
  out.backward(tensor(values, { shape: out.shape }));
  const [first = 0] = bias.grad?.dataSync() ?? [];
  expect(Math.abs(Number(first) - exact) / exact).toBeLessThan(5e-7);
});
