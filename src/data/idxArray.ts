/**
 * The idx file format as plain typed arrays: a magic number, the shape, then big-endian values.
 *
 * @see http://yann.lecun.com/exdb/mnist/ (at the end of the page)
 * @module
 */

import { DataFormatError } from "../errors.js";
import { deflate, gzipContentLength, inflate, isGzip, MAX_GZIP_RATIO } from "./gzip.js";

/** The element types of the format: 8-bit unsigned, then 8-, 16- and 32-bit signed, then 32- and 64-bit floating point. */
export type IdxType = "ubyte" | "byte" | "short" | "int" | "float" | "double";

/** The values of an idx file, in the machine's own byte order. */
export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** What an idx file holds: the values in row-major order and their shape. */
export interface IdxArray {
  readonly data: IdxData;
  readonly shape: readonly number[];
}

export interface EncodeIdxOptions {
  /** The element type of the file. Default: the one of the data (`bool` is written as `ubyte`). */
  readonly type?: IdxType;
  /** Packs the file with gzip. Default: false. */
  readonly gzip?: boolean;
}

interface ElementType {
  readonly code: number;
  readonly bytes: number;
  /** The whole numbers that fit; undefined for floating point. */
  readonly range?: readonly [number, number];
  readonly create: (length: number) => IdxData;
  readonly get: (view: DataView, offset: number) => number;
  readonly set: (view: DataView, offset: number, value: number) => void;
}

const elementTypes: Readonly<Record<IdxType, ElementType>> = {
  ubyte: {
    code: 0x08,
    bytes: 1,
    range: [0, 255],
    create: (length) => new Uint8Array(length),
    get: (view, offset) => view.getUint8(offset),
    set: (view, offset, value) => view.setUint8(offset, value),
  },
  byte: {
    code: 0x09,
    bytes: 1,
    range: [-128, 127],
    create: (length) => new Int8Array(length),
    get: (view, offset) => view.getInt8(offset),
    set: (view, offset, value) => view.setInt8(offset, value),
  },
  short: {
    code: 0x0b,
    bytes: 2,
    range: [-32768, 32767],
    create: (length) => new Int16Array(length),
    get: (view, offset) => view.getInt16(offset),
    set: (view, offset, value) => view.setInt16(offset, value),
  },
  int: {
    code: 0x0c,
    bytes: 4,
    range: [-2147483648, 2147483647],
    create: (length) => new Int32Array(length),
    get: (view, offset) => view.getInt32(offset),
    set: (view, offset, value) => view.setInt32(offset, value),
  },
  float: {
    code: 0x0d,
    bytes: 4,
    create: (length) => new Float32Array(length),
    get: (view, offset) => view.getFloat32(offset),
    set: (view, offset, value) => view.setFloat32(offset, value),
  },
  double: {
    code: 0x0e,
    bytes: 8,
    create: (length) => new Float64Array(length),
    get: (view, offset) => view.getFloat64(offset),
    set: (view, offset, value) => view.setFloat64(offset, value),
  },
};

const typeNames: readonly IdxType[] = ["ubyte", "byte", "short", "int", "float", "double"];
const MAX_AXES = 255;
const MAX_AXIS_SIZE = 2 ** 32 - 1;

interface Header {
  readonly type: IdxType;
  readonly shape: readonly number[];
  readonly headerBytes: number;
  readonly dataBytes: number;
}

/**
 * Decodes an idx file of any element type, plain or gzip, into a typed array.
 *
 * A plain file of 8-bit values is not copied: the result shares the memory of `bytes`. A gzip file is inflated piece by
 * piece and given up as soon as it holds more than its header declares. It must be one gzip member with nothing after it.
 *
 * @param where names the file in error messages.
 * @throws DataFormatError when the bytes are not a whole idx file and nothing else.
 */
