/** Gradients checked against finite differences. */
import { ArgumentError, AutogradError } from "../errors.js";
import { newTypedArray } from "../kernels/dtype.js";
import { grad } from "./backward.js";
import { mul } from "./ops/arithmetic.js";
import { tidy } from "./scopes.js";
import { formatShape } from "./shape.js";
import { Tensor } from "./tensor.js";

/** Settings of {@link gradcheck} and {@link gradgradcheck}. */
export interface GradcheckOptions {
  /** Step of the finite differences. Default 1e-6. */
  readonly eps?: number;
  /** Absolute tolerance. Default 1e-5. */
  readonly atol?: number;
  /** Relative tolerance. Default 1e-3. */
  readonly rtol?: number;
}

/** A function of tensors whose gradient is checked. */
export type Differentiable = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/**
 * Compares the gradient that `backward` gives for `fn` with central differences, for every element of every float64
 * input that requires grad and of every output. Returns true, or throws.
 *
 * `fn` must give the same result each time: seed what is random.
 *
 * @throws AutogradError where a gradient differs: it names the input, the element and both values. Also where no output
 *   requires grad.
 * @throws ArgumentError where no input requires grad, or one that does is not float64.
 * @see https://pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html
 */
export function gradcheck(fn: Differentiable, inputs: readonly Tensor[], options: GradcheckOptions = {}): boolean {
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3 } = options;
  const targets = checkedInputs("gradcheck", inputs);
  const outputs = outputsOf(fn, inputs);
  checkOutputs("gradcheck", outputs);
  outputs.forEach((output, outputIndex) => {
    if (!output.requiresGrad) return;
    const analytical = jacobian(output, targets);
    targets.forEach((target, targetIndex) => {
      const numerical = differences(() => outputsOf(fn, inputs)[outputIndex], target, output.numel(), eps);
      numerical.forEach((expected, position) => {
        const got = analytical[targetIndex]?.[position] ?? 0;
        if (Math.abs(got - expected) <= atol + rtol * Math.abs(expected)) return;
        const element = Math.floor(position / output.numel());
        throw new AutogradError(
          `gradcheck: got ${got} for the derivative of element ${position % output.numel()} of output ${outputIndex} ` +
            `by element ${element} of input ${inputs.indexOf(target)} (shape ${formatShape(target.shape)}); ` +
            `expected ${expected} from finite differences. Mend the backward rule, or stay away from kinks and ties.`,
        );
      });
    });
  });
  return true;
}

/**
 * {@link gradcheck} of the gradient itself: checks second derivatives, for output gradients drawn evenly from a fixed
 * pattern.
 *
 * @throws AutogradError where a second derivative differs.
 * @throws ArgumentError as gradcheck.
 * @see https://pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradgradcheck.html
 */
export function gradgradcheck(fn: Differentiable, inputs: readonly Tensor[], options: GradcheckOptions = {}): boolean {
  const targets = checkedInputs("gradgradcheck", inputs);
  const examples = outputsOf(fn, inputs);
  checkOutputs("gradgradcheck", examples);
  const live = examples.map((output) => output.requiresGrad);
  const weights = examples.filter((_, index) => live[index]).map(pattern);
  const gradient: Differentiable = (...all) => {
    const given = all.slice(0, inputs.length);
    const outGrads = all.slice(inputs.length);
    const outputs = outputsOf(fn, given).filter((_, index) => live[index]);
    const wanted = given.filter((_, index) => inputs[index]?.requiresGrad === true);
    const found = grad(outputs, wanted, { gradOutputs: outGrads, createGraph: true, allowUnused: true });
    // A gradient that depends on nothing differentiable is constant: its second derivative is 0 by definition.
    return wanted.map((input, index) => found[index] ?? mul(input, 0));
  };
  return gradcheck(gradient, [...inputs, ...weights], options) && targets.length > 0;
}

function checkedInputs(where: string, inputs: readonly Tensor[]): Tensor[] {
  const targets = inputs.filter((input) => input.requiresGrad);
  if (targets.length === 0) {
    throw new ArgumentError(
      `${where}: got no input that requires grad; expected at least one. Pass { requiresGrad: true } when making it.`,
    );
  }
  for (const target of targets) {
    if (target.dtype !== "float64" || !target.isLeaf || !target.isContiguous()) {
      throw new ArgumentError(
        `${where}: got an input of ${target.dtype} made by ${target.madeBy}; expected dense float64 leaves, since finite differences drown in float32's rounding. ` +
          `Make it with { dtype: "float64", requiresGrad: true }, and derive other layouts inside the function.`,
      );
    }
  }
  return targets;
}

function checkOutputs(where: string, outputs: readonly Tensor[]): void {
  if (outputs.some((output) => output.requiresGrad)) return;
  throw new AutogradError(
    `${where}: got a function of which no output requires grad; expected at least one that does. ` +
      `Compute it with recorded operations, outside noGrad and without detach.`,
  );
}

function outputsOf(fn: Differentiable, inputs: readonly Tensor[]): readonly Tensor[] {
  const result = fn(...inputs);
  return result instanceof Tensor ? [result] : result;
}

/** For each target, d output[o] / d target[t] at position t · outputs + o. */
function jacobian(output: Tensor, targets: readonly Tensor[]): Float64Array[] {
  const size = output.numel();
  const columns = targets.map((target) => new Float64Array(target.numel() * size));
  for (let element = 0; element < size; element++) {
    const unit = unitLike(output, element);
    const found = grad(output, targets, { gradOutputs: unit, retainGraph: true, allowUnused: true });
    found.forEach((g, index) => {
      const column = columns[index];
      g?.dataSync().forEach((value, position) => {
        if (column !== undefined) column[position * size + element] = value;
      });
      g?.dispose();
    });
    unit.dispose();
  }
  return columns;
}

function differences(evaluate: () => Tensor | undefined, target: Tensor, size: number, eps: number): Float64Array {
  const column = new Float64Array(target.numel() * size);
  const values = target.dataSync();
  const at = (position: number, value: number): ArrayLike<number> => {
    const moved = values.slice();
    moved[position] = value;
    target.kernels.write(target.buffer, target.dtype, target.offset, moved);
    return tidy(() => evaluate()?.dataSync()) ?? [];
  };
  try {
    values.forEach((value, position) => {
      const above = at(position, value + eps);
      const below = at(position, value - eps);
      for (let element = 0; element < size; element++) {
        column[position * size + element] = ((above[element] ?? 0) - (below[element] ?? 0)) / (2 * eps);
      }
    });
  } finally {
    target.kernels.write(target.buffer, target.dtype, target.offset, values);
  }
  return column;
}

function unitLike(output: Tensor, element: number): Tensor {
  const values = newTypedArray(output.dtype, output.numel());
  values[element] = 1;
  return filledLike(output, values);
}

/** Output gradients between 0.5 and 1.5, all different, so that nothing cancels. */
function pattern(output: Tensor): Tensor {
  const values = newTypedArray("float64", output.numel());
  for (let position = 0; position < values.length; position++) values[position] = 0.5 + ((position * 0.6180339887) % 1);
  return filledLike(output, values).requiresGrad_();
}

function filledLike(output: Tensor, values: ReturnType<typeof newTypedArray>): Tensor {
  const result = Tensor.allocate(output.shape, output.dtype, output.device, "gradcheck");
  result.kernels.write(result.buffer, result.dtype, 0, values);
  return result;
}
