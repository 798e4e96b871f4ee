/** Lays functions over those of objects for as long as a trace takes. */
import { layOver } from "../../../tensor/layOver.js";

/** Runs `fn` while properties of `target` are others, and puts back what was there whatever happens. */
export function withProperties<T extends object, R>(
  target: T,
  properties: Partial<Record<keyof T, unknown>>,
  fn: () => R,
): R {
  const restore = layOver(target, properties);
  try {
    return fn();
  } finally {
    restore();
  }
}
