import { ArgumentError, DataFormatError, TapegradError } from "../../errors.js";
import { errorAt } from "../../nn/errorPlace.js";
import type { Held } from "../../nn/fields.js";
import { Module } from "../../nn/module.js";
import { Buffer, Parameter } from "../../nn/parameter.js";
import { tensor } from "../../tensor/create.js";
import { commonKernels, Tensor } from "../../tensor/tensor.js";
import { type NodeOfFile, NodeRun, type Store } from "./import/node.js";
import { operators } from "./import/ops/index.js";
import type { Elements } from "./import/tensors.js";
import { Ints, type Value } from "./import/values.js";

/** An array of the file, and what becomes of it. */
export interface Stored {
  /** Its name in the file. */
  readonly name: string;
  /** Its name in the state dict; null for what is no part of it. */
  readonly path: string | null;
  readonly role: "parameter" | "statistic" | "constant";
  readonly elements: Elements;
}

/** A graph that was read from a file. */
export interface GraphOfFile {
  readonly name: string;
  readonly opset: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly NodeOfFile[];
  readonly stored: readonly Stored[];
}

/** Constants up to this many elements are kept as plain numbers too: bounds, shapes, axes. */
const FEW = 64;

/**
 * A network that {@link importOnnx} read: its weights are parameters, which can be trained, and `forward` runs the graph
 * of the file.
 */
export class OnnxModule extends Module {
  /** Names of the inputs, in the order in which `forward` takes them. */
  readonly inputNames: readonly string[];
  /** Names of the outputs, in the order in which `forward` gives them. */
  readonly outputNames: readonly string[];
  readonly #graph: GraphOfFile;
  readonly #values = new Map<string, Value>();
  readonly #paths: Held<Tensor>[] = [];
  readonly #store: Store;

  /** @internal */
  constructor(graph: GraphOfFile) {
    super();
    this.#graph = graph;
    this.inputNames = graph.inputs;
    this.outputNames = graph.outputs;
    const known = new Map<string, readonly number[]>();
    const statistics = new Set<string>();
    for (const stored of graph.stored) {
      const { name, path, role, elements } = stored;
      const held = holderOf(stored);
      this.#values.set(name, held);
      if (role === "statistic") statistics.add(name);
      if (role === "constant" && elements.values.length <= FEW) known.set(name, Array.from(elements.values));
      if (held instanceof Tensor) this.#paths.push([path ?? name, held]);
    }
    this.#store = { known, statistics };
  }

  /**
   * Runs the graph. One output comes as a tensor, several as an array in the order of {@link outputNames}.
   *
   * @throws ArgumentError where the number of inputs is another.
   * @throws DataFormatError and others where the graph cannot be computed with these inputs; the text names the node.
   */
  forward(...inputs: Tensor[]): Tensor | Tensor[] {
    const { inputs: names, outputs, nodes, opset } = this.#graph;
    if (inputs.length !== names.length) {
      throw new ArgumentError(
        `${this}: got ${inputs.length} inputs; expected ${names.length}: ${names.join(", ")}. Pass a tensor for each.`,
      );
    }
    if (inputs.length > 0) commonKernels(String(this), ...inputs);
    const device = inputs[0]?.device ?? this.#paths[0]?.[1].device ?? "cpu";
    const values = new Map(this.#values);
    inputs.forEach((input, index) => {
      values.set(names[index] ?? "", input);
    });
    for (const node of nodes) {
      const found = node.inputs.map((name) => (name === "" ? null : (values.get(name) ?? null)));
      const results = compute(new NodeRun(node, found, opset, this.training, device, this.#store));
      node.outputs.forEach((name, index) => {
        const result = results[index];
        if (name !== "" && result !== undefined) values.set(name, result);
      });
    }
    const given = outputs.map((name) => toTensor(values.get(name), name, device));
    const [only] = given;
    return given.length === 1 && only !== undefined ? only : given;
  }

  protected override *fields(): Generator<Held<object>> {
    yield* this.#paths;
  }

  override extraRepr(): string {
    const { name, nodes } = this.#graph;
    return `${name}, ${nodes.length} nodes`;
  }
}

function holderOf({ role, elements }: Stored): Value {
  const { shape, dtype, values } = elements;
  if (dtype === "int64") return new Ints(shape, Array.from(values));
  const data = tensor(values as Float32Array, { shape, dtype, device: "cpu" });
  const held = role === "parameter" ? new Parameter(data) : new Buffer(data, { persistent: role === "statistic" });
  data.dispose();
  return held;
}

function compute(run: NodeRun): readonly Value[] {
  const { op, name } = run.node;
  const operator = operators.get(op);
  if (operator === undefined) return run.fail("no operator", "one that is known");
  try {
    const result = operator(run);
    return result instanceof Tensor || result instanceof Ints ? [result] : result;
  } catch (error) {
    if (error instanceof DataFormatError) throw error;
    if (error instanceof TapegradError) throw errorAt(`${op} ${JSON.stringify(name)}`, error);
    throw new DataFormatError(
      `importOnnx: got settings of ${op} ${JSON.stringify(name)} that cannot be computed; expected those of its operator. Export the model again.`,
      { cause: error },
    );
  }
}

function toTensor(value: Value | undefined, name: string, device: Tensor["device"]): Tensor {
  if (value instanceof Tensor) return value;
  if (value === undefined) {
    throw new DataFormatError(
      `importOnnx: got no output ${JSON.stringify(name)}; expected every output to be computed. Export the model again.`,
    );
  }
  return tensor(Int32Array.from(value.values), { shape: value.shape, dtype: "int32", device });
}
