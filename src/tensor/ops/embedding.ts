import { ArgumentError, DTypeError, ShapeError } from "../../errors.js";
import { record, withGradMode } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { at, checkShape, formatShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { checkIndexRange, pick, unpick } from "./along.js";
import { expand } from "./broadcast.js";
import { ne } from "./compare.js";
import { contiguous, reshape, view } from "./layout.js";
import { where } from "./where.js";

/** Settings of {@link embedding}. */
export interface EmbeddingOptions {
  /** A row that gets no gradient; negative ones count from the end. Default: none. */
  readonly paddingIdx?: number | null;
}

/**
 * The rows of `weight` [V, D] that the elements of x (int32, any shape) name: [...] → [..., D].
 *
 * @throws DTypeError where x is not int32, or the weight has no fractions.
 * @throws ShapeError where the weight is no matrix, or an element names no row (checked on the CPU).
 * @throws ArgumentError where `paddingIdx` is no row.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html
 */
export function embedding(x: Tensor, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  checkOptions("embedding", options, ["paddingIdx"]);
  const { paddingIdx = null } = options;
  commonKernels("embedding", x, weight);
  if (x.dtype !== "int32") {
    throw new DTypeError(
      `embedding: got indices of ${x.dtype}; expected int32. Cast them with .int(); the indices come first, the weight second.`,
    );
  }
  checkFloating("embedding", weight.dtype);
  if (weight.ndim !== 2) {
    throw new ShapeError(
      `embedding: got a weight of shape ${formatShape(weight.shape)}; expected [rows, features]. Reshape it.`,
    );
  }
  const [rows, features] = [at(weight.shape, 0), at(weight.shape, 1)];
  if (paddingIdx !== null && !(Number.isInteger(paddingIdx) && paddingIdx >= -rows && paddingIdx < rows)) {
    throw new ArgumentError(
      `embedding: got paddingIdx ${paddingIdx} for ${rows} rows; expected a whole number from ${-rows} to ${rows - 1}, or null. Correct paddingIdx.`,
    );
  }
  checkIndexRange("embedding", weight, 0, x);
  const shape = [...x.shape, features];
  checkShape("embedding", shape);
  return composite(() => {
    const places = view(contiguous(x), [x.numel(), 1]);
    const padding = paddingIdx === null ? null : paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
    return reshape(chooseRows(weight, places, padding), shape);
  });
}

/** The rows that a column of places names. */
function chooseRows(weight: Tensor, places: Tensor, padding: number | null): Tensor {
  const [rows, features] = [at(weight.shape, 0), at(weight.shape, 1)];
  const index = expand(places, [at(places.shape, 0), features]);
  if (padding === null) return pick(weight, 0, index, "embedding");
  const out = withGradMode(false, () => pick(weight, 0, index, "embedding"));
  return record("embedding", out, [weight], [index], (g, index) => [
    () => composite(() => unpick(where(ne(index, padding), g, 0), [rows, features], 0, index)),
  ]);
}
