/** Walking large tensors piece by piece, for work that is made of many elementwise ops. */
import { viewOf } from "./ops/layout.js";
import type { Tensor } from "./tensor.js";

/** Elements of a stretch, such that it and what is made of it on the way stay in a cache. */
const STRETCH = 2 ** 15;

/**
 * Calls `change`, which works elementwise and in place, with the tensors, all of one shape; on the CPU with one stretch of
 * them after the other: what `change` makes on its way then never leaves the cache, which costs more than all of its
 * arithmetic.
 */
export function inStretches<T extends Readonly<Record<string, Tensor>>>(tensors: T, change: (parts: T) => void): void {
  const all = Object.values(tensors);
  const [first] = all;
  if (first === undefined) return;
  const count = first.numel();
  if (first.device !== "cpu" || count < 2 * STRETCH || !all.every((tensor) => tensor.isContiguous())) {
    change(tensors);
    return;
  }
  for (let start = 0; start < count; start += STRETCH) {
    const length = Math.min(STRETCH, count - start);
    const parts = Object.entries(tensors).map(
      ([name, tensor]) => [name, viewOf(tensor, [length], [1], tensor.offset + start, "stretch")] as const,
    );
    // The same names with the same kind of value.
    change(Object.fromEntries(parts) as unknown as T);
    for (const [, part] of parts) part.dispose();
  }
}
