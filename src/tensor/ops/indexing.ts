/** Elements chosen by an index tensor, and written or added up by one. */
import { ArgumentError, DeviceError, DTypeError, ShapeError } from "../../errors.js";
import { checkInPlace, record, recordInPlace } from "../autograd.js";
import { elementOf } from "../elements.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import { at, checkShape, formatShape, normalizeAxis, type Shape, sameShape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { checkIndexRange, checkIndexType, pick, reached } from "./along.js";
import { mul } from "./arithmetic.js";
import { expand } from "./broadcast.js";
import { checkWritable } from "./elementwise.js";
import { clone, zerosFor } from "./layout.js";
import { narrow, slice } from "./slicing.js";

/**
 * Chooses along one axis: out[…, i, …] = x[…, index[…, i, …], …]. `index` is int32, has x's number of axes, and may be
 * smaller than x on the other axes; the result has its shape.
 *
 * @throws ShapeError where an index is out of range (checked on the CPU), or the shapes do not fit.
 * @throws DTypeError where the index is not int32.
 * @see https://pytorch.org/docs/stable/generated/torch.gather.html
 */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  commonKernels("gather", x, index);
  const axis = normalizeAxis("gather", dim, x.ndim);
  checkIndex("gather", x, axis, index);
  return pick(x, axis, index);
}

/**
 * A copy of `x` with the elements of `src` added along one axis: out[…, index[…, i, …], …] += src[…, i, …]. `index` is
 * int32, and may be smaller than `src` on all axes and smaller than `x` on the others; only that part of `src` is read.
 *
 * @throws ShapeError where an index is out of range (checked on the CPU), or the shapes do not fit.
 * @throws DTypeError where the index is not int32, or the dtypes of `x` and `src` differ.
 * @see https://pytorch.org/docs/stable/generated/torch.scatter_add.html
 */
export function scatterAdd(x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  const kernels = commonKernels("scatterAdd", x, index, src);
  const axis = checkScatter("scatterAdd", x, dim, index, src);
  const out = Tensor.allocate(x.shape, x.dtype, x.device, "scatterAdd");
  const part = cornerOf(src, index.shape);
  kernels.copy(x, out);
  kernels.scatterAdd(part, axis, index, reached(out, axis, index.shape));
  record("scatterAdd", out, [x, part], [index], (g, index) => [() => g, () => pick(g, axis, index)]);
  if (part !== src) part.dispose();
  return out;
}

/** {@link scatterAdd} into `x` itself. */
export function scatterAdd_(x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  const kernels = commonKernels("scatterAdd_", x, index, src);
  const axis = checkScatter("scatterAdd_", x, dim, index, src);
  checkWritable("scatterAdd_", x);
  checkInPlace("scatterAdd_", x, [x, src]);
  // What is read must not change under way.
  const places = index.storage === x.storage ? clone(index) : index;
  const corner = cornerOf(src, index.shape);
  const part = src.storage === x.storage ? clone(corner) : corner;
  kernels.scatterAdd(part, axis, places, reached(x, axis, index.shape));
  recordInPlace("scatterAdd_", x, [x, part], [places], (g, index) => [() => g, () => pick(g, axis, index)]);
  if (places !== index) places.dispose();
  if (part !== corner) part.dispose();
  if (corner !== src) corner.dispose();
  return x;
}

/** Settings of {@link scatter}. */
export interface ScatterOptions {
  /** What to do with the element that is there: nothing by default, it is replaced; or to add to it, or to multiply it. */
  readonly reduce?: "add" | "multiply" | null;
}

