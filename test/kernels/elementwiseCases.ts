import type { ActivationOp, BinaryOp, CompareOp, DType, UnaryOp } from "../../src/kernels/kernelSet.js";
import type { KernelCase, Layout } from "./bench.js";

const allDTypes: readonly DType[] = ["float32", "float64", "int32", "bool"];
const floats: readonly DType[] = ["float32", "float64"];
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Shapes with a layout for an input and one for an output. */
const layouts: readonly { name: string; shape: readonly number[]; input: Layout; output: Layout }[] = [
  { name: "dense", shape: [3, 4, 5], input: {}, output: {} },
  { name: "scalar", shape: [], input: {}, output: {} },
  { name: "scalar at an offset", shape: [], input: { offset: 3 }, output: { offset: 2 } },
  { name: "empty", shape: [2, 0, 3], input: {}, output: {} },
  { name: "transposed", shape: [4, 7], input: { order: [1, 0] }, output: {} },
  { name: "transposed output", shape: [4, 7], input: {}, output: { order: [1, 0], offset: 1 } },
  { name: "both transposed", shape: [4, 7], input: { order: [1, 0] }, output: { order: [1, 0] } },
  {
    name: "permuted, spread",
    shape: [3, 4, 5],
    input: { order: [2, 0, 1], offset: 5, spread: 3 },
    output: { spread: 2 },
  },
  { name: "repeated inner", shape: [3, 4, 5], input: { repeat: [2] }, output: {} },
  { name: "repeated outer", shape: [3, 4, 5], input: { repeat: [0] }, output: {} },
  { name: "repeated middle", shape: [3, 4, 5], input: { repeat: [1] }, output: {} },
  { name: "repeated all", shape: [3, 4], input: { repeat: [0, 1], offset: 2 }, output: {} },
  { name: "repeated channel", shape: [2, 3, 2, 5], input: { repeat: [0, 2, 3] }, output: {} },
  { name: "inner axis backwards", shape: [3, 5], input: { reverse: [1], offset: 2 }, output: {} },
  { name: "outer axis backwards", shape: [3, 5], input: { reverse: [0] }, output: { spread: 2 } },
  { name: "all axes backwards", shape: [3, 4, 5], input: { reverse: [0, 1, 2] }, output: {} },
  { name: "rank 6", shape: [2, 1, 3, 2, 1, 4], input: { order: [5, 3, 1, 0, 2, 4] }, output: {} },
];

const fillCases = allDTypes.flatMap((dtype) =>
  layouts.map(
    (layout): KernelCase => ({
      name: `fill ${dtype}, ${layout.name}`,
      dtypes: [dtype],
      run: async (bench) => {
        const out = bench.input(dtype, layout.shape, undefined, layout.output);
        bench.kernels.fill(out, dtype === "int32" ? -3 : 2.5);
        return { all: await bench.readAll(out, layout.output) };
      },
    }),
  ),
);

const castValues = [0, 1, -1, 2.5, -2.5, 0.25, -0.25, 1e6, -7];

const copyCases = [
  ...allDTypes.flatMap((from) =>
    allDTypes.flatMap((to) =>
      layouts.map(
        (layout): KernelCase => ({
          name: `copy ${from} to ${to}, ${layout.name}`,
          dtypes: [from, to],
          run: async (bench) => {
            const x = bench.input(from, layout.shape, castValues, layout.input);
            const out = bench.input(to, layout.shape, [0], layout.output);
            bench.kernels.copy(x, out);
            return { all: await bench.readAll(out, layout.output) };
          },
        }),
      ),
    ),
  ),
  ...floats.map(
    (dtype): KernelCase => ({
      name: `copy special values of ${dtype} to int32 and bool`,
      dtypes: [dtype, "int32", "bool"],
      run: async (bench) => {
        const x = bench.input(dtype, [5], [inf, -inf, 3e9, -3e9, -0]);
        const integers = bench.output("int32", [5]);
        bench.kernels.copy(x, integers);
        const truths = bench.output("bool", [6]);
        bench.kernels.copy(bench.input(dtype, [6], [nan, inf, -inf, 3e9, 0.5, -0]), truths);
        return { integers: await bench.read(integers), truths: await bench.read(truths) };
      },
    }),
  ),
];

