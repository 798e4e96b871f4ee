/**
 * Writing plain typed arrays as idx files.
 *
 * @module
 */

import { DataFormatError } from "../errors.js";
import { deflate } from "./gzip.js";
import {
  describeShape,
  type ElementType,
  elementTypes,
  type IdxArray,
  type IdxData,
  type IdxType,
  MAX_AXES,
  MAX_AXIS_SIZE,
  typeNames,
} from "./idxFormat.js";

export interface EncodeIdxOptions {
  /** The element type of the file. Default: the one of the data (`bool` is written as `ubyte`). */
  readonly type?: IdxType;
  /** Packs the file with gzip. Default: false. */
  readonly gzip?: boolean;
}

/**
 * Encodes a typed array as an idx file.
 *
 * Values written as `float` are rounded to the nearest float32; every other conversion must be exact.
 *
 * @throws DataFormatError when the shape does not fit the data or the format, or a value does not fit the type.
 */
export async function encodeIdxArray(
  array: IdxArray,
  options: EncodeIdxOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { data, shape } = array;
  const typeName = options.type ?? typeOf(data);
  const type = Object.hasOwn(elementTypes, typeName) ? elementTypes[typeName] : undefined;
  if (type === undefined) {
    throw new DataFormatError(
      `encodeIdx: got type ${JSON.stringify(typeName)}; expected one of ${typeNames.join(", ")}. ` +
        "Leave `type` out to keep the type of the data.",
    );
  }
  checkShape(shape, data.length);
  checkValues(data, typeName, type);

  const headerBytes = 4 + 4 * shape.length;
  const file = new Uint8Array(headerBytes + data.length * type.bytes);
  const view = new DataView(file.buffer);
  view.setUint8(2, type.code);
  view.setUint8(3, shape.length);
  shape.forEach((size, axis) => {
    view.setUint32(4 + 4 * axis, size);
  });
  data.forEach((value, index) => {
    type.set(view, headerBytes + index * type.bytes, value);
  });
  return options.gzip === true ? deflate(file) : file;
}

function typeOf(data: IdxData): IdxType {
  if (data instanceof Uint8Array) return "ubyte";
  if (data instanceof Int8Array) return "byte";
  if (data instanceof Int16Array) return "short";
  if (data instanceof Int32Array) return "int";
  if (data instanceof Float32Array) return "float";
  if (data instanceof Float64Array) return "double";
  throw new DataFormatError(
    `encodeIdx: got data of type ${typeof data}; expected a Uint8Array, Int8Array, Int16Array, Int32Array, ` +
      "Float32Array or Float64Array. Copy the values into one of them.",
  );
}

function checkShape(shape: readonly number[], length: number): void {
  const fits = shape.every((size) => Number.isInteger(size) && size >= 1 && size <= MAX_AXIS_SIZE);
  if (!fits || shape.length === 0 || shape.length > MAX_AXES) {
    throw new DataFormatError(
      `encodeIdx: got shape ${describeShape(shape)}; expected 1 to ${MAX_AXES} axes of 1 to ${MAX_AXIS_SIZE} elements. ` +
        "Reshape the data: the format knows no scalars and no empty arrays.",
    );
  }
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== length) {
    throw new DataFormatError(
      `encodeIdx: got ${length} values for shape ${describeShape(shape)}; expected ${count}. Pass the shape of the data.`,
    );
  }
}

function checkValues(data: IdxData, typeName: IdxType, type: ElementType): void {
  const { range } = type;
  const fits =
    range === undefined
      ? (value: number) => typeName === "double" || !Number.isFinite(value) || Number.isFinite(Math.fround(value))
      : (value: number) => Number.isInteger(value) && value >= range[0] && value <= range[1];
  const index = data.findIndex((value) => !fits(value));
  if (index < 0) return;
  const expected =
    range === undefined ? "a value that float32 can hold" : `a whole number from ${range[0]} to ${range[1]}`;
  throw new DataFormatError(
    `encodeIdx: got ${data[index]} at index ${index}; expected ${expected} for type "${typeName}". ` +
      "Scale or clamp the values first, or choose a wider type.",
  );
}
