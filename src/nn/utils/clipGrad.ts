import { ArgumentError } from "../../errors.js";
import { zeros } from "../../tensor/create.js";
import { add, clamp, clamp_, mul, mul_ } from "../../tensor/ops/arithmetic.js";
import { to } from "../../tensor/ops/cast.js";
import { reciprocal } from "../../tensor/ops/elementary.js";
import { stack } from "../../tensor/ops/joining.js";
import { norm } from "../../tensor/ops/reductions.js";
import { noGrad } from "../../tensor/scopes.js";
import { Tensor } from "../../tensor/tensor.js";
import { checkOptions, checkRange } from "../arguments.js";

/** Settings of {@link clipGradNorm_}. */
export interface ClipGradNormOptions {
  /** Order of the norm; Infinity for the greatest. Default 2. */
  readonly normType?: number;
  /** Whether a norm that is NaN or infinite is an error. It is looked at on the CPU alone. Default false. */
  readonly errorIfNonfinite?: boolean;
}

/**
 * Scales the gradients of all parameters together so that their norm is at most `maxNorm`, in place. Call it between
 * `backward()` and `step()`.
 *
 * @returns the norm before, a scalar
 * @throws ArgumentError where `maxNorm` is negative, or (with `errorIfNonfinite`) the norm is not finite.
 * @throws DeviceError where `errorIfNonfinite` is asked for on a GPU, which cannot be read at once.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
 */
export function clipGradNorm_(
  parameters: Tensor | Iterable<Tensor>,
  maxNorm: number,
  options: ClipGradNormOptions = {},
): Tensor {
  checkOptions("clipGradNorm_", options, ["normType", "errorIfNonfinite"]);
  const { normType = 2, errorIfNonfinite = false } = options;
  checkRange("clipGradNorm_", "maxNorm", maxNorm, 0, Infinity);
  const grads = gradsOf("clipGradNorm_", parameters);
  const [first] = grads;
  if (first === undefined) return zeros([]);
  return noGrad(() => {
    const norms = grads.map((grad) => to(to(norm(grad, normType), first.dtype), first.device));
    const total = norm(stack(norms), normType);
    if (errorIfNonfinite && !Number.isFinite(total.itemSync())) {
      throw new ArgumentError(
        `clipGradNorm_: got gradients whose norm of order ${normType} is ${total.itemSync()}; expected a finite one. ` +
          "Find what overflows, or leave errorIfNonfinite out.",
      );
    }
    // The small number keeps 0/0 out.
    const factor = clamp(mul(reciprocal(add(total, 1e-6)), maxNorm), null, 1);
    for (const grad of grads) mul_(grad, to(to(factor, grad.dtype), grad.device));
    return total;
  });
}

/**
 * Holds every element of the gradients within ±`clipValue`, in place.
 *
 * @throws ArgumentError where `clipValue` is negative.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html
 */
export function clipGradValue_(parameters: Tensor | Iterable<Tensor>, clipValue: number): void {
  checkRange("clipGradValue_", "clipValue", clipValue, 0, Infinity);
  const grads = gradsOf("clipGradValue_", parameters);
  noGrad(() => {
    for (const grad of grads) clamp_(grad, -clipValue, clipValue);
  });
}

function gradsOf(where: string, parameters: Tensor | Iterable<Tensor>): Tensor[] {
  const list: unknown[] = parameters instanceof Tensor ? [parameters] : [...parameters];
  return list.flatMap((parameter) => {
    if (!(parameter instanceof Tensor)) {
      throw new ArgumentError(
        `${where}: got ${String(parameter)} as a parameter; expected a tensor. Pass model.parameters().`,
      );
    }
    return parameter.grad ?? [];
  });
}
