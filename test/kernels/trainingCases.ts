import type { AdamHyper, DType, SgdHyper } from "../../src/kernels/kernelSet.js";
import type { KernelCase } from "./bench.js";

const floats: readonly DType[] = ["float32", "float64"];
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

const rowShapes: readonly (readonly number[])[] = [[5], [4, 10], [2, 3, 7], [3, 1], [2, 1000], [0, 4], [3, 0]];

const softmaxCases = floats.flatMap((dtype) =>
  [false, true].flatMap((logarithm) => {
    const name = `${logarithm ? "logSoftmax" : "softmax"} ${dtype}`;
    return [
      ...rowShapes.map(
        (shape): KernelCase => ({
          name: `${name}, [${shape}]`,
          dtypes: [dtype],
          run: async (bench) => {
            const x = bench.input(dtype, shape, undefined, { offset: 3 });
            const out = bench.output(dtype, shape, { offset: 1 });
            const xGrad = bench.output(dtype, shape, { offset: 2 });
            bench.kernels.softmax(x, out, logarithm);
            bench.kernels.softmaxGrad(bench.input(dtype, shape, undefined, { offset: 1 }), out, xGrad, logarithm);
            return { out: await bench.read(out), xGrad: await bench.read(xGrad) };
          },
        }),
      ),
      {
        name: `${name}, special values`,
        dtypes: [dtype],
        run: async (bench) => {
          const values = [-inf, -inf, -inf, inf, 0, 1, 1000, 0, -1000, -inf, 0, 1, nan, 0, 1, 88.5, 88.5, 88.5];
          const out = bench.output(dtype, [6, 3]);
          bench.kernels.softmax(bench.input(dtype, [6, 3], values), out, logarithm);
          return { out: await bench.read(out) };
        },
      } satisfies KernelCase,
    ];
  }),
);

const channelShapes: readonly (readonly [number, number, number])[] = [
  [4, 3, 5],
  [1, 2, 9],
  [6, 4, 1],
  [8, 1, 300],
  [3, 0, 2],
];

const batchNormCases = floats.flatMap((dtype) =>
  channelShapes.flatMap((shape) => [
    {
      name: `channelStats ${dtype}, [${shape}]`,
      dtypes: [dtype],
      run: async (bench) => {
        const values = bench.numbers(dtype, 997).map((v) => v + 3);
        const [mean, variance] = [bench.output(dtype, [shape[1]], { offset: 1 }), bench.output(dtype, [shape[1]])];
        bench.kernels.channelStats(bench.input(dtype, shape, values, { offset: 3 }), mean, variance);
        return { mean: await bench.read(mean), variance: await bench.read(variance) };
      },
    } satisfies KernelCase,
    ...[false, true].flatMap((training) =>
      [false, true].map(
        (affine): KernelCase => ({
          name: `batchNorm ${dtype}, [${shape}]${training ? ", training" : ""}${affine ? ", affine" : ""}`,
          dtypes: [dtype],
          tolerance: 1e-4,
          run: async (bench) => {
            const channels = [shape[1]];
            const x = bench.input(dtype, shape, undefined, { offset: 3 });
            const variances = bench.numbers(dtype, 9).map((v) => Math.abs(v) + 0.1);
            const mean = bench.input(dtype, channels, undefined, { offset: 1 });
            const variance = bench.input(dtype, channels, variances, { offset: 2 });
            if (training) bench.kernels.channelStats(x, mean, variance);
            const weight = affine ? bench.input(dtype, channels, undefined, { offset: 4 }) : null;
            const bias = affine ? bench.input(dtype, channels, undefined, { offset: 2 }) : null;
            const out = bench.output(dtype, shape, { offset: 1 });
            bench.kernels.batchNorm(x, mean, variance, weight, bias, 1e-3, out);
            const rectified = bench.output(dtype, shape, { offset: 3 });
            bench.kernels.batchNorm(x, mean, variance, weight, bias, 1e-3, rectified, true);
            const outGrad = bench.input(dtype, shape, undefined, { offset: 1 });
            const xGrad = bench.output(dtype, shape);
            const weightGrad = bench.output(dtype, channels, { offset: 1 });
            const biasGrad = bench.output(dtype, channels, { offset: 2 });
            bench.kernels.batchNormGrad(
              outGrad,
              x,
              mean,
              variance,
              weight,
              1e-3,
              training,
              xGrad,
              weightGrad,
              biasGrad,
            );
            return {
              rectified: await bench.read(rectified),
              out: await bench.read(out),
              xGrad: await bench.read(xGrad),
              weightGrad: await bench.read(weightGrad),
              biasGrad: await bench.read(biasGrad),
            };
          },
        }),
      ),
    ),
  ]),
);

const groupings: readonly { shape: readonly number[]; groups: number }[] = [
  { shape: [3, 8, 1], groups: 1 },
  { shape: [2, 37, 1], groups: 1 },
  { shape: [70, 5, 1], groups: 1 },
  { shape: [2, 1100, 1], groups: 1 },
  { shape: [3, 6, 1], groups: 2 },
  { shape: [3, 6, 5], groups: 3 },
  { shape: [40, 4, 9], groups: 2 },
  { shape: [2, 3, 16], groups: 3 },
  { shape: [1, 2, 2100], groups: 1 },
  { shape: [0, 4, 3], groups: 2 },
];

