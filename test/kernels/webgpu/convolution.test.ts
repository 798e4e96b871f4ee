/** Convolutions large enough for every tile and block, in geometries that the table of cases has only for few channels; special values. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Dense } from "../../../src/kernels/kernelSet.js";
import { createReferenceKernels } from "../../../src/kernels/reference/index.js";
import type { KernelBench } from "../bench.js";
import { expectSame } from "../compare.js";
import { convGeometry, convolutionOutputs, shapesOf } from "../windowCases.js";
import { describeOnGpu, newKernels, productForms } from "./gpu.js";

const convolutions = [
  { name: "stride 2 and 3", size: [9, 11], kernel: [3, 3], stride: [2, 3], pad: [1, 1, 1, 1] },
  { name: "stride 4, dilation 2", size: [9, 9], kernel: [3, 2], stride: [4, 4], dilation: [2, 2], pad: [2, 1, 2, 1] },
  { name: "stride 2, dilation 3", size: [11, 10], kernel: [3, 3], stride: [2, 2], dilation: [3, 3], pad: [3, 2, 3, 3] },
  { name: "stride larger than the kernel", size: [10, 9], kernel: [2, 1], stride: [4, 3] },
  { name: "asymmetric padding", size: [5, 6], kernel: [4, 2], pad: [1, 0, 2, 1] },
  { name: "three groups", size: [6, 7], kernel: [3, 3], groups: 3, channels: 15, outChannels: 18, stride: [2, 1] },
  { name: "more channels than a tile", size: [4, 5], kernel: [3, 3], channels: 33, outChannels: 70, pad: [1, 1, 1, 1] },
  { name: "1x1", size: [8, 8], kernel: [1, 1], channels: 70, outChannels: 6 },
  { name: "batch 0", size: [4, 4], kernel: [2, 2], batch: 0 },
  { name: "depthwise, wide", size: [5, 40], kernel: [3, 7], groups: 6, outChannels: 12, pad: [1, 3, 1, 3] },
  {
    name: "depthwise, stride 3, narrow",
    size: [30, 3],
    kernel: [3, 5],
    groups: 6,
    outChannels: 6,
    stride: [3, 3],
    pad: [1, 2, 1, 2],
  },
  {
    name: "depthwise, dilated and strided",
    size: [17, 19],
    kernel: [3, 3],
    groups: 6,
    outChannels: 6,
    stride: [2, 4],
    dilation: [3, 2],
    pad: [3, 2, 3, 2],
  },
  { name: "two filters for many images", size: [9, 9], kernel: [3, 3], batch: 20, channels: 2, outChannels: 2 },
] as const;

for (const products of productForms) {
  describeOnGpu(`convolutions in ${products.name} agree with the reference set`, async () => {
    const reference = createReferenceKernels();
    const kernels = await newKernels({ poison: true, products });
    test.each(convolutions.map((spec) => [spec.name, spec] as const))("%s", async (name, spec) => {
      const geometry = convGeometry({ channels: 6, outChannels: 7, ...spec });
      await expectSame(
        { name, dtypes: ["float32"], tolerance: 3e-5, run: (bench) => convolutionOutputs(bench, "float32", geometry) },
        kernels,
        reference,
      );
    });
  });

  describeOnGpu(`numbers without bounds, in ${products.name}`, async () => {
    const reference = createReferenceKernels();
    const kernels = await newKernels({ poison: true, products });
    const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
    const spec = fc.record({
      // Two channels to a group are summed up directly, eight as a product.
      perGroup: fc.constantFrom(1, 2, 8),
      groups: fc.constantFrom(1, 2),
      size: pair(1, 9),
      kernel: pair(1, 3),
      stride: pair(1, 3),
      dilation: pair(1, 2),
      pad: fc
        .tuple(pair(0, 2), pair(0, 2))
        .map(([[top, left], [bottom, right]]) => [top, left, bottom, right] as const),
      where: fc.constantFrom("x", "weight", "outGrad"),
      value: fc.constantFrom(Infinity, -Infinity, Number.NaN),
      at: fc.nat(),
    });

    test("reach what they reach in the definition, and nothing else", { timeout: 300_000 }, async () => {
      const kinds = { finite: 0, infinite: 0, nan: 0 };
      const isDrawn = fc.asyncProperty(spec, async ({ perGroup, groups, where, value, at, ...window }) => {
        const channels = perGroup * groups;
        const g = convGeometry({ ...window, groups, channels, outChannels: channels });
        fc.pre(g.outHeight > 0 && g.outWidth > 0);
        const run = async (bench: KernelBench) => {
          const outShape = [g.batch, g.outChannels, g.outHeight, g.outWidth];
          const weightShape = [g.outChannels, perGroup, g.kernelHeight, g.kernelWidth];
          const make = (name: string, shape: readonly number[]): Dense => {
            const count = shape.reduce((product, extent) => product * extent, 1);
            const numbers = Array.from({ length: count }, () => 1);
            if (name === where) numbers[at % count] = value;
            return bench.input("float32", shape, numbers);
          };
          const [x, weight, outGrad] = [
            make("x", shapesOf(g).x),
            make("weight", weightShape),
            make("outGrad", outShape),
          ] as const;
          const out = bench.output("float32", outShape);
          const xGrad = bench.output("float32", shapesOf(g).x);
          const weightGrad = bench.output("float32", weightShape);
          bench.kernels.conv2d(x, weight, null, out, g);
          bench.kernels.conv2dInputGrad(outGrad, weight, null, xGrad, g);
          bench.kernels.conv2dWeightGrad(outGrad, x, weightGrad, g);
          const outputs = {
            out: await bench.read(out),
            xGrad: await bench.read(xGrad),
            weightGrad: await bench.read(weightGrad),
          };
          for (const number of Object.values(outputs).flat()) {
            kinds[Number.isNaN(number) ? "nan" : Number.isFinite(number) ? "finite" : "infinite"]++;
          }
          return outputs;
        };
        await expectSame({ name: "special", dtypes: ["float32"], run }, kernels, reference);
      });
      await fc.assert(isDrawn, { numRuns: 60, seed: 1 });
      for (const count of Object.values(kinds)) expect(count).toBeGreaterThan(300);
    });
  });
}
