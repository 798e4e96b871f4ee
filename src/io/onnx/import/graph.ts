/** Reads the graph of a file, and checks all of it that can be checked before it runs. */
import { DataFormatError } from "../../../errors.js";
import type { GraphOfFile, Stored } from "../onnxModule.js";
import type { AttributeProto, GraphProto, ModelProto, NodeProto } from "../proto/onnx_pb.js";
import { AttributeProto_AttributeType as Type } from "../proto/onnx_pb.js";
import type { NodeOfFile } from "./node.js";
import { operators } from "./ops/index.js";
import { legalNames, rolesOf } from "./roles.js";
import { type Elements, elementsOf } from "./tensors.js";

/** Versions of the operators that are understood. */
const OLDEST = 9;
const NEWEST = 24;

/** @throws DataFormatError for what is damaged, or not understood. */
export function graphOf(model: ModelProto): GraphOfFile {
  const { graph } = model;
  if (graph === undefined) fail("no graph", "a model with a graph. It is no ONNX file, or a damaged one");
  const [custom] = model.functions;
  if (custom !== undefined) fail(`the function ${quoted(custom.name)}`, "plain operators. Export without functions");
  if (graph.sparseInitializer.length > 0) fail("sparse weights", "dense ones. Make them dense");
  const opset = opsetOf(model);
  const arrays = arraysOf(graph);
  const inputs = graph.input.map(({ name }) => name).filter((name) => !arrays.has(name));
  const nodes = graph.node.filter(({ opType }) => opType !== "Constant").map(nodeOf);
  const outputs = graph.output.map(({ name }) => name);
  if (outputs.length === 0) fail("a graph without outputs", "at least one. Export the model again");
  checkFlow(inputs, [...arrays.keys()], nodes, outputs);
  const roles = rolesOf(nodes, arrays, model.metadataProps);
  const paths = legalNames([...arrays.keys()]);
  const stored = [...arrays].map(([name, elements]): Stored => {
    return { name, elements, path: paths.get(name) ?? name, role: roles.get(name) ?? "constant" };
  });
  return { name: graph.name, opset, inputs, outputs, nodes, stored };
}

function opsetOf({ opsetImport }: ModelProto): number {
  const own = opsetImport.find(({ domain }) => isOwn(domain));
  const version = Number(own?.version ?? 0);
  if (version < OLDEST || version > NEWEST) {
    fail(
      `operators of version ${version}`,
      `a version (opset) from ${OLDEST} to ${NEWEST}. Export the model with one of them`,
    );
  }
  return version;
}

/** Whether operators of that domain are those of ONNX itself. */
function isOwn(domain: string): boolean {
  return domain === "" || domain === "ai.onnx";
}

/** The arrays of the file, and those of its constants, by name. */
function arraysOf(graph: GraphProto): Map<string, Elements> {
  const arrays = new Map<string, Elements>();
  const add = (name: string, elements: Elements): void => {
    if (name === "") fail("an array without a name", "a name for each. Export the model again");
    if (arrays.has(name)) fail(`two arrays named ${quoted(name)}`, "a name for each. Export the model again");
    arrays.set(name, elements);
  };
  for (const proto of graph.initializer) add(proto.name, elementsOf(`the array ${quoted(proto.name)}`, proto));
  for (const node of graph.node) if (node.opType === "Constant") add(node.output[0] ?? "", constantOf(node));
  return arrays;
}

function constantOf(node: NodeProto): Elements {
  const [attribute] = node.attribute;
  const name = quoted(node.output[0]);
  if (attribute !== undefined && node.attribute.length === 1) {
    const { type, t, f, i, floats, ints } = attribute;
    if (type === Type.TENSOR && t !== undefined) return elementsOf(`the constant ${name}`, t);
    if (type === Type.FLOAT) return { shape: [], dtype: "float32", values: Float32Array.of(f) };
    if (type === Type.INT) return { shape: [], dtype: "int64", values: [Number(i)] };
    if (type === Type.FLOATS) return { shape: [floats.length], dtype: "float32", values: Float32Array.from(floats) };
    if (type === Type.INTS) return { shape: [ints.length], dtype: "int64", values: ints.map(Number) };
  }
  return fail(
    `the constant ${name} without numbers`,
    "a tensor, a number or a list of numbers. Export the model again",
  );
}

function nodeOf({ opType, name, input, output, attribute, domain }: NodeProto): NodeOfFile {
  const label = name === "" ? (output[0] ?? "") : name;
  if (!operators.has(opType) || !isOwn(domain)) {
    fail(
      `the operator ${quoted(isOwn(domain) ? opType : `${domain}.${opType}`)} at ${quoted(label)}`,
      `one of ${[...operators.keys()].sort().join(", ")}. Express it by these, or leave it out of the model`,
    );
  }
  const attributes = new Map<string, AttributeProto>();
  for (const each of attribute) {
    if (each.type === Type.GRAPH || each.refAttrName !== "" || attributes.has(each.name)) {
      fail(
        `the attribute ${quoted(each.name)} of ${opType} ${quoted(label)}`,
        "each attribute once, with a value of its own. Export the model again",
      );
    }
    attributes.set(each.name, each);
  }
  return { op: opType, name: label, inputs: input, outputs: output, attributes };
}

/** Checks that whatever is read was made before. */
function checkFlow(
  inputs: readonly string[],
  arrays: readonly string[],
  nodes: readonly NodeOfFile[],
  outputs: readonly string[],
): void {
  const made = new Set<string>();
  const make = (name: string): void => {
    if (made.has(name)) fail(`the name ${quoted(name)} for two values`, "different names. Export the model again");
    made.add(name);
  };
  for (const name of [...inputs, ...arrays]) make(name);
  for (const node of nodes) {
    const missing = node.inputs.find((name) => name !== "" && !made.has(name));
    if (missing !== undefined) {
      fail(
        `${node.op} ${quoted(node.name)}, which reads ${quoted(missing)}`,
        "values that are inputs or were made before. Export the model again",
      );
    }
    for (const name of node.outputs) if (name !== "") make(name);
  }
  const missing = outputs.find((name) => !made.has(name));
  if (missing !== undefined) fail(`the output ${quoted(missing)}`, "outputs that a node makes. Export the model again");
}

function quoted(text: string | undefined): string {
  const shown = text ?? "";
  return JSON.stringify(shown.length > 80 ? `${shown.slice(0, 80)}…` : shown);
}

function fail(got: string, expected: string): never {
  throw new DataFormatError(`importOnnx: got ${got}; expected ${expected}.`);
}
