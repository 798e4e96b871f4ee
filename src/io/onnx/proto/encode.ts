/** ONNX files in bytes. */
import { create, toBinary } from "@bufbuild/protobuf";
import { IR_VERSION, OPSET } from "../opset.js";
import type { AttributeInit, GraphInit, ValueInfoInit } from "./model.js";
import { ModelProtoSchema, AttributeProto_AttributeType as Type } from "./onnx_pb.js";

/** The bytes of a model with this graph. */
export function encodeModel(graph: GraphInit): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(IR_VERSION),
    producerName: "tapegrad",
    opsetImport: [{ domain: "", version: BigInt(OPSET) }],
    metadataProps: Object.entries(graph.metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: graph.name,
      node: graph.node.map((node) => ({ ...node, attribute: node.attribute.map(attribute) })),
      initializer: graph.initializer,
      input: graph.input.map(valueInfo),
      output: graph.output.map(valueInfo),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

function attribute(init: AttributeInit) {
  const { name } = init;
  if (init.kind === "int") return { name, type: Type.INT, i: init.value };
  if (init.kind === "float") return { name, type: Type.FLOAT, f: init.value };
  if (init.kind === "string") return { name, type: Type.STRING, s: new TextEncoder().encode(init.value) };
  return { name, type: Type.INTS, ints: [...init.value] };
}

function valueInfo({ name, elemType, dims }: ValueInfoInit) {
  const dim = dims.map((extent) => ({
    value:
      "param" in extent
        ? { case: "dimParam" as const, value: extent.param }
        : { case: "dimValue" as const, value: extent.value },
  }));
  return { name, type: { value: { case: "tensorType" as const, value: { elemType, shape: { dim } } } } };
}
