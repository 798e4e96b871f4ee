import { argument, pointer } from "./environment";

/** Words [begin, end) of an array become argument 1, whatever they stand for. */
export function fill(begin: i32, end: i32): void {
  const value = argument(1);
  const vector = i32x4.splat(value);
  let at = pointer(0) + (<usize>begin << 2);
  const stop = pointer(0) + (<usize>end << 2);
  for (; at + 16 <= stop; at += 16) v128.store(at, vector);
  for (; at < stop; at += 4) store<i32>(at, value);
}
