/**
 * The idx file format: a magic number, the shape, then big-endian values in row-major order.
 *
 * @see http://yann.lecun.com/exdb/mnist/ (at the end of the page)
 * @module
 */

/** The element types of the format: 8-bit unsigned, then 8-, 16- and 32-bit signed, then 32- and 64-bit floating point. */
export type IdxType = "ubyte" | "byte" | "short" | "int" | "float" | "double";

/** The values of an idx file, in the machine's own byte order. */
export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** What an idx file holds: the values in row-major order and their shape. */
export interface IdxArray {
  readonly data: IdxData;
  readonly shape: readonly number[];
}

/** How one element type is stored. */
export interface ElementType {
  readonly code: number;
  readonly bytes: number;
  /** The whole numbers that fit; undefined for floating point. */
  readonly range?: readonly [number, number];
  readonly create: (length: number) => IdxData;
  readonly get: (view: DataView, offset: number) => number;
  readonly set: (view: DataView, offset: number, value: number) => void;
}

export const elementTypes: Readonly<Record<IdxType, ElementType>> = {
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

export const typeNames: readonly IdxType[] = ["ubyte", "byte", "short", "int", "float", "double"];
/** The number of axes is one byte. */
export const MAX_AXES = 255;
export const MAX_AXIS_SIZE = 2 ** 32 - 1;

/** A shape for messages, shortened when it has many axes. */
export function describeShape(shape: readonly number[]): string {
  const shown = shape.slice(0, 8).join(", ");
  return shape.length > 8 ? `[${shown}, … ${shape.length} axes]` : `[${shown}]`;
}
