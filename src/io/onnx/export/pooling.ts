import type { AvgPoolGeometry, WindowGeometry } from "../../../kernels/kernelSet.js";
import { padsAfter, spread } from "./convolution.js";
import { gated } from "./elementwise.js";
import type { Graph, Value } from "./graph.js";
import type { Recorders, Recording } from "./recorders.js";

type Pool = "maxPool2d" | "maxPool2dGrad" | "avgPool2d" | "avgPool2dGrad";

export function poolRecorders({ graph, contents }: Recording): Pick<Recorders, Pool> {
  return {
    maxPool2d(x, out, indices, geometry) {
      const { values, places } = maxima(graph, contents.read(x), geometry, out.shape);
      contents.write(out, values);
      contents.write(indices, places);
    },

    maxPool2dGrad(outGrad, indices, xGrad, geometry, gate = null) {
      const { batch, channels, inHeight, inWidth, outHeight, outWidth } = geometry;
      const { dtype } = outGrad;
      const planes = batch * channels;
      const windows = [planes, outHeight * outWidth];
      const shape = [planes, inHeight * inWidth];
      const before = contents.read(outGrad);
      const inputs = [
        graph.expand(graph.number(dtype, 0), shape),
        graph.reshape(contents.read(indices), windows),
        graph.reshape(gate === null ? before : gated(graph, before, contents.read(gate)), windows),
      ];
      const sums = graph.add("ScatterElements", inputs, { dtype, shape }, { axis: 1, reduction: "add" });
      contents.write(xGrad, graph.reshape(sums, xGrad.shape));
    },

    avgPool2d(x, out, geometry) {
      const value = contents.read(x);
      const made = { dtype: value.dtype, shape: out.shape };
      const { settings, isPlain } = average(geometry);
      const averages = graph.add("AveragePool", [value], made, settings);
      contents.write(out, isPlain ? averages : graph.binary("Mul", averages, correction(graph, value, geometry)));
    },

    avgPool2dGrad(outGrad, xGrad, geometry) {
      const { channels, kernelHeight, kernelWidth } = geometry;
      const g = contents.read(outGrad);
      const taps = kernelHeight * kernelWidth;
      const isDouble = g.dtype === "float64";
      const weight = (isDouble ? new Float64Array(channels * taps) : new Float32Array(channels * taps)).fill(1 / taps);
      const filters = graph.constant(g.dtype, [channels, 1, kernelHeight, kernelWidth], weight);
      const shares = average(geometry, true).isPlain ? g : graph.binary("Mul", g, correction(graph, g, geometry));
      contents.write(xGrad, spread(graph, [shares, filters], { ...geometry, groups: channels }, xGrad.shape));
    },
  };
}

function maxima(graph: Graph, x: Value, geometry: WindowGeometry, shape: readonly number[]) {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = geometry;
  const { padTop, padLeft, inHeight, inWidth } = geometry;
  const [bottom, right] = padsAfter(geometry).map((count) => Math.max(count, 0)) as [number, number];
  // Operators take less padding than the kernel has taps; dilated windows may hang over farther.
  const isWide = bottom >= kernelHeight || right >= kernelWidth;
  const width = isWide ? padLeft + inWidth + right : inWidth;
  const padded = isWide ? pad(graph, x, [padTop, padLeft, bottom, right]) : x;
  const [values, flat] = graph.addMany(
    "MaxPool",
    [padded],
    [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ],
    {
      kernel_shape: [kernelHeight, kernelWidth],
      strides: [strideHeight, strideWidth],
      dilations: [dilationHeight, dilationWidth],
      pads: isWide ? [0, 0, 0, 0] : [padTop, padLeft, bottom, right],
    },
  ) as [Value, Value];
  // ONNX counts places through the whole array, here they are counted in each plane.
  const height = isWide ? padTop + inHeight + bottom : inHeight;
  let places = graph.withNumber("Mod", flat, height * width);
  if (isWide) {
    const row = graph.withNumber("Sub", graph.withNumber("Div", places, width), padTop);
    const column = graph.withNumber("Sub", graph.withNumber("Mod", places, width), padLeft);
    places = graph.binary("Add", graph.withNumber("Mul", row, inWidth), column);
  }
  return { values, places: graph.cast(places, "int32") };
}

function pad(graph: Graph, x: Value, [top, left, bottom, right]: readonly [number, number, number, number]): Value {
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const shape = [batch, channels, height + top + bottom, width + left + right];
  const inputs = [x, graph.ints([0, 0, top, left, 0, 0, bottom, right]), graph.number(x.dtype, -Infinity)];
  return graph.add("Pad", inputs, { dtype: x.dtype, shape }, { mode: "constant" });
}

/** The operator's settings, and whether it divides as the kernel does. With `sums` it is asked whether that is by all taps. */
function average(geometry: AvgPoolGeometry, sums = false) {
  const { padTop, padLeft, padBottom, padRight, countIncludePad, divisorOverride } = geometry;
  const { kernelHeight, kernelWidth, strideHeight, strideWidth } = geometry;
  const [bottom, right] = padsAfter(geometry).map((count) => Math.max(count, 0)) as [number, number];
  const hangsOver = bottom > padBottom || right > padRight;
  const isPadded = padTop + padLeft + bottom + right > 0;
  const byAll = divisorOverride === null && !hangsOver && (countIncludePad || !isPadded);
  const byInside = divisorOverride === null && !countIncludePad;
  return {
    isPlain: byAll || (byInside && !sums),
    settings: {
      kernel_shape: [kernelHeight, kernelWidth],
      strides: [strideHeight, strideWidth],
      pads: [padTop, padLeft, bottom, right],
      count_include_pad: byInside && !byAll ? 0 : 1,
    },
  };
}

/** All taps of a window, divided by what the kernel divides by. */
function correction(graph: Graph, x: Value, geometry: AvgPoolGeometry): Value {
  const { kernelHeight, kernelWidth, outHeight, outWidth, divisorOverride } = geometry;
  const taps = kernelHeight * kernelWidth;
  if (divisorOverride !== null) return graph.number(x.dtype, taps / divisorOverride);
  const { inHeight, inWidth, padTop, padLeft, padBottom, padRight, countIncludePad } = geometry;
  const rows = counts(
    outHeight,
    kernelHeight,
    geometry.strideHeight,
    padTop,
    inHeight,
    countIncludePad ? padBottom : null,
  );
  const columns = counts(
    outWidth,
    kernelWidth,
    geometry.strideWidth,
    padLeft,
    inWidth,
    countIncludePad ? padRight : null,
  );
  const values = rows.flatMap((row) => columns.map((column) => taps / (row * column)));
  const data = x.dtype === "float64" ? Float64Array.from(values) : Float32Array.from(values);
  return graph.constant(x.dtype, [1, 1, outHeight, outWidth], data);
}

/** Along one axis: the taps of each window that count. `after` is the padding that counts; null where none does. */
function counts(
  windows: number,
  taps: number,
  stride: number,
  before: number,
  extent: number,
  after: number | null,
): number[] {
  return Array.from({ length: windows }, (_, index) => {
    const start = index * stride - before;
    const end = Math.min(start + taps, extent + (after ?? 0));
    return end - (after === null ? Math.max(start, 0) : start);
  });
}
