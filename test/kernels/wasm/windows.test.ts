import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldOutputs, windowGeometry } from "../windowCases.js";
import { agrees, outputs, wasmSets } from "./sets.js";

const sets = wasmSets();
const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

const windows = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    channels: fc.integer({ min: 1, max: 4 }),
    size: fc.tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 40 })),
    kernel: pair(1, 6),
    stride: pair(1, 4),
    dilation: pair(1, 3),
    pad: fc.tuple(pair(0, 7), pair(0, 7)).map(([[top, left], [bottom, right]]) => [top, left, bottom, right] as const),
  })
  .filter((spec) => {
    const { outHeight, outWidth } = windowGeometry(spec);
    return outHeight > 0 && outWidth > 0;
  });

describe.each(sets)("unfold and fold, %s", (_name, kernels) => {
  test("random windows", async () => {
    await fc.assert(
      fc.asyncProperty(windows, (spec) =>
        agrees(kernels, (bench) => foldOutputs(bench, "float32", windowGeometry(spec))),
      ),
      { numRuns: 300 },
    );
  });
});

test("folds are the same to the bit for any number of threads", async () => {
  const g = windowGeometry({ batch: 3, channels: 5, size: [9, 21], kernel: [3, 4], pad: [1, 2, 1, 1] });
  const results = await Promise.all(
    sets.map(([, kernels]) => outputs(kernels, (bench) => foldOutputs(bench, "float32", g))),
  );
  for (const result of results) expect(result).toEqual(results[0]);
});
