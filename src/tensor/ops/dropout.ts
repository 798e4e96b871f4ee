import { ArgumentError, ShapeError } from "../../errors.js";
import { checkInPlace, record, recordInPlace } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { defaultGenerator } from "../random.js";
import { formatShape, type Shape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { mul, mul_ } from "./arithmetic.js";
import { expanded } from "./broadcast.js";
import { checkWritable } from "./elementwise.js";

/**
 * Sets each element to 0 with probability `p` and multiplies the others by 1 / (1 − p), so that the expected value
 * stays. Without `training` it gives back `x` itself. The default generator is drawn from once per element, in row-major
 * order, unless p is 0 or 1.
 *
 * @throws ArgumentError unless p is from 0 to 1.
 * @throws DTypeError for whole numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html
 */
export function dropout(x: Tensor, p = 0.5, training = true): Tensor {
  commonKernels("dropout", x);
  return dropped("dropout", x, x.shape, p, training);
}

/** {@link dropout} in place. */
export function dropout_(x: Tensor, p = 0.5, training = true): Tensor {
  commonKernels("dropout_", x);
  return dropped("dropout_", x, x.shape, p, training, true);
}

/**
 * Sets whole channels of x [N, C, H, W] to 0 with probability `p` and multiplies the others by 1 / (1 − p). Without
 * `training` it gives back `x` itself. The default generator is drawn from once per channel of each sample.
 *
 * @throws ArgumentError unless p is from 0 to 1.
 * @throws ShapeError where x has not four axes.
 * @throws DTypeError for whole numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout2d.html
 * @see J. Tompson et al.: Efficient Object Localization Using Convolutional Networks, https://arxiv.org/abs/1411.4280
 */
export function dropout2d(x: Tensor, p = 0.5, training = true): Tensor {
  return dropped("dropout2d", x, channelsOf("dropout2d", x), p, training);
}

/** {@link dropout2d} in place. */
export function dropout2d_(x: Tensor, p = 0.5, training = true): Tensor {
  return dropped("dropout2d_", x, channelsOf("dropout2d_", x), p, training, true);
}

/** The shape of a mask that has one element for each channel of each sample. */
function channelsOf(name: string, x: Tensor): Shape {
  commonKernels(name, x);
  if (x.ndim === 4) return [...x.shape.slice(0, 2), 1, 1];
  throw new ShapeError(
    `${name}: got an input of shape ${formatShape(x.shape)}; expected [batch, channels, height, width]. Unsqueeze it, or use dropout.`,
  );
}

/** One draw for each element of a tensor of `maskShape`, which broadcasts to x. */
function dropped(name: string, x: Tensor, maskShape: Shape, p: number, training: boolean, inPlace = false): Tensor {
  checkFloating(name, x.dtype);
  if (!(p >= 0 && p <= 1)) {
    throw new ArgumentError(
      `${name}: got p = ${p}; expected 0 <= p <= 1. p is the probability that ${name.startsWith("dropout2d") ? "a channel" : "an element"} becomes 0.`,
    );
  }
  if (!training || p === 0 || x.numel() === 0) return x;
  if (p === 1) return inPlace ? mul_(x, 0) : mul(x, 0);

  if (inPlace) {
    checkWritable(name, x);
    checkInPlace(name, x, [x]);
  }
  const mask = Tensor.allocate(maskShape, x.dtype, x.device, name);
  drawMask(mask, 1 - p);
  const out = inPlace ? x : Tensor.allocate(x.shape, x.dtype, x.device, name);
  x.kernels.binary("mul", x, expanded(mask, x.shape), out);
  const put = inPlace ? recordInPlace : record;
  put(name, out, [x], [mask], (g, mask) => [() => mul(g, mask)]);
  mask.dispose();
  return out;
}

/** Fills a new tensor with 1 / p, each with probability p, and zeros. */
function drawMask(mask: Tensor, p: number): void {
  const { kernels, dtype } = mask;
  const { bernoulli } = kernels;
  if (bernoulli !== undefined && dtype === "float32") {
    defaultGenerator.drawBernoulli(p, (words, drawn, threshold) => bernoulli(words, drawn, threshold, 1 / p, mask));
    return;
  }
  const values = dtype === "float64" ? new Float64Array(mask.numel()) : new Float32Array(mask.numel());
  defaultGenerator.fillBernoulli(values, p);
  for (let i = 0; i < values.length; i++) if (values[i] === 1) values[i] = 1 / p;
  kernels.write(mask.buffer, dtype, 0, values);
}
