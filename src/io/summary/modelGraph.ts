/** The ops of a model, for TensorBoard's picture of it. */
import { ArgumentError } from "../../errors.js";
import { kindOf } from "../../nn/describe.js";
import { Module } from "../../nn/module.js";
import { watchCalls } from "../../nn/watchCalls.js";
import { GradNode, recordedCount } from "../../tensor/autograd.js";
import { enableGrad, tensorsIn, tidy } from "../../tensor/scopes.js";
import { Tensor } from "../../tensor/tensor.js";
import { placeOf, type TapePlace, tapeBehind, tensorAt } from "../graph/tape.js";
import type { ModelNode } from "./entry.js";

/**
 * Runs a model once in evaluation mode and gives the ops that it ran, named after the modules in which they ran, with its
 * inputs, parameters and outputs. Modes and what requires grad are restored.
 *
 * @throws ArgumentError where there is no model, no input, or the model gives no tensor that depends on either.
 */
export function modelGraph(where: string, model: Module, inputs: readonly Tensor[]): ModelNode[] {
  if (!(model instanceof Module)) {
    throw new ArgumentError(
      `${where}: got something else as the model; expected a Module. Pass the model before its input.`,
    );
  }
  if (inputs.length === 0 || !inputs.every((input) => input instanceof Tensor)) {
    throw new ArgumentError(
      `${where}: got inputs that are not tensors; expected what forward takes. Pass a tensor, or several in an array.`,
    );
  }
  const modules = model.modules();
  const modes = modules.map((module) => module.training);
  const frozen = model.parameters().filter((parameter) => !parameter.requiresGrad);
  try {
    model.eval();
    for (const parameter of frozen) parameter.requiresGrad_();
    return tidy(() => traced(where, model, inputs));
  } finally {
    for (const parameter of frozen) parameter.requiresGrad_(false);
    modules.forEach((module, index) => {
      module.training = modes[index] ?? true;
    });
  }
}

function traced(where: string, model: Module, inputs: readonly Tensor[]): ModelNode[] {
  // All that depends on the inputs shall be recorded, also by layers without parameters.
  const fed = inputs.map((input) =>
    input.dtype === "int32" || input.dtype === "bool" ? input : input.detach().requiresGrad_(),
  );
  const scopes = new Scopes();
  const first = recordedCount();
  const result = watchCalls(model.namedModules(), scopes, () =>
    enableGrad(() => Reflect.apply(model.forward, model, fed)),
  );
  const outputs = [...tensorsIn(result)].filter((output) => output.requiresGrad);
  if (outputs.length === 0) {
    throw new ArgumentError(
      `${where}: got a model whose forward gives no tensor that depends on its input; expected one. Check what it returns.`,
    );
  }
  const places = tapeBehind(where, outputs);
  const nodes = named(places, model, fed, scopes);
  // Nobody will go back through it.
  for (const place of places) if (place instanceof GradNode && place.id >= first) place.consume();
  return [
    ...nodes.values(),
    ...outputs.map((output, index) => ({
      name: outputs.length === 1 ? "output" : `output_${index}`,
      op: "output",
      inputs: [nodes.get(placeOf(output))?.name ?? ""],
      shape: output.shape,
    })),
  ];
}

/** Notes in which module an op was recorded: the innermost one that was running. */
class Scopes {
  private readonly starts: number[] = [];
  private readonly paths = new Map<number, string>();

  enter(): void {
    this.starts.push(recordedCount());
  }

  leave(path: string): void {
    // Modules inside have ended before, and have claimed theirs.
    for (let id = this.starts.pop() ?? 0; id < recordedCount(); id++) {
      if (!this.paths.has(id)) this.paths.set(id, path);
    }
  }

  fail(path: string): void {
    this.leave(path);
  }

  /** The path of the module in which the op of that number was recorded. */
  of(id: number): string {
    return this.paths.get(id) ?? "";
  }
}

function named(
  places: readonly TapePlace[],
  model: Module,
  inputs: readonly Tensor[],
  scopes: Scopes,
): Map<TapePlace, ModelNode> {
  const root = kindOf(model);
  const parameters = new Map<Tensor, string>(model.namedParameters().map(([path, parameter]) => [parameter, path]));
  const taken = new Set<string>();
  const unique = (name: string): string => {
    let free = name;
    for (let k = 1; taken.has(free); k++) free = `${name}_${k}`;
    taken.add(free);
    return free;
  };
  const inModel = (path: string): string => [root, ...path.split(".")].filter((part) => part !== "").join("/");
  const describe = (place: TapePlace): { name: string; op: string } => {
    if (place instanceof GradNode) return { name: `${inModel(scopes.of(place.id))}/${place.name}`, op: place.name };
    const path = parameters.get(place);
    if (path !== undefined) return { name: inModel(path), op: "parameter" };
    const index = inputs.indexOf(place);
    if (index >= 0) return { name: inputs.length === 1 ? "input" : `input_${index}`, op: "input" };
    return { name: "constant", op: place.madeBy };
  };
  const nodes = new Map<TapePlace, ModelNode>();
  for (const place of places) {
    const { name, op } = describe(place);
    const edges = place instanceof GradNode ? place.edges : [];
    const from = edges.flatMap((edge) => (edge === null ? [] : [nodes.get(edge)?.name ?? ""]));
    nodes.set(place, { name: unique(name), op, inputs: from, shape: tensorAt(place).shape });
  }
  return nodes;
}
