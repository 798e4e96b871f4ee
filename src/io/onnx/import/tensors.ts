/** The arrays in ONNX files, as elements of tensors or, where they are int64, as plain numbers. */
import { DataFormatError } from "../../../errors.js";
import type { DType, TypedArray } from "../../../tensor/dtype.js";
import { elementCount, formatShape, type Shape } from "../../../tensor/shape.js";
import { type ElementKind, elementTypes } from "../../elementTypes.js";
import { type TensorProto, TensorProto_DataLocation, TensorProto_DataType as Type } from "../proto/onnx_pb.js";

/** Elements of an array in the file. */
export interface Elements {
  readonly shape: Shape;
  /** What tensors hold them as; "int64" for what stays plain numbers. */
  readonly dtype: DType | "int64";
  readonly values: TypedArray | readonly number[];
}

const kinds: Readonly<Record<number, ElementKind>> = {
  [Type.FLOAT]: "float32",
  [Type.DOUBLE]: "float64",
  [Type.FLOAT16]: "float16",
  [Type.BFLOAT16]: "bfloat16",
  [Type.INT64]: "int64",
  [Type.INT32]: "int32",
  [Type.INT16]: "int16",
  [Type.INT8]: "int8",
  [Type.UINT64]: "uint64",
  [Type.UINT32]: "uint32",
  [Type.UINT16]: "uint16",
  [Type.UINT8]: "uint8",
  [Type.BOOL]: "bool",
};

/** The dtype that stands for an element type of ONNX; "int64" stands for itself. Null where there is none. */
export function dtypeOf(dataType: number): DType | "int64" | null {
  const kind = kinds[dataType];
  if (kind === undefined) return null;
  return kind === "int64" ? kind : elementTypes[kind].dtype;
}

/** The name of an element type, for messages. */
export function typeName(dataType: number): string {
  return Type[dataType] ?? String(dataType);
}

/**
 * The elements of an array of the file.
 *
 * @throws DataFormatError where they are elsewhere, of a type that tensors do not have, or not as many as its shape says.
 */
export function elementsOf(where: string, proto: TensorProto): Elements {
  const kind = kinds[proto.dataType];
  if (kind === undefined) {
    throw new DataFormatError(
      `importOnnx: got elements of type ${typeName(proto.dataType)} in ${where}; expected numbers or bools. Convert the model to float32.`,
    );
  }
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    throw new DataFormatError(
      `importOnnx: got ${where}, whose elements are in another file; expected them in the model's own. Save it with save_as_external_data=False.`,
    );
  }
  const shape = proto.dims.map(Number);
  const count = elementCount(shape);
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0) || count > 2 ** 31 - 1) {
    throw new DataFormatError(
      `importOnnx: got the shape ${formatShape(shape)} for ${where}; expected extents of 0 or more, and at most ${2 ** 31 - 1} elements. The file is damaged: make it again.`,
    );
  }
  const raw = rawBytes(proto, kind);
  const { bytes, dtype, decode } = elementTypes[kind];
  if (raw.length !== count * bytes) {
    throw new DataFormatError(
      `importOnnx: got ${raw.length} bytes for ${where} of shape ${formatShape(shape)}; expected ${count * bytes}. The file is damaged: make it again.`,
    );
  }
  const buffer = new ArrayBuffer(raw.length);
  new Uint8Array(buffer).set(raw);
  if (kind === "int64") return { shape, dtype: "int64", values: Array.from(new BigInt64Array(buffer), Number) };
  return { shape, dtype, values: decode(buffer, new ArrayBuffer(count * 8), where) };
}

/** The elements as they lie in raw data, wherever the file has them. */
function rawBytes(proto: TensorProto, kind: ElementKind): Uint8Array {
  const { rawData, floatData, doubleData, int32Data, int64Data, uint64Data } = proto;
  const typed = floatData.length + doubleData.length + int32Data.length + int64Data.length + uint64Data.length;
  if (rawData.length > 0 || typed === 0) return rawData;
  const bytes = (array: ArrayBufferView): Uint8Array =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  switch (kind) {
    case "float32":
      return bytes(Float32Array.from(floatData));
    case "float64":
      return bytes(Float64Array.from(doubleData));
    case "int64":
      return bytes(BigInt64Array.from(int64Data));
    case "uint64":
      return bytes(BigUint64Array.from(uint64Data));
    case "uint32":
      return bytes(Uint32Array.from(uint64Data, Number));
    case "int32":
      return bytes(Int32Array.from(int32Data));
    case "int16":
    case "uint16":
    case "float16":
    case "bfloat16":
      return bytes(Uint16Array.from(int32Data));
    default:
      return bytes(Uint8Array.from(int32Data));
  }
}