/**
 * A copy of `x` with elements of `src` written along one axis: out[…, index[…, i, …], …] = src[…, i, …], or += or *= with
 * `reduce`. `src` may be a number.
 * `index` is int32, and may be smaller than `src` on all axes and smaller than `x` on the others. Where a place is named more
 * than once, which element stays is not said, and the gradients of all of them are that of the place; with `reduce` all count.
 * "multiply" goes through the indexed axis place by place, so it is for few.
 *
 * @throws ShapeError where an index is out of range (checked on the CPU), or the shapes do not fit.
 * @throws DTypeError where the index is not int32, the dtypes of `x` and `src` differ, or int32 does not hold the number.
 * @throws ArgumentError where `reduce` is something else.
 * @see https://pytorch.org/docs/stable/generated/torch.scatter.html
 */
export function scatter(
  x: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor | number,
  options: ScatterOptions = {},
): Tensor {
  checkOptions("scatter", options, ["reduce"]);
  const { reduce = null } = options;
  if (reduce !== null && reduce !== "add" && reduce !== "multiply") {
    throw new ArgumentError(
      `scatter: got reduce ${JSON.stringify(reduce)}; expected "add" or "multiply", or nothing to replace. Correct it.`,
    );
  }
  if (!(src instanceof Tensor)) return scatterNumber(x, dim, index, src, reduce);
  if (reduce === "add") return scatterAdd(x, dim, index, src);
  commonKernels("scatter", x, index, src);
  const axis = checkScatter("scatter", x, dim, index, src);
  if (reduce === "multiply") return scatterMultiply(x, axis, index, src);
  const part = cornerOf(src, index.shape);
  const out = put(x, axis, index, part);
  if (part !== src) part.dispose();
  return out;
}

/** A copy of `x` with `src`, of the shape of the index, in the places that it names, all of which are there. */
function put(x: Tensor, axis: number, index: Tensor, src: Tensor): Tensor {
  const kernels = commonKernels("scatter", x, index, src);
  const out = Tensor.allocate(x.shape, x.dtype, x.device, "scatter");
  kernels.copy(x, out);
  kernels.scatter(src, axis, index, reached(out, axis, index.shape));
  return record("scatter", out, [x, src], [index], (g, index) => [
    () => composite(() => put(g, axis, index, filled(g, 0, index.shape))),
    () => pick(g, axis, index),
  ]);
}

/** A number in the dtype of `x`, repeated. */
function filled(x: Tensor, value: number, shape: Shape): Tensor {
  const filler = Tensor.allocate([], x.dtype, x.device, "scatter");
  filler.kernels.fill(filler, value);
  return expand(filler, shape);
}

/** One place of the indexed axis names no element twice. */
function scatterMultiply(x: Tensor, axis: number, index: Tensor, src: Tensor): Tensor {
  return composite(() => {
    let out = clone(x);
    const corner = slice(src, ...index.shape.map((extent) => [0, extent] as const));
    for (let place = 0; place < at(index.shape, axis); place++) {
      const places = narrow(index, axis, place, 1);
      const product = mul(pick(out, axis, places), narrow(corner, axis, place, 1));
      out = scatter(out, axis, places, product);
    }
    return out;
  });
}

function scatterNumber(
  x: Tensor,
  dim: number,
  index: Tensor,
  value: number,
  reduce: "add" | "multiply" | null,
): Tensor {
  commonKernels("scatter", x, index);
  const element = elementOf("scatter", value, x.dtype);
  const axis = normalizeAxis("scatter", dim, x.ndim);
  checkIndex("scatter", x, axis, index);
  return composite(() => {
    const numbers = filled(x, element, index.shape);
    return reduce === null ? put(x, axis, index, numbers) : scatter(x, axis, index, numbers, { reduce });
  });
}

/**
 * A new last axis with 1 at the place that `x` names and 0 elsewhere, as int32: `[…]` becomes `[…, numClasses]`.
 * With `numClasses` −1 it is one more than the greatest element, which only a device that can be read without waiting can tell.
 *
 * @throws DTypeError where `x` is not int32.
 * @throws ArgumentError where an element is not a class (checked on the CPU), or the number of classes cannot be told.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.one_hot.html
 */
