import { arange, full } from "../../../../tensor/create.js";
import * as T from "../../../../tensor/ops/index.js";
import { at, elementCount } from "../../../../tensor/shape.js";
import type { Tensor } from "../../../../tensor/tensor.js";
import type { Pair } from "../../../../tensor/window.js";
import type { NodeRun, Result } from "../node.js";

type Operator = (run: NodeRun) => Result;

/** Settings of windows over planes. */
interface Windows {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly ceilMode: boolean;
  readonly pads: Pads;
}

/** Rows and columns around planes. */
interface Pads {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

const noPads: Pads = { top: 0, left: 0, bottom: 0, right: 0 };

function pair(run: NodeRun, name: string, otherwise: Pair): Pair {
  const list = run.intList(name);
  if (list === null) return otherwise;
  const [height, width, ...rest] = list;
  if (height !== undefined && width === undefined) return [1, height];
  if (height === undefined || width === undefined || rest.length > 0) {
    return run.fail(`${name} [${list.join(", ")}]`, "one number or two: windows over lines or planes");
  }
  return [height, width];
}

function windowsOf(run: NodeRun, x: Tensor, kernel: Pair): Windows {
  const stride = pair(run, "strides", [1, 1]);
  const dilation = pair(run, "dilations", [1, 1]);
  const ceilMode = run.int("ceil_mode", 0) === 1;
  const given = run.intList("pads");
  const auto = run.text("auto_pad", "NOTSET");
  if (auto === "SAME_UPPER" || auto === "SAME_LOWER") {
    const [up, down] = samePads(x.shape.at(-2) ?? 1, kernel[0], stride[0], dilation[0], auto);
    const [before, after] = samePads(x.shape.at(-1) ?? 1, kernel[1], stride[1], dilation[1], auto);
    return { kernel, stride, dilation, ceilMode, pads: { top: up, left: before, bottom: down, right: after } };
  }
  return { kernel, stride, dilation, ceilMode, pads: given === null ? noPads : padsOf(run, given) };
}

function padsOf(run: NodeRun, given: readonly number[]): Pads {
  const list = given.length === 2 ? [0, given[0] ?? 0, 0, given[1] ?? 0] : given;
  const [top, left, bottom, right] = list;
  if (top === undefined || left === undefined || bottom === undefined || right === undefined || list.length > 4) {
    return run.fail(`pads [${given.join(", ")}]`, "two numbers or four");
  }
  return { top, left, bottom, right };
}

function samePads(extent: number, taps: number, stride: number, dilation: number, auto: string): Pair {
  const reach = (Math.ceil(extent / stride) - 1) * stride + (taps - 1) * dilation + 1;
  const total = Math.max(0, reach - extent);
  const less = Math.floor(total / 2);
  return auto === "SAME_UPPER" ? [less, total - less] : [total - less, less];
}

/** The planes with what the operators here do not pad themselves, and the padding that is left for them. */
function padded(
  x: Tensor,
  { top, left, bottom, right }: Pads,
  value: number,
  kernel: Pair | null,
): { x: Tensor; padding: Pair } {
  const isEven = top === bottom && left === right;
  const fits = kernel === null || (top <= kernel[0] / 2 && left <= kernel[1] / 2);
  if (isEven && fits && top >= 0 && left >= 0) return { x, padding: [top, left] };
  return { x: T.pad(x, [left, right, top, bottom], "constant", value), padding: [0, 0] };
}

/** Runs an operator on planes, also where the input has lines. */
function onPlanes(x: Tensor, fn: (planes: Tensor) => Tensor): Tensor {
  return x.ndim === 3 ? T.squeeze(fn(T.unsqueeze(x, 2)), 2) : fn(x);
}

function weightOf(run: NodeRun): Tensor {
  const weight = run.tensor(1);
  if (weight.ndim === 3) return T.unsqueeze(weight, 2);
  return weight.ndim === 4
    ? weight
    : run.fail(`a weight with ${weight.ndim} axes`, "3 or 4: convolutions of lines or planes");
}

function conv(run: NodeRun): Result {
  const weight = weightOf(run);
  const kernel = [at(weight.shape, 2), at(weight.shape, 3)] as const;
  return onPlanes(run.tensor(0), (planes) => {
    const { stride, dilation, pads } = windowsOf(run, planes, kernel);
    const { x, padding } = padded(planes, pads, 0, null);
    return T.conv2d(x, weight, run.optionalTensor(2), { stride, dilation, padding, groups: run.int("group", 1) });
  });
}

function convTranspose(run: NodeRun): Result {
  const weight = weightOf(run);
  const kernel = [at(weight.shape, 2), at(weight.shape, 3)] as const;
  const bias = run.optionalTensor(2);
  return onPlanes(run.tensor(0), (planes) => {
    const { stride, dilation, pads } = windowsOf(run, planes, kernel);
    const extra = pair(run, "output_padding", [0, 0]);
    const shape = run.intList("output_shape");
    const groups = run.int("group", 1);
    const isAuto = run.text("auto_pad", "NOTSET").startsWith("SAME");
    if (shape === null && !isAuto && pads.top === pads.bottom && pads.left === pads.right) {
      const padding = [pads.top, pads.left] as const;
      return T.convTranspose2d(planes, weight, bias, { stride, dilation, padding, outputPadding: extra, groups });
    }
    const whole = T.convTranspose2d(planes, weight, bias, { stride, dilation, outputPadding: extra, groups });
    const [height, width] = [at(whole.shape, 2), at(whole.shape, 3)];
    if (shape === null && !isAuto) return crop(whole, pads, height - pads.bottom, width - pads.right);
    const wanted = shape?.slice(-2) ?? [at(planes.shape, 2) * stride[0], at(planes.shape, 3) * stride[1]];
    const isUpper = run.text("auto_pad", "NOTSET") === "SAME_UPPER";
    const before = (extent: number, size: number): number => (isUpper ? Math.floor : Math.ceil)((extent - size) / 2);
    const top = before(height, wanted[0] ?? height);
    const left = before(width, wanted[1] ?? width);
    return crop(whole, { ...noPads, top, left }, top + (wanted[0] ?? height), left + (wanted[1] ?? width));
  });
}

function crop(x: Tensor, { top, left }: Pads, bottom: number, right: number): Tensor {
  return T.slice(x, null, null, [top, bottom], [left, right]);
}

function kernelShape(run: NodeRun): Pair {
  return run.has("kernel_shape")
    ? pair(run, "kernel_shape", [1, 1])
    : run.fail("no kernel_shape", "the size of the windows");
}

function maxPool(run: NodeRun): Result {
  const input = run.tensor(0);
  const planes = input.ndim === 3 ? T.unsqueeze(input, 2) : input;
  const { kernel, stride, dilation, ceilMode, pads } = windowsOf(run, planes, kernelShape(run));
  const { x, padding } = padded(planes, pads, -Infinity, kernel);
  const settings = { stride, dilation, ceilMode, padding };
  if (!run.wants(1)) {
    const values = T.maxPool2d(x, kernel, settings);
    return input.ndim === 3 ? T.squeeze(values, 2) : values;
  }
  if (input.ndim !== 4) run.fail("places of maxima of lines", "those of planes");
  const [values, places] = T.maxPool2dWithIndices(x, kernel, settings);
  return [values, throughAll(places, planes, x, padding[0] === 0 && padding[1] === 0 ? pads : noPads)];
}

/** ONNX counts the places of maxima through the whole array, and without the padding. */
function throughAll(places: Tensor, planes: Tensor, padded: Tensor, { top, left }: Pads): Tensor {
  const [batch = 0, channels = 0, height = 0, width = 0] = planes.shape;
  const wide = at(padded.shape, 3);
  const row = T.int(T.div(T.double(places), wide));
  const column = T.sub(places, T.mul(row, wide));
  const inPlane = T.add(T.mul(T.sub(row, top), width), T.sub(column, left));
  const starts = arange(0, batch * channels, { dtype: "int32", device: places.device });
  return T.add(inPlane, T.mul(T.reshape(starts, [batch, channels, 1, 1]), height * width));
}

function averagePool(run: NodeRun): Result {
  return onPlanes(run.tensor(0), (planes) => {
    const { kernel, stride, dilation, ceilMode, pads } = windowsOf(run, planes, kernelShape(run));
    if (dilation[0] !== 1 || dilation[1] !== 1) run.fail("dilations", "windows without gaps");
    const countIncludePad = run.int("count_include_pad", 0) === 1;
    const { x, padding } = padded(planes, pads, 0, kernel);
    const isInside = padding[0] === pads.top && padding[1] === pads.left;
    const averages = T.avgPool2d(x, kernel, { stride, padding, ceilMode, countIncludePad });
    if (countIncludePad || isInside) return averages;
    // What was padded beforehand must not count: the averages of ones say how much of each window does.
    const [height, width] = [at(planes.shape, 2), at(planes.shape, 3)];
    const ones = full([1, 1, height, width], 1, run.place(planes.dtype));
    const share = T.avgPool2d(padded(ones, pads, 0, kernel).x, kernel, { stride, ceilMode, countIncludePad });
    return T.div(averages, share);
  });
}

function overPlanes(run: NodeRun, fn: (x: Tensor, axes: readonly number[]) => Tensor): Result {
  const x = run.tensor(0);
  return fn(x, x.shape.map((_, axis) => axis).slice(2));
}

function batchNormalization(run: NodeRun): Result {
  const [x, scale, shift, mean, variance] = [0, 1, 2, 3, 4].map((index) => run.tensor(index)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const eps = run.float("epsilon", 1e-5);
  if (run.int("training_mode", 0) === 1) return T.batchNorm(x, null, null, scale, shift, { training: true, eps });
  // In training the statistics of the module go along with those of the batches, unless the graph computes them.
  const training = run.training && run.isStatistic(3) && run.isStatistic(4);
  return T.batchNorm(x, mean, variance, scale, shift, { training, eps, momentum: 1 - run.float("momentum", 0.9) });
}

/** (x − mean) / √(variance + eps) over some axes. */
function standardized(x: Tensor, axes: readonly number[], eps: number): Tensor {
  const away = T.sub(x, T.mean(x, axes, { keepdim: true }));
  const spread = T.mean(T.square(away), axes, { keepdim: true });
  return T.div(away, T.sqrt(T.add(spread, eps)));
}

function perChannel(vector: Tensor, x: Tensor): Tensor {
  return T.reshape(vector, [-1, ...x.shape.slice(2).map(() => 1)]);
}

function instanceNormalization(run: NodeRun): Result {
  const x = run.tensor(0);
  const normal = standardized(x, x.shape.map((_, axis) => axis).slice(2), run.float("epsilon", 1e-5));
  return T.add(T.mul(normal, perChannel(run.tensor(1), x)), perChannel(run.tensor(2), x));
}

function layerNormalization(run: NodeRun): Result {
  const x = run.tensor(0);
  const axis = run.int("axis", -1);
  const axes = x.shape.map((_, i) => i).slice(axis);
  const normal = T.mul(standardized(x, axes, run.float("epsilon", 1e-5)), run.tensor(1));
  const shift = run.optionalTensor(2);
  return shift === null ? normal : T.add(normal, shift);
}

function gemm(run: NodeRun): Result {
  const [a, b, c] = [run.tensor(0), run.tensor(1), run.optionalTensor(2)];
  const [alpha, beta] = [run.float("alpha", 1), run.float("beta", 1)];
  const left = run.int("transA", 0) === 1 ? T.transpose(a, 0, 1) : a;
  if (
    run.int("transB", 0) === 1 &&
    alpha === 1 &&
    (c === null || (beta === 1 && c.ndim === 1 && c.shape[0] === b.shape[0]))
  ) {
    return T.linear(left, b, c);
  }
  const product = T.matmul(left, run.int("transB", 0) === 1 ? T.transpose(b, 0, 1) : b);
  const scaled = alpha === 1 ? product : T.mul(product, alpha);
  return c === null ? scaled : T.add(scaled, beta === 1 ? c : T.mul(c, beta));
}

function softmax(run: NodeRun, fn: typeof T.softmax): Result {
  const x = run.tensor(0);
  if (run.opset >= 13) return fn(x, run.int("axis", -1));
  // Old versions took all axes from that one on as one.
  const axis = run.int("axis", 1);
  const split = axis < 0 ? axis + x.ndim : axis;
  const rows = elementCount(x.shape.slice(0, split));
  return T.reshape(fn(T.reshape(x, [rows, -1]), 1), x.shape);
}

function dropout(run: NodeRun): Result {
  const x = run.tensor(0);
  const ratio = run.has("ratio") ? run.float("ratio", 0.5) : (run.optionalNumber(1) ?? 0.5);
  const inTraining = run.training || (run.optionalNumber(2) ?? 0) !== 0;
  if (!run.wants(1)) return T.dropout(x, ratio, inTraining);
  const mask = T.dropout(full(x.shape, 1, run.place(x.dtype)), ratio, inTraining);
  return [T.mul(x, mask), T.ne(mask, 0)];
}

export const networkOperators: Readonly<Record<string, Operator>> = {
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Conv: conv,
  ConvTranspose: convTranspose,
  Dropout: dropout,
  Gemm: gemm,
  GlobalAveragePool: (run) => overPlanes(run, (x, axes) => T.mean(x, axes, { keepdim: true })),
  GlobalMaxPool: (run) => overPlanes(run, (x, axes) => T.amax(x, axes, { keepdim: true })),
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
  LogSoftmax: (run) => softmax(run, T.logSoftmax),
  MatMul: (run) => T.matmul(run.tensor(0), run.tensor(1)),
  MaxPool: maxPool,
  Softmax: (run) => softmax(run, T.softmax),
};
