/** From what a user holds in JavaScript to the flat typed array that a tensor is made from. */
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { type DType, newTypedArray, type TypedArray } from "../kernels/dtype.js";
import { checkShape, formatShape } from "./shape.js";

/** Numbers or booleans, bare or in nested arrays whose rows are equally long. */
export type NestedData = number | boolean | readonly NestedData[];

/** The typed arrays that a tensor can be made from. */
export type FlatData =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** Elements in row-major order. They may still be the caller's own array. */
export interface Elements {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly values: TypedArray;
}

const LEAST_INT32 = -(2 ** 31);
const GREATEST_INT32 = 2 ** 31 - 1;

/** Axes that nested arrays may have: an array that holds itself has no end otherwise. */
const MAX_DEPTH = 64;

/**
 * The elements of `data`. Without a dtype, numbers become float32, booleans bool, and typed arrays what holds them best.
 *
 * @throws ShapeError where rows differ in length, or there are too many of them.
 * @throws DTypeError where an element is neither number nor boolean, kinds are mixed, or the dtype does not hold a value.
 */
export function elementsOf(where: string, data: NestedData | FlatData, dtype: DType | undefined): Elements {
  if (Array.isArray(data)) return fromNested(where, data, dtype);
  if (typeof data === "number" || typeof data === "boolean") {
    const chosen = dtype ?? (typeof data === "boolean" ? "bool" : "float32");
    const values = newTypedArray(chosen, 1);
    values[0] = elementOf(where, data, chosen);
    return { shape: [], dtype: chosen, values };
  }
  if (!isFlatData(data)) {
    throw new ArgumentError(
      `${where}: got ${describeValue(data)}; expected a number, a boolean, nested arrays of them, or a typed array. ` +
        "Use .clone() or .detach() for a tensor; convert anything else first.",
    );
  }
  const chosen = dtype ?? dtypeOf(data);
  checkShape(where, [data.length]);
  return { shape: [data.length], dtype: chosen, values: fromFlat(where, data, chosen) };
}

/**
 * One value as an element of a dtype.
 *
 * @throws ArgumentError where it is neither number nor boolean.
 * @throws DTypeError where int32 does not hold it.
 */
export function elementOf(where: string, value: number | boolean, dtype: DType): number {
  if (typeof value !== "number" && typeof value !== "boolean") {
    throw new ArgumentError(
      `${where}: got ${describeValue(value)} as the value; expected a number or a boolean. Convert it, or use copy_ for a tensor.`,
    );
  }
  const element = Number(value);
  if (dtype === "int32" && (element | 0) !== element) throw notWhole(where, element);
  return dtype === "bool" && element !== 0 ? 1 : element;
}

function isFlatData(data: unknown): data is FlatData {
  return ArrayBuffer.isView(data) && !(data instanceof DataView);
}

function dtypeOf(data: FlatData): DType {
  if (data instanceof Float64Array) return "float64";
  return isInteger(data) ? "int32" : "float32";
}

function isBigInt(data: FlatData): data is BigInt64Array | BigUint64Array {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}

function isInteger(data: FlatData): boolean {
  return fitsInt32(data) || data instanceof Uint32Array || isBigInt(data);
}

function fitsInt32(data: FlatData): boolean {
  return (
    data instanceof Int32Array ||
    data instanceof Int16Array ||
    data instanceof Int8Array ||
    data instanceof Uint16Array ||
    data instanceof Uint8Array ||
    data instanceof Uint8ClampedArray
  );
}

function fromFlat(where: string, data: FlatData, dtype: DType): TypedArray {
  if (data.buffer instanceof ArrayBuffer && isReady(data, dtype)) return data;
  const values = newTypedArray(dtype, data.length);
  if (!isBigInt(data) && dtype !== "bool" && (dtype !== "int32" || fitsInt32(data))) {
    values.set(data);
    return values;
  }
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (dtype === "int32" && (value | 0) !== value) throw notWhole(where, value, [i]);
    values[i] = dtype === "bool" && value !== 0 ? 1 : value;
  }
  return values;
}

