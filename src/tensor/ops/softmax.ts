import { forRange } from "../autocast.js";
import { isGradEnabled, record } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { composite } from "../scopes.js";
import { normalizeAxis } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { exp, mul, sub } from "./arithmetic.js";
import { sum } from "./broadcast.js";
import { contiguous, transpose, view } from "./layout.js";

/**
 * eˣ / Σ eˣ along an axis: positive numbers that add up to 1 there.
 *
 * @throws DTypeError for whole numbers.
 * @throws ShapeError where the axis is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
 */
export function softmax(x: Tensor, dim: number): Tensor {
  return along("softmax", x, dim, false);
}

/**
 * The logarithm of {@link softmax}, worked out as x − max x − log Σ e^(x − max x), which neither overflows nor loses
 * small probabilities.
 *
 * @throws DTypeError for whole numbers.
 * @throws ShapeError where the axis is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
 */
export function logSoftmax(x: Tensor, dim: number): Tensor {
  return along("logSoftmax", x, dim, true);
}

function along(name: string, x: Tensor, dim: number, logarithm: boolean): Tensor {
  commonKernels(name, x);
  checkFloating(name, x.dtype);
  [x] = forRange(x);
  const axis = normalizeAxis(name, dim, x.ndim);
  if (x.ndim === 0) return composite(() => view(alongLast(name, view(x, [1]), logarithm), []));
  if (axis !== x.ndim - 1) {
    return composite(() => transpose(alongLast(name, contiguous(transpose(x, axis, -1)), logarithm), axis, -1));
  }
  return x.isContiguous() ? alongLast(name, x, logarithm) : composite(() => alongLast(name, contiguous(x), logarithm));
}

/** Takes a dense `x`. */
function alongLast(name: string, x: Tensor, logarithm: boolean): Tensor {
  const out = Tensor.allocate(x.shape, x.dtype, x.device, name);
  x.kernels.softmax(x, out, logarithm);
  return record(name, out, [x], [out], (g, y) => [
    () => composite(() => (isGradEnabled() ? composedGrad(g, y, logarithm) : fusedGrad(contiguous(g), y, logarithm))),
  ]);
}

function fusedGrad(g: Tensor, y: Tensor, logarithm: boolean): Tensor {
  const out = Tensor.allocate(y.shape, y.dtype, y.device, "softmaxGrad");
  y.kernels.softmaxGrad(g, y, out, logarithm);
  return out;
}

/** The formula of the fused kernel in ops that have gradients in turn. */
function composedGrad(g: Tensor, y: Tensor, logarithm: boolean): Tensor {
  const total = (of: Tensor): Tensor => sum(of, -1, { keepdim: true });
  return logarithm ? sub(g, mul(exp(y), total(g))) : mul(y, sub(g, total(mul(g, y))));
}
