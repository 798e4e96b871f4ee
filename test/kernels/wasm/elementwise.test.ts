import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DType, Strided, UnaryOp } from "../../../src/kernels/kernelSet.js";
import type { WasmKernels } from "../../../src/kernels/wasm/index.js";
import { KernelBench, type Layout } from "../bench.js";
import { agrees, wasmSets } from "./sets.js";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const sets = wasmSets();
const SMALLEST_NORMAL = 2 ** -126;

/** Every 65,537th of all float32 bit patterns: each exponent, both signs, denormals, NaN; and what has a special case. */
const floats = new Float32Array(65535);
new Uint32Array(floats.buffer).forEach((_, i, bits) => {
  bits[i] = i * 65537;
});
floats.set([0, -0, inf, -inf, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, -1.5, 1e-45, -1e-45, 88.72284, -87.4, 0.625], 1000);

/** Distance from the exact result in units of the last place that a float32 of its size has. */
function errorInUlps(got: number, exact: number): number {
  const unit = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(exact), SMALLEST_NORMAL))) - 23);
  return Math.abs(got - exact) / unit;
}

/** Fails where a result is too far from the exact one; denormals may be 0. */
function expectAccurate(results: Float32Array, exact: (x: number) => number, ulps: number): void {
  floats.forEach((x, i) => {
    const [got, value] = [results[i] ?? 0, exact(x)];
    const rounded = Math.fround(value);
    if (!Number.isFinite(rounded) || rounded === 0) {
      if (!Object.is(got, rounded)) expect([x, got]).toEqual([x, rounded]);
    } else if (Math.abs(value) < SMALLEST_NORMAL) {
      if (Math.abs(got - value) > SMALLEST_NORMAL) expect([x, got]).toEqual([x, value]);
    } else if (errorInUlps(got, value) > ulps) {
      expect([x, got], `more than ${ulps} ulp off`).toEqual([x, value]);
    }
  });
}

function dense(kernels: WasmKernels, values: Float32Array): Strided {
  const buffer = kernels.alloc("float32", values.length);
  kernels.write(buffer, "float32", 0, new Float32Array(values));
  return { buffer, dtype: "float32", shape: [values.length], strides: [1], offset: 0 };
}

/** Runs a kernel on all the `floats`. */
function onFloats(kernels: WasmKernels, launch: (x: Strided, out: Strided) => void): Float32Array {
  const [x, out] = [dense(kernels, floats), dense(kernels, floats)];
  launch(x, out);
  const results = kernels.readSync?.(out.buffer, "float32", 0, floats.length);
  for (const { buffer } of [x, out]) kernels.free(buffer);
  return results as Float32Array;
}

/** C's pow, which JavaScript's is but for these. */
function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === inf)) return 1;
  return base ** exponent;
}

