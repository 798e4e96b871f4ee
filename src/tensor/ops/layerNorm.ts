import { ShapeError } from "../../errors.js";
import { isGradEnabled, record, withGradMode } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { composite } from "../scopes.js";
import { formatShape, type Shape, sameShape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { add, add_, mul, mul_, pow, sub } from "./arithmetic.js";
import { sum, sumTo } from "./broadcast.js";
import { contiguous } from "./layout.js";
import { mean, var as variance } from "./reductions.js";
import { asRows, checkAffine, checkEps, type NormOptions, rowStats } from "./rowStats.js";

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
  const last = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
  commonKernels("layerNorm", x, ...(weight === null ? [] : [weight]), ...(bias === null ? [] : [bias]));
  checkFloating("layerNorm", x.dtype);
  checkLastAxes(x, last);
  checkAffine("layerNorm", x, last, { weight, bias });
  checkEps("layerNorm", eps);
  return composite(() => {
    const dense = contiguous(x);
    const rows = x.shape.slice(0, -last.length).reduce((product, extent) => product * extent, 1);
    const { center, spread } = rowStats("layerNorm", dense, rows);
    const out = Tensor.allocate(x.shape, x.dtype, x.device, "layerNorm");
    normalizeRows(dense, center, spread, eps, out);
    withGradMode(false, () => {
      if (weight !== null) mul_(out, weight);
      if (bias !== null) add_(out, bias);
    });
    const inputs = [dense, ...(weight === null ? [] : [weight]), ...(bias === null ? [] : [bias])];
    const saved = [dense, center, spread, ...(weight === null ? [] : [weight])];
    return record("layerNorm", out, inputs, saved, (g, ...[x = g, center = g, spread = g, scale = null]) => {
      const compute = isGradEnabled() ? composedGrads : fusedGrads;
      const grads = compute(g, { x, center, spread, scale, shape: last, eps });
      const { x: xGrad, weight: weightGrad, bias: biasGrad } = grads;
      const thunks = [xGrad, ...(weight === null ? [] : [weightGrad]), ...(bias === null ? [] : [biasGrad])];
      return thunks.map((thunk) => () => composite(thunk));
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

function normalizeRows(x: Tensor, center: Tensor, spread: Tensor, eps: number, out: Tensor): void {
  const rows = center.numel();
  x.kernels.batchNorm(asRows(x, rows), center, spread, null, null, eps, asRows(out, rows));
}

function fusedGrads(g: Tensor, { x, center, spread, scale, shape, eps }: Saved) {
  const like = (of: Tensor): Tensor => Tensor.allocate(of.shape, of.dtype, of.device, "layerNormGrad");
  return {
    x: () => {
      const slope = contiguous(scale === null ? g : mul(g, scale));
      const [xGrad, products, sums] = [like(x), like(center), like(center)];
      const rows = center.numel();
      const [outGrad, input, out] = [asRows(slope, rows), asRows(x, rows), asRows(xGrad, rows)];
      x.kernels.batchNormGrad(outGrad, input, center, spread, null, eps, true, out, products, sums);
      return xGrad;
    },
    weight: () => {
      const normalized = like(x);
      normalizeRows(x, center, spread, eps, normalized);
      return sumTo(mul_(normalized, g), shape);
    },
    bias: () => sumTo(g, shape),
  };
}

/** The same in ops that have gradients in turn. */
function composedGrads(g: Tensor, { x, scale, shape, eps }: Saved) {
  const axes = shape.map((_, axis) => x.ndim - shape.length + axis);
  const kept = { keepdim: true };
  const leading = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const inverse = (): Tensor => pow(add(variance(x, axes, { correction: 0, keepdim: true }), eps), -0.5);
  const normalized = (): Tensor => mul(sub(x, mean(x, axes, kept)), inverse());
  return {
    x: () => {
      const slope = scale === null ? g : mul(g, scale);
      const xHat = normalized();
      const through = add(mean(slope, axes, kept), mul(xHat, mean(mul(slope, xHat), axes, kept)));
      return mul(sub(slope, through), inverse());
    },
    weight: () => sum(mul(g, normalized()), leading),
    bias: () => sum(g, leading),
  };
}

function checkLastAxes(x: Tensor, last: Shape): void {
  if (last.length > 0 && last.length <= x.ndim && sameShape(x.shape.slice(-last.length), last)) return;
  throw new ShapeError(
    `layerNorm: got an input of shape ${formatShape(x.shape)} for normalizedShape ${formatShape(last)}; expected its last axes to be ` +
      `of that shape. Correct normalizedShape, or reshape the input.`,
  );
}