export async function decodeIdx(bytes: Uint8Array | ArrayBuffer, where = "decodeIdx"): Promise<IdxArray> {
  const file = asBytes(bytes, where);
  const { header, payload } = isGzip(file) ? await unpack(file, where) : split(file, where);
  return { data: toNative(payload, header.type), shape: header.shape };
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

function asBytes(bytes: Uint8Array | ArrayBuffer, where: string): Uint8Array<ArrayBuffer> {
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  if (bytes instanceof Uint8Array) {
    // The platform's streams refuse shared memory.
    return bytes.buffer instanceof ArrayBuffer
      ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
      : new Uint8Array(bytes);
  }
  const got = bytes === null ? "null" : typeof bytes;
  throw new DataFormatError(
    `${where}: got ${got}; expected a Uint8Array or an ArrayBuffer. Read the file into bytes first.`,
  );
}

/** Reads the header, or gives undefined when the bytes end inside it. */
function readHeader(bytes: Uint8Array, where: string): Header | undefined {
  if (bytes.length < 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const magic = view.getUint32(0);
  const type = typeNames.find((name) => elementTypes[name].code === view.getUint8(2));
  if (magic >>> 16 !== 0 || type === undefined) {
    throw new DataFormatError(
      `${where}: got magic number 0x${magic.toString(16).padStart(8, "0")}; expected 0x0000TTNN with type TT one of ` +
        "08, 09, 0b, 0c, 0d, 0e and NN axes. This is not an idx file: check the path or the download.",
    );
  }
  const axes = view.getUint8(3);
  if (axes === 0) {
    throw new DataFormatError(
      `${where}: got a header with 0 axes; expected 1 to ${MAX_AXES}. The file is damaged, or was not written as idx.`,
    );
  }
  const headerBytes = 4 + 4 * axes;
  if (bytes.length < headerBytes) return undefined;
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  if (shape.includes(0)) {
    throw new DataFormatError(
      `${where}: got shape ${describe(shape)}; expected every axis to hold at least 1 element. ` +
        "The file is empty or damaged.",
    );
  }
  const dataBytes = shape.reduce((product, size) => product * size, elementTypes[type].bytes);
  if (!Number.isSafeInteger(headerBytes + dataBytes)) {
    throw new DataFormatError(
      `${where}: got shape ${describe(shape)}; expected a size that can be counted exactly (below 2^53 bytes). ` +
        "The header is damaged.",
    );
  }
  return { type, shape, headerBytes, dataBytes };
}

function split(file: Uint8Array, where: string): { header: Header; payload: Uint8Array } {
  const header = readHeader(file, where);
  if (header === undefined) throw cutHeader(file.length, where);
  if (file.length !== header.headerBytes + header.dataBytes) throw wrongLength(`${file.length} bytes`, header, where);
  return { header, payload: file.subarray(header.headerBytes) };
}

async function unpack(file: Uint8Array<ArrayBuffer>, where: string): Promise<{ header: Header; payload: Uint8Array }> {
  const claimed = gzipContentLength(file, where);
  let header: Header | undefined;
  let total = 0;
  let pieces: Uint8Array[] = [];
  for await (const piece of inflate(file, where)) {
    pieces.push(piece);
    total += piece.length;
    if (header === undefined) {
      pieces = [concat(pieces, total)];
      header = readHeader(pieces[0] ?? piece, where);
      if (header !== undefined) checkPlausible(file.length, claimed, header, where);
    }
    if (header !== undefined && total > header.headerBytes + header.dataBytes) {
      throw wrongLength(`more than ${header.headerBytes + header.dataBytes} inflated bytes`, header, where);
    }
  }
  if (header === undefined) throw cutHeader(total, where);
  if (total < header.headerBytes + header.dataBytes) throw wrongLength(`${total} inflated bytes`, header, where);
  return { header, payload: concat(pieces, total).subarray(header.headerBytes) };
}

/** Stops a gzip file that lies about its size before it is inflated. */
function checkPlausible(fileBytes: number, claimed: number, header: Header, where: string): void {
  const declared = header.headerBytes + header.dataBytes;
  if (declared > fileBytes * MAX_GZIP_RATIO) {
    throw new DataFormatError(
      `${where}: got a header that declares ${declared} bytes (${header.type} ${describe(header.shape)}) in a gzip file ` +
        `of ${fileBytes}; expected at most ${MAX_GZIP_RATIO} times the file's size. The header is damaged or lies.`,
    );
  }
  if (claimed !== declared % 2 ** 32) {
    throw new DataFormatError(
      `${where}: got a gzip trailer that claims ${claimed} bytes; expected ${declared}, which the idx header declares ` +
        `(${header.type} ${describe(header.shape)}). The file is damaged, truncated or carries more than one gzip ` +
        "member: download it again, or unpack it with gunzip.",
    );
  }
}

function cutHeader(got: number, where: string): DataFormatError {
  return new DataFormatError(
    `${where}: got ${got} bytes; expected a whole idx header (4 bytes and 4 per axis). ` +
      "The file is truncated: copy or download it again.",
  );
}

function wrongLength(got: string, header: Header, where: string): DataFormatError {
  return new DataFormatError(
    `${where}: got ${got}; expected ${header.headerBytes + header.dataBytes} (${header.headerBytes} of header, ` +
      `${header.dataBytes} for ${header.type} ${describe(header.shape)}). ` +
      "The file is truncated, carries too much, or its header lies: copy or download it again.",
  );
}

function concat(pieces: readonly Uint8Array[], total: number): Uint8Array {
  const whole = new Uint8Array(total);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

function toNative(payload: Uint8Array, typeName: IdxType): IdxData {
  if (typeName === "ubyte") return payload;
  if (typeName === "byte") return new Int8Array(payload.buffer, payload.byteOffset, payload.length);
  const type = elementTypes[typeName];
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const data = type.create(payload.length / type.bytes);
  for (let index = 0; index < data.length; index++) data[index] = type.get(view, index * type.bytes);
  return data;
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
      `encodeIdx: got shape ${describe(shape)}; expected 1 to ${MAX_AXES} axes of 1 to ${MAX_AXIS_SIZE} elements. ` +
        "Reshape the data: the format knows no scalars and no empty arrays.",
    );
  }
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== length) {
    throw new DataFormatError(
      `encodeIdx: got ${length} values for shape ${describe(shape)}; expected ${count}. Pass the shape of the data.`,
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

function describe(shape: readonly number[]): string {
  const shown = shape.slice(0, 8).join(", ");
  return shape.length > 8 ? `[${shown}, … ${shape.length} axes]` : `[${shown}]`;
}
