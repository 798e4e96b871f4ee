import type {
  AvgPoolGeometry,
  ConvGeometry,
  Dense,
  DType,
  KernelSet,
  WindowGeometry,
} from "../../src/kernels/kernelSet.js";
import type { KernelBench, KernelCase, Outputs } from "./bench.js";

const floats: readonly DType[] = ["float32", "float64"];
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** How a window is described here: pairs are [vertical, horizontal]; the output size follows unless given. */
export interface WindowSpec {
  readonly batch?: number;
  readonly channels?: number;
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly stride?: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pad?: readonly [number, number, number, number];
  readonly dilation?: readonly [number, number];
  readonly out?: readonly [number, number];
}

export function windowGeometry(spec: WindowSpec): WindowGeometry {
  const [top, left, bottom, right] = spec.pad ?? [0, 0, 0, 0];
  const stride = spec.stride ?? [1, 1];
  const dilation = spec.dilation ?? [1, 1];
  const extent = (axis: 0 | 1, padding: number) =>
    Math.max(
      0,
      Math.floor((spec.size[axis] + padding - dilation[axis] * (spec.kernel[axis] - 1) - 1) / stride[axis]) + 1,
    );
  const [outHeight, outWidth] = spec.out ?? [extent(0, top + bottom), extent(1, left + right)];
  return {
    batch: spec.batch ?? 2,
    channels: spec.channels ?? 3,
    inHeight: spec.size[0],
    inWidth: spec.size[1],
    outHeight,
    outWidth,
    kernelHeight: spec.kernel[0],
    kernelWidth: spec.kernel[1],
    strideHeight: stride[0],
    strideWidth: stride[1],
    padTop: top,
    padLeft: left,
    dilationHeight: dilation[0],
    dilationWidth: dilation[1],
  };
}

export function convGeometry(spec: WindowSpec & { outChannels?: number; groups?: number }): ConvGeometry {
  return { ...windowGeometry(spec), outChannels: spec.outChannels ?? 4, groups: spec.groups ?? 1 };
}

export function avgPoolGeometry(
  spec: WindowSpec & { countIncludePad?: boolean; divisorOverride?: number },
): AvgPoolGeometry {
  const [, , padBottom, padRight] = spec.pad ?? [0, 0, 0, 0];
  const { countIncludePad = true, divisorOverride = null } = spec;
  return { ...windowGeometry(spec), padBottom, padRight, countIncludePad, divisorOverride };
}

/** Whether each window holds an input element, as the pooling kernels ask. */
export function reachesInput(spec: WindowSpec): boolean {
  const g = windowGeometry(spec);
  const reaches = (out: number, stride: number, pad: number, taps: number, dilation: number, extent: number) =>
    Array.from({ length: out }, (_, y) => y * stride - pad).every((start) =>
      Array.from({ length: taps }, (_, k) => start + k * dilation).some((place) => place >= 0 && place < extent),
    );
  return (
    reaches(g.outHeight, g.strideHeight, g.padTop, g.kernelHeight, g.dilationHeight, g.inHeight) &&
    reaches(g.outWidth, g.strideWidth, g.padLeft, g.kernelWidth, g.dilationWidth, g.inWidth)
  );
}

export function shapesOf(g: WindowGeometry): { x: number[]; out: number[]; columns: number[] } {
  return {
    x: [g.batch, g.channels, g.inHeight, g.inWidth],
    out: [g.batch, g.channels, g.outHeight, g.outWidth],
    columns: [g.batch, g.channels * g.kernelHeight * g.kernelWidth, g.outHeight * g.outWidth],
  };
}

/** What a ReLU might have given: zeros, numbers, and one NaN. */
function gateOf(bench: KernelBench, dtype: DType, shape: readonly number[]): Dense {
  const values = bench.numbers(dtype, 991).map((value, i) => (i === 4 ? nan : Math.max(value, 0)));
  return bench.input(dtype, shape, values, { offset: 3 });
}

/** Both gradients by the kernel for both, or by two where a set has none. */
const conv2dGrads = (kernels: KernelSet, ...args: Parameters<NonNullable<KernelSet["conv2dGrads"]>>): void => {
  if (kernels.conv2dGrads !== undefined) {
    kernels.conv2dGrads(...args);
    return;
  }
  const [outGrad, x, weight, xGrad, weightGrad, g, biasGrad, gate] = args;
  kernels.conv2dInputGrad(outGrad, weight, null, xGrad, g, gate);
  kernels.conv2dWeightGrad(outGrad, x, weightGrad, g, biasGrad);
};

