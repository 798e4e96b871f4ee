import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Layout } from "../bench.js";
import { agrees, outputs, wasmSets } from "./sets.js";

const sets = wasmSets();

/** An array, an axis of it, and layouts for what is read and written along that axis. */
const indexings = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }).chain((shape) => {
  const axes = shape.map((_, axis) => axis);
  const layout: fc.Arbitrary<Layout> = fc.record({
    order: fc.shuffledSubarray(axes, { minLength: axes.length }),
    offset: fc.integer({ min: 0, max: 3 }),
    spread: fc.integer({ min: 1, max: 2 }),
  });
  const read: fc.Arbitrary<Layout> = fc.oneof(
    layout,
    fc.subarray(axes).map((repeat) => ({ repeat })),
  );
  return fc.record({
    small: fc.constant(shape),
    axis: fc.constantFrom(...axes),
    extent: fc.integer({ min: 1, max: 9 }),
    bigLayout: layout,
    smallLayout: read,
    indexLayout: read,
  });
});

describe.each(sets)("indexing, %s", (_name, kernels) => {
  test("gather and scatterAdd on random strides", async () => {
    await fc.assert(
      fc.asyncProperty(
        indexings,
        fc.constantFrom("float32", "int32"),
        ({ small, axis, extent, bigLayout, smallLayout, indexLayout }, dtype) =>
          agrees(kernels, async (bench) => {
            const big = small.with(axis, extent);
            const index = bench.input("int32", small, bench.integers(97, extent), indexLayout);
            const gathered = bench.output(dtype, small, { offset: 1 });
            bench.kernels.gather(bench.input(dtype, big, undefined, bigLayout), axis, index, gathered);
            const sums = bench.input(dtype, big, undefined, bigLayout);
            bench.kernels.scatterAdd(bench.input(dtype, small, undefined, smallLayout), axis, index, sums);
            return { gathered: await bench.read(gathered), sums: await bench.readAll(sums, bigLayout) };
          }),
      ),
      { numRuns: 300 },
    );
  });

  test("rows of an embedding", async () => {
    for (const width of [1, 3, 4, 64, 70]) {
      await agrees(kernels, async (bench) => {
        const index = bench.input("int32", [50, width], bench.integers(50, 9), { repeat: [1] });
        const rows = bench.output("float32", [50, width]);
        bench.kernels.gather(bench.input("float32", [9, width]), 0, index, rows);
        const grad = bench.input("float32", [9, width]);
        bench.kernels.scatterAdd(bench.input("float32", [50, width]), 0, index, grad);
        return { rows: await bench.read(rows), grad: await bench.read(grad) };
      });
    }
  });
});

describe("sums are the same to the bit for any number of threads, as terms come in the order of the axis", () => {
  // Whatever 2²⁴ + 1 − 2²⁴ gives depends on the order.
  const terms = Array.from({ length: 3000 }, (_, i) => [2 ** 24, 1, -(2 ** 24), 3][i % 4] ?? 0);
  const places = Array.from({ length: 3000 }, (_, i) => (i * 7919) % 5);

  /** [rows, columns] of terms, added up along `axis`, 0 or 1. */
  function inOrder(rows: number, columns: number, axis: number): number[] {
    const sums = new Float32Array(axis === 0 ? 5 * columns : rows * 5);
    terms.forEach((term, i) => {
      const [row, column, place] = [Math.floor(i / columns), i % columns, places[i] ?? 0];
      const to = axis === 0 ? place * columns + column : row * 5 + place;
      sums[to] = (sums[to] ?? 0) + term;
    });
    return [...sums];
  }

  test.each([
    [1000, 3, 0],
    [3, 1000, 1],
    [3000, 1, 0],
    [30, 100, 0],
    [100, 30, 1],
  ] as const)("[%i, %i] along axis %i", async (rows, columns, axis) => {
    for (const [, kernels] of sets) {
      const { sums } = await outputs(kernels, async (bench) => {
        const index = bench.input("int32", [rows, columns], places);
        const out = bench.input("float32", axis === 0 ? [5, columns] : [rows, 5], [0]);
        bench.kernels.scatterAdd(bench.input("float32", [rows, columns], terms), axis, index, out);
        return { sums: await bench.read(out) };
      });
      expect(sums).toEqual(inOrder(rows, columns, axis));
    }
  });
});
