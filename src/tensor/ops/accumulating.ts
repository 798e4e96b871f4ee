/** Products, sums of exponentials and running sums along axes. */
import { isFloating } from "../../kernels/dtype.js";
import { forRange } from "../autocast.js";
import { isGradEnabled, record, withGradMode } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { at, normalizeAxis, reductionAxes } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { add, div, exp, exp_, log, mul, mul_, sub } from "./arithmetic.js";
import { dropAxes, expand, type ReduceOptions, sum } from "./broadcast.js";
import { to } from "./cast.js";
import { eq } from "./compare.js";
import { cat } from "./joining.js";
import { clone, contiguous, reshape, viewLike } from "./layout.js";
import { isfinite } from "./logic.js";
import { pad } from "./pad.js";
import { amax } from "./reductions.js";
import { narrow } from "./slicing.js";
import { where } from "./where.js";

/**
 * The product of all elements, or along an axis; of nothing it is 1. Products of int32 and bool are int32, and wrap. The
 * gradient is right where elements are 0, too.
 *
 * @throws ShapeError where the axis is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.prod.html
 */
export function prod(x: Tensor, dim?: number | null, options: ReduceOptions = {}): Tensor {
  checkOptions("prod", options, ["keepdim"]);
  commonKernels("prod", x);
  [x] = forRange(x);
  const axis = dim === null || dim === undefined ? null : normalizeAxis("prod", dim, x.ndim);
  return composite(() => {
    const numbers = isFloating(x.dtype) ? viewLike(x) : to(x, "int32");
    const flat = axis === null || x.ndim === 0;
    const product = productAlong(flat ? reshape(numbers, [-1]) : numbers, flat ? 0 : axis);
    const kept = options.keepdim === true && x.ndim > 0;
    const shape = flat ? x.shape.map(() => 1) : product.shape;
    return reshape(product, kept ? shape : shape.filter((_, i) => !flat && i !== axis));
  });
}

/** The product along an axis, which stays with extent 1. */
function productAlong(x: Tensor, axis: number): Tensor {
  const out = Tensor.allocate(x.shape.with(axis, 1), x.dtype, x.device, "prod");
  x.kernels.reduce("prod", x, out);
  return record("prod", out, [x], [x, out], (g, x, y) => [
    () => composite(() => (isGradEnabled() || !canDivide(y) ? productOfOthers(g, x, axis) : mul_(div(y, x), g))),
  ]);
}

/** Whether the product can be divided by any of its factors: none is 0, and nothing was lost on the way. */
function canDivide(product: Tensor): boolean {
  return product.kernels.readSync !== null && product.dataSync().every(isModerate);
}

function isModerate(value: number): boolean {
  const size = Math.abs(value);
  return size > 2 ** -110 && size < 2 ** 110;
}

/**
 * g times the product of all other elements along an axis, without a quotient: one half of the axis times the other, until one place
 * is left; and back again, where each half is owed the other.
 */
function productOfOthers(g: Tensor, x: Tensor, axis: number): Tensor {
  const extent = at(x.shape, axis);
  let size = 1;
  while (size < extent) size *= 2;
  const behind = x.ndim - 1 - axis;
  let rest = size === extent ? x : pad(x, [...new Array<number>(2 * behind).fill(0), 0, size - extent], "constant", 1);
  const halves: (readonly [Tensor, Tensor])[] = [];
  for (let half = size / 2; half >= 1; half /= 2) {
    const pair = [narrow(rest, axis, 0, half), narrow(rest, axis, half, half)] as const;
    halves.push(pair);
    if (half > 1) rest = mul(...pair);
  }
  let others = g;
  for (const [first, second] of halves.reverse()) others = cat([mul(others, second), mul(others, first)], axis);
  return narrow(others, axis, 0, extent);
}

/**
 * log Σ eˣ over the given axes (all by default), without overflow.
 *
 * @throws DTypeError for whole numbers.
 * @throws ShapeError where an axis is out of range, named twice, or has nothing to add up.
 * @see https://pytorch.org/docs/stable/generated/torch.logsumexp.html
 */
export function logsumexp(x: Tensor, axes?: number | readonly number[] | null, options: ReduceOptions = {}): Tensor {
  checkOptions("logsumexp", options, ["keepdim"]);
  commonKernels("logsumexp", x);
  checkFloating("logsumexp", x.dtype);
  [x] = forRange(x);
  const reduced = reductionAxes("logsumexp", axes, x.ndim);
  const kept = { keepdim: true };
  const out = withGradMode(false, () =>
    composite(() => {
      const most = amax(x, reduced, kept);
      const shift = where(isfinite(most), most, 0);
      return add(log(sum(exp_(sub(x, shift)), reduced, kept)), shift);
    }),
  );
  record("logsumexp", out, [x], [x, out], (g, x, y) => [
    // Of nothing but −∞ no element has a share.
    () =>
      composite(() => {
        const away = sub(x, where(eq(y, Number.NEGATIVE_INFINITY), 0, y));
        return isGradEnabled() ? mul(exp(away), expand(g, x.shape)) : mul_(exp_(away), expand(g, x.shape));
      }),
  ]);
  return options.keepdim === true ? out : dropAxes(out, reduced);
}

/**
 * Running sums along an axis: place i holds the sum of places 0 to i. Sums of int32 and bool are int32.
 *
 * @throws ShapeError where the axis is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.cumsum.html
 */
export function cumsum(x: Tensor, dim: number): Tensor {
  commonKernels("cumsum", x);
  [x] = forRange(x);
  const axis = normalizeAxis("cumsum", dim, x.ndim);
  if (isFloating(x.dtype)) return runningSums(x, axis, false);
  return composite(() => runningSums(to(x, "int32"), axis, false));
}

/** `backwards`: from the last place on. That is the gradient of the other way round. */
function runningSums(x: Tensor, axis: number, backwards: boolean): Tensor {
  if (x.ndim === 0) return clone(x);
  const out = Tensor.allocate(x.shape, x.dtype, x.device, "cumsum");
  const dense = withGradMode(false, () => contiguous(x));
  x.kernels.cumsum(dense, axis, backwards, out);
  if (dense !== x) dense.dispose();
  return record("cumsum", out, [x], [], (g) => [() => runningSums(g, axis, !backwards)]);
}
