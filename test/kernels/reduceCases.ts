import type { DType, ReduceOp } from "../../src/kernels/kernelSet.js";
import type { KernelCase, Layout } from "./bench.js";

const allDTypes: readonly DType[] = ["float32", "float64", "int32", "bool"];
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

const reductions: readonly { name: string; shape: readonly number[]; axes: readonly number[]; layout: Layout }[] = [
  { name: "all", shape: [3, 4, 5], axes: [0, 1, 2], layout: {} },
  { name: "none", shape: [3, 4], axes: [], layout: {} },
  { name: "scalar", shape: [], axes: [], layout: { offset: 2 } },
  { name: "last", shape: [3, 4, 5], axes: [2], layout: {} },
  { name: "first", shape: [3, 4, 5], axes: [0], layout: {} },
  { name: "middle", shape: [3, 4, 5], axes: [1], layout: {} },
  { name: "all but channels", shape: [2, 3, 4, 5], axes: [0, 2, 3], layout: {} },
  { name: "all but the last", shape: [2, 3, 4], axes: [0, 1], layout: {} },
  { name: "axes of extent 1", shape: [1, 4, 1], axes: [0, 2], layout: {} },
  { name: "last of a transposed", shape: [4, 6], axes: [1], layout: { order: [1, 0], offset: 3 } },
  { name: "first of a transposed", shape: [4, 6], axes: [0], layout: { order: [1, 0], spread: 2 } },
  { name: "a repeated axis", shape: [3, 4, 5], axes: [1], layout: { repeat: [1] } },
  { name: "backwards", shape: [3, 4, 5], axes: [1], layout: { reverse: [1, 2] } },
  { name: "beside a repeated axis", shape: [3, 4, 5], axes: [0, 2], layout: { repeat: [1], order: [2, 1, 0] } },
  { name: "long", shape: [3, 1000], axes: [1], layout: {} },
];

function reduced(shape: readonly number[], axes: readonly number[]): number[] {
  return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
}

const reduceCases = (["amax", "amin", "sum", "sumSquares"] as const).flatMap((op: ReduceOp) =>
  (op === "sumSquares" ? (["float32", "float64"] as const) : allDTypes).flatMap((dtype) =>
    reductions.map(
      ({ name, shape, axes, layout }): KernelCase => ({
        name: `${op} ${dtype}, ${name}`,
        dtypes: [dtype, "int32"],
        run: async (bench) => {
          const x = bench.input(dtype, shape, undefined, layout);
          const outType = op === "sum" && dtype === "bool" ? "int32" : dtype;
          const out = bench.output(outType, reduced(shape, axes), { offset: 2 });
          bench.kernels.reduce(op, x, out);
          return { out: await bench.read(out) };
        },
      }),
    ),
  ),
);

/** Products of numbers near 1, so that long ones neither vanish nor overflow. */
const productCases = allDTypes.flatMap((dtype) =>
  reductions.map(
    ({ name, shape, axes, layout }): KernelCase => ({
      name: `prod ${dtype}, ${name}`,
      dtypes: [dtype, "int32"],
      run: async (bench) => {
        const isFraction = dtype === "float32" || dtype === "float64";
        const values = isFraction
          ? bench.numbers(dtype, 500).map((value, i) => (i % 2 ? 1 : -1) + value / 64)
          : undefined;
        const x = bench.input(dtype, shape, values, layout);
        const out = bench.output(dtype === "bool" ? "int32" : dtype, reduced(shape, axes), { offset: 2 });
        bench.kernels.reduce("prod", x, out);
        return { out: await bench.read(out) };
      },
    }),
  ),
);

