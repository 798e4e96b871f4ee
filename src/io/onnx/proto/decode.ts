/** Bytes as the contents of an ONNX file. */
import { fromBinary } from "@bufbuild/protobuf";
import { DataFormatError } from "../../../errors.js";
import { type ModelProto, ModelProtoSchema } from "./onnx_pb.js";

/** @throws DataFormatError where the bytes are no protocol buffer of that kind. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw new DataFormatError(
      `importOnnx: got ${bytes.length} bytes that are no ONNX file (${cause instanceof Error ? cause.message : String(cause)}); ` +
        `expected a model as exportOnnx or torch.onnx.export writes it. Choose another file, or make it again.`,
      { cause },
    );
  }
}
