/** How an activation function with a kernel for its gradient is put on the tape, and where gradients go that are worked out element by element. */
import type { ActivationOp, BinaryOp } from "../../kernels/kernelSet.js";
import { isGradEnabled } from "../autograd.js";
import { composite } from "../scopes.js";
import { commonKernels, Tensor } from "../tensor.js";
import type { UnarySpec } from "./elementwise.js";

/**
 * An activation function whose gradient is one kernel.
 *
 * @param grad the same gradient in ops that have gradients in turn; both look at what the spec `saves`
 */
export function activationSpec(
  name: string,
  op: ActivationOp,
  grad: UnarySpec["grad"],
  { alpha = 0, beta = 0, wholeNumbers = false, saves = "input" }: Partial<UnarySpec> = {},
): UnarySpec {
  const fused = (g: Tensor, x: Tensor): Tensor => {
    const kernels = commonKernels(name, g, x);
    const out = roomFor(`${name}Grad`, g, true);
    kernels.activationGrad(op, g, x, out, alpha, beta);
    return out;
  };
  return {
    name,
    op,
    alpha,
    beta,
    wholeNumbers,
    saves,
    grad: (g, x) => (isGradEnabled() ? composite(() => grad(g, x)) : fused(g, x)),
  };
}

/** Where a gradient can go that is worked out from `g`, element by element: `g` itself where the caller spends it and nobody else needs it. */
export function roomFor(name: string, g: Tensor, spend: boolean): Tensor {
  // A gradient that only the walk back holds, and of which nothing will be recorded, is not needed afterwards.
  const reuse = spend && !isGradEnabled() && g.storage.shareCount === 1 && g.isContiguous();
  return reuse ? g.alias() : Tensor.allocate(g.shape, g.dtype, g.device, name);
}

/** Gradients that are one kernel each. They are ops, so that they have gradients in turn. */
export function fusedGrad(op: BinaryOp, g: Tensor, y: Tensor, spend: boolean): Tensor {
  const kernels = commonKernels(op, g, y);
  const out = roomFor(op, g, spend);
  kernels.binary(op, g, y, out);
  return out;
}
