import type { ConvGeometry, WindowGeometry } from "../../../kernels/kernelSet.js";
import { gated } from "./elementwise.js";
import type { Graph, Value } from "./graph.js";
import type { Recorders, Recording } from "./recorders.js";

type Convolution = "conv2d" | "conv2dInputGrad" | "conv2dWeightGrad" | "conv2dGrads" | "unfold" | "fold";

export function convolutionRecorders({ graph, contents }: Recording): Pick<Recorders, Convolution> {
  const recorders: Pick<Recorders, Convolution> = {
    conv2d(x, weight, bias, out, geometry, relu = false) {
      const inputs = [contents.read(x), contents.read(weight), ...(bias === null ? [] : [contents.read(bias)])];
      const y = convolve(graph, inputs, geometry, out.shape);
      contents.write(out, relu ? graph.unary("Relu", y) : y);
    },

    conv2dInputGrad(outGrad, weight, bias, xGrad, geometry, gate = null) {
      const inputs = [contents.read(outGrad), contents.read(weight), ...(bias === null ? [] : [contents.read(bias)])];
      const g = spread(graph, inputs, geometry, xGrad.shape);
      contents.write(xGrad, gate === null ? g : gated(graph, g, contents.read(gate)));
    },

    conv2dWeightGrad(outGrad, x, weightGrad, geometry, biasGrad = null) {
      const g = contents.read(outGrad);
      contents.write(weightGrad, correlate(graph, g, contents.read(x), geometry));
      if (biasGrad !== null) contents.write(biasGrad, graph.reduce("ReduceSum", g, [0, 2, 3], false));
    },

    conv2dGrads(outGrad, x, weight, xGrad, weightGrad, geometry, biasGrad, gate) {
      recorders.conv2dInputGrad(outGrad, weight, null, xGrad, geometry, gate);
      recorders.conv2dWeightGrad(outGrad, x, weightGrad, geometry, biasGrad);
    },

    unfold(x, columns, geometry) {
      const { channels, batch, kernelHeight, kernelWidth, outHeight, outWidth } = geometry;
      const weight = oneTapEach(graph, x.dtype === "float64", geometry);
      const shape = [batch, channels * kernelHeight * kernelWidth, outHeight, outWidth];
      const taps = convolve(graph, [contents.read(x), weight], { ...geometry, groups: channels }, shape);
      contents.write(columns, graph.reshape(taps, columns.shape));
    },

    fold(columns, out, geometry) {
      const { batch, channels, kernelHeight, kernelWidth, outHeight, outWidth } = geometry;
      const weight = oneTapEach(graph, out.dtype === "float64", geometry);
      const shape = [batch, channels * kernelHeight * kernelWidth, outHeight, outWidth];
      const taps = graph.reshape(contents.read(columns), shape);
      contents.write(out, spread(graph, [taps, weight], { ...geometry, groups: channels }, out.shape));
    },
  };
  return recorders;
}

type Grouped = WindowGeometry & Pick<ConvGeometry, "groups">;

function settings(geometry: Grouped) {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, dilationHeight, dilationWidth, groups } = geometry;
  return {
    kernel_shape: [kernelHeight, kernelWidth],
    strides: [strideHeight, strideWidth],
    dilations: [dilationHeight, dilationWidth],
    group: groups,
  };
}

/** Rows and columns behind the input that the last window reaches; negative where it ends before. */
export function padsAfter(g: WindowGeometry): [bottom: number, right: number] {
  return [
    (g.outHeight - 1) * g.strideHeight + (g.kernelHeight - 1) * g.dilationHeight + 1 - g.inHeight - g.padTop,
    (g.outWidth - 1) * g.strideWidth + (g.kernelWidth - 1) * g.dilationWidth + 1 - g.inWidth - g.padLeft,
  ];
}

function convolve(graph: Graph, inputs: readonly Value[], geometry: Grouped, shape: readonly number[]): Value {
  const { strideHeight, strideWidth, outHeight, outWidth, padTop, padLeft } = geometry;
  const [bottom, right] = padsAfter(geometry);
  const pads = [padTop, padLeft, Math.max(bottom, 0), Math.max(right, 0)];
  // The gradient of a transposed convolution with much output padding leaves windows out that would fit.
  const height = outHeight + Math.floor(Math.max(-bottom, 0) / strideHeight);
  const width = outWidth + Math.floor(Math.max(-right, 0) / strideWidth);
  const [batch = 0, channels = 0] = shape;
  const made = { dtype: inputs[0]?.dtype ?? "float32", shape: [batch, channels, height, width] };
  return firstPlaces(graph, graph.add("Conv", inputs, made, { ...settings(geometry), pads }), outHeight, outWidth);
}