const specialReduceCases: readonly KernelCase[] = [
  {
    name: "prod float32, special values and nothing",
    dtypes: ["float32"],
    run: async (bench) => {
      const x = bench.input("float32", [4, 3], [1, nan, 3, 0, 1, 2, -inf, 2, 3, inf, 0, 1]);
      const [rows, columns] = [bench.output("float32", [4, 1]), bench.output("float32", [1, 3])];
      bench.kernels.reduce("prod", x, rows);
      bench.kernels.reduce("prod", x, columns);
      const nothing = bench.output("float32", [3, 1]);
      bench.kernels.reduce("prod", bench.input("float32", [3, 0]), nothing);
      return { rows: await bench.read(rows), columns: await bench.read(columns), nothing: await bench.read(nothing) };
    },
  },
  {
    name: "prod float32, many",
    dtypes: ["float32"],
    run: async (bench) => {
      // Powers of 2, which need no rounding, and now and then none.
      const powers = [0.5, 2, -0.5, -2, 1, 1, -1, -1];
      const values = bench.integers(40_000, powers.length).map((choice) => powers[choice] ?? 1);
      const x = bench.input("float32", [100, 400], values);
      const shapes = [
        [100, 1],
        [1, 400],
        [1, 1],
      ];
      const outs = shapes.map((shape) => bench.output("float32", shape));
      for (const out of outs) bench.kernels.reduce("prod", x, out);
      const [rows = [], columns = [], all = []] = await Promise.all(outs.map((out) => bench.read(out)));
      return { rows, columns, all };
    },
  },
  ...(["float32", "float64", "int32", "bool"] as const).map(
    (dtype): KernelCase => ({
      name: `sum ${dtype} over nothing`,
      dtypes: [dtype, "int32"],
      run: async (bench) => {
        const outType = dtype === "bool" ? "int32" : dtype;
        const out = bench.output(outType, [3, 1]);
        bench.kernels.reduce("sum", bench.input(dtype, [3, 0]), out);
        const empty = bench.output(outType, [0, 1]);
        bench.kernels.reduce("sum", bench.input(dtype, [0, 4]), empty);
        return { out: await bench.read(out), empty: await bench.read(empty) };
      },
    }),
  ),
  ...(["amax", "amin"] as const).map(
    (op): KernelCase => ({
      name: `${op} float32, special values`,
      dtypes: ["float32"],
      run: async (bench) => {
        const x = bench.input("float32", [4, 3], [1, nan, 3, nan, 1, 2, -inf, -inf, -inf, inf, -0, inf]);
        const [rows, columns] = [bench.output("float32", [4, 1]), bench.output("float32", [1, 3])];
        bench.kernels.reduce(op, x, rows);
        bench.kernels.reduce(op, x, columns);
        return { rows: await bench.read(rows), columns: await bench.read(columns) };
      },
    }),
  ),
  {
    name: "sum int32 wraps round",
    dtypes: ["int32"],
    run: async (bench) => {
      const out = bench.output("int32", [1]);
      bench.kernels.reduce("sum", bench.input("int32", [3], [2147483647, 2147483647, 7]), out);
      return { out: await bench.read(out) };
    },
  },
];

const argReduceCases = (["amax", "amin"] as const).flatMap((op) =>
  allDTypes.flatMap((dtype) =>
    reductions
      .flatMap(({ name, shape, axes: [axis], layout }) => (axis === undefined ? [] : [{ name, shape, axis, layout }]))
      .map(
        ({ name, shape, axis, layout }): KernelCase => ({
          name: `arg ${op} ${dtype}, axis ${axis}, ${name}`,
          dtypes: [dtype, "int32"],
          run: async (bench) => {
            // Few different values, so that there are ties.
            const values = bench.numbers(dtype, 60).map((v) => (dtype === "bool" ? v : Math.round(v)));
            const x = bench.input(dtype, shape, values, layout);
            const out = bench.output("int32", reduced(shape, [axis]), { offset: 1 });
            bench.kernels.argReduce(op, x, axis, out);
            return { out: await bench.read(out) };
          },
        }),
      ),
  ),
);

