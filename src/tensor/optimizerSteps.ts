/** One optimizer step on one parameter, in place: what `optim` is made of. */
import { isFloating } from "../kernels/dtype.js";
import type { AdamHyper, SgdHyper } from "../kernels/kernelSet.js";
import { contiguous } from "./ops/layout.js";
import { commonKernels, type Tensor } from "./tensor.js";

export type { AdamHyper, L1Mode, SgdHyper } from "../kernels/kernelSet.js";

/** One step of stochastic gradient descent; `momentumBuffer` is null without momentum. See the kernel contract for the formula. */
export function sgdStep(parameter: Tensor, grad: Tensor, momentumBuffer: Tensor | null, hyper: SgdHyper): void {
  const kernels = commonKernels("SGD", parameter, grad, ...(momentumBuffer === null ? [] : [momentumBuffer]));
  withDense(grad, (g) => kernels.sgdStep(parameter, g, momentumBuffer, hyper));
  parameter.storage.version++;
}

/** One step of Adam or AdamW; `vMax` is null without amsgrad. See the kernel contract for the formula. */
export function adamStep(
  parameter: Tensor,
  grad: Tensor,
  m: Tensor,
  v: Tensor,
  vMax: Tensor | null,
  hyper: AdamHyper,
): void {
  const kernels = commonKernels("Adam", parameter, grad, m, v, ...(vMax === null ? [] : [vMax]));
  withDense(grad, (g) => kernels.adamStep(parameter, g, m, v, vMax, hyper));
  parameter.storage.version++;
}

/**
 * In place, x += share · (target − x), off the tape: a step of gradient descent at the rate −share, whose gradient is the target and
 * whose weight decay of −1 makes it target − x. Both have one shape.
 *
 * @returns false, and does nothing, where dtypes or devices differ, or x is not of floats without gaps.
 */
export function moveTowards(x: Tensor, target: Tensor, share: number): boolean {
  const isAlike = x.dtype === target.dtype && x.device === target.device;
  if (!isAlike || !isFloating(x.dtype) || !x.isContiguous()) return false;
  sgdStep(x, target, null, {
    lr: -share,
    momentum: 0,
    dampening: 0,
    weightDecay: -1,
    nesterov: false,
    maximize: false,
    firstStep: true,
    l1: 0,
    l1Mode: "proximal",
  });
  return true;
}

function withDense(grad: Tensor, use: (dense: Tensor) => void): void {
  const dense = contiguous(grad);
  use(dense);
  if (dense !== grad) dense.dispose();
}