describe.each(sets)("elementwise kernels, %s", (_name, kernels) => {
  test.each<[UnaryOp, (x: number) => number]>([
    ["exp", Math.exp],
    ["expm1", Math.expm1],
    ["log", Math.log],
    ["log1p", Math.log1p],
    ["reciprocal", (x) => 1 / x],
    ["rsqrt", (x) => 1 / Math.sqrt(x)],
    ["sin", Math.sin],
    ["cos", Math.cos],
    ["logSigmoid", (x) => (x > 104 ? 0 : Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))))],
    ["tanh", Math.tanh],
    ["sigmoid", (x) => 1 / (1 + Math.exp(-x))],
  ])("%s is within 4 units in the last place everywhere", (op, exact) => {
    expectAccurate(
      onFloats(kernels, (x, out) => kernels.unary(op, x, out, 0, 0)),
      exact,
      4,
    );
  });

  test.each([0, 0.5, 1, 2, 3, -1, -0.5, 2.5, -2.5, 4, 5, -3, 0.1, 10.7, -20, 1e-5, 1e10, inf, -inf, nan, -0])(
    "x to the power %d",
    (exponent) => {
      const results = onFloats(kernels, (x, out) => kernels.binary("pow", x, exponent, out));
      // Three factors are rounded twice, everything else once.
      expectAccurate(results, (x) => power(x, Math.fround(exponent)), exponent === 3 ? 1.5 : 0.51);
    },
  );

  test.each([0, -0, 1, -1, 2, -2, 0.5, 10, -3.7, 1.0000001, 1e-40, inf, -inf, nan])("%d to the power x", (base) => {
    const results = onFloats(kernels, (x, out) => kernels.binary("pow", base, x, out));
    expectAccurate(results, (x) => power(Math.fround(base), x), 0.51);
  });

  test("whole powers of negative numbers have the right sign", async () => {
    const bases = [-1, -2, -0.5, -3.7, -0, 0, -inf];
    const exponents = [-4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 16777216, 16777215, -16777215, 0.5, 1.5];
    const bench = new KernelBench(kernels);
    const shape = [bases.length, exponents.length];
    const out = bench.output("float32", shape);
    const a = bench.input("float32", shape, bases, { order: [1, 0], repeat: [1] });
    const left = { ...a, strides: [1, 0] };
    const b = bench.input("float32", shape, exponents, { repeat: [0] });
    kernels.binary("pow", { ...left }, b, out);
    const got = await bench.read(out);
    const expected = bases.flatMap((base) =>
      exponents.map((exponent) => Math.fround(power(Math.fround(base), exponent))),
    );
    expect(got).toEqual(expected);
  });

  test("copies between dtypes on random strides", async () => {
    const pairs: [DType, DType][] = [
      ["bool", "float32"],
      ["int32", "float32"],
      ["float32", "int32"],
      ["float32", "bool"],
    ];
    const special = [nan, inf, -inf, 0, -0, 1.5, -1.5, 2147483647, -2147483648, 4e9, -4e9, 1e-40, 16777217];
    const layouts = fc.array(fc.integer({ min: 1, max: 21 }), { minLength: 1, maxLength: 3 }).chain((shape) => {
      const axes = shape.map((_, axis) => axis);
      const layout: fc.Arbitrary<Layout> = fc.record({
        order: fc.oneof(fc.constant(axes), fc.shuffledSubarray(axes, { minLength: axes.length })),
        offset: fc.integer({ min: 0, max: 3 }),
        spread: fc.constantFrom(1, 1, 2),
      });
      return fc.record({ shape: fc.constant(shape), input: layout, output: layout });
    });
    await fc.assert(
      fc.asyncProperty(layouts, fc.constantFrom(...pairs), ({ shape, input, output }, [from, to]) =>
        agrees(
          kernels,
          async (bench) => {
            const numbers = [...bench.numbers(from, 50), ...(from === "float32" ? special : [])];
            const out = bench.output(to, shape, output);
            bench.kernels.copy(bench.input(from, shape, numbers, input), out);
            return { out: await bench.read(out) };
          },
          0,
        ),
      ),
      { numRuns: 150 },
    );
  });

  test("copies that exchange axes", async () => {
    const layouts = fc.array(fc.integer({ min: 1, max: 35 }), { minLength: 2, maxLength: 4 }).chain((shape) => {
      const axes = shape.map((_, axis) => axis);
      const order = fc.shuffledSubarray(axes, { minLength: axes.length });
      const offset = fc.integer({ min: 0, max: 3 });
      const layout: fc.Arbitrary<Layout> = fc.record({ order, offset });
      return fc.record({ shape: fc.constant(shape), input: layout, output: layout });
    });
    await fc.assert(
      fc.asyncProperty(
        layouts.filter(({ shape }) => shape.reduce((product, extent) => product * extent, 1) < 5000),
        fc.constantFrom("float32", "int32"),
        ({ shape, input, output }, dtype) =>
          agrees(
            kernels,
            async (bench) => {
              const out = bench.output(dtype, shape, output);
              bench.kernels.copy(bench.input(dtype, shape, undefined, input), out);
              return { out: await bench.read(out) };
            },
            0,
          ),
      ),
      { numRuns: 150 },
    );
  });

  test("rows with one operand repeated, of all lengths", async () => {
    for (let length = 1; length <= 21; length++) {
      await agrees(kernels, async (bench) => {
        const shape = [3, length];
        const x = bench.input("float32", shape, undefined, { offset: 1 });
        const column = bench.input("float32", shape, undefined, { repeat: [1] });
        const outs = [0, 1, 2].map((offset) => bench.output("float32", shape, { offset }));
        const [right, left, filled] = outs as [Strided, Strided, Strided];
        bench.kernels.binary("sub", x, column, right);
        bench.kernels.binary("div", column, x, left);
        bench.kernels.copy(column, filled);
        return { right: await bench.read(right), left: await bench.read(left), filled: await bench.read(filled) };
      });
    }
  });
});