const activationOps: readonly { op: ActivationOp; alpha?: number; beta?: number }[] = [
  { op: "elu", alpha: 0.7 },
  { op: "gelu" },
  { op: "geluTanh" },
  { op: "hardsigmoid" },
  { op: "hardswish" },
  { op: "hardtanh", alpha: -1, beta: 1.5 },
  { op: "huber", alpha: 0.8 },
  { op: "leakyRelu", alpha: 0.1 },
  { op: "logSigmoid" },
  { op: "mish" },
  { op: "silu" },
  { op: "softplus", alpha: 1, beta: 20 },
  { op: "softplus", alpha: 3, beta: 1.1 },
];

const unaryOps: readonly { op: UnaryOp; alpha?: number; beta?: number; integers?: boolean; positive?: boolean }[] = [
  ...activationOps,
  { op: "abs", integers: true },
  { op: "ceil" },
  { op: "clamp", alpha: -1, beta: 1.5, integers: true },
  { op: "clamp", alpha: -inf, beta: 0.5, integers: true },
  { op: "clamp", alpha: 0.5, beta: inf, integers: true },
  { op: "clamp", alpha: 1, beta: -1, integers: true },
  { op: "cos" },
  { op: "erf" },
  { op: "exp" },
  { op: "expm1" },
  { op: "floor" },
  { op: "log", positive: true },
  { op: "log1p", positive: true },
  { op: "neg", integers: true },
  { op: "reciprocal" },
  { op: "relu", integers: true },
  { op: "round" },
  { op: "rsqrt", positive: true },
  { op: "sigmoid" },
  { op: "sign", integers: true },
  { op: "sin" },
  { op: "sqrt", positive: true },
  { op: "square", integers: true },
  { op: "tanh" },
];

const specialValues = [nan, inf, -inf, 0, -0, 1, -1, 100, -100, 1e-30, 0.5, 1.5, -2.5, 3.9, -4.1];

const unaryCases = unaryOps.flatMap(({ op, alpha = 0, beta = 0, integers = false, positive = false }) => {
  const name = op === "clamp" || op === "softplus" ? `${op}, ${alpha} and ${beta}` : op;
  return (integers ? [...floats, "int32" as const] : floats).flatMap((dtype) => [
    ...layouts.map(
      (layout): KernelCase => ({
        name: `${name} ${dtype}, ${layout.name}`,
        dtypes: [dtype],
        run: async (bench) => {
          const numbers = bench.numbers(dtype, 60).map((v) => (positive ? Math.abs(v) + 0.01 : v));
          const x = bench.input(dtype, layout.shape, numbers, layout.input);
          const out = bench.output(dtype, layout.shape, layout.output);
          bench.kernels.unary(op, x, out, alpha, beta);
          return { out: await bench.read(out) };
        },
      }),
    ),
    {
      name: `${name} ${dtype}, in place`,
      dtypes: [dtype],
      run: async (bench) => {
        const layout = { order: [1, 0], offset: 3, spread: 2 };
        const numbers = bench.numbers(dtype, 20).map((v) => (positive ? Math.abs(v) + 0.01 : v));
        const x = bench.input(dtype, [4, 5], numbers, layout);
        bench.kernels.unary(op, x, x, alpha, beta);
        return { all: await bench.readAll(x, layout) };
      },
    } satisfies KernelCase,
    {
      name: `${name} ${dtype}, special values`,
      dtypes: [dtype],
      run: async (bench) => {
        const values = dtype === "int32" ? [-2147483648, 2147483647, 70000, -70000, 0] : specialValues;
        const x = bench.input(dtype, [values.length], values);
        const out = bench.output(dtype, [values.length]);
        bench.kernels.unary(op, x, out, alpha, beta);
        return { out: await bench.read(out) };
      },
    } satisfies KernelCase,
  ]);
});

