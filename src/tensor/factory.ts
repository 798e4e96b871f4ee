/** What all factories share: their options, and how a tensor is made from them. */
import { ArgumentError, DTypeError } from "../errors.js";
import { isFloating } from "../kernels/dtype.js";
import type { DType, TypedArray } from "../kernels/kernelSet.js";
import { type Device, getDefaultDevice } from "./device.js";
import { checkShape, type Shape } from "./shape.js";
import { Tensor } from "./tensor.js";

/** Settings of a factory. */
export interface TensorOptions {
  /** Element type. */
  readonly dtype?: DType;
  /** Where the tensor lives. Default: the default device. */
  readonly device?: Device;
  /** Whether gradients are collected for it. Default false. */
  readonly requiresGrad?: boolean;
}

/** Factory options with nothing left open. */
export interface Plan {
  /** The factory's name, for messages. */
  readonly where: string;
  readonly dtype: DType;
  readonly device: Device;
  readonly requiresGrad: boolean;
}

const dtypes: readonly string[] = ["float16", "float32", "float64", "int32", "bool"] satisfies DType[];

/**
 * Fills in what the options leave open.
 *
 * @throws DTypeError where the dtype is unknown, or gradients are asked of one that has none.
 */
export function plan(where: string, options: TensorOptions, defaultDtype: DType, device = getDefaultDevice()): Plan {
  if (typeof options !== "object" || options === null) {
    throw new ArgumentError(
      `${where}: got ${String(options)} as options; expected an object such as { dtype: "float32" }. Put options last, by name.`,
    );
  }
  const dtype = options.dtype ?? defaultDtype;
  const requiresGrad = options.requiresGrad ?? false;
  if (!dtypes.includes(dtype)) {
    throw new DTypeError(
      `${where}: got dtype ${JSON.stringify(dtype)}; expected one of ${dtypes.join(", ")}. Choose the nearest.`,
    );
  }
  if (requiresGrad && !isFloating(dtype)) {
    throw new DTypeError(
      `${where}: got requiresGrad for a tensor of ${dtype}; expected float32 or float64, which alone have gradients. Pass { dtype: "float32" }.`,
    );
  }
  return { where, dtype, device: options.device ?? device, requiresGrad };
}

/**
 * A tensor whose elements are yet to be written.
 *
 * @throws ShapeError where the shape is none, or has too many elements.
 */
export function allocate({ where, dtype, device, requiresGrad }: Plan, shape: Shape): Tensor {
  checkShape(where, shape);
  // The caller may go on to change the array that it passed.
  return Tensor.allocate([...shape], dtype, device, where).requiresGrad_(requiresGrad);
}

/** A tensor with one value everywhere. */
export function filled(plan: Plan, shape: Shape, value: number): Tensor {
  const out = allocate(plan, shape);
  out.kernels.fill(out, value);
  return out;
}

/** A tensor with a copy of `values`, which has the shape's element count and the plan's dtype. */
export function fromValues(plan: Plan, shape: Shape, values: TypedArray): Tensor {
  const out = allocate(plan, shape);
  out.kernels.write(out.buffer, out.dtype, 0, values);
  return out;
}

/**
 * A typed array of a dtype with fractions.
 *
 * @throws DTypeError for a dtype without.
 */
export function floatArray(
  where: string,
  dtype: DType,
  length: number,
): Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> {
  if (dtype === "float32" || dtype === "float16") return new Float32Array(length);
  if (dtype === "float64") return new Float64Array(length);
  throw new DTypeError(`${where}: got ${dtype}; expected float32 or float64. Use randint for whole numbers.`);
}
