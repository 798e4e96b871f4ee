/**
 * Plain data with tensors in it as JSON, and back. An object in the JSON is always a mark that says what it stands for, so
 * that no data can be mistaken for a mark.
 *
 * @module
 */
import { ArgumentError, DataFormatError } from "../errors.js";
import { isPlain } from "../nn/fields.js";
import { Tensor } from "../tensor/tensor.js";

/** Deeper is a structure that holds itself, or a damaged file. */
const MAX_DEPTH = 64;

/** Numbers that JSON does not have. */
const otherNumbers: readonly string[] = ["NaN", "Infinity", "-Infinity", "-0"];

/** What an object in the JSON says. */
type Mark =
  | { readonly tensor: string }
  | { readonly object: Readonly<Record<string, unknown>> }
  | { readonly number: string }
  | { readonly bigint: string };

/**
 * A value as JSON can have it. Tensors in it are added to `tensors` under the path that leads to them.
 *
 * @throws ArgumentError for what is neither plain data nor a tensor.
 */
export function encodeTree(
  where: string,
  value: unknown,
  path: string,
  tensors: Map<string, Tensor>,
  depth = 0,
): unknown {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { number: Object.is(value, -0) ? "-0" : String(value) };
  }
  if (typeof value === "bigint") return { bigint: String(value) };
  const inner = (item: unknown, key: string | number) => encodeTree(where, item, `${path}.${key}`, tensors, depth + 1);
  if (value instanceof Tensor) {
    let name = path;
    while (tensors.has(name)) name += "'";
    tensors.set(name, value);
    return { tensor: name };
  }
  if (depth < MAX_DEPTH && Array.isArray(value)) return value.map(inner);
  if (depth < MAX_DEPTH && isPlain(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return { object: Object.fromEntries(entries.map(([key, item]) => [key, inner(item, key)])) };
  }
  throw new ArgumentError(
    `${where}: got ${describe(value, depth)} as ${path}; expected something with stateDict() and loadStateDict(), a generator, ` +
      "a tensor, or numbers, texts, arrays and plain objects of them. Leave it out, or save what it is made from.",
  );
}

/**
 * The value that {@link encodeTree} made the JSON of.
 *
 * @throws DataFormatError where it is not such JSON.
 */
export function decodeTree(json: unknown, tensors: Readonly<Record<string, Tensor>>, file: string, depth = 0): unknown {
  const inner = (item: unknown) => decodeTree(item, tensors, file, depth + 1);
  if (depth <= MAX_DEPTH) {
    if (json === null || typeof json !== "object") return json;
    if (Array.isArray(json)) return json.map(inner);
    const [mark = "", ...others] = Object.keys(json);
    const { tensor, object, number, bigint } = json as Partial<Record<keyof Mark | string, unknown>>;
    if (others.length === 0) {
      if (mark === "object" && isPlain(object)) {
        return Object.fromEntries(Object.entries(object).map(([key, item]) => [key, inner(item)]));
      }
      if (mark === "tensor" && typeof tensor === "string" && Object.hasOwn(tensors, tensor)) return tensors[tensor];
      if (mark === "number" && otherNumbers.includes(String(number))) return Number(number);
      if (mark === "bigint" && typeof bigint === "string" && /^-?\d+$/.test(bigint)) return BigInt(bigint);
    }
  }
  throw damaged(file);
}

/** The error for what saveCheckpoint does not write. */
export function damaged(file: string): DataFormatError {
  return new DataFormatError(
    `loadCheckpoint: got contents that saveCheckpoint does not write in ${file}; expected its own. The file is damaged: go back to another checkpoint.`,
  );
}

function describe(value: unknown, depth: number): string {
  if (depth >= MAX_DEPTH && typeof value === "object") return `objects more than ${MAX_DEPTH} deep`;
  if (typeof value !== "object" || value === null)
    return typeof value === "undefined" ? "undefined" : `a ${typeof value}`;
  return value.constructor?.name ? `a ${value.constructor.name}` : "an object";
}