const specialArgReduceCases = (["amax", "amin"] as const).map(
  (op): KernelCase => ({
    name: `arg ${op} float32, special values`,
    dtypes: ["float32", "int32"],
    run: async (bench) => {
      const values = [1, nan, 3, nan, nan, 1, inf, 2, -inf, -inf, -inf, -inf, inf, 5, inf, 5];
      const x = bench.input("float32", [4, 4], values);
      const [rows, columns] = [bench.output("int32", [4, 1]), bench.output("int32", [1, 4])];
      bench.kernels.argReduce(op, x, 1, rows);
      bench.kernels.argReduce(op, x, 0, columns);
      const empty = bench.output("int32", [0, 1]);
      bench.kernels.argReduce(op, bench.input("float32", [0, 4]), 1, empty);
      return { rows: await bench.read(rows), columns: await bench.read(columns), empty: await bench.read(empty) };
    },
  }),
);

const indexings: readonly {
  name: string;
  big: readonly number[];
  small: readonly number[];
  axis: number;
  bigLayout?: Layout;
  smallLayout?: Layout;
  indexLayout?: Layout;
}[] = [
  { name: "one axis", big: [5], small: [8], axis: 0 },
  { name: "rows", big: [4, 3], small: [6, 3], axis: 0 },
  { name: "columns", big: [4, 5], small: [4, 2], axis: 1 },
  { name: "middle", big: [2, 4, 3], small: [2, 5, 3], axis: 1 },
  { name: "part of the other axes", big: [4, 5, 3], small: [2, 4, 2], axis: 1 },
  { name: "one index for all", big: [4, 5], small: [4, 3], axis: 1, indexLayout: { repeat: [0] } },
  {
    name: "strided",
    big: [4, 5],
    small: [3, 5],
    axis: 0,
    bigLayout: { order: [1, 0], offset: 2 },
    smallLayout: { spread: 2 },
    indexLayout: { order: [1, 0] },
  },
  { name: "empty", big: [4, 5], small: [4, 0], axis: 1 },
];

const indexCases = allDTypes.flatMap((dtype) =>
  indexings.flatMap(({ name, big, small, axis, bigLayout = {}, smallLayout = {}, indexLayout = {} }) => [
    {
      name: `gather ${dtype}, ${name}`,
      dtypes: [dtype, "int32"],
      run: async (bench) => {
        const x = bench.input(dtype, big, undefined, bigLayout);
        const index = bench.input("int32", small, bench.integers(60, big[axis] ?? 1), indexLayout);
        const out = bench.output(dtype, small, { offset: 3 });
        bench.kernels.gather(x, axis, index, out);
        return { out: await bench.read(out) };
      },
    } satisfies KernelCase,
    {
      name: `scatter ${dtype}, ${name}`,
      dtypes: [dtype, "int32"],
      run: async (bench) => {
        // Which of several elements stays is not said: they are equal.
        const x = bench.input(dtype, small, [1], smallLayout);
        const index = bench.input("int32", small, bench.integers(60, big[axis] ?? 1), indexLayout);
        const out = bench.input(dtype, big, undefined, bigLayout);
        bench.kernels.scatter(x, axis, index, out);
        return { all: await bench.readAll(out, bigLayout) };
      },
    } satisfies KernelCase,
    {
      name: `scatterAdd ${dtype}, ${name}`,
      dtypes: [dtype, "int32"],
      run: async (bench) => {
        const x = bench.input(dtype, small, undefined, smallLayout);
        const index = bench.input("int32", small, bench.integers(60, big[axis] ?? 1), indexLayout);
        const out = bench.input(dtype, big, undefined, bigLayout);
        bench.kernels.scatterAdd(x, axis, index, out);
        return { all: await bench.readAll(out, bigLayout) };
      },
    } satisfies KernelCase,
  ]),
);

const sortCases = allDTypes.flatMap((dtype) =>
  [false, true].flatMap((descending) =>
    [[7], [3, 5], [2, 2, 1], [2, 64], [2, 100], [0, 3], [3, 0]].map(
      (shape): KernelCase => ({
        name: `argSort ${dtype} [${shape}]${descending ? ", descending" : ""}`,
        dtypes: [dtype, "int32"],
        run: async (bench) => {
          const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0];
          const fractions = dtype === "float32" || dtype === "float64";
          // With ties.
          const values = bench
            .integers(200, 40)
            .map((value, i) => (fractions ? (special[value] ?? value / 2 - i / 1e3) : value));
          const x = bench.input(dtype, shape, dtype === "bool" ? values.map((value) => value % 2) : values, {
            offset: 3,
          });
          const out = bench.output("int32", shape, { offset: 2 });
          bench.kernels.argSort(x, descending, out);
          return { out: await bench.read(out) };
        },
      }),
    ),
  ),
);