/** Whether the array is already what a tensor of that dtype is written from. */
function isReady(data: FlatData, dtype: DType): data is TypedArray {
  if (dtype === "float32" || dtype === "float16") return data instanceof Float32Array;
  if (dtype === "float64") return data instanceof Float64Array;
  return dtype === "int32" && data instanceof Int32Array;
}

function fromNested(where: string, data: readonly NestedData[], dtype: DType | undefined): Elements {
  const { shape, first } = measure(where, data);
  const chosen = dtype ?? (typeof first === "boolean" ? "bool" : "float32");
  checkShape(where, shape);
  const count = shape.reduce((product, extent) => product * extent, 1);
  const values = newTypedArray(chosen, count);
  const kind = typeof first === "boolean" ? "boolean" : "number";
  const path: number[] = [];
  let position = 0;

  const fillRow = (row: readonly unknown[]): void => {
    for (let i = 0; i < row.length; i++) {
      const item = row[i];
      if (typeof item !== kind) throw notAnElement(where, item, kind, [...path, i]);
      const value = Number(item);
      if (chosen === "int32" && (value | 0) !== value) throw notWhole(where, value, [...path, i]);
      values[position++] = chosen === "bool" && value !== 0 ? 1 : value;
    }
  };
  const fill = (row: unknown, axis: number): void => {
    const expected = shape[axis] ?? 0;
    if (!Array.isArray(row) || row.length !== expected) throw ragged(where, row, expected, path);
    if (axis === shape.length - 1) {
      fillRow(row);
      return;
    }
    for (let i = 0; i < expected; i++) {
      path.push(i);
      fill(row[i], axis + 1);
      path.pop();
    }
  };
  fill(data, 0);
  return { shape, dtype: chosen, values };
}

/** The extents along the first row of the first row of …, and the first element, if there is one. */
function measure(where: string, data: readonly NestedData[]): { shape: number[]; first: unknown } {
  const shape: number[] = [];
  let level: unknown = data;
  while (Array.isArray(level)) {
    if (shape.length === MAX_DEPTH) {
      throw new ShapeError(
        `${where}: got arrays nested more than ${MAX_DEPTH} deep; expected at most ${MAX_DEPTH} axes. Flatten some, or look for an array that holds itself.`,
      );
    }
    shape.push(level.length);
    level = level[0];
  }
  return { shape, first: level };
}

function at(path: readonly number[]): string {
  return path.length === 0 ? "" : ` at ${formatShape(path)}`;
}

function ragged(where: string, row: unknown, expected: number, path: readonly number[]): ShapeError {
  const got = Array.isArray(row) ? `a row of ${row.length}` : describeValue(row);
  return new ShapeError(
    `${where}: got ${got}${at(path)}; expected a row of ${expected}, as before it. Make all rows equally long and equally deep.`,
  );
}

function notAnElement(
  where: string,
  item: unknown,
  kind: "number" | "boolean",
  path: readonly number[],
): ShapeError | DTypeError {
  if (Array.isArray(item)) {
    return new ShapeError(
      `${where}: got a row of ${item.length}${at(path)}; expected a ${kind}, as before it. Make all rows equally deep.`,
    );
  }
  const cure =
    typeof item === "number" || typeof item === "boolean"
      ? "Numbers and booleans do not mix: convert one kind to the other."
      : "Convert it to a number, or leave it out.";
  return new DTypeError(`${where}: got ${describeValue(item)}${at(path)}; expected a ${kind}. ${cure}`);
}

function notWhole(where: string, value: number, path: readonly number[] = []): DTypeError {
  return new DTypeError(
    `${where}: got ${value}${at(path)}; expected whole numbers from ${LEAST_INT32} to ${GREATEST_INT32} for int32. ` +
      `Round it, or use another dtype.`,
  );
}

function describeValue(value: unknown): string {
  if (typeof value === "string") return `the string ${JSON.stringify(value)}`;
  if (typeof value === "bigint") return `the bigint ${value}n`;
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (typeof value !== "object" || value === null) return String(value);
  const maker = value.constructor;
  return maker === undefined || maker === Object ? "an object" : `a ${maker.name}`;
}
