/** Lays functions over those of objects for as long as a trace takes. */

/** Runs `fn` while properties of `target` are others, and puts back what was there whatever happens. */
export function withProperties<T extends object, R>(
  target: T,
  properties: Partial<Record<keyof T, unknown>>,
  fn: () => R,
): R {
  const before = Object.keys(properties).map((key) => [key, Object.getOwnPropertyDescriptor(target, key)] as const);
  try {
    for (const [key, value] of Object.entries(properties)) {
      Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
    }
    return fn();
  } finally {
    for (const [key, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(target, key);
      else Object.defineProperty(target, key, descriptor);
    }
  }
}
