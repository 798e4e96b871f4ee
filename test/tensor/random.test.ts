import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ArgumentError } from "../../src/errors.js";
import { defaultGenerator, Generator, manualSeed } from "../../src/tensor/random.js";

interface Step {
  op: "uniform" | "normal" | "randint" | "bernoulli" | "permutation" | "randomSeed";
  dtype: "float32" | "float64" | "int32" | "uint8";
  n: number;
  args: [number, number];
  values?: (number | string)[];
  head?: number[];
  tail?: number[];
  sha256?: string;
}

interface Golden {
  defaultSeed: number;
  sequences: { name: string; seed: string; steps: Step[] }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../golden/random.json", import.meta.url), "utf8"));

/** Makes the call that PyTorch made, and returns all of its numbers. */
function run(generator: Generator, { op, dtype, n, args }: Step) {
  const [a, b] = args;
  if (op === "permutation") return generator.permutation(n);
  const out = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array }[dtype].from({
    length: n,
  });
  if (op === "bernoulli") generator.fillBernoulli(out, a);
  else if (out instanceof Uint8Array) throw new Error(`no ${op} of uint8`);
  else if (op === "randint") generator.fillRandint(out, a, b);
  else if (out instanceof Int32Array) throw new Error(`no ${op} of int32`);
  else if (op === "uniform") generator.fillUniform(out, a, b);
  else generator.fillNormal(out, a, b);
  return out;
}

/** How far a normal number may be from PyTorch's, whose float32 logarithm and sine are approximations. */
function tolerance(step: Step): number {
  if (step.op !== "normal") return 0;
  const [mean, std] = step.args;
  const ulps = step.dtype === "float32" ? 2 ** -23 : 2 ** -52;
  return ulps * Math.abs(mean) + (step.dtype === "float32" ? 5e-7 : 1e-14) * std;
}

function expectClose(actual: number[], expected: number[], within: number, where: string) {
  expect(actual.length, where).toBe(expected.length);
  const wrong = expected.findIndex((value, i) => !(Math.abs((actual[i] ?? Number.NaN) - value) <= within));
  expect(wrong, `${where}: ${actual[wrong]} instead of ${expected[wrong]} at ${wrong}`).toBe(-1);
}

describe("the same numbers as PyTorch", () => {
  it.each(golden.sequences)("$name", ({ seed, steps }) => {
    const generator = new Generator(BigInt(seed));
    for (const step of steps) {
      if (step.op === "randomSeed") {
        expect(step.values?.map(() => String(generator.randomSeed()))).toEqual(step.values);
        continue;
      }
      const out = run(generator, step);
      const where = `${step.op} ${step.dtype} of ${step.n} with ${step.args}`;
      const [head, tail] = step.values ? [step.values.map(Number), []] : [step.head ?? [], step.tail ?? []];
      expectClose(Array.from(out.subarray(0, head.length)), head, tolerance(step), `${where}, head`);
      expectClose(Array.from(out.subarray(out.length - tail.length)), tail, tolerance(step), `${where}, tail`);
      if (step.sha256) expect(createHash("sha256").update(out).digest("hex"), where).toBe(step.sha256);
    }
  });

  it("starts from PyTorch's default seed", () => {
    expect(new Generator().initialSeed()).toBe(golden.defaultSeed);
  });
});

describe("words", () => {
  it("are those of the published MT19937", () => {
    // The standard names the 10,000th draw of the generator seeded with 5489.
    const generator = new Generator(5489);
    for (let i = 1; i < 10_000; i++) generator.random32();
    expect(generator.random32()).toBe(4123659995);
  });

  it("make 64 bits with the high half first", () => {
    const [a, b] = [new Generator(1), new Generator(1)];
    for (let i = 0; i < 400; i++) {
      expect(a.random64()).toBe((BigInt(b.random32()) << 32n) | BigInt(b.random32()));
    }
  });
});

describe("seeds", () => {
  it("are given back as they were", () => {
    expect(new Generator(7).initialSeed()).toBe(7);
    expect(new Generator(7n).initialSeed()).toBe(7);
    expect(new Generator(2n ** 63n).initialSeed()).toBe(2n ** 63n);
  });

  it("restart the default generator", () => {
    expect(manualSeed(5)).toBe(defaultGenerator);
    expect(defaultGenerator.random64()).toBe(new Generator(5).random64());
  });

  it("forget the kept normal sample", () => {
    const generator = new Generator(5);
    const [first, again] = [new Float64Array(1), new Float64Array(1)];
    generator.fillNormal(first, 0, 1);
    generator.manualSeed(5).fillNormal(again, 0, 1);
    expect(again).toEqual(first);
  });

  it("of the system differ, and repeat the stream", () => {
    const generator = new Generator();
    const seed = generator.seed();
    expect(generator.initialSeed()).toBe(seed);
    expect(generator.random64()).toBe(new Generator(seed).random64());
    expect(generator.seed()).not.toBe(seed);
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 53, -1n, 2n ** 64n])("%s is refused", (seed) => {
    const generator = new Generator(3);
    expect(() => generator.manualSeed(seed)).toThrow(
      new ArgumentError(
        `manualSeed: got ${seed}; expected an integer from 0 to 2^53 - 1, or a bigint from 0 to 2^64 - 1. ` +
          "Use Generator.seed() for a seed that differs from run to run.",
      ),
    );
    expect(generator.random32()).toBe(new Generator(3).random32());
  });
});

