import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import "../../src/devices.js";
import "../../src/tensor/methods.js";
import { ArgumentError, DeviceError, DTypeError, ShapeError } from "../../src/errors.js";
import type { DType } from "../../src/kernels/dtype.js";
import { full, zeros } from "../../src/tensor/create.js";
import { bernoulli } from "../../src/tensor/ops/fill.js";
import { defaultGenerator, Generator, manualSeed } from "../../src/tensor/random.js";
import {
  rand,
  randint,
  randintLike,
  randLike,
  randn,
  randnLike,
  randperm,
  uniform,
} from "../../src/tensor/randomTensors.js";
import type { Tensor } from "../../src/tensor/tensor.js";

type Layout = "dense" | "transposed" | "every second";

interface Step {
  op: string;
  args: unknown[];
  dtype: DType;
  shape: number[];
  data: (number | boolean)[];
  layout?: Layout;
}

const golden: { sequences: { name: string; seed: number; steps: Step[] }[] } = JSON.parse(
  readFileSync(new URL("../golden/randomTensors/randomTensors.json", import.meta.url), "utf8"),
);

const factories = { rand, randn, randint, randperm, uniform } as Record<string, (...args: unknown[]) => Tensor>;

const layouts: Record<Layout, (shape: number[], dtype: DType) => Tensor> = {
  dense: (shape, dtype) => zeros(shape, { dtype }),
  transposed: (shape, dtype) =>
    zeros([...shape].reverse(), { dtype }).permute(shape.map((_, axis) => shape.length - 1 - axis)),
  "every second": (shape, dtype) => {
    const last = shape.at(-1) ?? 1;
    const every = zeros([...shape.slice(0, -1), last, 2], { dtype });
    return every.select(-1, 0);
  },
};

function run({ op, args, dtype, shape, layout }: Step): Tensor {
  if (layout === undefined) return factories[op]?.(...args, { dtype }) ?? zeros([0]);
  const start = layouts[layout](shape, dtype);
  if (op === "bernoulli") return bernoulli(start.add(args[0] as number));
  const fill = Reflect.get(start, op) as (...args: unknown[]) => Tensor;
  expect(fill.call(start, ...args)).toBe(start);
  return start;
}

/** Normal numbers are within a few units in the last place, all others are PyTorch's exactly. */
function tolerance({ op, dtype }: Step): number {
  return /^(randn|normal_)$/.test(op) ? (dtype === "float32" ? 2e-6 : 1e-14) : 0;
}

describe("the same tensors as PyTorch's", () => {
  it.each(golden.sequences)("$name", ({ seed, steps }) => {
    manualSeed(seed);
    for (const step of steps) {
      const x = run(step);
      const what = `${step.op}(${step.args.join(", ")}) of ${step.dtype}, ${step.layout ?? ""}`;
      expect([x.shape, x.dtype], what).toEqual([step.shape, step.dtype]);
      x.dataSync().forEach((value, i) => {
        expect(Math.abs(value - Number(step.data[i])), `${what} at ${i}`).toBeLessThanOrEqual(tolerance(step));
      });
    }
  });
});

