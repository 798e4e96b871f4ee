/** Walking large tensors piece by piece, for work that is made of many elementwise ops. */
import { contiguous, viewOf } from "./ops/layout.js";
import { composite } from "./scopes.js";
import { Tensor } from "./tensor.js";

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

/** An elementwise function of tensors of one shape and dtype, off the tape; on the CPU stretch by stretch, as {@link inStretches}. */
export function mapStretches<const T extends readonly [Tensor, ...Tensor[]]>(
  name: string,
  inputs: T,
  f: (...inputs: T) => Tensor,
): Tensor {
  const [first] = inputs;
  if (!inputs.every(({ dtype }) => dtype === first.dtype)) return composite(() => f(...inputs));
  return composite(() => {
    const out = Tensor.allocate(first.shape, first.dtype, first.device, name);
    const dense = Object.fromEntries(inputs.map((input, i) => [String(i), contiguous(input)]));
    inStretches({ ...dense, out }, ({ out, ...parts }) => {
      // As many as the inputs, and in their order.
      const result = composite(() => f(...(Object.values(parts) as unknown as T)));
      first.kernels.copy(result, out);
      result.dispose();
    });
    return out;
  });
}
