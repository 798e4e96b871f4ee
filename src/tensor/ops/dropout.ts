import { ArgumentError } from "../../errors.js";
import { record } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { defaultGenerator } from "../random.js";
import { commonKernels, Tensor } from "../tensor.js";
import { mul } from "./arithmetic.js";

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
  const kernels = commonKernels("dropout", x);
  checkFloating("dropout", x.dtype);
  if (!(p >= 0 && p <= 1)) {
    throw new ArgumentError(
      `dropout: got p = ${p}; expected 0 <= p <= 1. p is the probability that an element becomes 0.`,
    );
  }
  if (!training || p === 0 || x.numel() === 0) return x;
  if (p === 1) return mul(x, 0);

  const mask = Tensor.allocate(x.shape, x.dtype, x.device, "dropout");
  drawMask(mask, 1 - p);
  const out = Tensor.allocate(x.shape, x.dtype, x.device, "dropout");
  kernels.binary("mul", x, mask, out);
  record("dropout", out, [x], [mask], (g, mask) => [() => mul(g, mask)]);
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
