/** Activations and elementary functions: what the golden values and gradient checks leave open. */
import { describe, expect, test } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { ArgumentError, DTypeError, ShapeError } from "../../../src/errors.js";
import { tensor } from "../../../src/tensor/create.js";
import { memoryStats } from "../../../src/tensor/memory.js";
import type { GeluOptions } from "../../../src/tensor/ops/smoothActivations.js";
import { randn } from "../../../src/tensor/randomTensors.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import { testRefusals } from "../../support/refusals.js";

describe("float32 on the CPU", () => {
  test("erf is exact to a few units in the last place, and never beyond 1", () => {
    const x = tensor(Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) / 400));
    const [narrow, wide] = [x.erf().dataSync(), x.double().erf().dataSync()];
    narrow.forEach((value, i) => {
      const exact = wide[i] ?? Number.NaN;
      expect(Math.abs(value - exact)).toBeLessThanOrEqual(5e-7 * Math.abs(exact));
      expect(Math.abs(value)).toBeLessThanOrEqual(1);
    });
  });

  test("small arguments keep their digits", () => {
    const x = tensor([1e-8, -1e-6, 3e-4]);
    const expected = [1e-8, -1e-6, 3e-4];
    for (const [op, exact] of [
      ["log1p", Math.log1p],
      ["expm1", Math.expm1],
    ] as const) {
      x[op]()
        .dataSync()
        .forEach((value, i) => {
          const wanted = exact(expected[i] ?? Number.NaN);
          expect(Math.abs(value / wanted - 1)).toBeLessThan(5e-7);
        });
    }
  });

  test("far out nothing overflows, forward and backward", () => {
    const x = tensor([-1e30, -200, 200, 1e30]).requiresGrad_();
    for (const op of ["gelu", "silu", "mish", "softplus", "elu", "logSigmoid", "hardswish", "selu", "celu"] as const) {
      x.clearGrad("in a test");
      const y = x[op]();
      expect(
        y.dataSync().every((value) => !Number.isNaN(value)),
        op,
      ).toBe(true);
      y.sum().backward();
      expect(
        x.grad?.dataSync().every((value) => Number.isFinite(value)),
        op,
      ).toBe(true);
    }
  });
});

test.each<[string, (x: Tensor) => Tensor]>([
  ["kernels", (x) => x.gelu().silu().mish().elu().softplus().logSigmoid().hardswish()],
  ["other ops", (x) => x.selu().celu(2).softsign().tanhshrink().hardshrink().softshrink().threshold(0, 1).glu()],
])("temporaries are given back: activations made of %s", (_, activate) => {
  const x = randn([4000]).requiresGrad_();
  const step = () => {
    x.clearGrad("in a test");
    activate(x).sum().backward();
  };
  step();
  const { tensors } = memoryStats();
  for (let i = 0; i < 3; i++) step();
  expect(memoryStats().tensors).toBe(tensors);
});

describe("errors", () => {
  testRefusals([
    [
      "another approximation",
      (z) => z(2).gelu({ approximate: "sigmoid" } as unknown as GeluOptions),
      new ArgumentError('gelu: got approximate = "sigmoid"; expected "none" or "tanh". Choose one of them.'),
    ],
    [
      "a beta of 0",
      (z) => z(2).softplus({ beta: 0 }),
      new ArgumentError(
        "softplus: got beta = 0 and threshold = 20; expected numbers, beta finite and not 0. Use 1 and 20.",
      ),
    ],
    [
      "bounds in the wrong order",
      (z) => z(2).hardtanh(1, -1),
      new ArgumentError("hardtanh: got the bounds 1 and -1; expected two numbers, the lower one first. Swap them."),
    ],
    [
      "weights for other channels",
      (z) => z(2, 3).prelu(z(2)),
      new ShapeError(
        "prelu: got a weight of shape [2] for an input of shape [2, 3]; expected [1] or [3], one for each channel. Correct the weight.",
      ),
    ],
    [
      "weights for what has no channels",
      (z) => z(3).prelu(z(3)),
      new ShapeError("prelu: got a weight of shape [3] for an input of shape [3]; expected [1]. Correct the weight."),
    ],
    [
      "an odd number of channels to halve",
      (z) => z(2, 5).glu(1),
      new ShapeError(
        "glu: got extent 5 on axis 1 of shape [2, 5]; expected an even one, which has two halves. Make the layer before twice as wide as its output shall be.",
      ),
    ],
    [
      "halves of what has no axes",
      (z) => z().glu(),
      new ShapeError(
        "glu: got extent 1 on axis 0 of shape []; expected an even one, which has two halves. Make the layer before twice as wide as its output shall be.",
      ),
    ],
    [
      "an alpha of 0",
      (z) => z(2).celu(0),
      new ArgumentError("celu: got alpha = 0; expected a finite number above 0. Use 1, as elu does."),
    ],
    [
      "a negative lambd",
      (z) => z(2).softshrink(-1),
      new ArgumentError("softshrink: got lambd = -1; expected a number of 0 or more. Correct lambd."),
    ],
    [
      "a lambd of NaN",
      (z) => z(2).hardshrink(Number.NaN),
      new ArgumentError("hardshrink: got lambd = NaN; expected a number. Correct lambd."),
    ],
    [
      "a threshold without a value",
      (z) => z(2).threshold(1, undefined as unknown as number),
      new ArgumentError("threshold: got value = undefined; expected a number. Correct value."),
    ],
    [
      "shrunk whole numbers",
      (z) => z("int32", 2).hardshrink(),
      new DTypeError("hardshrink: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
    ],
    [
      "an axis that is not there",
      (z) => z(2, 3).softmin(2),
      new ShapeError(
        "softmin: got axis 2; expected a whole number from -2 to 1 for 2 axes. Choose an axis in that range.",
      ),
    ],
    [
      "lerp of whole numbers",
      (z) => z("int32", 2).lerp(z("int32", 2), 0.5),
      new DTypeError("lerp: got a tensor of int32; expected float32 or float64. Cast it with .float() first."),
    ],
    [
      "lerp of two dtypes",
      (z) => z(2).lerp(z("float64", 2), 0.5),
      new DTypeError(
        'lerp: got tensors of float32 and float64; expected one dtype. Cast one of them with .to("float64").',
      ),
    ],
  ]);
});

test("large tensors give what small ones give, in any layout", () => {
  const x = randn([3, 30000]);
  const g = randn([30000, 3]);
  for (const op of [
    "gelu",
    "silu",
    "mish",
    "softplus",
    "elu",
    "logSigmoid",
    "hardswish",
    "hardsigmoid",
    "log1p",
  ] as const) {
    const large = x.transpose(0, 1).abs().requiresGrad_();
    const y = large[op]();
    y.backward(g);
    // In the middle, and at the end.
    for (const start of [21840, 29980]) {
      const small = x.transpose(0, 1).narrow(0, start, 20).abs().requiresGrad_();
      const z = small[op]();
      z.backward(g.narrow(0, start, 20));
      expect(y.narrow(0, start, 20).dataSync(), op).toEqual(z.dataSync());
      expect(large.grad?.narrow(0, start, 20).dataSync(), op).toEqual(small.grad?.dataSync());
    }
  }
});
