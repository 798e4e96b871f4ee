/** Several views of one tensor. */
import { ArgumentError, ShapeError } from "../../errors.js";
import { at, formatShape, normalizeAxis } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { narrow, select } from "./slicing.js";

/**
 * Views of `sizes` places each along an axis, the last one smaller where they do not go in; or, with an array, views of
 * just these sizes, which add up to the extent.
 *
 * @throws ShapeError where the sizes do not add up to the extent, or the axis is out of range.
 * @throws ArgumentError where a size is no whole number, or not above 0 where there is one for all.
 * @see https://pytorch.org/docs/stable/generated/torch.split.html
 */
export function split(x: Tensor, sizes: number | readonly number[], dim = 0): Tensor[] {
  const axis = axisOf("split", x, dim);
  const extent = at(x.shape, axis);
  if (typeof sizes === "number") {
    if (!Number.isInteger(sizes) || sizes < 1) {
      throw new ArgumentError(
        `split: got the size ${sizes}; expected a whole number of 1 or more, or an array of sizes. Correct the size.`,
      );
    }
    return inParts(x, axis, sizes);
  }
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (!sizes.every((size) => Number.isInteger(size) && size >= 0) || total !== extent) {
    throw new ShapeError(
      `split: got the sizes ${formatShape(sizes)}, which add up to ${total}, on axis ${axis} of shape ${formatShape(x.shape)}; ` +
        `expected whole numbers that add up to ${extent}. Correct the sizes.`,
    );
  }
  let start = 0;
  return sizes.map((size) => {
    const part = narrow(x, axis, start, size);
    start += size;
    return part;
  });
}

/**
 * At most `chunks` views of equal size along an axis, the last one smaller where they do not go in.
 *
 * @throws ShapeError where the axis is out of range.
 * @throws ArgumentError where `chunks` is no whole number above 0.
 * @see https://pytorch.org/docs/stable/generated/torch.chunk.html
 */
export function chunk(x: Tensor, chunks: number, dim = 0): Tensor[] {
  const axis = axisOf("chunk", x, dim);
  if (!Number.isInteger(chunks) || chunks < 1) {
    throw new ArgumentError(`chunk: got ${chunks} chunks; expected a whole number of 1 or more. Correct their number.`);
  }
  const extent = at(x.shape, axis);
  if (extent === 0) return Array.from({ length: chunks }, () => narrow(x, axis, 0, 0));
  return inParts(x, axis, Math.ceil(extent / chunks));
}

/**
 * A view of each place along an axis, without that axis.
 *
 * @throws ShapeError where the axis is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.unbind.html
 */
export function unbind(x: Tensor, dim = 0): Tensor[] {
  const axis = axisOf("unbind", x, dim);
  return Array.from({ length: at(x.shape, axis) }, (_, index) => select(x, axis, index));
}

function inParts(x: Tensor, axis: number, size: number): Tensor[] {
  const extent = at(x.shape, axis);
  const count = Math.max(1, Math.ceil(extent / size));
  return Array.from({ length: count }, (_, index) =>
    narrow(x, axis, index * size, Math.min(size, extent - index * size)),
  );
}

function axisOf(name: string, x: Tensor, dim: number): number {
  commonKernels(name, x);
  if (x.ndim === 0) {
    throw new ShapeError(`${name}: got a tensor without axes; expected at least one axis. Use .unsqueeze(0) first.`);
  }
  return normalizeAxis(name, dim, x.ndim);
}
