import { ArgumentError, DTypeError, ShapeError } from "../../errors.js";
import { elementOf } from "../elements.js";
import { composite } from "../scopes.js";
import { broadcastShapes, formatShape, normalizeAxis } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { checkIndexRange, checkIndexType, pick } from "./along.js";
import { expand } from "./broadcast.js";
import { view } from "./layout.js";
import { where } from "./where.js";

/**
 * A copy of x with `value` wherever the mask holds; both broadcast. The value is a number, or a tensor of one element and
 * x's dtype, which then gets a gradient.
 *
 * @throws DTypeError where the mask is not bool, or the value does not fit x's dtype.
 * @throws ShapeError where the shapes do not broadcast, or the value has axes.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.masked_fill.html
 */
export function maskedFill(x: Tensor, mask: Tensor, value: number | boolean | Tensor): Tensor {
  const kernels = commonKernels("maskedFill", x, mask, ...(value instanceof Tensor ? [value] : []));
  if (mask.dtype !== "bool") {
    throw new DTypeError(
      `maskedFill: got a mask of ${mask.dtype}; expected bool. Compare first, as in x.maskedFill(x.lt(0), 0).`,
    );
  }
  broadcastShapes("maskedFill", x.shape, mask.shape);
  if (!(value instanceof Tensor)) {
    const element = elementOf("maskedFill", value, x.dtype);
    return composite(() => {
      const filler = Tensor.allocate([], x.dtype, x.device, "maskedFill");
      kernels.fill(filler, element);
      return where(mask, filler, x);
    });
  }
  if (value.ndim > 0) {
    throw new ShapeError(
      `maskedFill: got a value of shape ${formatShape(value.shape)}; expected a number, or a tensor without axes. Use where for more values.`,
    );
  }
  if (value.dtype !== x.dtype) {
    throw new DTypeError(
      `maskedFill: got a value of ${value.dtype} for a tensor of ${x.dtype}; expected one dtype. Cast it with .to("${x.dtype}").`,
    );
  }
  return where(mask, value, x);
}

/**
 * The places that `index` (int32, one axis) names along an axis, in its order; a place may come several times.
 *
 * @throws ShapeError where an index is out of range (checked on the CPU), or `index` has not one axis.
 * @throws DTypeError where the index is not int32.
 * @see https://pytorch.org/docs/stable/generated/torch.index_select.html
 */
export function indexSelect(x: Tensor, dim: number, index: Tensor): Tensor {
  commonKernels("indexSelect", x, index);
  const axis = normalizeAxis("indexSelect", dim, x.ndim);
  if (x.ndim === 0) {
    throw new ArgumentError(`indexSelect: got a tensor without axes; expected at least one. Use .unsqueeze(0) first.`);
  }
  if (index.ndim !== 1) {
    throw new ShapeError(
      `indexSelect: got an index of shape ${formatShape(index.shape)}; expected one axis. Flatten it, or use gather.`,
    );
  }
  checkIndexType("indexSelect", index);
  checkIndexRange("indexSelect", x, axis, index);
  return composite(() => {
    const shape = x.shape.map((extent, i) => (i === axis ? index.numel() : extent));
    const column = x.shape.map((_, i) => (i === axis ? index.numel() : 1));
    return pick(x, axis, expand(view(index, column), shape));
  });
}