describe("random factories", () => {
  it("start over from a seed", () => {
    manualSeed(0);
    expect([...rand([3]).dataSync()].map((value) => value.toFixed(4))).toEqual(["0.4963", "0.7682", "0.0885"]);
  });

  it("draw from the generator that they are given, and leave the default one alone", () => {
    const makers = [
      (generator: Generator) => rand([4], { generator }),
      (generator: Generator) => randn([4], { generator }),
      (generator: Generator) => randint(9, [4], { generator }),
      (generator: Generator) => randint(5, 9, [4], { generator }),
      (generator: Generator) => randperm(4, { generator }),
      (generator: Generator) => uniform([4], 1, 2, { generator }),
      (generator: Generator) => randLike(zeros([4]), { generator }),
      (generator: Generator) => randnLike(zeros([4]), { generator }),
      (generator: Generator) => randintLike(zeros([4]), 9, { generator }),
      (generator: Generator) => randintLike(zeros([4]), 5, 9, { generator }),
      (generator: Generator) => bernoulli(full([4], 0.5), { generator }),
      (generator: Generator) => zeros([4]).uniform_(0, 1, { generator }),
      (generator: Generator) => zeros([4]).normal_(0, 1, { generator }),
      (generator: Generator) => zeros([4]).bernoulli_(0.5, { generator }),
    ];
    const before = defaultGenerator.getState();
    for (const make of makers) {
      const generator = new Generator(5);
      expect(make(generator).toArraySync()).toEqual(make(new Generator(5)).toArraySync());
      expect(generator.getState().index, make.toString()).toBeLessThan(624);
    }
    expect(defaultGenerator.getState()).toEqual(before);
  });

  it("take dtype, device and requiresGrad", () => {
    const x = randn([2], { dtype: "float64", device: "cpu", requiresGrad: true });
    expect([x.dtype, x.device, x.requiresGrad, x.isLeaf]).toEqual(["float64", "cpu", true, true]);
    expect(randint(3, [2]).dtype).toBe("int32");
    expect(randperm(3).dtype).toBe("int32");
  });

  it("make tensors like another", () => {
    const x = zeros([2, 3], { dtype: "float64" });
    for (const y of [randLike(x), randnLike(x), randintLike(x, 9)]) {
      expect([y.shape, y.dtype, y.requiresGrad]).toEqual([[2, 3], "float64", false]);
    }
    expect(randintLike(zeros([2], { dtype: "int32" }), 9).dtype).toBe("int32");
    expect(randintLike(zeros([2], { dtype: "int32" }), 7, 8, { dtype: "float32" }).toArraySync()).toEqual([7, 7]);
    manualSeed(9);
    const one = randLike(zeros([2, 3])).toArraySync();
    manualSeed(9);
    expect(rand([2, 3]).toArraySync()).toEqual(one);
  });

  it.each<[string, () => unknown, Error]>([
    [
      "a dtype without fractions",
      () => rand([2], { dtype: "int32" }),
      new DTypeError("rand: got int32; expected float32 or float64. Use randint for whole numbers."),
    ],
    [
      "normal bools",
      () => randn([2], { dtype: "bool" }),
      new DTypeError("randn: got bool; expected float32 or float64. Use randint for whole numbers."),
    ],
    [
      "evenly spread numbers like whole ones",
      () => randLike(zeros([2], { dtype: "int32" })),
      new DTypeError("randLike: got int32; expected float32 or float64. Use randint for whole numbers."),
    ],
    [
      "random bools from randint",
      () => randint(2, [3], { dtype: "bool" }),
      new DTypeError("randint: got bool; expected a dtype with numbers. Use int32, and compare the result."),
    ],
    [
      "a permutation that the dtype does not hold",
      () => randperm(2 ** 24 + 1, { dtype: "float32" }),
      new DTypeError(
        "randperm: got n = 16777217 as float32; expected a dtype that holds every number below n. Use int32.",
      ),
    ],
    [
      "a permutation of −1",
      () => randperm(-1),
      new ArgumentError(
        "randperm: got n = -1; expected an integer from 0 to 214748363. It is the number of items to shuffle.",
      ),
    ],
    [
      "a range that is empty",
      () => randint(3, 3, [2]),
      new ArgumentError(
        "randint: got low = 3 and high = 3; expected integers with low < high. high itself is never drawn.",
      ),
    ],
    [
      "a shape that is a number",
      () => rand(3 as never),
      new ShapeError("rand: got shape 3; expected an array of extents. Write [3]."),
    ],
    [
      "a shape with a negative extent",
      () => randint(3, [-1]),
      new ShapeError(
        "randint: got shape [-1]; expected extents that are whole numbers of 0 or more. Correct the extent -1.",
      ),
    ],
    [
      "gradients of whole numbers",
      () => randint(3, [2], { requiresGrad: true }),
      new DTypeError(
        'randint: got requiresGrad for a tensor of int32; expected float32 or float64, which alone have gradients. Pass { dtype: "float32" }.',
      ),
    ],
    [
      "something that is no tensor",
      () => randLike([1] as never),
      new ArgumentError("randLike: got Array; expected a tensor. Make one with tensor(…)."),
    ],
    [
      "options in a number's place",
      () => uniform([2], {} as never),
      new ArgumentError(
        "uniform: got from = [object Object] and to = 1; expected from <= to, with both and their difference finite in float32. " +
          "Numbers are drawn from [from, to).",
      ),
    ],
  ])("refuse %s", (_, call, error) => {
    const before = defaultGenerator.getState();
    expect(call).toThrow(error);
    expect(defaultGenerator.getState()).toEqual(before);
  });

  it("refuse a device that is missing", () => {
    expect(() => rand([2], { device: "webgpu" })).toThrow(DeviceError);
  });
});
