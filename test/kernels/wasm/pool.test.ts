import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { WasmKernels } from "../../../src/kernels/wasm/index.js";
import {
  avgPoolGeometry,
  avgPoolOutputs,
  maxPoolOutputs,
  reachesInput,
  shapesOf,
  type WindowSpec,
  windowGeometry,
} from "../windowCases.js";
import { agrees, outputs, wasmSets } from "./sets.js";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const sets = wasmSets();

const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

/** Windows over planes wide enough for several vectors. */
const windows = fc
  .record({
    batch: fc.integer({ min: 1, max: 2 }),
    size: fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 40 })),
    kernel: fc.oneof(pair(1, 5), fc.constant([2, 2] as const)),
    stride: fc.oneof(pair(1, 4), fc.constant([2, 2] as const)),
    dilation: fc.oneof(fc.constant([1, 1] as const), pair(1, 3)),
    pad: fc.tuple(pair(0, 2), pair(0, 2)).map(([[top, left], [bottom, right]]) => [top, left, bottom, right] as const),
  })
  .filter((spec) => {
    const { outHeight, outWidth } = windowGeometry(spec);
    return outHeight > 0 && outWidth > 0;
  });

/** 2x2 windows side by side, with rows and columns left over. */
const quarters = pair(2, 27).map((size): WindowSpec => ({ size, kernel: [2, 2], stride: [2, 2] }));

/** Few different values, so that there are ties, and now and then a special one. */
const values = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: -3, max: 3 }) },
    { weight: 1, arbitrary: fc.constantFrom(nan, inf, -inf, -0) },
  ),
  { minLength: 50, maxLength: 200 },
);

describe.each(sets)("pooling, %s", (_name, kernels) => {
  test("maximum of random windows", async () => {
    await fc.assert(
      fc.asyncProperty(windows.filter(reachesInput), values, (spec, numbers) =>
        agrees(kernels, (bench) => maxPoolOutputs(bench, "float32", windowGeometry(spec), numbers)),
      ),
      { numRuns: 200 },
    );
  });

  test("maximum of 2x2 windows", async () => {
    await fc.assert(
      fc.asyncProperty(quarters, values, (spec, numbers) =>
        agrees(kernels, (bench) => maxPoolOutputs(bench, "float32", windowGeometry(spec), numbers)),
      ),
      { numRuns: 200 },
    );
  });

  test("average of random windows", async () => {
    const how = fc.record({ countIncludePad: fc.boolean() });
    const given = fc.record({ divisorOverride: fc.constantFrom(1, 3, -2) });
    await fc.assert(
      fc.asyncProperty(fc.oneof(windows, quarters), fc.oneof(how, given), (spec, options) =>
        agrees(kernels, (bench) => avgPoolOutputs(bench, "float32", avgPoolGeometry({ ...spec, ...options }))),
      ),
      { numRuns: 200 },
    );
  });

  test("average of whole planes", async () => {
    for (const size of [1, 3, 7, 8, 16]) {
      const g = avgPoolGeometry({ size: [size, size], kernel: [size, size], channels: 5 });
      await agrees(kernels, (bench) => avgPoolOutputs(bench, "float32", g));
    }
  });

  test("gradients go to indices wherever they point", async () => {
    const g = windowGeometry({ size: [4, 10], kernel: [2, 2], stride: [2, 2] });
    const { x: xShape, out: outShape } = shapesOf(g);
    await agrees(kernels, async (bench) => {
      const xGrad = bench.output("float32", xShape);
      const indices = bench.input("int32", outShape, bench.integers(60, 40));
      bench.kernels.maxPool2dGrad(bench.input("float32", outShape), indices, xGrad, g);
      return { xGrad: await bench.read(xGrad) };
    });
  });
});

test("overlapping gradients are the same to the bit for any number of threads", async () => {
  const g = windowGeometry({ batch: 3, size: [17, 19], kernel: [3, 3], stride: [2, 1], pad: [1, 1, 1, 1] });
  const run = (kernels: WasmKernels) => outputs(kernels, (bench) => maxPoolOutputs(bench, "float32", g));
  const results = await Promise.all(sets.map(([, kernels]) => run(kernels)));
  for (const result of results) expect(result).toEqual(results[0]);
});