/** The convolution and its gradients on arbitrary numbers; the arrays lie at odd offsets. */
export async function convolutionOutputs(bench: KernelBench, dtype: DType, g: ConvGeometry): Promise<Outputs> {
  const { kernels } = bench;
  const shapes = shapesOf(g);
  const outShape = [g.batch, g.outChannels, g.outHeight, g.outWidth];
  const weightShape = [g.outChannels, g.channels / g.groups, g.kernelHeight, g.kernelWidth];
  const x = bench.input(dtype, shapes.x, undefined, { offset: 3 });
  const weight = bench.input(dtype, weightShape, undefined, { offset: 1 });
  const bias = bench.input(dtype, [g.outChannels], undefined, { offset: 2 });
  const outGrad = bench.input(dtype, outShape, undefined, { offset: 5 });
  const channelBias = bench.input(dtype, [g.channels], undefined, { offset: 1 });
  const out = bench.output(dtype, outShape, { offset: 1 });
  const biased = bench.output(dtype, outShape);
  const xGrad = bench.output(dtype, shapes.x, { offset: 1 });
  const transposed = bench.output(dtype, shapes.x);
  const weightGrad = bench.output(dtype, weightShape, { offset: 3 });
  kernels.conv2d(x, weight, null, out, g);
  kernels.conv2d(x, weight, bias, biased, g);
  kernels.conv2dInputGrad(outGrad, weight, null, xGrad, g);
  kernels.conv2dInputGrad(outGrad, weight, channelBias, transposed, g);
  const rectified = bench.output(dtype, outShape, { offset: 2 });
  kernels.conv2d(x, weight, bias, rectified, g, true);
  const weightGradBeside = bench.output(dtype, weightShape, { offset: 1 });
  const biasGrad = bench.output(dtype, [g.outChannels], { offset: 1 });
  const gated = bench.output(dtype, shapes.x, { offset: 2 });
  kernels.conv2dInputGrad(outGrad, weight, null, gated, g, gateOf(bench, dtype, shapes.x));
  kernels.conv2dWeightGrad(outGrad, x, weightGrad, g);
  kernels.conv2dWeightGrad(outGrad, x, weightGradBeside, g, biasGrad);
  const both = bench.output(dtype, shapes.x, { offset: 3 });
  const bothGated = bench.output(dtype, shapes.x, { offset: 1 });
  const bothWeight = bench.output(dtype, weightShape, { offset: 2 });
  const bothWeightGated = bench.output(dtype, weightShape);
  const bothBias = bench.output(dtype, [g.outChannels], { offset: 3 });
  conv2dGrads(kernels, outGrad, x, weight, both, bothWeight, g, null, null);
  const gate = gateOf(bench, dtype, shapes.x);
  conv2dGrads(kernels, outGrad, x, weight, bothGated, bothWeightGated, g, bothBias, gate);
  return {
    both: await bench.read(both),
    bothGated: await bench.read(bothGated),
    bothWeight: await bench.read(bothWeight),
    bothWeightGated: await bench.read(bothWeightGated),
    bothBias: await bench.read(bothBias),
    out: await bench.read(out),
    biased: await bench.read(biased),
    rectified: await bench.read(rectified),
    xGrad: await bench.read(xGrad),
    transposed: await bench.read(transposed),
    gated: await bench.read(gated),
    weightGrad: await bench.read(weightGrad),
    weightGradBeside: await bench.read(weightGradBeside),
    biasGrad: await bench.read(biasGrad),
  };
}

export async function foldOutputs(bench: KernelBench, dtype: DType, g: WindowGeometry): Promise<Outputs> {
  const shapes = shapesOf(g);
  const columns = bench.output(dtype, shapes.columns, { offset: 1 });
  const image = bench.output(dtype, shapes.x, { offset: 2 });
  bench.kernels.unfold(bench.input(dtype, shapes.x, undefined, { offset: 3 }), columns, g);
  bench.kernels.fold(bench.input(dtype, shapes.columns, undefined, { offset: 1 }), image, g);
  return { columns: await bench.read(columns), image: await bench.read(image) };
}

export async function maxPoolOutputs(
  bench: KernelBench,
  dtype: DType,
  g: WindowGeometry,
  values?: readonly number[],
): Promise<Outputs> {
  const shapes = shapesOf(g);
  // Few different values, so that there are ties.
  const numbers = values ?? bench.numbers(dtype, 997).map((v) => Math.round(v * 4) / 4);
  const x = bench.input(dtype, shapes.x, numbers, { offset: 3 });
  const out = bench.output(dtype, shapes.out, { offset: 1 });
  const indices = bench.output("int32", shapes.out, { offset: 2 });
  const xGrad = bench.output(dtype, shapes.x, { offset: 1 });
  bench.kernels.maxPool2d(x, out, indices, g);
  bench.kernels.maxPool2dGrad(bench.input(dtype, shapes.out, undefined, { offset: 1 }), indices, xGrad, g);
  const gated = bench.output(dtype, shapes.x, { offset: 2 });
  const gate = gateOf(bench, dtype, shapes.out);
  bench.kernels.maxPool2dGrad(bench.input(dtype, shapes.out, undefined, { offset: 1 }), indices, gated, g, gate);
  return {
    out: await bench.read(out),
    indices: await bench.read(indices),
    xGrad: await bench.read(xGrad),
    gated: await bench.read(gated),
  };
}

