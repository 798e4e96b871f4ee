import { record } from "./autograd.js";
import { detach } from "./ops/layout.js";
import type { Tensor } from "./tensor.js";

/**
 * The same elements as a recorded tensor of its own, whose gradient is shown to `onGrad` on its way back and replaced by
 * what that gives, if it gives anything. The gradient that is shown is given back with the backward step: `.keep()` keeps it.
 */
export function tapGradient(x: Tensor, onGrad: (g: Tensor) => Tensor | undefined): Tensor {
  return record("backwardHook", detach(x), [x], [], (g) => [() => onGrad(g) ?? g]);
}
