import { ArgumentError, ShapeError } from "../../errors.js";
import { checkOptions } from "../../nn/arguments.js";
import { Module } from "../../nn/module.js";
import { formatShape } from "../../tensor/shape.js";
import { commonKernels, Tensor } from "../../tensor/tensor.js";
import type { Subject } from "./export/trace.js";

/** Settings of {@link exportOnnx}. */
export interface ExportOnnxOptions {
  /**
   * Whether the file takes batches of any size: the first axis of the inputs is then left open. With a list of names it is
   * left open in these inputs only. Default: true for a module, false for a function.
   */
  readonly dynamicBatch?: boolean | readonly string[];
  /** Whether a module is exported as it behaves in training: batch norms by the batch's own statistics, dropouts that draw. Default false. */
  readonly training?: boolean;
  /** Names of the inputs. Default: `input`, or `input0`, `input1`, … */
  readonly inputNames?: readonly string[];
  /** Names of the outputs. Default: `output`; of several the keys or indices under which they are returned, as `output0` or `loss`. */
  readonly outputNames?: readonly string[];
}

/** Any function of tensors whose results are tensors, in any nesting of arrays and objects. */
// biome-ignore lint/suspicious/noExplicitAny: a function that takes two tensors is no function of `Tensor[]` to TypeScript.
export type Traceable = (...inputs: any[]) => unknown;

/**
 * Turns a module, or any function of tensors, into the bytes of an ONNX file (opset 18), which ONNX Runtime and others
 * run. The function is run on copies of the example inputs, and what it computes with tensors is written down: also
 * inside `grad`, so that a gradient is exported as well as what it is the gradient of. Loops and conditions of JavaScript
 * are followed as they come out for the example.
 *
 * Parameters and buffers of a module keep their names in the state dict. For a dynamic batch the function is run with
 * three sizes, and extents and divisors that differ become formulas of the size. Nothing outside is changed: running
 * statistics and generators are put back.
 *
 * Random numbers (dropout in training, `rand`, `randn`) are drawn anew by whoever runs the file.
 *
 * @throws ArgumentError where elements are read inside, something has no counterpart in ONNX (the text names it), or the
 *   operations themselves depend on the batch size.
 * @throws ShapeError where an input without axes is to have a batch.
 * @see https://onnx.ai/onnx/operators/
 */
export async function exportOnnx(
  model: Module | Traceable,
  exampleInputs: Tensor | readonly Tensor[],
  options: ExportOnnxOptions = {},
): Promise<Uint8Array> {
  checkOptions("exportOnnx", options, ["dynamicBatch", "training", "inputNames", "outputNames"]);
  const module = model instanceof Module ? model : null;
  if (module === null && typeof model !== "function") {
    throw new ArgumentError(
      `exportOnnx: got ${model === null ? "null" : typeof model}; expected a module or a function of tensors. Pass one of them.`,
    );
  }
  if (module === null && options.training !== undefined) {
    throw new ArgumentError(
      `exportOnnx: got the option training for a function; expected it for a module alone. Call train() or eval() inside the function.`,
    );
  }
  const examples: readonly Tensor[] = exampleInputs instanceof Tensor ? [exampleInputs] : exampleInputs;
  const kernels = commonKernels("exportOnnx", ...examples, ...(module === null ? [] : module.parameters()));
  const inputNames = checkedNames(
    "inputNames",
    options.inputNames,
    examples.length,
    defaultNames("input", examples.length),
  );
  const batched = batchedInputs(options.dynamicBatch ?? module !== null, examples, inputNames);
  const forward =
    module === null ? (model as Traceable) : (...inputs: Tensor[]) => Reflect.apply(module.forward, module, inputs);
  const subject: Subject = { module, run: (inputs) => forward(...inputs) };
  // All that traces and encodes is loaded when it is needed: most scripts export nothing.
  const [{ planFor }, { encodeGraph }, { encodeModel }] = await Promise.all([
    import("./export/plan.js"),
    import("./export/encode.js"),
    import("./proto/encode.js"),
  ]);
  const plan = planFor(kernels, subject, examples, batched, options.training ?? false);
  const { outputs } = plan.trace;
  const outputNames = checkedNames(
    "outputNames",
    options.outputNames,
    outputs.length,
    outputs.map(({ path }) => (/^\d|^$/.test(path) ? `output${path}` : path)),
  );
  checkDistinct([...inputNames, ...outputNames]);
  const graph = await encodeGraph(plan, {
    graph: module?.constructor.name ?? "function",
    inputs: inputNames,
    outputs: outputNames,
    parameters: new Set(module?.namedParameters().map(([name]) => name)),
  });
  return encodeModel(graph);
}

function batchedInputs(
  dynamicBatch: boolean | readonly string[],
  examples: readonly Tensor[],
  names: readonly string[],
): boolean[] {
  const list = typeof dynamicBatch === "boolean" ? (dynamicBatch ? names : []) : dynamicBatch;
  if (!Array.isArray(list)) {
    throw new ArgumentError(
      `exportOnnx: got dynamicBatch ${String(dynamicBatch)}; expected true, false or a list of names of inputs. Correct it.`,
    );
  }
  const strange = list.find((name) => !names.includes(name));
  if (strange !== undefined) {
    throw new ArgumentError(
      `exportOnnx: got ${JSON.stringify(strange)} in dynamicBatch; expected names of inputs: ${names.join(", ")}. Correct it, or name the inputs with inputNames.`,
    );
  }
  return examples.map((example, index) => {
    if (!list.includes(names[index] ?? "")) return false;
    if (example.ndim === 0 || example.shape[0] === 0) {
      throw new ShapeError(
        `exportOnnx: got the input ${names[index]} of shape ${formatShape(example.shape)} for a dynamic batch; expected a first axis of at least 1. ` +
          `Pass { dynamicBatch: false }, or an example with a batch.`,
      );
    }
    return true;
  });
}

function defaultNames(base: string, count: number): string[] {
  return count === 1 ? [base] : Array.from({ length: count }, (_, index) => `${base}${index}`);
}

function checkedNames(
  option: string,
  given: readonly string[] | undefined,
  count: number,
  otherwise: readonly string[],
): readonly string[] {
  if (given === undefined) return otherwise;
  if (
    !Array.isArray(given) ||
    given.length !== count ||
    !given.every((name) => typeof name === "string" && name !== "")
  ) {
    throw new ArgumentError(
      `exportOnnx: got ${option} ${JSON.stringify(given)}; expected ${count} ${count === 1 ? "name" : "names"}, one each, none of them empty. Correct the list.`,
    );
  }
  return given;
}

function checkDistinct(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new ArgumentError(
    `exportOnnx: got the name ${JSON.stringify(twice)} twice among inputs and outputs; expected different names. Pass inputNames or outputNames.`,
  );
}
