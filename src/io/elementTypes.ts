/** Kinds of elements in files, and how they become elements of tensors: of the same kind, or of a wider one. */
import { DataFormatError, DTypeError } from "../errors.js";
import type { DType, TypedArray } from "../tensor/dtype.js";

/** One kind of elements, little-endian. */
export interface ElementType {
  /** Bytes of one element in the file. */
  readonly bytes: number;
  /** What tensors hold it as. */
  readonly dtype: DType;
  /**
   * The elements in `buffer`, which holds nothing else. The result shares its memory, or that of `scratch`, which has room
   * for as many elements of the dtype.
   *
   * @param where names the tensor, for messages
   */
  decode(buffer: ArrayBuffer, scratch: ArrayBuffer, where: string): TypedArray;
}

const float32: ElementType = { bytes: 4, dtype: "float32", decode: (buffer) => new Float32Array(buffer) };
const float64: ElementType = { bytes: 8, dtype: "float64", decode: (buffer) => new Float64Array(buffer) };
const int32: ElementType = { bytes: 4, dtype: "int32", decode: (buffer) => new Int32Array(buffer) };

const bool: ElementType = {
  bytes: 1,
  dtype: "bool",
  decode(buffer, _scratch, where) {
    const values = new Uint8Array(buffer);
    const wrong = values.find((value) => value > 1);
    if (wrong === undefined) return values;
    throw new DataFormatError(
      `load: got the byte ${wrong} in ${where}; expected 0 or 1, since its elements are bools. The file is damaged: make or copy it again.`,
    );
  },
};

const float16: ElementType = {
  bytes: 2,
  dtype: "float32",
  decode(buffer, scratch) {
    halves ??= allHalves();
    const bits = new Uint16Array(buffer);
    const values = new Float32Array(scratch, 0, bits.length);
    for (let i = 0; i < bits.length; i++) values[i] = halves[bits[i] as number] as number;
    return values;
  },
};

/** The float32 of each float16 by its bits, made when first needed. */
let halves: Float32Array | undefined;

function allHalves(): Float32Array {
  const table = new Float32Array(2 ** 16);
  const bitsOf = new Uint32Array(table.buffer);
  for (let bits = 0; bits < 2 ** 16; bits++) {
    const sign = (bits & 0x8000) << 16;
    const exponent = (bits >>> 10) & 31;
    const fraction = bits & 0x3ff;
    if (exponent === 0) table[bits] = (sign === 0 ? 1 : -1) * fraction * 2 ** -24;
    else bitsOf[bits] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return table;
}

/** The bits of float16 elements, which came as wider numbers that float16 holds exactly. */
export function halvesOf(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const single = new Float32Array(1);
  const bitsOf = new Uint32Array(single.buffer);
  return Uint16Array.from(values, (value) => {
    single[0] = value;
    const bits = bitsOf[0] as number;
    const sign = (bits >>> 16) & 0x8000;
    const exponent = ((bits >>> 23) & 255) - 112;
    const fraction = (bits >>> 13) & 0x3ff;
    if (exponent === 143) return sign | 0x7c00 | fraction;
    // Below 2⁻¹⁴ they are whole multiples of 2⁻²⁴.
    return sign | (exponent > 0 ? (exponent << 10) | fraction : Math.abs(value) * 2 ** 24);
  });
}

const bfloat16: ElementType = {
  bytes: 2,
  dtype: "float32",
  decode(buffer, scratch) {
    const bits = new Uint16Array(buffer);
    // The upper half of a float32.
    const wide = new Uint32Array(scratch, 0, bits.length);
    for (let i = 0; i < bits.length; i++) wide[i] = (bits[i] as number) << 16;
    return new Float32Array(scratch, 0, bits.length);
  },
};

function narrowInteger(
  Kind: { new (buffer: ArrayBuffer): Int8Array | Uint8Array | Int16Array | Uint16Array },
  bytes: number,
): ElementType {
  return {
    bytes,
    dtype: "int32",
    decode(buffer, scratch) {
      const narrow = new Kind(buffer);
      const values = new Int32Array(scratch, 0, narrow.length);
      values.set(narrow);
      return values;
    },
  };
}

const uint32: ElementType = {
  bytes: 4,
  dtype: "int32",
  decode(buffer, _scratch, where) {
    const values = new Int32Array(buffer);
    const wrong = values.find((value) => value < 0);
    if (wrong !== undefined) throw tooLarge(where, BigInt(wrong >>> 0));
    return values;
  },
};

function wideInteger(signed: boolean): ElementType {
  return {
    bytes: 8,
    dtype: "int32",
    decode(buffer, scratch, where) {
      const halves = new Int32Array(buffer);
      const values = new Int32Array(scratch, 0, halves.length / 2);
      for (let i = 0; i < values.length; i++) {
        const low = halves[2 * i] as number;
        const high = halves[2 * i + 1] as number;
        if (signed ? high !== low >> 31 : high !== 0 || low < 0) {
          const whole = (BigInt(high) << 32n) | BigInt(low >>> 0);
          throw tooLarge(where, signed ? whole : BigInt.asUintN(64, whole));
        }
        values[i] = low;
      }
      return values;
    },
  };
}

function tooLarge(where: string, value: bigint): DTypeError {
  return new DTypeError(
    `load: got ${value} in ${where}; expected whole numbers from -2147483648 to 2147483647, which int32 holds. ` +
      "Save that tensor as a float, or leave it out.",
  );
}

/** The kinds that can be loaded. */
export const elementTypes = {
  float64,
  float32,
  float16,
  bfloat16,
  int64: wideInteger(true),
  int32,
  int16: narrowInteger(Int16Array, 2),
  int8: narrowInteger(Int8Array, 1),
  uint64: wideInteger(false),
  uint32,
  uint16: narrowInteger(Uint16Array, 2),
  uint8: narrowInteger(Uint8Array, 1),
  bool,
} as const satisfies Readonly<Record<string, ElementType>>;

/** The name of a kind that can be loaded. */
export type ElementKind = keyof typeof elementTypes;
