/**
 * Factories of random tensors. With the same seed and the same calls they give PyTorch's own numbers. The fills in
 * place are in ops/fill.ts.
 *
 * @module
 */
import { DTypeError } from "../errors.js";
import { type DType, newTypedArray, type TypedArray } from "../kernels/dtype.js";
import { floatArray, fromValues, type Plan, plan, type TensorOptions } from "./factory.js";
import { defaultGenerator, type Generator } from "./random.js";
import { checkShape, elementCount, type Shape } from "./shape.js";
import { commonKernels, type Tensor } from "./tensor.js";

/** Settings of a factory of random numbers. */
export interface RandomOptions extends TensorOptions {
  /** Where the numbers come from. Default: the default generator, which `manualSeed` seeds. */
  readonly generator?: Generator;
}

/**
 * Numbers spread evenly over [0, 1).
 *
 * @throws DTypeError for a dtype without fractions.
 * @see https://pytorch.org/docs/stable/generated/torch.rand.html
 */
export function rand(shape: Shape, options: RandomOptions = {}): Tensor {
  return evenly(plan("rand", options, "float32"), shape, 0, 1, options);
}

/** {@link rand} in the shape of `x`, on its device and of its dtype. @see https://pytorch.org/docs/stable/generated/torch.rand_like.html */
export function randLike(x: Tensor, options: RandomOptions = {}): Tensor {
  return evenly(planLike("randLike", x, options), x.shape, 0, 1, options);
}

/**
 * Numbers spread evenly over [from, to), by default [0, 1): PyTorch's `torch.empty(shape).uniform_(from, to)`.
 *
 * @throws ArgumentError unless `from <= to`, and both are finite.
 * @throws DTypeError for a dtype without fractions.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.uniform_.html
 */
export function uniform(shape: Shape, from = 0, to = 1, options: RandomOptions = {}): Tensor {
  return evenly(plan("uniform", options, "float32"), shape, from, to, options);
}

/**
 * Normally distributed numbers with mean 0 and standard deviation 1.
 *
 * @throws DTypeError for a dtype without fractions.
 * @see https://pytorch.org/docs/stable/generated/torch.randn.html
 */
export function randn(shape: Shape, options: RandomOptions = {}): Tensor {
  return normally(plan("randn", options, "float32"), shape, options);
}

/** {@link randn} in the shape of `x`, on its device and of its dtype. @see https://pytorch.org/docs/stable/generated/torch.randn_like.html */
export function randnLike(x: Tensor, options: RandomOptions = {}): Tensor {
  return normally(planLike("randnLike", x, options), x.shape, options);
}

/**
 * Whole numbers from `low` (default 0) to `high` − 1, all equally likely; int32 unless told otherwise.
 *
 * @throws ArgumentError unless low and high are whole numbers with low < high, and the dtype holds all between them.
 * @throws DTypeError for bool.
 * @see https://pytorch.org/docs/stable/generated/torch.randint.html
 */
export function randint(high: number, shape: Shape, options?: RandomOptions): Tensor;
export function randint(low: number, high: number, shape: Shape, options?: RandomOptions): Tensor;
export function randint(first: number, second: number | Shape, third?: Shape | RandomOptions, fourth?: RandomOptions) {
  const oneBound = typeof second !== "number";
  const shape = (oneBound ? second : third) as Shape;
  const options = ((oneBound ? third : fourth) ?? {}) as RandomOptions;
  return whole(plan("randint", options, "int32"), shape, oneBound ? 0 : first, oneBound ? first : second, options);
}

/**
 * {@link randint} in the shape of `x`, on its device and of its dtype.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.randint_like.html
 */
export function randintLike(x: Tensor, high: number, options?: RandomOptions): Tensor;
export function randintLike(x: Tensor, low: number, high: number, options?: RandomOptions): Tensor;
export function randintLike(x: Tensor, first: number, second?: number | RandomOptions, third?: RandomOptions): Tensor {
  const oneBound = typeof second !== "number";
  const options = (oneBound ? second : third) ?? {};
  return whole(planLike("randintLike", x, options), x.shape, oneBound ? 0 : first, oneBound ? first : second, options);
}

/**
 * The whole numbers from 0 to n − 1 in random order [n]; int32 unless told otherwise.
 *
 * @throws ArgumentError where `n` is not a whole number of 0 or more.
 * @throws DTypeError for bool, and where the dtype does not hold n − 1.
 * @see https://pytorch.org/docs/stable/generated/torch.randperm.html
 */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  const settled = plan("randperm", options, "int32");
  if (settled.dtype === "bool" || (settled.dtype === "float32" && n > 2 ** 24)) {
    throw new DTypeError(
      `randperm: got n = ${n} as ${settled.dtype}; expected a dtype that holds every number below n. Use int32.`,
    );
  }
  const order = generatorOf(options).permutation(n);
  if (settled.dtype === "int32") return fromValues(settled, [n], order);
  const values = newTypedArray(settled.dtype, n);
  values.set(order);
  return fromValues(settled, [n], values);
}

function generatorOf(options: RandomOptions): Generator {
  return options.generator ?? defaultGenerator;
}

function planLike(where: string, x: Tensor, options: RandomOptions): Plan {
  commonKernels(where, x);
  return plan(where, options, x.dtype, x.device);
}

function evenly(plan: Plan, shape: Shape, from: number, to: number, options: RandomOptions): Tensor {
  return drawn(plan, shape, floatArray, (values) => generatorOf(options).fillUniform(values, from, to));
}

function normally(plan: Plan, shape: Shape, options: RandomOptions): Tensor {
  return drawn(plan, shape, floatArray, (values) => generatorOf(options).fillNormal(values, 0, 1));
}

function whole(plan: Plan, shape: Shape, low: number, high: number, options: RandomOptions): Tensor {
  return drawn(plan, shape, numberArray, (values) => generatorOf(options).fillRandint(values, low, high));
}

/** Everything is checked, and the numbers are drawn, before there is a tensor. */
function drawn<A extends TypedArray>(
  plan: Plan,
  shape: Shape,
  arrayOf: (where: string, dtype: DType, length: number) => A,
  draw: (values: A) => void,
): Tensor {
  checkShape(plan.where, shape);
  const values = arrayOf(plan.where, plan.dtype, elementCount(shape));
  draw(values);
  return fromValues(plan, shape, values);
}

function numberArray(where: string, dtype: DType, length: number): Exclude<TypedArray, Uint8Array> {
  const array = newTypedArray(dtype, length);
  if (!(array instanceof Uint8Array)) return array;
  throw new DTypeError(`${where}: got ${dtype}; expected a dtype with numbers. Use int32, and compare the result.`);
}