export async function avgPoolOutputs(bench: KernelBench, dtype: DType, g: AvgPoolGeometry): Promise<Outputs> {
  const shapes = shapesOf(g);
  const out = bench.output(dtype, shapes.out, { offset: 1 });
  const xGrad = bench.output(dtype, shapes.x, { offset: 1 });
  bench.kernels.avgPool2d(bench.input(dtype, shapes.x, undefined, { offset: 3 }), out, g);
  bench.kernels.avgPool2dGrad(bench.input(dtype, shapes.out, undefined, { offset: 2 }), xGrad, g);
  return { out: await bench.read(out), xGrad: await bench.read(xGrad) };
}

const windows: readonly (WindowSpec & { name: string })[] = [
  { name: "3x3", size: [6, 7], kernel: [3, 3] },
  { name: "1x1", size: [4, 5], kernel: [1, 1] },
  { name: "5x2, padding 2 and 1", size: [6, 7], kernel: [5, 2], pad: [2, 1, 2, 1] },
  { name: "stride 2 and 3", size: [8, 11], kernel: [3, 3], stride: [2, 3], pad: [1, 1, 1, 1] },
  { name: "dilation 2 and 3", size: [9, 10], kernel: [3, 2], dilation: [2, 3], pad: [2, 1, 2, 1] },
  { name: "stride and dilation", size: [9, 8], kernel: [3, 3], stride: [2, 2], dilation: [2, 1], pad: [1, 2, 1, 2] },
  { name: "asymmetric padding", size: [5, 6], kernel: [4, 2], pad: [1, 0, 2, 1] },
  { name: "kernel as large as the input", size: [4, 3], kernel: [4, 3] },
  { name: "kernel larger than the input", size: [2, 3], kernel: [5, 5], pad: [2, 2, 2, 2] },
  { name: "stride larger than the kernel", size: [10, 9], kernel: [2, 1], stride: [4, 3] },
  { name: "one row", size: [1, 12], kernel: [1, 4], stride: [1, 2], pad: [0, 1, 0, 1] },
  { name: "one place", size: [1, 1], kernel: [3, 3], pad: [1, 1, 1, 1], channels: 5 },
  { name: "rows left over", size: [6, 6], kernel: [2, 2], stride: [4, 4] },
  { name: "batch 0", size: [4, 4], kernel: [2, 2], batch: 0 },
  { name: "no output", size: [2, 2], kernel: [2, 2], out: [0, 0] },
  { name: "many channels", size: [5, 5], kernel: [3, 3], channels: 17, batch: 1, pad: [1, 1, 1, 1] },
];

/** Windows that hang over even the padding: what `ceilMode` gives. */
const hanging: readonly (WindowSpec & { name: string })[] = [
  { name: "ceil mode", size: [5, 6], kernel: [2, 3], stride: [2, 2], out: [3, 3] },
  { name: "ceil mode with padding", size: [6, 7], kernel: [3, 3], stride: [2, 2], pad: [1, 1, 1, 1], out: [4, 4] },
  { name: "ceil mode, stride 3", size: [7, 7], kernel: [3, 3], stride: [3, 3], pad: [1, 1, 1, 1], out: [3, 3] },
];

const pools: readonly (WindowSpec & { name: string })[] = [
  { name: "2x2", size: [6, 8], kernel: [2, 2], stride: [2, 2] },
  { name: "2x2, odd input", size: [5, 7], kernel: [2, 2], stride: [2, 2] },
  { name: "3x3, overlapping", size: [6, 7], kernel: [3, 3], pad: [1, 1, 1, 1] },
  { name: "3x2, stride 2 and 1", size: [7, 6], kernel: [3, 2], stride: [2, 1], pad: [1, 1, 1, 1] },
  { name: "whole plane", size: [5, 4], kernel: [5, 4], channels: 6 },
  { name: "dilation", size: [9, 9], kernel: [2, 3], dilation: [3, 2], pad: [1, 1, 1, 1] },
  { name: "one row", size: [1, 9], kernel: [1, 3], stride: [1, 2] },
  { name: "batch 0", size: [4, 4], kernel: [2, 2], stride: [2, 2], batch: 0 },
  ...hanging,
];