describe("state", () => {
  it("goes through JSON at any point of the stream", () => {
    const drawAll = (generator: Generator) => {
      const [normals, uniforms] = [new Float64Array(3), new Float32Array(700)];
      generator.fillNormal(normals, 0, 1);
      generator.fillUniform(uniforms, 0, 1);
      return [normals, uniforms, generator.random64(), generator.initialSeed()];
    };
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(2000), fc.boolean(), (seed, draws, normal) => {
        const generator = new Generator(seed);
        for (let i = 0; i < draws; i++) generator.random32();
        if (normal) generator.fillNormal(new Float32Array(1), 0, 1);
        const copy = new Generator().setState(JSON.parse(JSON.stringify(generator.getState())));
        expect(drawAll(copy)).toEqual(drawAll(generator));
      }),
      { numRuns: 30 },
    );
  });

  it("is a copy", () => {
    const generator = new Generator(1);
    const state = generator.getState();
    const next = generator.random32();
    expect(generator.setState(state).random32()).toBe(next);
  });

  it.each([
    ["seed x", { seed: "x" }],
    ["seed 18446744073709551616", { seed: "18446744073709551616" }],
    ["2 words instead of 624", { words: [1, 2] }],
    ["-1 as word 0", { words: [-1, ...new Array<number>(623).fill(0)] }],
    ["index 625", { index: 625 }],
    ["index 0.5", { index: 0.5 }],
    ["nextNormal NaN", { nextNormal: Number.NaN }],
  ])("with %s is refused", (what, change) => {
    const generator = new Generator(1);
    expect(() => generator.setState({ ...new Generator(2).getState(), ...change })).toThrow(
      new ArgumentError(`setState: got ${what}; expected what getState() gave. The checkpoint may be damaged.`),
    );
    expect(generator.random32()).toBe(new Generator(1).random32());
  });
});

it("a state that is missing is refused", () => {
  expect(() => new Generator().setState(JSON.parse("null"))).toThrow(
    new ArgumentError("setState: got null; expected what getState() gave. The checkpoint may be damaged."),
  );
});

describe("bad arguments", () => {
  const uniform = "Numbers are drawn from [from, to).";
  const between = "expected from <= to, with both and their difference finite in";
  it.each<[number, number, "float32" | "float64"]>([
    [2, 1, "float32"],
    [Number.NaN, 1, "float32"],
    [0, 1e39, "float32"],
    [-3e38, 3e38, "float32"],
    [0, Number.POSITIVE_INFINITY, "float64"],
    [-1e308, 1e308, "float64"],
  ])("uniform from %s to %s in %s", (from, to, dtype) => {
    const out = new { float32: Float32Array, float64: Float64Array }[dtype](1);
    expect(() => new Generator().fillUniform(out, from, to)).toThrow(
      new ArgumentError(`uniform: got from = ${from} and to = ${to}; ${between} ${dtype}. ${uniform}`),
    );
  });

  it.each([
    [0, -1],
    [0, Number.NaN],
    [Number.NaN, 1],
    [0, Number.POSITIVE_INFINITY],
    [1e39, 1],
  ])("normal of mean %s and std %s", (mean, std) => {
    expect(() => new Generator().fillNormal(new Float32Array(1), mean, std)).toThrow(
      new ArgumentError(
        `normal: got mean = ${mean} and std = ${std}; expected both finite in float32 and std >= 0. ` +
          "std is the standard deviation, in the units of mean.",
      ),
    );
  });

  it.each([
    [3, 3],
    [4, 3],
    [0.5, 3],
    [0, Number.NaN],
    [0, 2 ** 53],
  ])("randint from %s to %s", (low, high) => {
    expect(() => new Generator().fillRandint(new Float64Array(0), low, high)).toThrow(
      new ArgumentError(
        `randint: got low = ${low} and high = ${high}; expected integers with low < high. high itself is never drawn.`,
      ),
    );
  });

  it("randint beyond what the array holds", () => {
    const generator = new Generator(1);
    expect(() => generator.fillRandint(new Int32Array(1), 0, 2 ** 31 + 1)).toThrow(
      new ArgumentError(
        "randint: got low = 0 and high = 2147483649; expected -2147483648 <= low and high <= 2147483648, since int32 does " +
          "not hold every integer beyond. Take a narrower range or another dtype.",
      ),
    );
    expect(() => generator.fillRandint(new Float32Array(1), -(2 ** 24) - 1, 0)).toThrow(ArgumentError);
    expect(() => generator.fillRandint(new Float32Array(1), 0, 2 ** 24 + 2)).toThrow(ArgumentError);
    expect(generator.random32()).toBe(new Generator(1).random32());
  });

  it.each([-0.1, 1.1, Number.NaN])("bernoulli of %s", (p) => {
    expect(() => new Generator().fillBernoulli(new Float32Array(1), p)).toThrow(
      new ArgumentError(`bernoulli: got p = ${p}; expected 0 <= p <= 1. p is the probability of a one.`),
    );
  });

  it.each([-1, 1.5, Number.NaN, 214748364])("randperm of %s", (n) => {
    expect(() => new Generator().permutation(n)).toThrow(
      new ArgumentError(
        `randperm: got n = ${n}; expected an integer from 0 to 214748363. It is the number of items to shuffle.`,
      ),
    );
  });
});
