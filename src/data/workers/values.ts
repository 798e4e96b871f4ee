/** Samples and batches on their way between threads: tensors travel as the typed arrays of their elements. */
import { DTypeError } from "../../errors.js";
import { fromValues, plan } from "../../tensor/factory.js";
import { Tensor } from "../../tensor/tensor.js";

/** A value without its tensors, and those beside it. */
export interface Packed {
  /** The value, with null in the place of each tensor. */
  readonly tree: { value: unknown };
  readonly tensors: readonly PackedTensor[];
}

interface PackedTensor {
  /** Keys that lead to its place in the tree. */
  readonly path: readonly (string | number)[];
  readonly values: Awaited<ReturnType<Tensor["data"]>>;
  readonly shape: readonly number[];
  readonly dtype: Tensor["dtype"];
}

/**
 * Takes a value apart, through arrays and plain objects.
 *
 * @throws DTypeError where it holds what another thread cannot be given: functions, symbols, and objects of classes.
 */
export async function pack(where: string, value: unknown): Promise<Packed> {
  const tensors: PackedTensor[] = [];
  const walk = async (item: unknown, path: readonly (string | number)[]): Promise<unknown> => {
    if (item instanceof Tensor) {
      tensors.push({ path, values: await item.data(), shape: item.shape, dtype: item.dtype });
      return null;
    }
    if (Array.isArray(item)) {
      const items: unknown[] = [];
      for (const [place, each] of item.entries()) items.push(await walk(each, [...path, place]));
      return items;
    }
    if (isPlain(item)) {
      const fields: [string, unknown][] = [];
      for (const [key, each] of Object.entries(item)) fields.push([key, await walk(each, [...path, key])]);
      return Object.fromEntries(fields);
    }
    if (canBeCloned(item)) return item;
    throw new DTypeError(
      `${where}: got ${describe(item)} in a sample${placeOf(path)}; expected tensors, typed arrays, numbers, booleans, strings, and ` +
        "arrays and plain objects of them, which alone can be handed to another thread. Convert it in the dataset.",
    );
  };
  return { tree: { value: await walk(value, ["value"]) }, tensors };
}

/** The memory that goes over to the other thread instead of being copied: that of the tensors' elements. */
export function transferables({ tensors }: Packed): ArrayBuffer[] {
  return tensors.map(({ values }) => values.buffer).filter((buffer) => buffer instanceof ArrayBuffer);
}

/** Puts a value together again. Its tensors are new ones, on the default device. */
export function unpack({ tree, tensors }: Packed): unknown {
  for (const { path, values, shape, dtype } of tensors) {
    let place: Record<string | number, unknown> = tree;
    for (const key of path.slice(0, -1)) place = place[key] as Record<string | number, unknown>;
    place[path.at(-1) ?? 0] = fromValues(plan("WorkerDataset", {}, dtype), shape, values);
  }
  return tree.value;
}

function isPlain(item: unknown): item is Record<string, unknown> {
  if (typeof item !== "object" || item === null) return false;
  const prototype: unknown = Object.getPrototypeOf(item);
  return prototype === Object.prototype || prototype === null;
}

/** Whether copying keeps what it is. Of a class of the user's only the fields would arrive, and tensors not even in a Map. */
function canBeCloned(item: unknown): boolean {
  if (typeof item === "function" || typeof item === "symbol") return false;
  const tag = Object.prototype.toString.call(item);
  return !["[object Object]", "[object Map]", "[object Set]", "[object Promise]"].includes(tag);
}

function describe(item: unknown): string {
  if (typeof item === "function") return "a function";
  if (typeof item === "symbol") return "a symbol";
  return `a ${item?.constructor?.name ?? "object without a class"}`;
}

function placeOf(path: readonly (string | number)[]): string {
  const keys = path.slice(1).map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`));
  return keys.length === 0 ? "" : ` at ${keys.join("")}`;
}