const convolutions = [
  ...windows.map((spec) => ({ ...spec, outChannels: 4, groups: 1 })),
  { name: "one channel to sixteen", size: [9, 9], kernel: [3, 3], channels: 1, outChannels: 16, pad: [1, 1, 1, 1] },
  { name: "sixteen channels to five", size: [7, 7], kernel: [3, 3], channels: 16, outChannels: 5, pad: [1, 1, 1, 1] },
  { name: "two groups", size: [6, 5], kernel: [3, 3], channels: 4, outChannels: 6, groups: 2, stride: [2, 1] },
  { name: "depthwise", size: [6, 6], kernel: [3, 3], channels: 5, outChannels: 5, groups: 5, pad: [1, 1, 1, 1] },
  { name: "depthwise, two filters each", size: [6, 6], kernel: [2, 3], channels: 3, outChannels: 6, groups: 3 },
  { name: "depth across tiles", size: [5, 5], kernel: [3, 3], channels: 40, outChannels: 6, batch: 1 },
  { name: "wide across tiles", size: [25, 26], kernel: [2, 2], channels: 2, outChannels: 3, batch: 1 },
  { name: "no filters", size: [4, 4], kernel: [2, 2], outChannels: 0 },
  { name: "no channels", size: [4, 4], kernel: [2, 2], channels: 0 },
] satisfies readonly (WindowSpec & { name: string; outChannels?: number; groups?: number })[];

/** Convolutions by each road, a bias of NaN among others, and ReLU. */
const rectifiedNaN = (dtype: DType): KernelCase[] =>
  [1, 8, 40].map((channels) => ({
    name: `convolution ${dtype}, NaN through ReLU, ${channels} channels`,
    dtypes: [dtype],
    tolerance: 5e-5,
    run: async (bench: KernelBench) => {
      const g = convGeometry({ channels, size: [9, 10], kernel: [3, 3], outChannels: 8 });
      const bias = [nan, 1, 0, -1, -1000, nan, 1000, inf];
      const out = bench.output(dtype, [g.batch, g.outChannels, g.outHeight, g.outWidth], { offset: 1 });
      const weight = bench.input(dtype, [g.outChannels, channels, 3, 3]);
      const x = bench.input(dtype, shapesOf(g).x);
      bench.kernels.conv2d(x, weight, bench.input(dtype, [8], bias), out, g, true);
      return { out: await bench.read(out) };
    },
  }));

export const windowCases: readonly KernelCase[] = floats.flatMap((dtype): KernelCase[] => [
  ...convolutions.map((spec) => ({
    name: `convolution ${dtype}, ${spec.name}`,
    dtypes: [dtype],
    // Winograd's road is exact to some parts in a million of the largest value, which is large for many channels; so are sums
    // of hundreds of terms, one after the other, of which the gradient for a large image's weights is made.
    tolerance: (spec.channels ?? 3) < 16 && (spec.size[0] ?? 0) < 20 ? 1e-5 : 5e-5,
    run: (bench: KernelBench) => convolutionOutputs(bench, dtype, convGeometry(spec)),
  })),
  ...rectifiedNaN(dtype),
  ...[...windows, ...hanging].map((spec) => ({
    name: `unfold and fold ${dtype}, ${spec.name}`,
    dtypes: [dtype],
    run: (bench: KernelBench) => foldOutputs(bench, dtype, windowGeometry(spec)),
  })),
  ...pools.map((spec) => ({
    name: `maxPool2d ${dtype}, ${spec.name}`,
    dtypes: [dtype, "int32" as const],
    run: (bench: KernelBench) => maxPoolOutputs(bench, dtype, windowGeometry(spec)),
  })),
  {
    name: `maxPool2d ${dtype}, special values`,
    dtypes: [dtype, "int32"],
    run: (bench) => {
      const g = windowGeometry({ batch: 1, channels: 1, size: [3, 6], kernel: [2, 2], pad: [1, 1, 1, 1] });
      const values = [1, nan, -inf, -inf, -inf, 2, nan, 3, -inf, -inf, -inf, inf, -0, 0, 5, -inf, nan, nan];
      return maxPoolOutputs(bench, dtype, g, values);
    },
  },
  ...pools.flatMap((spec) =>
    [{}, { countIncludePad: false }, { divisorOverride: 3 }].map((how) => ({
      name: `avgPool2d ${dtype}, ${spec.name}, ${JSON.stringify(how)}`,
      dtypes: [dtype],
      run: (bench: KernelBench) => avgPoolOutputs(bench, dtype, avgPoolGeometry({ ...spec, ...how })),
    })),
  ),
]);
