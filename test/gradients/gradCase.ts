import { newTypedArray } from "../../src/kernels/dtype.js";
import { Generator } from "../../src/tensor/random.js";
import { Tensor } from "../../src/tensor/tensor.js";

/** One check of an op's gradient by finite differences. */
export interface GradCase {
  /** The exported function that it checks, by name. */
  readonly op: string;
  /** What is special about this case. */
  readonly name: string;
  /** Shapes of the float64 inputs; values are drawn evenly from [-1, 1], away from 0 by at least 0.05, all different. */
  readonly shapes: readonly (readonly number[])[];
  readonly fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  /** Maps the drawn values where the op's domain asks for it: log wants (0, ∞). */
  readonly domain?: (value: number) => number;
  /** False where the op has no second derivative. Default true. */
  readonly second?: boolean;
}

/** The inputs of a case: leaves that require grad, the same on every run. */
export function inputsOf(gradCase: GradCase): Tensor[] {
  const generator = new Generator(7);
  return gradCase.shapes.map((shape) => {
    const count = shape.reduce((product, extent) => product * extent, 1);
    const values = newTypedArray("float64", count) as Float64Array<ArrayBuffer>;
    generator.fillUniform(values, -1, 1);
    for (let position = 0; position < count; position++) {
      const value = values[position] ?? 0;
      const clear = value + Math.sign(value) * 0.05;
      values[position] = gradCase.domain?.(clear) ?? clear;
    }
    const input = Tensor.allocate(shape, "float64", "cpu", "input");
    input.kernels.write(input.buffer, "float64", 0, values);
    return input.requiresGrad_();
  });
}
