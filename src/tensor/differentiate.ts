/** What the functions that differentiate a function have in common: checked inputs of their own, the run, and the tidying up. */
import { ArgumentError, AutogradError, DTypeError } from "../errors.js";
import { isFloating } from "../kernels/dtype.js";
import { GradNode, recordedCount, withGradMode } from "./autograd.js";
import { runScope } from "./memory.js";
import { detach, viewLike, zerosFor } from "./ops/layout.js";
import { checkOptions } from "./options.js";
import { tensorsIn } from "./scopes.js";
import type { Shape } from "./shape.js";
import { commonKernels, Tensor } from "./tensor.js";

/** One tensor, or several in an array. */
export type TensorOrTensors = Tensor | readonly Tensor[];

/** As many tensors as in `T`: one for one, an array for an array. */
export type SameForm<T extends TensorOrTensors> = T extends Tensor ? Tensor : Tensor[];

/** Settings of `jacobian`, `hessian`, `vjp` and `jvp`. */
export interface DerivativeOptions {
  /** Whether the results are recorded, so that they can be differentiated in turn. Default false. */
  readonly createGraph?: boolean;
  /** Whether an output that does not depend on an input is an error; else its derivative is zeros. Default false. */
  readonly strict?: boolean;
}

/** A function under differentiation: what it was called with, and what it gave. */
export interface Run {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly createGraph: boolean;
  readonly strict: boolean;
}

/**
 * Runs `func` on inputs of its own with recording on, and hands `use` what came of it. Gives back all that was made on the way, and
 * without `createGraph` consumes what was recorded.
 */
export function differentiate<R>(
  where: string,
  func: (...inputs: Tensor[]) => TensorOrTensors,
  given: TensorOrTensors,
  options: DerivativeOptions,
  use: (run: Run) => R,
): R {
  checkOptions(where, options, ["createGraph", "strict"]);
  const { createGraph = false, strict = false } = options;
  const list = checkedInputs(where, given);
  const first = recordedCount();
  let outputs: readonly Tensor[] = [];
  const work = (): R => {
    const inputs = list.map((x) => (createGraph && x.requiresGrad ? viewLike(x) : detach(x).requiresGrad_()));
    outputs = checkedOutputs(where, func(...inputs));
    return use({ inputs, outputs, createGraph, strict });
  };
  try {
    return withGradMode(true, () => runScope(work, tensorsIn, (handle) => handle.giveBack(`at the end of ${where}()`)));
  } finally {
    if (!createGraph) consumeSince(first, outputs);
  }
}

/** What a result is to the caller: with its history, or without. */
export function finished(run: Run, result: Tensor): Tensor {
  return run.createGraph ? result : detach(result);
}

/** The derivative that is missing because nothing depends on anything. */
export function zeroOrRefuse(where: string, run: Run, like: Tensor, shape: Shape, what: string): Tensor {
  if (run.strict) {
    throw new AutogradError(
      `${where}: got ${what}; expected all outputs to depend on all inputs, with strict. ` +
        "Compute them by recorded operations, or leave strict out: the derivative is then zeros.",
    );
  }
  return zerosFor(like, shape, where);
}

/** @throws AutogradError where a derivative is constant, which `strict` refuses of what is to be differentiated in turn. */
export function checkVaries(where: string, run: Run, derivative: Tensor, input: number): void {
  if (!run.strict || !run.createGraph || derivative.requiresGrad) return;
  throw new AutogradError(
    `${where}: got a derivative by input ${input} that is constant; expected one that depends on the inputs, with strict and createGraph. ` +
      "Leave strict out: its derivative is then zeros.",
  );
}

function checkedInputs(where: string, given: TensorOrTensors): readonly Tensor[] {
  const list = given instanceof Tensor ? [given] : given;
  if (!Array.isArray(list) || list.length === 0) {
    throw new ArgumentError(
      `${where}: got ${Array.isArray(list) ? "no inputs" : String(list)}; expected a tensor or an array of tensors. Pass what to differentiate by after the function.`,
    );
  }
  commonKernels(where, ...(list as readonly Tensor[]));
  (list as readonly Tensor[]).forEach((x, index) => {
    if (isFloating(x.dtype)) return;
    throw new DTypeError(
      `${where}: got ${x.dtype} as input ${index}; expected float32 or float64, which alone have gradients. Cast it with .float(), or let the function hold it.`,
    );
  });
  return list as readonly Tensor[];
}

function checkedOutputs(where: string, result: unknown): readonly Tensor[] {
  const list: readonly unknown[] = Array.isArray(result) ? result : [result];
  if (list.length > 0 && list.every((each) => each instanceof Tensor)) {
    list.forEach((output, index) => {
      if (isFloating(output.dtype)) return;
      throw new DTypeError(
        `${where}: got ${output.dtype} as output ${index}; expected float32 or float64, which alone have gradients. Return what can be differentiated.`,
      );
    });
    return list;
  }
  const isPromise = result instanceof Promise;
  // The promise is nobody's now.
  if (isPromise) result.catch(() => undefined);
  throw new ArgumentError(
    `${where}: got a function that gives ${isPromise ? "a promise" : Array.isArray(result) ? "an array of other things than tensors" : String(result)}; ` +
      "expected a tensor or an array of tensors. Return the outputs themselves, without await.",
  );
}

/** Lets go of what was recorded from node `first` on, behind these tensors: older nodes are others'. */
function consumeSince(first: number, outputs: readonly Tensor[]): void {
  const stack = outputs.map((output) => output.node);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node === null || node.id < first || node.isConsumed) continue;
    for (const edge of node.edges) if (edge instanceof GradNode) stack.push(edge);
    node.consume();
  }
}
