/** What an object holds, found by looking at its own enumerable fields. Nothing is registered, so nothing can be missed. */

/** An object at the path of field names and indices that leads to it, joined by dots. */
export type Held<T extends object> = readonly [path: string, value: T];

/** The objects in the fields of `holder`, in their order, through arrays and plain objects. */
export function* fieldsOf(holder: object, prefix = "", seen = new Set<object>()): Generator<Held<object>> {
  for (const [key, value] of Object.entries(holder) as [string, unknown][]) {
    if (value === null || typeof value !== "object") continue;
    const path = join(prefix, key);
    if (!Array.isArray(value) && !isPlain(value)) {
      yield [path, value];
    } else if (!seen.has(value)) {
      seen.add(value);
      yield* fieldsOf(value, path, seen);
    }
  }
}

/** Fields under the names that PyTorch has for them, where those differ: names in state dicts and files are PyTorch's. */
export function* renamed(
  fields: Iterable<Held<object>>,
  names: Readonly<Record<string, string>>,
): Generator<Held<object>> {
  for (const [name, value] of fields) yield [names[name] ?? name, value];
}

/** `a.b`, or the one of the two that is not empty. */
export function join(prefix: string, name: string): string {
  return prefix === "" ? name : name === "" ? prefix : `${prefix}.${name}`;
}

/** Each object once, at the first path that leads to it. */
export function withoutRepeats<T extends object>(held: Iterable<Held<T>>): Held<T>[] {
  const seen = new Set<T>();
  const result: Held<T>[] = [];
  for (const entry of held) {
    if (seen.has(entry[1])) continue;
    seen.add(entry[1]);
    result.push(entry);
  }
  return result;
}

/** Whether a value is an object literal, and no instance of a class. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
