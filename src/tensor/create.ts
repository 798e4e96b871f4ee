/** Factories: tensors from data, from one value, and from ranges. Random ones are in randomTensors.ts. */
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { newTypedArray } from "../kernels/dtype.js";
import { elementOf, elementsOf, type FlatData, type NestedData } from "./elements.js";
import { allocate, filled, fromValues, type Plan, plan, type TensorOptions } from "./factory.js";
import { checkShape, elementCount, formatShape, type Shape } from "./shape.js";
import { commonKernels, type Tensor } from "./tensor.js";

export type { FlatData, NestedData } from "./elements.js";
export type { TensorOptions } from "./factory.js";

/** Settings of {@link tensor}. */
export interface FromDataOptions extends TensorOptions {
  /** The shape for data that is flat. Default: the shape in which the data is nested. */
  readonly shape?: Shape;
}

/**
 * A tensor with a copy of `data`: a number, a boolean, nested arrays of either, or a typed array with the elements in
 * row-major order.
 *
 * Without `dtype`, numbers become float32 (whole ones too) and booleans bool; a Float32Array becomes float32, a
 * Float64Array float64, and an array of integers int32. To bool, anything but 0 is `true`.
 *
 * @throws ShapeError where rows differ in length or depth, or `shape` has another element count.
 * @throws DTypeError where an element is neither number nor boolean, the two are mixed, or int32 does not hold a value.
 * @see https://pytorch.org/docs/stable/generated/torch.tensor.html
 */
export function tensor(data: NestedData | FlatData, options: FromDataOptions = {}): Tensor {
  plan("tensor", options, "float32"); // What is wrong with the options comes before what is wrong with the data.
  const elements = elementsOf("tensor", data, options.dtype);
  const { shape = elements.shape } = options;
  checkShape("tensor", shape);
  const count = elements.values.length;
  if (elementCount(shape) !== count) {
    throw new ShapeError(
      `tensor: got ${count} elements for shape ${formatShape(shape)}; expected ${elementCount(shape)}. Correct the shape or the data.`,
    );
  }
  return fromValues(plan("tensor", options, elements.dtype), shape, elements.values);
}

/** A tensor of zeros. @see https://pytorch.org/docs/stable/generated/torch.zeros.html */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  return filled(plan("zeros", options, "float32"), shape, 0);
}

/** A tensor of ones. @see https://pytorch.org/docs/stable/generated/torch.ones.html */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return filled(plan("ones", options, "float32"), shape, 1);
}

/**
 * A tensor with `value` everywhere: float32 for a number, bool for a boolean, unless told otherwise.
 *
 * @throws DTypeError where int32 does not hold the value.
 * @see https://pytorch.org/docs/stable/generated/torch.full.html
 */
export function full(shape: Shape, value: number | boolean, options: TensorOptions = {}): Tensor {
  return filledWith(plan("full", options, typeof value === "boolean" ? "bool" : "float32"), shape, value);
}

/**
 * A tensor whose elements are whatever its memory held before: for those who write every element themselves.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.empty.html
 */
export function empty(shape: Shape, options: TensorOptions = {}): Tensor {
  return allocate(plan("empty", options, "float32"), shape);
}

/** Zeros in the shape of `x`, on its device and of its dtype. @see https://pytorch.org/docs/stable/generated/torch.zeros_like.html */
export function zerosLike(x: Tensor, options: TensorOptions = {}): Tensor {
  return filled(planLike("zerosLike", x, options), x.shape, 0);
}

/** Ones in the shape of `x`, on its device and of its dtype. @see https://pytorch.org/docs/stable/generated/torch.ones_like.html */
export function onesLike(x: Tensor, options: TensorOptions = {}): Tensor {
  return filled(planLike("onesLike", x, options), x.shape, 1);
}

/**
 * `value` everywhere, in the shape of `x`, on its device and of its dtype.
 *
 * @throws DTypeError where int32 does not hold the value.
 * @see https://pytorch.org/docs/stable/generated/torch.full_like.html
 */
export function fullLike(x: Tensor, value: number | boolean, options: TensorOptions = {}): Tensor {
  return filledWith(planLike("fullLike", x, options), x.shape, value);
}

/** {@link empty} in the shape of `x`, on its device and of its dtype. @see https://pytorch.org/docs/stable/generated/torch.empty_like.html */
export function emptyLike(x: Tensor, options: TensorOptions = {}): Tensor {
  return allocate(planLike("emptyLike", x, options), x.shape);
}

