/**
 * Reading idx files into plain typed arrays.
 *
 * @module
 */

import { DataFormatError } from "../errors.js";
import { gzipContentLength, inflate, isGzip, MAX_GZIP_RATIO } from "./gzip.js";
import {
  describeShape,
  elementTypes,
  type IdxArray,
  type IdxData,
  type IdxType,
  MAX_AXES,
  typeNames,
} from "./idxFormat.js";

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
      `${where}: got shape ${describeShape(shape)}; expected every axis to hold at least 1 element. ` +
        "The file is empty or damaged.",
    );
  }
  const dataBytes = shape.reduce((product, size) => product * size, elementTypes[type].bytes);
  if (!Number.isSafeInteger(headerBytes + dataBytes)) {
    throw new DataFormatError(
      `${where}: got shape ${describeShape(shape)}; expected a size that can be counted exactly (below 2^53 bytes). ` +
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
      `${where}: got a header that declares ${declared} bytes (${header.type} ${describeShape(header.shape)}) in a gzip file ` +
        `of ${fileBytes}; expected at most ${MAX_GZIP_RATIO} times the file's size. The header is damaged or lies.`,
    );
  }
  if (claimed !== declared % 2 ** 32) {
    throw new DataFormatError(
      `${where}: got a gzip trailer that claims ${claimed} bytes; expected ${declared}, which the idx header declares ` +
        `(${header.type} ${describeShape(header.shape)}). The file is damaged, truncated or carries more than one gzip ` +
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
      `${header.dataBytes} for ${header.type} ${describeShape(header.shape)}). ` +
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
