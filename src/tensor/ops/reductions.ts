/** Reductions over any axes. `sum` is in broadcast.ts, `max` and `min` with their places in extremes.ts. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { forRange } from "../autocast.js";
import { record, withGradMode } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { at, formatShape, reductionAxes, type Shape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { abs, div, mul, pow, sign, sqrt_, square_, sub } from "./arithmetic.js";
import { dropAxes, expand, type ReduceOptions, sum } from "./broadcast.js";
import { to } from "./cast.js";
import { eq, ne } from "./compare.js";
import { where } from "./where.js";

/** Settings of {@link variance} and {@link std}. */
export interface VarianceOptions extends ReduceOptions {
  /** What is taken off the number of elements in the divisor: 1 for a sample (the default), 0 for a whole population. */
  readonly correction?: number;
}

/** Axes to reduce; null for all. */
export type Axes = number | readonly number[] | null;

/** Number of elements that fall into one of the result. */
function countOver(x: Tensor, axes: readonly number[]): number {
  return axes.reduce((count, axis) => count * at(x.shape, axis), 1);
}

function keptShape(shape: Shape, axes: readonly number[]): number[] {
  return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
}

/**
 * Mean over the given axes (all by default). The mean of nothing is NaN.
 *
 * @throws DTypeError for whole numbers.
 * @throws ShapeError where an axis is out of range or named twice.
 * @see https://pytorch.org/docs/stable/generated/torch.mean.html
 */
export function mean(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  checkOptions("mean", options, ["keepdim"]);
  commonKernels("mean", x);
  checkFloating("mean", x.dtype);
  [x] = forRange(x);
  const reduced = reductionAxes("mean", axes, x.ndim);
  return composite(() => div(sum(x, reduced, options), countOver(x, reduced)));
}

/**
 * Variance over the given axes (all by default): Σ (x − mean)² / (n − correction), in two passes. It is NaN where
 * n ≤ correction leaves nothing to divide 0 by.
 *
 * @throws DTypeError for whole numbers.
 * @throws ShapeError where an axis is out of range or named twice.
 * @see https://pytorch.org/docs/stable/generated/torch.var.html
 */
function variance(x: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  [x] = forRange(x);
  const { out, reduced, divisor } = measureSpread("var", x, axes, options);
  record("var", out, [x], [x], (g, x) => [() => varianceGrad(g, x, reduced, divisor)]);
  return options.keepdim === true ? out : dropAxes(out, reduced);
}

export { variance as var };

/**
 * Standard deviation over the given axes (all by default): the square root of the variance. Its gradient where all
 * elements are equal is 0.
 *
 * @throws DTypeError for whole numbers.
 * @throws ShapeError where an axis is out of range or named twice.
 * @see https://pytorch.org/docs/stable/generated/torch.std.html
 */
export function std(x: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  checkOptions("std", options, ["correction", "keepdim"]);
  [x] = forRange(x);
  const { out, reduced, divisor } = measureSpread("std", x, axes, options);
  withGradMode(false, () => sqrt_(out));
  record("std", out, [x], [x, out], (g, x, y) => [
    () => composite(() => varianceGrad(div(g, mul(infiniteForZero(y), 2)), x, reduced, divisor)),
  ]);
  return options.keepdim === true ? out : dropAxes(out, reduced);
}

/** The variance with its axes kept, off the tape. */
function measureSpread(name: string, x: Tensor, axes: Axes | undefined, { correction = 1 }: VarianceOptions) {
  commonKernels(name, x);
  checkFloating(name, x.dtype);
  if (!Number.isFinite(correction)) {
    throw new ArgumentError(
      `${name}: got the correction ${correction}; expected a finite number. Use 1 for a sample, 0 for a population.`,
    );
  }
  const reduced = reductionAxes(name, axes, x.ndim);
  const divisor = Math.max(countOver(x, reduced) - correction, 0);
  const kept = { keepdim: true };
  const out = withGradMode(false, () =>
    composite(() => div(sum(square_(sub(x, mean(x, reduced, kept))), reduced, kept), divisor)),
  );
  return { out, reduced, divisor };
}

function varianceGrad(g: Tensor, x: Tensor, axes: readonly number[], divisor: number): Tensor {
  return composite(() => mul(sub(x, mean(x, axes, { keepdim: true })), mul(g, 2 / divisor)));
}

/** A divisor that gives 0 where y is 0, with derivatives that are 0 as well. */
function infiniteForZero(y: Tensor): Tensor {
  return where(eq(y, 0), Number.POSITIVE_INFINITY, y);
}

/**
 * Greatest element over the given axes (all by default); NaN wins. The gradient is shared evenly among ties.
 *
 * @throws ShapeError where an axis is out of range, named twice, or has nothing to choose from.
 * @see https://pytorch.org/docs/stable/generated/torch.amax.html
 */
