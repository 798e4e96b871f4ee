/** Kernels on random geometries, and laws that hold between kernels. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConvGeometry, DType, Strided, WindowGeometry } from "../../src/kernels/kernelSet.js";
import { createReferenceKernels } from "../../src/kernels/reference/index.js";
import { indicesOf, KernelBench, type KernelCase, type Layout, placeOf } from "./bench.js";
import { expectSame } from "./compare.js";
import { createNaiveKernels } from "./naive.js";
import {
  avgPoolGeometry,
  avgPoolOutputs,
  convGeometry,
  convolutionOutputs,
  foldOutputs,
  maxPoolOutputs,
  reachesInput,
  shapesOf,
  windowGeometry,
} from "./windowCases.js";

const naive = createNaiveKernels();
const reference = createReferenceKernels({ poison: true });

async function follows(dtype: DType, run: KernelCase["run"]): Promise<void> {
  await expectSame({ name: "random", dtypes: [dtype], run }, reference, naive);
}

const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

/** Windows with at least one output. */
const windowSpec = fc
  .record({
    batch: fc.integer({ min: 1, max: 2 }),
    size: pair(1, 9),
    kernel: pair(1, 4),
    stride: pair(1, 4),
    dilation: pair(1, 3),
    pad: fc.tuple(pair(0, 3), pair(0, 3)).map(([[top, left], [bottom, right]]) => [top, left, bottom, right] as const),
  })
  .filter((spec) => {
    const { outHeight, outWidth } = windowGeometry(spec);
    return outHeight > 0 && outWidth > 0;
  });

const convolution = fc
  .tuple(windowSpec, fc.integer({ min: 1, max: 3 }), pair(1, 3))
  .map(([spec, groups, [inChannels, outChannels]]) =>
    convGeometry({ ...spec, groups, channels: groups * inChannels, outChannels: groups * outChannels }),
  );

describe("on random geometries the reference set follows the definitions", () => {
  test("convolution and its gradients", async () => {
    await fc.assert(
      fc.asyncProperty(convolution, fc.constantFrom("float32", "float64"), (g, dtype) =>
        follows(dtype, (bench) => convolutionOutputs(bench, dtype, g)),
      ),
      { numRuns: 150 },
    );
  });

  test("unfold and fold", async () => {
    await fc.assert(
      fc.asyncProperty(windowSpec, (spec) =>
        follows("float32", (bench) => foldOutputs(bench, "float32", windowGeometry(spec))),
      ),
    );
  });

  test("maximum pooling", async () => {
    await fc.assert(
      fc.asyncProperty(windowSpec.filter(reachesInput), (spec) =>
        follows("float32", (bench) => maxPoolOutputs(bench, "float32", windowGeometry(spec))),
      ),
    );
  });

  test("average pooling", async () => {
    const how = fc.record({ countIncludePad: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(windowSpec, how, (spec, options) =>
        follows("float32", (bench) => avgPoolOutputs(bench, "float32", avgPoolGeometry({ ...spec, ...options }))),
      ),
    );
  });

  test("elementwise kernels, copies and reductions on random strides", async () => {
    const shapeAndLayouts = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 }).chain((shape) => {
      const axes = shape.map((_, axis) => axis);
      const order = fc.shuffledSubarray(axes, { minLength: axes.length });
      const offset = fc.integer({ min: 0, max: 3 });
      const spread = fc.integer({ min: 1, max: 3 });
      const output: fc.Arbitrary<Layout> = fc.record({ order, offset, spread });
      const input: fc.Arbitrary<Layout> = fc.record({ order, offset, spread, repeat: fc.subarray(axes) });
      return fc.record({ shape: fc.constant(shape), a: input, b: input, output, axes: fc.subarray(axes) });
    });
    await fc.assert(
      fc.asyncProperty(shapeAndLayouts, ({ shape, a, b, output, axes }) =>
        follows("float32", async (bench) => {
          const x = bench.input("float32", shape, undefined, a);
          const difference = bench.output("float32", shape, output);
          const copied = bench.output("float64", shape, output);
          const sum = bench.output(
            "float32",
            shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)),
          );
          bench.kernels.binary("sub", x, bench.input("float32", shape, undefined, b), difference);
          bench.kernels.copy(x, copied);
          bench.kernels.reduce("sum", x, sum);
          return {
            difference: await bench.read(difference),
            copied: await bench.read(copied),
            sum: await bench.read(sum),
          };
        }),
      ),
      { numRuns: 300 },
    );
  });

  test("matrix product on random sizes and strides", async () => {
    const layout = fc.record({
      order: fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
      spread: fc.integer({ min: 1, max: 2 }),
    });
    const sizes = fc.tuple(...[3, 10, 10, 10].map((max) => fc.integer({ min: 0, max })));
    await fc.assert(
      fc.asyncProperty(sizes, layout, layout, ([batch = 0, rows = 0, columns = 0, depth = 0], a, b) =>
        follows("float32", async (bench) => {
          const out = bench.output("float32", [batch, rows, columns]);
          const left = bench.input("float32", [batch, rows, depth], undefined, a);
          bench.kernels.matmul(left, bench.input("float32", [batch, depth, columns], undefined, b), null, out);
          return { out: await bench.read(out) };
        }),
      ),
    );
  });
});