/** Shapes with layouts for two inputs and an output. */
const pairs: readonly { name: string; shape: readonly number[]; a: Layout; b: Layout; output: Layout }[] = [
  { name: "dense", shape: [3, 4, 5], a: {}, b: {}, output: {} },
  { name: "scalar", shape: [], a: { offset: 1 }, b: {}, output: {} },
  { name: "empty", shape: [0, 3], a: {}, b: {}, output: {} },
  { name: "row", shape: [4, 5], a: {}, b: { repeat: [0] }, output: {} },
  { name: "column", shape: [4, 5], a: {}, b: { repeat: [1] }, output: {} },
  { name: "outer product", shape: [4, 5], a: { repeat: [1] }, b: { repeat: [0] }, output: {} },
  { name: "channel", shape: [2, 3, 4, 5], a: {}, b: { repeat: [0, 2, 3] }, output: {} },
  { name: "one backwards", shape: [3, 4], a: {}, b: { reverse: [0, 1] }, output: {} },
  { name: "one of one", shape: [3, 4], a: { repeat: [0, 1] }, b: {}, output: {} },
  {
    name: "strided",
    shape: [4, 6],
    a: { order: [1, 0], offset: 7 },
    b: { spread: 3 },
    output: { spread: 2, offset: 1 },
  },
  {
    name: "permuted",
    shape: [2, 3, 4],
    a: { order: [2, 1, 0] },
    b: { order: [1, 0, 2] },
    output: { order: [0, 2, 1] },
  },
];

const gradValues = [nan, 0, -0, 1, -1, 100, -100, 1e-30, 0.5, 1.5, -2.5, 3, -3, 5, -5, 19.9, 20.1, -20];

const activationGradCases = activationOps.flatMap(({ op, alpha = 0, beta = 0 }) => {
  const name = `gradient of ${op}${op === "softplus" ? `, ${alpha}` : ""}`;
  return floats.flatMap((dtype) => [
    ...pairs.map(
      (pair): KernelCase => ({
        name: `${name} ${dtype}, ${pair.name}`,
        dtypes: [dtype],
        run: async (bench) => {
          const g = bench.input(dtype, pair.shape, undefined, pair.a);
          const x = bench.input(dtype, pair.shape, undefined, pair.b);
          const out = bench.output(dtype, pair.shape, pair.output);
          bench.kernels.activationGrad(op, g, x, out, alpha, beta);
          return { out: await bench.read(out) };
        },
      }),
    ),
    {
      name: `${name} ${dtype}, in place of the output's gradient, at many places`,
      dtypes: [dtype],
      run: async (bench) => {
        const g = bench.input(dtype, [gradValues.length, 3], [1, -2, 0.5]);
        const x = bench.input(
          dtype,
          [gradValues.length, 3],
          gradValues.flatMap((value) => [value, value, value]),
        );
        bench.kernels.activationGrad(op, g, x, g, alpha, beta);
        return { g: await bench.read(g) };
      },
    } satisfies KernelCase,
  ]);
});

const binaryOps: readonly { op: BinaryOp; dtypes: readonly DType[] }[] = [
  { op: "add", dtypes: allDTypes },
  { op: "div", dtypes: floats },
  { op: "logitLoss", dtypes: floats },
  { op: "logitLossGrad", dtypes: floats },
  { op: "maximum", dtypes: allDTypes },
  { op: "minimum", dtypes: allDTypes },
  { op: "mul", dtypes: allDTypes },
  { op: "pow", dtypes: [...floats, "int32"] },
  { op: "reluGrad", dtypes: floats },
  { op: "sigmoidGrad", dtypes: floats },
  { op: "sub", dtypes: [...floats, "int32"] },
  { op: "tanhGrad", dtypes: floats },
];

/** Arbitrary operands, such that powers stay real. */
function operands(op: BinaryOp, dtype: DType, random: (dtype: DType, count: number) => number[]): [number[], number[]] {
  const a = random(dtype, 120);
  const b = random(dtype, 120);
  if (op !== "pow") return [a, b];
  return dtype === "int32" ? [a, b.map(Math.abs)] : [a.map((v) => Math.abs(v) + 0.01), b];
}