export function amax(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  checkOptions("amax", options, ["keepdim"]);
  return extreme("amax", "amax", x, axes, options);
}

/**
 * Smallest element over the given axes (all by default); NaN wins. The gradient is shared evenly among ties.
 *
 * @throws ShapeError where an axis is out of range, named twice, or has nothing to choose from.
 * @see https://pytorch.org/docs/stable/generated/torch.amin.html
 */
export function amin(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  checkOptions("amin", options, ["keepdim"]);
  return extreme("amin", "amin", x, axes, options);
}

function extreme(name: string, op: "amax" | "amin", x: Tensor, axes: Axes | undefined, options: ReduceOptions): Tensor {
  const kernels = commonKernels(name, x);
  const reduced = reductionAxes(name, axes, x.ndim);
  checkNotEmpty(name, x, reduced);
  const out = Tensor.allocate(keptShape(x.shape, reduced), x.dtype, x.device, name);
  kernels.reduce(op, x, out);
  record(name, out, [x], [x, out], (g, x, y) => [
    () =>
      composite(() => {
        const chosen = eq(x, y);
        return div(mul(g, chosen), sum(chosen, reduced, { keepdim: true }));
      }),
  ]);
  return options.keepdim === true ? out : dropAxes(out, reduced);
}

function checkNotEmpty(name: string, x: Tensor, axes: readonly number[]): void {
  const empty = axes.find((axis) => x.shape[axis] === 0);
  if (empty !== undefined) {
    throw new ShapeError(
      `${name}: got shape ${formatShape(x.shape)} with nothing along axis ${empty}; expected at least one element to choose from. ` +
        `Leave that axis out, or handle the empty case before.`,
    );
  }
}

/**
 * The p-norm over the given axes (all by default): (Σ |x|ᵖ)^(1/p) for any number p; the greatest |x| for Infinity, the
 * smallest for -Infinity, the number of elements other than 0 for p = 0. Where the norm is 0 its gradient is 0.
 *
 * @throws DTypeError for whole numbers.
 * @throws ArgumentError where p is NaN.
 * @throws ShapeError where an axis is out of range or named twice, or where p is negative or infinite and there is
 *   nothing to choose from.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.vector_norm.html
 */
export function norm(x: Tensor, p = 2, axes?: Axes, options: ReduceOptions = {}): Tensor {
  checkOptions("norm", options, ["keepdim"]);
  commonKernels("norm", x);
  checkFloating("norm", x.dtype);
  if (typeof p !== "number" || Number.isNaN(p)) {
    throw new ArgumentError(`norm: got p = ${p}; expected a number, Infinity or -Infinity. Use 2 for the length.`);
  }
  [x] = forRange(x);
  const reduced = reductionAxes("norm", axes, x.ndim);
  if (p < 0 || p === Number.POSITIVE_INFINITY) checkNotEmpty("norm", x, reduced);
  if (p === Number.POSITIVE_INFINITY) return composite(() => extreme("norm", "amax", abs(x), reduced, options));
  if (p === Number.NEGATIVE_INFINITY) return composite(() => extreme("norm", "amin", abs(x), reduced, options));
  if (p === 1) return composite(() => sum(abs(x), reduced, options));

  const out = withGradMode(false, () => composite(() => powerNorm(x, p, reduced)));
  record("norm", out, [x], [x, out], (g, x, y) => [() => composite(() => powerNormGrad(g, x, y, p))]);
  return options.keepdim === true ? out : dropAxes(out, reduced);
}

function powerNorm(x: Tensor, p: number, axes: readonly number[]): Tensor {
  const kept = { keepdim: true };
  if (p === 0) return to(sum(ne(x, 0), axes, kept), x.dtype);
  if (p === 2) return sqrt_(sumSquares(x, axes));
  return pow(sum(pow(abs(x), p), axes, kept), 1 / p);
}

/** Off the tape. */
function sumSquares(x: Tensor, axes: readonly number[]): Tensor {
  const out = Tensor.allocate(keptShape(x.shape, axes), x.dtype, x.device, "norm");
  x.kernels.reduce("sumSquares", x, out);
  return out;
}

/** g · sign(x) · |x|ᵖ⁻¹ / yᵖ⁻¹, without 0/0 where x or y is 0. */
function powerNormGrad(g: Tensor, x: Tensor, y: Tensor, p: number): Tensor {
  if (p === 0) return mul(expand(g, x.shape), 0);
  if (p === 2) return mul(x, div(g, infiniteForZero(y)));
  if (p > 2) return mul(mul(x, pow(abs(x), p - 2)), div(g, pow(infiniteForZero(y), p - 1)));
  const size = p < 1 ? infiniteForZero(abs(x)) : abs(x);
  return mul(mul(sign(x), pow(size, p - 1)), div(g, pow(p < 1 ? y : infiniteForZero(y), p - 1)));
}
