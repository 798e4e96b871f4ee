import { empty, type TensorOptions, zeros } from "../tensor/create.js";
import type { Shape } from "../tensor/shape.js";
import { calculateFanInAndFanOut, kaimingUniform_, uniform_ } from "./init.js";
import { Buffer, Parameter } from "./parameter.js";

/** What every layer with parameters can be told about them. */
export type ParameterPlace = Pick<TensorOptions, "dtype" | "device">;

/** A parameter whose elements are yet to be drawn. */
export function newParameter(shape: Shape, { dtype = "float32", device }: ParameterPlace): Parameter {
  const data = empty(shape, { dtype, ...(device === undefined ? {} : { device }) });
  const parameter = new Parameter(data);
  data.dispose();
  return parameter;
}

/** A buffer of zeros. */
export function newBuffer(shape: Shape, { dtype = "float32", device }: ParameterPlace): Buffer {
  const data = zeros(shape, { dtype, ...(device === undefined ? {} : { device }) });
  const buffer = new Buffer(data);
  data.dispose();
  return buffer;
}

/** Fills weight and bias of a linear or convolution layer as PyTorch does by default: evenly over ±1/√fanIn. */
export function drawWeights(weight: Parameter, bias: Parameter | null): void {
  kaimingUniform_(weight, { a: Math.sqrt(5) });
  if (bias === null) return;
  const bound = 1 / Math.sqrt(calculateFanInAndFanOut(weight).fanIn);
  uniform_(bias, -bound, bound);
}