export function oneHot(x: Tensor, numClasses = -1): Tensor {
  const kernels = commonKernels("oneHot", x);
  if (x.dtype !== "int32") {
    throw new DTypeError(`oneHot: got a tensor of ${x.dtype}; expected int32. Cast it with .int() first.`);
  }
  const classes = countClasses(x, numClasses);
  const shape = [...x.shape, classes];
  checkShape("oneHot", shape);
  const out = zerosFor(x, shape, "oneHot");
  const one = Tensor.allocate([1], "int32", x.device, "oneHot");
  kernels.fill(one, 1);
  const column = [...x.shape, 1];
  const ones = { buffer: one.buffer, dtype: one.dtype, shape: column, strides: column.map(() => 0), offset: 0 };
  const index = { buffer: x.buffer, dtype: x.dtype, shape: column, strides: [...x.strides, 1], offset: x.offset };
  kernels.scatterAdd(ones, x.ndim, index, out);
  one.dispose();
  return out;
}

function cornerOf(src: Tensor, shape: Shape): Tensor {
  return sameShape(src.shape, shape) ? src : slice(src, ...shape.map((extent) => [0, extent] as const));
}

function checkScatter(where: string, x: Tensor, dim: number, index: Tensor, src: Tensor): number {
  const axis = normalizeAxis(where, dim, x.ndim);
  if (src.dtype !== x.dtype) {
    throw new DTypeError(
      `${where}: got src of ${src.dtype} for a tensor of ${x.dtype}; expected the same dtype. Cast one with .to("${x.dtype}").`,
    );
  }
  const fits = src.ndim === index.ndim && index.shape.every((extent, i) => extent <= at(src.shape, i));
  if (!fits) {
    throw new ShapeError(
      `${where}: got an index of shape ${formatShape(index.shape)} for src of shape ${formatShape(src.shape)}; ` +
        `expected an index that is no larger on any axis. Cut the index, or give it the shape of src.`,
    );
  }
  checkIndex(where, x, axis, index);
  return axis;
}

/** Refuses what would touch memory outside of `x`. */
function checkIndex(where: string, x: Tensor, axis: number, index: Tensor): void {
  checkIndexType(where, index);
  const fits = index.ndim === x.ndim && index.shape.every((extent, i) => i === axis || extent <= at(x.shape, i));
  if (x.ndim === 0 || !fits) {
    throw new ShapeError(
      `${where}: got an index of shape ${formatShape(index.shape)} for shape ${formatShape(x.shape)} and axis ${axis}; ` +
        `expected as many axes (one at least), none larger but the indexed one. Unsqueeze, expand or cut the index.`,
    );
  }
  checkIndexRange(where, x, axis, index);
}

function countClasses(x: Tensor, numClasses: number): number {
  const infer = numClasses === -1;
  if (!infer && !(Number.isInteger(numClasses) && numClasses > 0)) {
    throw new ArgumentError(
      `oneHot: got numClasses ${numClasses}; expected a whole number of 1 or more, or -1 to infer it. Correct it.`,
    );
  }
  if (x.kernels.readSync === null) {
    if (!infer) return numClasses;
    throw new DeviceError(
      `oneHot: got numClasses -1 on "${x.device}"; expected the number of classes, which cannot be read there without waiting. Pass numClasses.`,
    );
  }
  if (infer && x.numel() === 0) {
    throw new ArgumentError(
      `oneHot: got an empty tensor of shape ${formatShape(x.shape)} and numClasses -1; expected elements to count the classes by. Pass numClasses.`,
    );
  }
  const labels = x.dataSync();
  let classes = numClasses;
  if (infer) for (const label of labels) classes = Math.max(classes, label + 1);
  const wrong = labels.find((label) => label < 0 || label >= classes);
  if (wrong !== undefined) {
    throw new ArgumentError(
      `oneHot: got label ${wrong}; expected ${infer ? "0 or more" : `0 to ${classes - 1}`}. Correct the labels${infer ? "" : ", or pass a larger numClasses"}.`,
    );
  }
  return classes;
}