/**
 * The numbers from `start` (default 0) in steps of `step` (default 1) as long as they lie before `end`:
 * ⌈(end − start) / step⌉ of them. They are float32 unless told otherwise.
 *
 * @throws ArgumentError where `step` is 0 or leads away from `end`, or an argument is not finite.
 * @throws DTypeError where int32 does not hold the numbers; bool has no ranges.
 * @see https://pytorch.org/docs/stable/generated/torch.arange.html
 */
export function arange(end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, step: number, options?: TensorOptions): Tensor;
export function arange(...args: readonly (number | TensorOptions | undefined)[]): Tensor {
  const [numbers, options] = splitOptions(args);
  const [start, end = 0, step = 1] = numbers.length === 1 ? [0, ...numbers] : numbers;
  if (start === undefined || !(Number.isFinite(start) && Number.isFinite(end) && Number.isFinite(step))) {
    throw new ArgumentError(
      `arange: got the bounds ${String(start)} and ${end} with step ${step}; expected finite numbers. Correct them.`,
    );
  }
  if (step === 0 || (end - start) * step < 0) {
    throw new ArgumentError(
      `arange: got step ${step} from ${start} to ${end}; expected one that leads from the first to the second. Change its sign, or swap the bounds.`,
    );
  }
  const settled = plan("arange", options, "float32");
  checkRange(settled, [start, step]);
  return generated(settled, Math.ceil((end - start) / step), (i) => start + step * i);
}

/**
 * `steps` numbers evenly spaced from `start` to `end`, both included. As int32 they are cut towards zero.
 *
 * @throws ArgumentError where a bound is not finite, or `steps` is not a whole number of 0 or more.
 * @throws DTypeError where int32 does not hold a bound; bool has no ranges.
 * @see https://pytorch.org/docs/stable/generated/torch.linspace.html
 */
export function linspace(start: number, end: number, steps: number, options: TensorOptions = {}): Tensor {
  if (!Number.isFinite(start) || !Number.isFinite(end)) {
    throw new ArgumentError(`linspace: got the bounds ${start} and ${end}; expected finite numbers. Correct them.`);
  }
  if (!Number.isInteger(steps) || steps < 0) {
    throw new ArgumentError(`linspace: got ${steps} steps; expected a whole number of 0 or more. Round it.`);
  }
  const settled = plan("linspace", options, "float32");
  checkRange(settled, [start, end]);
  const step = steps > 1 ? (end - start) / (steps - 1) : 0;
  // Counted from the nearer end, so that both ends are met exactly.
  const middle = Math.floor(steps / 2);
  return generated(settled, steps, (i) => (i < middle || i === 0 ? start + step * i : end - step * (steps - 1 - i)));
}

/**
 * A matrix [n, m] with ones on its diagonal and zeros elsewhere; `m` is `n` by default.
 *
 * @throws ShapeError where an extent is not a whole number of 0 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.eye.html
 */
export function eye(n: number, options?: TensorOptions): Tensor;
export function eye(n: number, m: number, options?: TensorOptions): Tensor;
export function eye(...args: readonly (number | TensorOptions | undefined)[]): Tensor {
  const [numbers, options] = splitOptions(args);
  const [n = Number.NaN, m = n] = numbers;
  const out = filled(plan("eye", options, "float32"), [n, m], 0);
  const { buffer, dtype } = out;
  out.kernels.fill({ buffer, dtype, shape: [Math.min(n, m)], strides: [m + 1], offset: 0 }, 1);
  return out;
}

function planLike(where: string, x: Tensor, options: TensorOptions): Plan {
  commonKernels(where, x);
  return plan(where, options, x.dtype, x.device);
}

function filledWith(plan: Plan, shape: Shape, value: number | boolean): Tensor {
  return filled(plan, shape, elementOf(plan.where, value, plan.dtype));
}

function checkRange({ where, dtype }: Plan, values: readonly number[]): void {
  if (dtype === "bool") {
    throw new DTypeError(`${where}: got bool; expected a dtype with numbers. Use int32, and cast the result.`);
  }
  for (const value of values) elementOf(where, value, dtype);
}

function generated(plan: Plan, length: number, element: (index: number) => number): Tensor {
  checkShape(plan.where, [length]);
  if (length > 0) elementOf(plan.where, Math.trunc(element(length - 1)), plan.dtype);
  const values = newTypedArray(plan.dtype, length);
  for (let i = 0; i < length; i++) values[i] = element(i);
  return fromValues(plan, [length], values);
}

/** Tells leading numbers from the options object that may follow any of them. The caller checks the numbers. */
function splitOptions(args: readonly (number | TensorOptions | undefined)[]): [number[], TensorOptions] {
  const given = args.filter((arg) => arg !== undefined);
  const options = typeof given.at(-1) === "object" ? given.pop() : {};
  return [given as number[], options as TensorOptions];
}
