import { ShapeError } from "../../errors.js";
import { forRange } from "../autocast.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { formatShape, type Shape, sameShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { checkAffine, checkEps, type NormOptions, normalizeGroups } from "./sampleNorm.js";

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
  options: NormOptions = {},
): Tensor {
  checkOptions("layerNorm", options, ["eps"]);
  const { eps = 1e-5 } = options;
  commonKernels("layerNorm", x, ...(weight === null ? [] : [weight]), ...(bias === null ? [] : [bias]));
  const last = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
  checkFloating("layerNorm", x.dtype);
  [x, weight, bias] = forRange(x, weight, bias);
  checkLastAxes(x, last);
  checkAffine("layerNorm", x, last, { weight, bias });
  checkEps("layerNorm", eps);
  const channels = last.reduce((product, extent) => product * extent, 1);
  const samples = x.shape.slice(0, -last.length).reduce((product, extent) => product * extent, 1);
  return composite(() =>
    normalizeGroups("layerNorm", x, { samples, channels, length: 1, groups: 1 }, weight, bias, eps),
  );
}

function checkLastAxes(x: Tensor, last: Shape): void {
  if (last.length > 0 && last.length <= x.ndim && sameShape(x.shape.slice(-last.length), last)) return;
  throw new ShapeError(
    `layerNorm: got an input of shape ${formatShape(x.shape)} for normalizedShape ${formatShape(last)}; expected its last axes to be ` +
      `of that shape. Correct normalizedShape, or reshape the input.`,
  );
}
