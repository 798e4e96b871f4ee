/** What every optimizer without a kernel of its own does to a gradient before the step, and to the weights after it. */
import { add, clamp, mul, neg, sign, sub_ } from "../tensor/ops/arithmetic.js";
import type { Tensor } from "../tensor/tensor.js";
import type { PenaltyOptions } from "./optimizer.js";

/** The gradient that the step follows: that of the loss, of its negative to climb, and of the penalties in it. May be `grad` itself. */
export function penalised(parameter: Tensor, grad: Tensor, options: Required<PenaltyOptions>): Tensor {
  const { maximize, weightDecay, l1, l1Mode } = options;
  let g = maximize ? neg(grad) : grad;
  if (l1 !== 0 && l1Mode === "subgradient") g = add(g, mul(sign(parameter), l1));
  if (weightDecay !== 0) g = add(g, parameter, { alpha: weightDecay });
  return g;
}

/** Moves every weight lr·l1 towards 0, and those that are nearer to exactly 0. */
export function softThreshold(parameter: Tensor, { lr, l1, l1Mode }: Required<PenaltyOptions>): void {
  if (l1 === 0 || l1Mode !== "proximal") return;
  const threshold = lr * l1;
  sub_(parameter, clamp(parameter, -threshold, threshold));
}