const binaryCases = binaryOps.flatMap(({ op, dtypes }) =>
  dtypes.flatMap((dtype) => [
    ...pairs.map(
      (pair): KernelCase => ({
        name: `${op} ${dtype}, ${pair.name}`,
        dtypes: [dtype],
        run: async (bench) => {
          const [left, right] = operands(op, dtype, (...args) => bench.numbers(...args));
          const a = bench.input(dtype, pair.shape, left, pair.a);
          const b = bench.input(dtype, pair.shape, right, pair.b);
          const out = bench.output(dtype, pair.shape, pair.output);
          bench.kernels.binary(op, a, b, out);
          return { out: await bench.read(out) };
        },
      }),
    ),
    {
      name: `${op} ${dtype}, with a number`,
      dtypes: [dtype],
      run: async (bench) => {
        const [left, right] = operands(op, dtype, (...args) => bench.numbers(...args));
        const a = bench.input(dtype, [4, 5], left, { order: [1, 0] });
        const b = bench.input(dtype, [4, 5], right);
        const number = dtype === "bool" ? 1 : dtype === "int32" ? 3 : 0.7;
        const [aOut, bOut] = [bench.output(dtype, [4, 5]), bench.output(dtype, [4, 5])];
        bench.kernels.binary(op, a, number, aOut);
        bench.kernels.binary(op, number, b, bOut);
        return { right: await bench.read(aOut), left: await bench.read(bOut) };
      },
    } satisfies KernelCase,
    {
      name: `${op} ${dtype}, in place`,
      dtypes: [dtype],
      run: async (bench) => {
        const [left, right] = operands(op, dtype, (...args) => bench.numbers(...args));
        const a = bench.input(dtype, [4, 5], left, { spread: 2, offset: 1 });
        const b = bench.input(dtype, [4, 5], right);
        bench.kernels.binary(op, a, b, a);
        bench.kernels.binary(op, a, b, b);
        return { a: await bench.readAll(a, { spread: 2, offset: 1 }), b: await bench.read(b) };
      },
    } satisfies KernelCase,
  ]),
);

/** Every pair of these values. */
function specialPairs(values: readonly number[]): [number[], number[]] {
  return [values.flatMap((a) => values.map(() => a)), values.flatMap(() => values)];
}

const binarySpecialCases = binaryOps.flatMap(({ op }) =>
  floats.map(
    (dtype): KernelCase => ({
      name: `${op} ${dtype}, special values`,
      dtypes: [dtype],
      run: async (bench) => {
        const [left, right] = specialPairs([nan, inf, -inf, 0, -0, 1, -1, 2, -3, 0.5]);
        const out = bench.output(dtype, [100]);
        bench.kernels.binary(op, bench.input(dtype, [100], left), bench.input(dtype, [100], right), out);
        return { out: await bench.read(out) };
      },
    }),
  ),
);

const binaryWrapCases = (["add", "sub", "mul"] as const).map(
  (op): KernelCase => ({
    name: `${op} int32 wraps round`,
    dtypes: ["int32"],
    run: async (bench) => {
      const [left, right] = specialPairs([2147483647, -2147483648, 46341, -46341, 65536, 123456789, 1]);
      const out = bench.output("int32", [49]);
      bench.kernels.binary(op, bench.input("int32", [49], left), bench.input("int32", [49], right), out);
      return { out: await bench.read(out) };
    },
  }),
);

const powWrapCase: KernelCase = {
  name: "pow int32 wraps round",
  dtypes: ["int32"],
  run: async (bench) => {
    const out = bench.output("int32", [7]);
    const base = bench.input("int32", [7], [2, -2, 3, -3, 0, 10, 2147483647]);
    bench.kernels.binary("pow", base, bench.input("int32", [7], [31, 31, 21, 33, 0, 10, 2]), out);
    return { out: await bench.read(out) };
  },
};

const compareOps: readonly CompareOp[] = ["eq", "ge", "gt", "le", "lt", "ne"];