const groupNormCases = floats.flatMap((dtype) =>
  groupings.flatMap(({ shape, groups }) =>
    [false, true].map(
      (affine): KernelCase => ({
        name: `groupNorm ${dtype}, [${shape}] in ${groups}${affine ? ", affine" : ""}`,
        dtypes: [dtype],
        run: async (bench) => {
          const [batch = 0, channels = 0] = shape;
          const x = bench.input(dtype, shape, undefined, { offset: 3 });
          const g = bench.input(dtype, shape, undefined, { offset: 1 });
          const weight = affine ? bench.input(dtype, [channels], undefined, { offset: 1 }) : null;
          const bias = affine ? bench.input(dtype, [channels], undefined, { offset: 2 }) : null;
          const [mean, variance] = [bench.output(dtype, [batch, groups]), bench.output(dtype, [batch, groups])];
          const [out, xGrad] = [bench.output(dtype, shape, { offset: 1 }), bench.output(dtype, shape, { offset: 2 })];
          const weightGrad = bench.output(dtype, [channels], { offset: 3 });
          const biasGrad = bench.output(dtype, [channels], { offset: 1 });
          bench.kernels.groupNorm(x, groups, weight, bias, 1e-3, out, mean, variance);
          bench.kernels.groupNormGrad(g, x, mean, variance, groups, weight, 1e-3, xGrad, weightGrad, biasGrad);
          return {
            out: await bench.read(out),
            mean: await bench.read(mean),
            variance: await bench.read(variance),
            xGrad: await bench.read(xGrad),
            weightGrad: await bench.read(weightGrad),
            biasGrad: await bench.read(biasGrad),
          };
        },
      }),
    ),
  ),
);

const plainSgd: SgdHyper = {
  lr: 0.1,
  momentum: 0,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
  firstStep: true,
  l1: 0,
  l1Mode: "proximal",
};

const sgdSettings: readonly Partial<SgdHyper>[] = [
  {},
  { weightDecay: 0.2 },
  { maximize: true, weightDecay: 0.2 },
  { momentum: 0.9 },
  { momentum: 0.9, dampening: 0.3, weightDecay: 0.1 },
  { momentum: 0.9, nesterov: true },
  { momentum: 0.8, nesterov: true, maximize: true, weightDecay: 0.1 },
  { l1: 3 },
  { l1: 0.5, l1Mode: "subgradient" },
  { l1: 0.5, l1Mode: "subgradient", momentum: 0.9, maximize: true },
  { l1: 2, momentum: 0.9, nesterov: true, weightDecay: 0.1 },
];

const plainAdam: AdamHyper = {
  lr: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  weightDecay: 0,
  decoupled: false,
  maximize: false,
  step: 1,
  l1: 0,
  l1Mode: "proximal",
};

const adamSettings: readonly (Partial<AdamHyper> & { amsgrad?: boolean })[] = [
  {},
  { amsgrad: true },
  { weightDecay: 0.3 },
  { weightDecay: 0.3, decoupled: true },
  { weightDecay: 0.3, decoupled: true, amsgrad: true, maximize: true },
  { beta1: 0.5, beta2: 0.9, eps: 0.1, lr: 0.1 },
  { l1: 20 },
  { l1: 20, decoupled: true, weightDecay: 0.2 },
  { l1: 0.5, l1Mode: "subgradient" },
  { l1: 0.5, l1Mode: "subgradient", maximize: true },
];

/** Three steps each, on a parameter with a zero in it. */
const stepCases = floats.flatMap((dtype) => [
  ...sgdSettings.map(
    (settings): KernelCase => ({
      name: `sgdStep ${dtype}, ${JSON.stringify(settings)}`,
      dtypes: [dtype],
      run: async (bench) => {
        const parameter = bench.input(dtype, [2, 3], [0, 0.2, -0.2, 1.5, -1.5, 0.01], { offset: 1 });
        const momentumBuffer = settings.momentum === undefined ? null : bench.output(dtype, [2, 3], { offset: 2 });
        for (let step = 0; step < 3; step += 1) {
          const grad = bench.input(dtype, [2, 3], undefined, { offset: 3 });
          bench.kernels.sgdStep(parameter, grad, momentumBuffer, { ...plainSgd, ...settings, firstStep: step === 0 });
        }
        const velocity = momentumBuffer === null ? [] : await bench.read(momentumBuffer);
        return { parameter: await bench.read(parameter), velocity };
      },
    }),
  ),
  ...adamSettings.map(
    ({ amsgrad = false, ...settings }): KernelCase => ({
      name: `adamStep ${dtype}, ${JSON.stringify({ amsgrad, ...settings })}`,
      dtypes: [dtype],
      run: async (bench) => {
        // None is a multiple of lr, which steps of ±lr would take to 0: rounding would then choose the sign of the l1 term.
        const parameter = bench.input(dtype, [2, 3], [0, 0.2, -0.2, 1.5, -1.5, 0.013], { offset: 1 });
        const m = bench.input(dtype, [2, 3], [0], { offset: 2 });
        const v = bench.input(dtype, [2, 3], [0], { offset: 1 });
        const vMax = amsgrad ? bench.input(dtype, [2, 3], [0], { offset: 3 }) : null;
        for (let step = 1; step <= 3; step += 1) {
          const numbers = bench.numbers(dtype, 6).map((value) => value / step);
          const grad = bench.input(dtype, [2, 3], numbers, { offset: 3 });
          bench.kernels.adamStep(parameter, grad, m, v, vMax, { ...plainAdam, ...settings, step });
        }
        const maxima = vMax === null ? [] : await bench.read(vMax);
        return {
          parameter: await bench.read(parameter),
          m: await bench.read(m),
          v: await bench.read(v),
          maxima,
        };
      },
    }),
  ),
]);

export const trainingCases: readonly KernelCase[] = [
  ...softmaxCases,
  ...batchNormCases,
  ...groupNormCases,
  ...stepCases,
];
