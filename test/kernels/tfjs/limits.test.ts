/** What TensorFlow.js does wrong, or cannot do, never reaches a user; and what it does right, it does. */
import { expect, test } from "vitest";
import type { KernelSet } from "../../../src/kernels/kernelSet.js";
import { createReferenceKernels } from "../../../src/kernels/reference/index.js";
import { loadTfjs } from "../../../src/kernels/tfjs/index.js";
import type { KernelBench, KernelCase } from "../bench.js";
import { expectSame } from "../compare.js";
import { describeOnGpu, newKernels } from "../webgpu/gpu.js";
import { avgPoolGeometry, avgPoolOutputs, convGeometry, convolutionOutputs, shapesOf } from "../windowCases.js";

describeOnGpu("the limits of TensorFlow.js", async () => {
  const reference = createReferenceKernels();
  const own = await newKernels({ poison: true, profile: true });
  const kernels = (await loadTfjs())(own);

  /** Runs a case, compares it, and tells which kernels of TensorFlow.js had a part in it. */
  async function served(run: KernelCase["run"], set: KernelSet = kernels): Promise<string[]> {
    const before = await launches();
    await expectSame({ name: "", dtypes: ["float32"], tolerance: 3e-5, run }, set, reference);
    const after = await launches();
    return [...after].filter(([name, count]) => count > (before.get(name) ?? 0)).map(([name]) => name);
  }

  async function launches(): Promise<Map<string, number>> {
    const times = (await own.runtime.profiler?.report()) ?? [];
    const names = times.filter(({ kernel }) => kernel.startsWith("tfjs "));
    return new Map(names.map(({ kernel, launches: count }) => [kernel.slice(5), count]));
  }

  const conv = (spec: Parameters<typeof convGeometry>[0]) => (bench: KernelBench) =>
    convolutionOutputs(bench, "float32", convGeometry({ channels: 6, outChannels: 8, ...spec }));

  const gradients = ["Conv2DBackpropFilter", "Conv2DBackpropInput"];

  test.each([
    [{ size: [8, 9], kernel: [3, 3], pad: [1, 1, 1, 1] }, ["Conv2D", ...gradients]],
    // With channels first, TensorFlow.js reads wrong elements where four divides the width of the output and the filters.
    [{ size: [8, 8], kernel: [3, 3], pad: [1, 1, 1, 1] }, ["Conv2D", ...gradients]],
    [{ size: [8, 8], kernel: [1, 1], stride: [2, 2] }, ["Conv2D", ...gradients]],
    [{ size: [12, 12], kernel: [5, 5], channels: 16, outChannels: 32 }, ["Conv2D", ...gradients]],
    [{ size: [9, 9], kernel: [3, 2], stride: [2, 2] }, ["Conv2D", ...gradients]],
    [{ size: [9, 9], kernel: [3, 2], channels: 1, outChannels: 4 }, ["Conv2D", ...gradients]],
    // Thirds are not exact.
    [{ size: [9, 9], kernel: [3, 3], stride: [3, 3] }, ["Conv2D", "Conv2DBackpropFilter"]],
    // Products of matrices.
    [{ size: [5, 5], kernel: [1, 1] }, ["Conv2D", ...gradients]],
    [{ size: [4, 3], kernel: [4, 3], batch: 1 }, ["Conv2D", ...gradients]],
    // TensorFlow.js takes a dilation of 2 for one of 1 in gradients, without a word.
    [{ size: [9, 10], kernel: [3, 2], dilation: [2, 1], pad: [2, 1, 2, 1] }, []],
    [{ size: [9, 10], kernel: [3, 2], dilation: [1, 2], pad: [2, 1, 2, 1] }, []],
    [{ size: [9, 10], kernel: [3, 3], stride: [2, 2], dilation: [2, 2] }, []],
    [{ size: [6, 6], kernel: [3, 3], groups: 2 }, []],
  ] as const)("convolution %j: by TensorFlow.js %j", async (spec, expected) => {
    expect((await served(conv(spec))).sort()).toEqual([...expected].sort());
  });

  test("gradients with dilation are wrong in TensorFlow.js itself, which is why they are not taken from there", async () => {
    const g = convGeometry({ size: [9, 10], kernel: [3, 3], dilation: [2, 2], channels: 2, outChannels: 5 });
    const undilated = { ...g, dilationHeight: 1, dilationWidth: 1 };
    const run = async (bench: KernelBench, lie: boolean) => {
      const x = bench.input("float32", shapesOf(g).x);
      const weightGrad = bench.output("float32", [5, 2, 3, 3]);
      const outGrad = bench.input("float32", [g.batch, 5, g.outHeight, g.outWidth]);
      bench.kernels.conv2dWeightGrad(outGrad, x, weightGrad, lie ? undilated : g);
      return { weightGrad: await bench.read(weightGrad) };
    };
    expect(await served((bench) => run(bench, false))).toEqual([]);
    // What TensorFlow.js would compute, it having no notion of dilation.
    const wrong: KernelCase["run"] = (bench) => run(bench, bench.kernels === kernels);
    await expect(served(wrong)).rejects.toThrow(/^weightGrad\[\d+\] is/);
  });

  test.each([
    [{ size: [6, 8], kernel: [2, 2], stride: [2, 2] }, ["AvgPool", "AvgPoolGrad"]],
    [{ size: [7, 7], kernel: [3, 3], stride: [2, 2], pad: [1, 1, 1, 1] }, ["AvgPoolGrad"]],
    [{ size: [7, 7], kernel: [3, 3], stride: [2, 2], pad: [1, 1, 1, 1], countIncludePad: false }, ["AvgPool"]],
    [{ size: [9, 9], kernel: [3, 3], stride: [3, 3] }, ["AvgPool"]],
    [{ size: [5, 6], kernel: [2, 3], stride: [2, 2], out: [3, 3] }, []],
    [{ size: [6, 8], kernel: [2, 2], stride: [2, 2], divisorOverride: 3 }, []],
    [{ size: [9, 9], kernel: [2, 3], dilation: [3, 2] }, []],
  ] as const)("average pooling %j: by TensorFlow.js %j", async (spec, expected) => {
    const geometry = avgPoolGeometry(spec);
    expect((await served((bench) => avgPoolOutputs(bench, "float32", geometry))).sort()).toEqual([...expected]);
  });

  test.each([
    ["depth in whole tiles", [3, 2, 5, 64], true],
    ["one matrix b with a rest of depth", [1, 6, 5, 7], true],
    ["a row by a matrix with a rest of depth", [1, 1, 40, 70], true],
    ["as many matrices b with a rest of depth", [3, 2, 5, 7], false],
  ] as const)("a product, %s, does not see what lies behind the depth", async (_, sizes, byTfjs) => {
    const [batch, rows, columns, depth] = sizes;
    const run = async (bench: KernelBench) => {
      const a = bench.input("float32", [batch, rows, depth]);
      // Whatever is behind a matrix is infinite: of the last one the buffer's rest, which the poison makes NaN.
      const b = bench.input("float32", [batch, depth, columns]);
      const out = bench.output("float32", [batch, rows, columns]);
      const spoilt = { ...b, shape: [1, 1, columns], offset: (batch - 1) * depth * columns };
      if (batch > 1) bench.kernels.fill(spoilt, Number.POSITIVE_INFINITY);
      bench.kernels.matmul(a, b, null, out);
      const values = await bench.read(out);
      return { out: values.slice(0, Math.max(1, batch - 1) * rows * columns) };
    };
    expect(await served(run)).toEqual(byTfjs ? ["BatchMatMul"] : []);
  });

  test("a convolution's padding is zero whatever the weights behind", async () => {
    const g = convGeometry({ size: [6, 6], kernel: [3, 3], channels: 3, outChannels: 8, pad: [1, 1, 1, 1], batch: 3 });
    const run = async (bench: KernelBench) => {
      const x = bench.input("float32", shapesOf(g).x);
      // The last image is infinite: the others must not know.
      bench.kernels.fill({ ...x, shape: [1, 3, 6, 6], offset: 2 * 108 }, Number.POSITIVE_INFINITY);
      const out = bench.output("float32", [3, 8, 6, 6]);
      bench.kernels.conv2d(x, bench.input("float32", [8, 3, 3, 3]), null, out, g);
      return { out: (await bench.read(out)).slice(0, 2 * 8 * 36) };
    };
    expect(await served(run)).toEqual(["Conv2D"]);
  });

  test("a product into the buffer of its own factor, elsewhere, is right", async () => {
    const run = async (bench: KernelBench) => {
      const small = bench.numbers("float32", 4096).map((value) => value / 8);
      const x = bench.input("float32", [4, 32, 32], small);
      const part = (i: number) => ({ ...x, shape: [32, 32], strides: [32, 1], offset: i * 1024 });
      bench.kernels.matmul(part(1), part(2), null, part(0));
      bench.kernels.matmul(part(0), part(0), null, part(3));
      return { out: await bench.read(x) };
    };
    expect(await served(run)).toEqual(["BatchMatMul"]);
  });
});