/** The upper left part of planes. */
function firstPlaces(graph: Graph, x: Value, height: number, width: number): Value {
  const cuts = [height, width].flatMap((end, i) =>
    x.shape[i + 2] === end ? [] : [{ axis: i + 2, start: 0, end, step: 1 }],
  );
  return graph.slice(x, cuts);
}

/** The transposed convolution: what the windows do not reach of the output is padding of the output. */
export function spread(graph: Graph, inputs: readonly Value[], geometry: Grouped, shape: readonly number[]): Value {
  const [x, weight, bias] = inputs as readonly [Value, Value, Value?];
  const [bottom, right] = padsAfter(geometry);
  const pads = [geometry.padTop, geometry.padLeft, Math.max(bottom, 0), Math.max(right, 0)];
  const [below, behind] = [Math.max(-bottom, 0), Math.max(-right, 0)];
  const { dtype } = x;
  // ONNX Runtime refuses output padding as large as the stride, which gradients and dilations may ask for.
  if (below < geometry.strideHeight && behind < geometry.strideWidth) {
    const attributes = { ...settings(geometry), pads, output_padding: [below, behind] };
    return graph.add("ConvTranspose", inputs, { dtype, shape }, attributes);
  }
  const [batch = 0, channels = 0, height = 0, width = 0] = shape;
  const reached = { dtype, shape: [batch, channels, height - below, width - behind] };
  const inside = graph.add("ConvTranspose", [x, weight], reached, { ...settings(geometry), pads });
  const sides = graph.ints([0, 0, 0, 0, 0, 0, below, behind]);
  const out = graph.add("Pad", [inside, sides, graph.number(dtype, 0)], { dtype, shape }, { mode: "constant" });
  return bias === undefined ? out : graph.binary("Add", out, graph.reshape(bias, [channels, 1, 1]));
}

/**
 * The gradient for the weight as a convolution: the batch takes the place of the channels, the output's gradient that of
 * the weight, and stride and dilation change places.
 */
function correlate(graph: Graph, outGrad: Value, x: Value, geometry: ConvGeometry): Value {
  const { batch, channels, outChannels, groups, kernelHeight, kernelWidth, inHeight, inWidth } = geometry;
  const { outHeight, outWidth, strideHeight, strideWidth, dilationHeight, dilationWidth, padTop, padLeft } = geometry;
  const { dtype } = x;
  const groupChannels = channels / groups;
  const split = graph.reshape(x, groups === 1 ? x.shape : [batch, groups, groupChannels, inHeight, inWidth]);
  const images =
    groups === 1
      ? graph.transpose(split, [1, 0, 2, 3])
      : graph.reshape(graph.transpose(split, [2, 1, 0, 3, 4]), [groupChannels, groups * batch, inHeight, inWidth]);
  const filters = graph.transpose(outGrad, [1, 0, 2, 3]);
  const reach = (taps: number, pace: number, count: number, step: number) => (taps - 1) * pace + (count - 1) * step + 1;
  const bottom = reach(kernelHeight, dilationHeight, outHeight, strideHeight) - inHeight - padTop;
  const right = reach(kernelWidth, dilationWidth, outWidth, strideWidth) - inWidth - padLeft;
  const pads = [padTop, padLeft, Math.max(bottom, 0), Math.max(right, 0)];
  // Where the input goes on behind the last window there are more places than taps.
  const height = kernelHeight + Math.floor(Math.max(-bottom, 0) / dilationHeight);
  const width = kernelWidth + Math.floor(Math.max(-right, 0) / dilationWidth);
  const found = graph.add(
    "Conv",
    [images, filters],
    { dtype, shape: [groupChannels, outChannels, height, width] },
    {
      kernel_shape: [outHeight, outWidth],
      strides: [dilationHeight, dilationWidth],
      dilations: [strideHeight, strideWidth],
      group: groups,
      pads,
    },
  );
  return graph.transpose(firstPlaces(graph, found, kernelHeight, kernelWidth), [1, 0, 2, 3]);
}

/** Filters [channels·taps, 1, height, width] of which each has a single 1: as a convolution they lay windows out. */
function oneTapEach(graph: Graph, isDouble: boolean, { channels, kernelHeight, kernelWidth }: WindowGeometry): Value {
  const taps = kernelHeight * kernelWidth;
  const length = channels * taps * taps;
  const weight = isDouble ? new Float64Array(length) : new Float32Array(length);
  for (let filter = 0; filter < channels * taps; filter++) weight[filter * taps + (filter % taps)] = 1;
  return graph.constant(isDouble ? "float64" : "float32", [channels * taps, 1, kernelHeight, kernelWidth], weight);
}
