/** Products, sums of exponentials and running sums along axes. */
import { isFloating } from "../../kernels/dtype.js";
import type { Strided } from "../../kernels/kernelSet.js";
import { forRange } from "../autocast.js";
import { record, withGradMode } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { at, normalizeAxis, reductionAxes } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { add, exp, log, mul, sub } from "./arithmetic.js";
import { dropAxes, expand, type ReduceOptions, sum } from "./broadcast.js";
import { to } from "./cast.js";
import { eq } from "./compare.js";
import { clone, reshape, viewLike } from "./layout.js";
import { isfinite } from "./logic.js";
import { pad } from "./pad.js";
import { flip } from "./rearrange.js";
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
    const product = halved(flat ? reshape(numbers, [-1]) : numbers, flat ? 0 : axis);
    const kept = options.keepdim === true && x.ndim > 0;
    const shape = flat ? x.shape.map(() => 1) : product.shape;
    return reshape(product, kept ? shape : shape.filter((_, i) => !flat && i !== axis));
  });
}

/** One half of an axis times the other, until one place is left. Halves and not powers: so no quotient has to be taken back. */
function halved(x: Tensor, axis: number): Tensor {
  const extent = at(x.shape, axis);
  let size = 1;
  while (size < extent) size *= 2;
  const behind = x.ndim - 1 - axis;
  let rest = size === extent ? x : pad(x, [...new Array<number>(2 * behind).fill(0), 0, size - extent], "constant", 1);
  for (let half = size / 2; half >= 1; half /= 2) {
    rest = mul(narrow(rest, axis, 0, half), narrow(rest, axis, half, half));
  }
  return rest;
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
      return add(log(sum(exp(sub(x, shift)), reduced, kept)), shift);
    }),
  );
  record("logsumexp", out, [x], [x, out], (g, x, y) => [
    // Of nothing but −∞ no element has a share.
    () => composite(() => mul(exp(sub(x, where(eq(y, Number.NEGATIVE_INFINITY), 0, y))), expand(g, x.shape))),
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
  if (!isFloating(x.dtype)) return composite(() => runningSums(to(x, "int32"), axis));
  const out = runningSums(x, axis);
  return record("cumsum", out, [x], [], (g) => [() => composite(() => backwards(g, axis))]);
}

function backwards(g: Tensor, axis: number): Tensor {
  return g.ndim === 0 ? viewLike(g) : flip(cumsum(flip(g, axis), axis), axis);
}

/** In each step places get what lies twice as far before them as in the last: as many steps as the extent has bits. */
function runningSums(x: Tensor, axis: number): Tensor {
  return withGradMode(false, () => {
    let sums = clone(x);
    const extent = x.shape[axis] ?? 1;
    for (let shift = 1; shift < extent; shift *= 2) {
      const next = Tensor.allocate(x.shape, x.dtype, x.device, "cumsum");
      const { kernels } = x;
      kernels.copy(stretch(sums, axis, 0, shift), stretch(next, axis, 0, shift));
      const later = stretch(sums, axis, shift, extent - shift);
      kernels.binary("add", later, stretch(sums, axis, 0, extent - shift), stretch(next, axis, shift, extent - shift));
      sums.dispose();
      sums = next;
    }
    return sums;
  });
}

function stretch(
  { buffer, dtype, shape, strides, offset }: Tensor,
  axis: number,
  start: number,
  length: number,
): Strided {
  return { buffer, dtype, shape: shape.with(axis, length), strides, offset: offset + start * at(strides, axis) };
}