/** Σ a·b over all elements. */
async function dot(bench: KernelBench, a: Strided, b: Strided): Promise<number> {
  const [left, right] = [await bench.read(a), await bench.read(b)];
  return left.reduce((sum, value, i) => sum + value * (right[i] ?? Number.NaN), 0);
}

async function expectEqualDots(bench: KernelBench, ...pairs: readonly (readonly [Strided, Strided])[]): Promise<void> {
  const dots = await Promise.all(pairs.map(([a, b]) => dot(bench, a, b)));
  for (const value of dots) expect(value).toBeCloseTo(dots[0] ?? Number.NaN, 8);
}

describe("a linear kernel and its transpose satisfy ⟨A x, g⟩ = ⟨x, Aᵀ g⟩", () => {
  const { kernels } = new KernelBench(reference);

  test("convolution, its input gradient and its weight gradient", async () => {
    await fc.assert(
      fc.asyncProperty(convolution, async (g: ConvGeometry) => {
        const bench = new KernelBench(kernels);
        const { x: xShape } = shapesOf(g);
        const outShape = [g.batch, g.outChannels, g.outHeight, g.outWidth];
        const weightShape = [g.outChannels, g.channels / g.groups, g.kernelHeight, g.kernelWidth];
        const x = bench.input("float64", xShape);
        const weight = bench.input("float64", weightShape);
        const outGrad = bench.input("float64", outShape);
        const out = bench.output("float64", outShape);
        const xGrad = bench.output("float64", xShape);
        const weightGrad = bench.output("float64", weightShape);
        kernels.conv2d(x, weight, null, out, g);
        kernels.conv2dInputGrad(outGrad, weight, null, xGrad, g);
        kernels.conv2dWeightGrad(outGrad, x, weightGrad, g);
        await expectEqualDots(bench, [out, outGrad], [x, xGrad], [weight, weightGrad]);
      }),
    );
  });

  test("unfold and fold, average pooling and its gradient", async () => {
    await fc.assert(
      fc.asyncProperty(windowSpec, async (spec) => {
        const bench = new KernelBench(kernels);
        const g = avgPoolGeometry({ ...spec, countIncludePad: false });
        const shapes = shapesOf(g);
        const x = bench.input("float64", shapes.x);
        const columnsGrad = bench.input("float64", shapes.columns);
        const [columns, folded] = [bench.output("float64", shapes.columns), bench.output("float64", shapes.x)];
        kernels.unfold(x, columns, g);
        kernels.fold(columnsGrad, folded, g);
        await expectEqualDots(bench, [columns, columnsGrad], [x, folded]);

        const outGrad = bench.input("float64", shapes.out);
        const [out, xGrad] = [bench.output("float64", shapes.out), bench.output("float64", shapes.x)];
        kernels.avgPool2d(x, out, g);
        kernels.avgPool2dGrad(outGrad, xGrad, g);
        await expectEqualDots(bench, [out, outGrad], [x, xGrad]);
      }),
    );
  });

  test("gather and scatterAdd", async () => {
    const bench = new KernelBench(kernels);
    const x = bench.input("float64", [4, 5, 3]);
    const index = bench.input("int32", [4, 7, 3], bench.integers(84, 5));
    const grad = bench.input("float64", [4, 7, 3]);
    const [taken, scattered] = [bench.output("float64", [4, 7, 3]), bench.input("float64", [4, 5, 3], [0])];
    kernels.gather(x, 1, index, taken);
    kernels.scatterAdd(grad, 1, index, scattered);
    await expectEqualDots(bench, [taken, grad], [x, scattered]);
  });

  test("maximum pooling, whose gradient is linear in the places that won", async () => {
    await fc.assert(
      fc.asyncProperty(windowSpec.filter(reachesInput), async (spec) => {
        const bench = new KernelBench(kernels);
        const g: WindowGeometry = windowGeometry(spec);
        const shapes = shapesOf(g);
        const x = bench.input("float64", shapes.x);
        const outGrad = bench.input("float64", shapes.out);
        const [out, xGrad] = [bench.output("float64", shapes.out), bench.output("float64", shapes.x)];
        const indices = bench.output("int32", shapes.out);
        kernels.maxPool2d(x, out, indices, g);
        kernels.maxPool2dGrad(outGrad, indices, xGrad, g);
        await expectEqualDots(bench, [out, outGrad], [x, xGrad]);
      }),
    );
  });
});