const compareCases = compareOps.flatMap((op) =>
  allDTypes.flatMap((dtype) => [
    ...pairs.map(
      (pair): KernelCase => ({
        name: `${op} ${dtype}, ${pair.name}`,
        dtypes: [dtype, "bool"],
        run: async (bench) => {
          const halves = (values: number[]) => values.map((v) => (dtype === "bool" ? v : Math.round(v * 2) / 2));
          const a = bench.input(dtype, pair.shape, halves(bench.numbers(dtype, 120)), pair.a);
          const b = bench.input(dtype, pair.shape, halves(bench.numbers(dtype, 120)), pair.b);
          const out = bench.output("bool", pair.shape, pair.output);
          bench.kernels.compare(op, a, b, out);
          return { out: await bench.read(out) };
        },
      }),
    ),
    {
      name: `${op} ${dtype}, with a number`,
      dtypes: [dtype, "bool"],
      run: async (bench) => {
        const values = dtype === "bool" ? [0, 1, 1, 0] : [0, 1, 2, -1];
        const x = bench.input(dtype, [4], values);
        const outs = [1, 0.1, 1.5].flatMap((number) => {
          const [right, left] = [bench.output("bool", [4]), bench.output("bool", [4])];
          bench.kernels.compare(op, x, number, right);
          bench.kernels.compare(op, number, x, left);
          return [right, left];
        });
        return { out: (await Promise.all(outs.map((out) => bench.read(out)))).flat() };
      },
    } satisfies KernelCase,
  ]),
);

const compareSpecialCases = compareOps.flatMap((op) =>
  floats.map(
    (dtype): KernelCase => ({
      name: `${op} ${dtype}, special values`,
      dtypes: [dtype, "bool"],
      run: async (bench) => {
        const [left, right] = specialPairs([nan, inf, -inf, 0, -0, 1]);
        const out = bench.output("bool", [36]);
        bench.kernels.compare(op, bench.input(dtype, [36], left), bench.input(dtype, [36], right), out);
        const tenth = bench.output("bool", [2]);
        bench.kernels.compare(op, bench.input(dtype, [2], [0.1, nan]), 0.1, tenth);
        return { out: await bench.read(out), tenth: await bench.read(tenth) };
      },
    }),
  ),
);

const whereCases = allDTypes.flatMap((dtype) => [
  ...pairs.map(
    (pair): KernelCase => ({
      name: `where ${dtype}, ${pair.name}`,
      dtypes: [dtype, "bool"],
      run: async (bench) => {
        const a = bench.input(dtype, pair.shape, undefined, pair.a);
        const b = bench.input(dtype, pair.shape, undefined, pair.b);
        const outs = [pair.a, pair.b, pair.output].map((layout) => {
          const out = bench.output(dtype, pair.shape, pair.output);
          bench.kernels.where(bench.input("bool", pair.shape, undefined, layout), a, b, out);
          return out;
        });
        return { out: (await Promise.all(outs.map((out) => bench.read(out)))).flat() };
      },
    }),
  ),
  {
    name: `where ${dtype}, read backwards`,
    dtypes: [dtype, "bool"],
    run: async (bench) => {
      const [x, out] = [bench.input(dtype, [5, 6]), bench.output(dtype, [5, 6])];
      bench.kernels.where(bench.input("bool", [5, 6], undefined, { reverse: [0] }), x, 0, out);
      const both = bench.output(dtype, [5, 6]);
      bench.kernels.where(bench.input("bool", [5, 6], undefined, { reverse: [0, 1], order: [1, 0] }), 1, x, both);
      return { out: await bench.read(out), both: await bench.read(both) };
    },
  } satisfies KernelCase,
  {
    name: `where ${dtype}, with numbers`,
    dtypes: [dtype, "bool"],
    run: async (bench) => {
      const condition = bench.input("bool", [3, 4], undefined, { order: [1, 0] });
      const x = bench.input(dtype, [3, 4]);
      const outs = [0, 1, 2].map(() => bench.output(dtype, [3, 4]));
      const [first, second, third] = outs;
      if (first && second && third) {
        bench.kernels.where(condition, x, 0, first);
        bench.kernels.where(condition, 1, x, second);
        bench.kernels.where(condition, 1, 0, third);
      }
      return { out: (await Promise.all(outs.map((out) => bench.read(out)))).flat() };
    },
  } satisfies KernelCase,
]);

export const elementwiseCases: readonly KernelCase[] = [
  ...fillCases,
  ...copyCases,
  ...unaryCases,
  ...activationGradCases,
  ...binaryCases,
  ...binarySpecialCases,
  ...binaryWrapCases,
  powWrapCase,
  ...compareCases,
  ...compareSpecialCases,
  ...whereCases,
];
