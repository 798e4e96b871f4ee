import { ShapeError } from "../../errors.js";
import type { Strided } from "../../kernels/kernelSet.js";
import { isGradEnabled, record } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { composite } from "../scopes.js";
import { formatShape, type Shape, sameShape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { add, mul, pow, sub } from "./arithmetic.js";
import { sumTo } from "./broadcast.js";
import { contiguous } from "./layout.js";
import { mean, var as variance } from "./reductions.js";
import { checkAffine, checkEps, type NormOptions } from "./rowStats.js";

/**
 * (x − mean) / √(variance + eps) · weight + bias, with mean and biased variance over the last axes of x, those of
 * `normalizedShape`. Weight and bias are of that shape.
 *
 * @throws ShapeError where the last axes of x, or weight or bias, are not of `normalizedShape`.
 * @throws ArgumentError where eps is not above 0.
 * @throws DTypeError for whole numbers, or where dtypes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html
 * @see J. L. Ba, J. R. Kiros, G. E. Hinton: Layer Normalization, https://arxiv.org/abs/1607.06450, equation 3
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  { eps = 1e-5 }: NormOptions = {},
): Tensor {
  commonKernels("layerNorm", x, ...(weight === null ? [] : [weight]), ...(bias === null ? [] : [bias]));
  const last = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
  checkFloating("layerNorm", x.dtype);
  checkLastAxes(x, last);
  checkAffine("layerNorm", x, last, { weight, bias });
  checkEps("layerNorm", eps);
  return composite(() => {
    const dense = contiguous(x);
    const rows = x.shape.slice(0, -last.length).reduce((product, extent) => product * extent, 1);
    const out = Tensor.allocate(x.shape, x.dtype, x.device, "layerNorm");
    const like = (): Tensor => Tensor.allocate([rows], x.dtype, x.device, "layerNorm");
    const [center, spread] = [like(), like()];
    normalizeRows({ x: dense, center, spread, scale: weight && contiguous(weight), shape: last, eps }, bias, out);
    const inputs = [dense, ...(weight === null ? [] : [weight]), ...(bias === null ? [] : [bias])];
    const saved = [dense, center, spread, ...(weight === null ? [] : [weight])];
    return record("layerNorm", out, inputs, saved, (g, ...[x = g, center = g, spread = g, scale = null]) => {
      const compute = isGradEnabled() ? composedGrads : fusedGrads;
      const grads = compute(g, { x, center, spread, scale, shape: last, eps });
      return [grads.x, ...(weight === null ? [] : [grads.weight]), ...(bias === null ? [] : [grads.bias])];
    });
  });
}

/** What the gradients are worked out from. Mean and variance are those of the rows of x. */
interface Saved {
  readonly x: Tensor;
  readonly center: Tensor;
  readonly spread: Tensor;
  readonly scale: Tensor | null;
  readonly shape: Shape;
  readonly eps: number;
}

/** Elements of a stretch of rows, such that it and what is made of it on the way stay in a cache. */
const STRETCH = 2 ** 15;

/** Calls `visit` for stretches of rows: on the CPU short ones, which pass through several kernels without leaving the cache. */
function forStretches(x: Tensor, rows: number, visit: (first: number, count: number) => void): void {
  const stretch = x.device === "cpu" ? Math.max(1, Math.floor((STRETCH * rows) / Math.max(x.numel(), 1))) : rows;
  for (let first = 0; first < rows; first += stretch) visit(first, Math.min(stretch, rows - first));
}

/** Some of the rows of a dense tensor, [count, length], and as the kernels of batch normalisation see them, [1, count, length]. */
function someRows({ buffer, dtype, offset }: Tensor, length: number, first: number, count: number) {
  const matrix = { buffer, dtype, shape: [count, length], strides: [length, 1], offset: offset + first * length };
  return { matrix, channels: { ...matrix, shape: [1, count, length], strides: [count * length, length, 1] } };
}

/** Some of what there is one of for each row. */
function some({ buffer, dtype, offset }: Tensor, first: number, count: number): Strided {
  return { buffer, dtype, shape: [count], strides: [1], offset: offset + first };
}

/** A row for all of the rows. */
function repeated({ buffer, dtype, offset }: Tensor, length: number, count: number): Strided {
  return { buffer, dtype, shape: [count, length], strides: [0, 1], offset };
}

/** Fills the statistics and `out`. */
function normalizeRows({ x, center, spread, scale, eps }: Saved, bias: Tensor | null, out: Tensor): void {
  const { kernels } = x;
  const rows = center.numel();
  const length = rows === 0 ? 0 : x.numel() / rows;
  const shift = bias && contiguous(bias);
  forStretches(x, rows, (first, count) => {
    const [from, to] = [someRows(x, length, first, count), someRows(out, length, first, count)];
    const [mean, variance] = [some(center, first, count), some(spread, first, count)];
    kernels.channelStats(from.channels, mean, variance);
    kernels.batchNorm(from.channels, mean, variance, null, null, eps, to.channels);
    if (scale) kernels.binary("mul", to.matrix, repeated(scale, length, count), to.matrix);
    if (shift) kernels.binary("add", to.matrix, repeated(shift, length, count), to.matrix);
  });
}

/** All three at the first that is asked for. */
function fusedGrads(g: Tensor, saved: Saved) {
  let grads: ReturnType<typeof allGrads> | undefined;
  const all = () => {
    grads ??= allGrads(g, saved);
    return grads;
  };
  return { x: () => all().x, weight: () => all().weight, bias: () => all().bias };
}

function allGrads(g: Tensor, { x, center, spread, scale, shape, eps }: Saved) {
  const { kernels } = x;
  const rows = center.numel();
  const length = rows === 0 ? 0 : x.numel() / rows;
  const made = (shape: Shape): Tensor => Tensor.allocate(shape, x.dtype, x.device, "layerNormGrad");
  const grads = { x: made(x.shape), weight: made(shape), bias: made(shape) };
  for (const sums of [grads.weight, grads.bias]) kernels.fill(sums, 0);
  const dense = contiguous(g);
  const factor = scale && contiguous(scale);
  forStretches(x, rows, (first, count) => {
    const [outGrad, input, xGrad] = [dense, x, grads.x].map((of) => someRows(of, length, first, count));
    if (outGrad === undefined || input === undefined || xGrad === undefined) return;
    const [mean, variance] = [some(center, first, count), some(spread, first, count)];
    const [room, products, sums, total] = [made([count, length]), made([count]), made([count]), made([1, length])];
    const between = someRows(room, length, 0, count);
    if (factor) kernels.binary("mul", outGrad.matrix, repeated(factor, length, count), between.matrix);
    const slope = factor ? between : outGrad;
    kernels.batchNormGrad(
      slope.channels,
      input.channels,
      mean,
      variance,
      null,
      eps,
      true,
      xGrad.channels,
      products,
      sums,
    );
    kernels.batchNorm(input.channels, mean, variance, null, null, eps, between.channels);
    kernels.binary("mul", between.matrix, outGrad.matrix, between.matrix);
    for (const [terms, target] of [
      [between.matrix, grads.weight],
      [outGrad.matrix, grads.bias],
    ] as const) {
      kernels.reduce("sum", terms, total);
      const flat = { ...someRows(target, length, 0, 1).matrix };
      kernels.binary("add", flat, total, flat);
    }
    for (const temporary of [room, products, sums, total]) temporary.dispose();
  });
  for (const [copy, original] of [
    [dense, g],
    [factor, scale],
  ]) {
    if (copy && copy !== original) copy.dispose();
  }
  return grads;
}

/** The same in ops that have gradients in turn. */
function composedGrads(g: Tensor, { x, scale, shape, eps }: Saved) {
  const axes = shape.map((_, axis) => x.ndim - shape.length + axis);
  const kept = { keepdim: true };
  const inverse = (): Tensor => pow(add(variance(x, axes, { correction: 0, keepdim: true }), eps), -0.5);
  const normalized = (): Tensor => mul(sub(x, mean(x, axes, kept)), inverse());
  return {
    x: () =>
      composite(() => {
        const slope = scale === null ? g : mul(g, scale);
        const xHat = normalized();
        const through = add(mean(slope, axes, kept), mul(xHat, mean(mul(slope, xHat), axes, kept)));
        return mul(sub(slope, through), inverse());
      }),
    weight: () => composite(() => sumTo(mul(g, normalized()), shape)),
    bias: () => sumTo(g, shape),
  };
}

function checkLastAxes(x: Tensor, last: Shape): void {
  if (last.length > 0 && last.length <= x.ndim && sameShape(x.shape.slice(-last.length), last)) return;
  throw new ShapeError(
    `layerNorm: got an input of shape ${formatShape(x.shape)} for normalizedShape ${formatShape(last)}; expected its last axes to be ` +
      `of that shape. Correct normalizedShape, or reshape the input.`,
  );
}