/** The first of the order alone. */
const firstInOrderCases = allDTypes.flatMap((dtype) =>
  [false, true].flatMap((descending) =>
    [
      { shape: [5, 7], count: 1 },
      { shape: [3, 100], count: 5 },
      { shape: [3, 203], count: 32 },
      { shape: [2, 100], count: 60 },
      { shape: [2, 9], count: 9 },
      { shape: [2, 9], count: 0 },
    ].map(
      ({ shape, count }): KernelCase => ({
        name: `argSort ${dtype} [${shape}], the first ${count}${descending ? ", descending" : ""}`,
        dtypes: [dtype, "int32"],
        run: async (bench) => {
          const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0];
          const fractions = dtype === "float32" || dtype === "float64";
          // With ties, and in order every now and then.
          const values = bench
            .integers(700, 40)
            .map((value, i) => (fractions ? (special[value] ?? value / 2) : i % 400 < 100 ? i : value));
          const x = bench.input(dtype, shape, dtype === "bool" ? values.map((value) => value % 2) : values, {
            offset: 3,
          });
          const out = bench.output("int32", [shape[0] ?? 0, count], { offset: 2 });
          bench.kernels.argSort(x, descending, out);
          return { out: await bench.read(out) };
        },
      }),
    ),
  ),
);

const cumsumCases = (["float32", "float64", "int32"] as const).flatMap((dtype) =>
  [false, true].flatMap((backwards) =>
    [
      { shape: [7], axis: 0 },
      { shape: [3, 65], axis: 1 },
      { shape: [9, 23], axis: 0 },
      { shape: [2, 5, 16], axis: 1 },
      { shape: [2, 5, 39], axis: 1 },
      { shape: [3, 1, 2], axis: 1 },
      { shape: [0, 3], axis: 1 },
      { shape: [3, 0], axis: 1 },
    ].map(
      ({ shape, axis }): KernelCase => ({
        name: `cumsum ${dtype} [${shape}], axis ${axis}${backwards ? ", backwards" : ""}`,
        dtypes: [dtype],
        run: async (bench) => {
          const out = bench.output(dtype, shape, { offset: 1 });
          bench.kernels.cumsum(bench.input(dtype, shape, undefined, { offset: 5 }), axis, backwards, out);
          return { out: await bench.read(out) };
        },
      }),
    ),
  ),
);

const cumsumWrapsCase: KernelCase = {
  name: "cumsum int32 wraps round",
  dtypes: ["int32"],
  run: async (bench) => {
    const out = bench.output("int32", [4]);
    bench.kernels.cumsum(bench.input("int32", [4], [2147483647, 1, 5, -7]), 0, false, out);
    return { out: await bench.read(out) };
  },
};

const memoryCases = allDTypes.map(
  (dtype): KernelCase => ({
    name: `write and read ${dtype}`,
    dtypes: [dtype],
    run: async (bench) => {
      const { kernels } = bench;
      const x = bench.input(dtype, [10]);
      const data = await kernels.read(x.buffer, dtype, 2, 3);
      data.fill(1);
      kernels.write(x.buffer, dtype, 7, data);
      data.fill(0);
      const part = Array.from(await kernels.read(x.buffer, dtype, 6, 3));
      kernels.write(x.buffer, dtype, 0, await kernels.read(x.buffer, dtype, 0, 0));
      return { all: await bench.read(x), part };
    },
  }),
);

export const reduceAndIndexCases: readonly KernelCase[] = [
  ...sortCases,
  ...firstInOrderCases,
  ...cumsumCases,
  cumsumWrapsCase,
  ...productCases,
  ...memoryCases,
  ...reduceCases,
  ...specialReduceCases,
  ...argReduceCases,
  ...specialArgReduceCases,
  ...indexCases,
];
