import { describe, expect, test } from "vitest";
import { agrees, outputs, wasmSets } from "./sets.js";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const sets = wasmSets();
const lengths = Array.from({ length: 70 }, (_, i) => i + 1);

describe.each(sets)("reductions, %s", (_name, kernels) => {
  test("runs and rows of all lengths", async () => {
    for (const length of [...lengths, 300, 5000]) {
      await agrees(
        kernels,
        async (bench) => {
          const x = bench.input("float32", [5, length, 3], undefined, { offset: 1 });
          const wide = bench.input("float32", [7, length]);
          const results: Record<string, number[]> = {};
          for (const op of ["sum", "sumSquares", "amax", "amin"] as const) {
            const along = bench.output("float32", [5, 1, 1], { offset: 1 });
            const across = bench.output("float32", [1, length, 3]);
            const columns = bench.output("float32", [1, length], { offset: 3 });
            bench.kernels.reduce(op, x, along);
            bench.kernels.reduce(op, x, across);
            bench.kernels.reduce(op, wide, columns);
            results[`${op} along`] = await bench.read(along);
            results[`${op} across`] = await bench.read(across);
            results[`${op} columns`] = await bench.read(columns);
          }
          return results;
        },
        1e-6 * Math.sqrt(length),
      );
    }
  });

  test("NaN at any place, in runs, rows and places of extremes", async () => {
    for (const length of [1, 3, 4, 15, 16, 17, 40, 69]) {
      for (let place = 0; place < length; place++) {
        const values = Array.from({ length }, (_, i) => (i === place ? nan : (i * 7) % 5));
        const { run, rows, where } = await outputs(kernels, async (bench) => {
          const results = ["float32", "float32", "int32"].map((dtype) => bench.output(dtype as "float32", [1, 1]));
          const [run, , where] = results;
          const rows = bench.output("float32", [1, 40]);
          const along = bench.input("float32", [1, length], values);
          if (run) bench.kernels.reduce("amin", along, run);
          if (where) bench.kernels.argReduce("amax", along, 1, where);
          const across = bench.input(
            "float32",
            [length, 40],
            values.flatMap((value) => Array<number>(40).fill(value)),
          );
          bench.kernels.reduce("amax", across, rows);
          return {
            run: run ? await bench.read(run) : [],
            rows: await bench.read(rows),
            where: where ? await bench.read(where) : [],
          };
        });
        expect(run).toEqual([nan]);
        expect(rows).toEqual(Array<number>(40).fill(nan));
        expect(where).toEqual([place]);
      }
    }
  });

  test("more rows than are added up at once, with NaN in some columns only", async () => {
    await agrees(
      kernels,
      async (bench) => {
        const values = bench.numbers("float32", 700 * 38);
        values[400 * 38 + 5] = nan;
        values[37] = nan;
        values[600 * 38 + 20] = inf;
        values[601 * 38 + 21] = -inf;
        const x = bench.input("float32", [700, 38], values);
        const outs = (["sum", "amax", "amin"] as const).map((op) => {
          const out = bench.output("float32", [1, 38]);
          bench.kernels.reduce(op, x, out);
          return out;
        });
        return { all: (await Promise.all(outs.map((out) => bench.read(out)))).flat() };
      },
      2e-5,
    );
  });

  test("the first of equal extremes", async () => {
    for (const length of [1, 5, 16, 17, 33, 64]) {
      await agrees(kernels, async (bench) => {
        const x = bench.input(
          "float32",
          [9, length],
          bench.integers(9 * length, 4).map((v) => (v === 0 ? -0 : v - 2)),
        );
        const outs = [bench.output("int32", [9, 1]), bench.output("int32", [9, 1]), bench.output("int32", [1, length])];
        const [most, least, columns] = outs;
        if (most) bench.kernels.argReduce("amax", x, 1, most);
        if (least) bench.kernels.argReduce("amin", x, 1, least);
        if (columns) bench.kernels.argReduce("amax", x, 0, columns);
        return { all: (await Promise.all(outs.map((out) => bench.read(out)))).flat() };
      });
    }
  });
});

test("sums are the same to the bit for any number of threads", async () => {
  const results = await Promise.all(
    sets.map(([, kernels]) =>
      outputs(kernels, async (bench) => {
        const x = bench.input("float32", [200, 501]);
        const outs = [
          [1, 1],
          [200, 1],
          [1, 501],
        ].map((shape) => {
          const out = bench.output("float32", shape);
          bench.kernels.reduce("sum", x, out);
          return out;
        });
        return { all: (await Promise.all(outs.map((out) => bench.read(out)))).flat() };
      }),
    ),
  );
  for (const result of results) expect(result).toEqual(results[0]);
});
