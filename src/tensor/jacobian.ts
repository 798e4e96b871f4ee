/** First and second derivatives of a function, whole. */
import { ArgumentError, ShapeError } from "../errors.js";
import { grad } from "./backward.js";
import {
  checkVaries,
  type DerivativeOptions,
  differentiate,
  finished,
  type Run,
  type TensorOrTensors,
  zeroOrRefuse,
} from "./differentiate.js";
import { stack } from "./ops/joining.js";
import { reshape, zerosFor } from "./ops/layout.js";
import { formatShape } from "./shape.js";
import { Tensor } from "./tensor.js";

/** A matrix for each output and input: a tensor for one of each, an array where there are several of one, else [output][input]. */
export type Jacobian<I extends TensorOrTensors, O extends TensorOrTensors> = I extends Tensor
  ? O extends Tensor
    ? Tensor
    : Tensor[]
  : O extends Tensor
    ? Tensor[]
    : Tensor[][];

/**
 * The derivatives of all outputs of `func` by all inputs: of shape output.shape + input.shape, in which
 * J[i…, j…] = ∂output[i…] / ∂input[j…]. One output after the other, by one walk back for each of their elements.
 *
 * `func` is called once, with inputs without history (unless `createGraph`). What it makes is given back.
 *
 * @param func gives a tensor or an array of tensors
 * @param inputs one tensor, or an array whose tensors are its arguments. An array makes the result an array, too; of
 *   arrays, one for each output, where `func` gives an array.
 * @throws ArgumentError where there are no inputs, or `func` gives something else than tensors.
 * @throws DTypeError where an input or an output is not floating.
 * @throws AutogradError where an output does not depend on an input, with `strict`; else the derivative is zeros.
 * @see https://pytorch.org/docs/stable/generated/torch.autograd.functional.jacobian.html
 */
export function jacobian<I extends TensorOrTensors, O extends TensorOrTensors>(
  func: (...inputs: Tensor[]) => O,
  inputs: I,
  options: DerivativeOptions = {},
): Jacobian<I, O> {
  return jacobianOf("jacobian", func, inputs, options) as Jacobian<I, O>;
}

/**
 * The second derivatives of a function that gives one number: of shape input.shape + input.shape, in which
 * H[i…, j…] = ∂²output / ∂input[i…] ∂input[j…]; for several inputs [input][other input].
 *
 * @param inputs one tensor, or an array whose tensors are the arguments of `func`
 * @throws ShapeError where `func` gives more than one number.
 * @throws ArgumentError, DTypeError, AutogradError as {@link jacobian}.
 * @see https://pytorch.org/docs/stable/generated/torch.autograd.functional.hessian.html
 */
export function hessian<I extends TensorOrTensors>(
  func: (...inputs: Tensor[]) => Tensor,
  inputs: I,
  options: DerivativeOptions = {},
): Jacobian<I, I> {
  const { strict = false } = options;
  const single = (...given: Tensor[]): Tensor => {
    const output: unknown = func(...given);
    if (!(output instanceof Tensor)) {
      throw new ArgumentError(
        `hessian: got a function that gives ${Array.isArray(output) ? "an array" : String(output)}; expected one tensor. Return the number to differentiate.`,
      );
    }
    if (output.numel() !== 1) {
      throw new ShapeError(
        `hessian: got an output of shape ${formatShape(output.shape)}; expected a single element. Reduce it with .sum() or .mean().`,
      );
    }
    return reshape(output, []);
  };
  const gradient = (...given: Tensor[]): TensorOrTensors =>
    jacobianOf("hessian", single, inputs instanceof Tensor ? (given[0] ?? inputs) : given, {
      createGraph: true,
      strict,
      // One row, as `single` gives one tensor.
    }) as TensorOrTensors;
  return jacobianOf("hessian", gradient, inputs, options) as Jacobian<I, I>;
}

function jacobianOf(
  where: string,
  func: (...inputs: Tensor[]) => TensorOrTensors,
  given: TensorOrTensors,
  options: DerivativeOptions,
): Tensor | Tensor[] | Tensor[][] {
  let gaveOne = false;
  const watched = (...inputs: Tensor[]): TensorOrTensors => {
    const result = func(...inputs);
    gaveOne = result instanceof Tensor;
    return result;
  };
  const blocks = differentiate(where, watched, given, options, (run) =>
    run.outputs.map((output, index) => blocksOf(where, run, output, index)),
  );
  const rows = given instanceof Tensor ? blocks.map(([block]) => block as Tensor) : blocks;
  return gaveOne ? (rows[0] as Tensor | Tensor[]) : (rows as Tensor[] | Tensor[][]);
}

/** The derivatives of one output by each input. */
function blocksOf(where: string, run: Run, output: Tensor, index: number): Tensor[] {
  const { inputs, createGraph } = run;
  const none = (x: Tensor, input: number): Tensor =>
    zeroOrRefuse(
      where,
      run,
      x,
      [...output.shape, ...x.shape],
      `output ${index}, which does not depend on input ${input}`,
    );
  if (!output.requiresGrad) return inputs.map(none);
  const rows: (Tensor | null)[][] = [];
  for (let element = 0; element < output.numel(); element++) {
    const gradOutputs = unitLike(where, output, element);
    rows.push(grad(output, inputs, { gradOutputs, createGraph, retainGraph: true, allowUnused: true }));
    if (!createGraph) gradOutputs.dispose();
  }
  return inputs.map((x, input) => {
    const found = rows.map((row) => row[input] ?? null);
    if (found.every((row) => row === null)) return none(x, input);
    const block = reshape(stack(found.map((row) => row ?? zerosFor(x, x.shape, where))), [...output.shape, ...x.shape]);
    checkVaries(where, run, block, input);
    return finished(run, block);
  });
}

/** Zeros in the form of `output`, and 1 at one element. */
function unitLike(where: string, output: Tensor, element: number): Tensor {
  const unit = zerosFor(output, output.shape, where);
  const { buffer, dtype, kernels } = unit;
  kernels.fill({ buffer, dtype, shape: [1], strides: [1], offset: element }, 1);
  return unit;
}