describe("gradients agree with differences", () => {
  /** Central differences of Σ f(x)·g for each element of x. */
  async function differences(x: Strided, forward: () => Promise<number>, bench: KernelBench): Promise<number[]> {
    const values = await bench.read(x);
    const step = 1e-5;
    const slopes: number[] = [];
    for (const index of indicesOf(x.shape)) {
      const place = placeOf(x, index);
      const value = values[slopes.length] ?? 0;
      const at = async (moved: number) => {
        bench.kernels.write(x.buffer, "float64", place, new Float64Array([moved]));
        return forward();
      };
      slopes.push(((await at(value + step)) - (await at(value - step))) / (2 * step));
      await at(value);
    }
    return slopes;
  }

  function expectClose(got: readonly number[], expected: readonly number[]): void {
    expect(got.length).toBe(expected.length);
    for (const [i, value] of got.entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 6);
  }

  test.each([false, true])("softmax, logarithm %s", async (logarithm) => {
    const bench = new KernelBench(reference);
    const { kernels } = bench;
    const [x, outGrad] = [bench.input("float64", [2, 5]), bench.input("float64", [2, 5])];
    const [out, xGrad] = [bench.output("float64", [2, 5]), bench.output("float64", [2, 5])];
    const forward = () => {
      kernels.softmax(x, out, logarithm);
      return dot(bench, out, outGrad);
    };
    await forward();
    kernels.softmaxGrad(outGrad, out, xGrad, logarithm);
    expectClose(await bench.read(xGrad), await differences(x, forward, bench));
  });

  test.each([false, true])("batch norm, training %s", async (training) => {
    const bench = new KernelBench(reference);
    const { kernels } = bench;
    const shape = [3, 2, 4];
    const [x, outGrad, weight] = [
      bench.input("float64", shape),
      bench.input("float64", shape),
      bench.input("float64", [2]),
    ];
    const bias = bench.input("float64", [2]);
    const [mean, variance] = [bench.input("float64", [2]), bench.input("float64", [2], [0.7, 1.8])];
    const [out, xGrad] = [bench.output("float64", shape), bench.output("float64", shape)];
    const [weightGrad, biasGrad] = [bench.output("float64", [2]), bench.output("float64", [2])];
    const forward = () => {
      if (training) kernels.channelStats(x, mean, variance);
      kernels.batchNorm(x, mean, variance, weight, bias, 1e-3, out);
      return dot(bench, out, outGrad);
    };
    await forward();
    kernels.batchNormGrad(outGrad, x, mean, variance, weight, 1e-3, training, xGrad, weightGrad, biasGrad);
    expectClose(await bench.read(xGrad), await differences(x, forward, bench));
    expectClose(await bench.read(weightGrad), await differences(weight, forward, bench));
    expectClose(await bench.read(biasGrad), await differences(bias, forward, bench));
  });
});
