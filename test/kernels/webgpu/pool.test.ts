/** Pools, unfold and fold on random windows, on large ones, and on such as see nothing of the input. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createReferenceKernels } from "../../../src/kernels/reference/index.js";
import { KernelBench, type KernelCase } from "../bench.js";
import { expectSame } from "../compare.js";
import {
  avgPoolGeometry,
  avgPoolOutputs,
  foldOutputs,
  maxPoolOutputs,
  reachesInput,
  type WindowSpec,
  windowGeometry,
} from "../windowCases.js";
import { describeOnGpu, newKernels } from "./gpu.js";

const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

const windowSpec = fc
  .record({
    batch: fc.integer({ min: 1, max: 2 }),
    size: pair(1, 9),
    kernel: pair(1, 4),
    stride: pair(1, 5),
    dilation: pair(1, 3),
    pad: fc.tuple(pair(0, 3), pair(0, 3)).map(([[top, left], [bottom, right]]) => [top, left, bottom, right] as const),
  })
  .filter((spec) => {
    const { outHeight, outWidth } = windowGeometry(spec);
    return outHeight > 0 && outWidth > 0;
  });

describeOnGpu("pools on a GPU", async () => {
  const reference = createReferenceKernels();
  const kernels = await newKernels({ poison: true });
  const agrees = (run: KernelCase["run"]) =>
    expectSame({ name: "window", dtypes: ["float32"], tolerance: 2e-5, run }, kernels, reference);
  const all = async (spec: WindowSpec, countIncludePad = true) => {
    const g = windowGeometry(spec);
    if (reachesInput(spec)) await agrees((bench) => maxPoolOutputs(bench, "float32", g));
    await agrees((bench) => avgPoolOutputs(bench, "float32", avgPoolGeometry({ ...spec, countIncludePad })));
    await agrees((bench) => foldOutputs(bench, "float32", g));
  };

  test("agree with the reference set on random windows", async () => {
    await fc.assert(fc.asyncProperty(windowSpec, fc.boolean(), all), { numRuns: 100, seed: 3 });
  });

  test.each<WindowSpec & { name: string }>([
    { name: "of the whole plane", size: [40, 33], kernel: [40, 33] },
    { name: "that overlap nearly wholly", size: [20, 20], kernel: [15, 15], pad: [7, 7, 7, 7] },
    { name: "that are dilated widely", size: [25, 31], kernel: [3, 3], dilation: [9, 11], pad: [1, 1, 1, 1] },
    { name: "far apart", size: [30, 30], kernel: [2, 3], stride: [11, 13] },
  ])("agree with the reference set on windows $name", (spec) => all(spec));

  test.each([true, false])("have the average 0 where a window sees nothing; padding counts: %s", async (how) => {
    const spec = { size: [4, 3], kernel: [2, 2], stride: [2, 2], out: [4, 5], batch: 1, channels: 1 } as const;
    const g = avgPoolGeometry({ ...spec, countIncludePad: how });
    await agrees((bench) => avgPoolOutputs(bench, "float32", g));
    const { out } = await avgPoolOutputs(new KernelBench(kernels), "float32", g);
    expect(out?.slice(10)).toEqual(new Array(10).fill(0));
  });

  test("hand an infinite gradient to the maximum alone", async () => {
    const g = windowGeometry({ size: [3, 3], kernel: [2, 2], batch: 1, channels: 1 });
    const bench = new KernelBench(kernels);
    const x = bench.input("float32", [1, 1, 3, 3], [0, 1, 2, 3, 9, 4, 5, 6, 7]);
    const [out, indices] = [bench.output("float32", [1, 1, 2, 2]), bench.output("int32", [1, 1, 2, 2])];
    const xGrad = bench.output("float32", [1, 1, 3, 3]);
    kernels.maxPool2d(x, out, indices, g);
    kernels.maxPool2dGrad(bench.input("float32", [1, 1, 2, 2], [1, Infinity, 1, 1]), indices, xGrad, g);
    expect(await bench.read(xGrad)).toEqual([0, 0, 0, 0, Infinity, 0, 0, 0, 0]);
  });
});
