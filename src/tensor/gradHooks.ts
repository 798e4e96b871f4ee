/** Functions of the user's that see gradients on their way back, and tensors that hold on to them. */
import { ArgumentError, AutogradError, DeviceError, DTypeError, ShapeError } from "../errors.js";
import { runScope } from "./memory.js";
import { formatShape, sameShape } from "./shape.js";
import { commonKernels, Tensor } from "./tensor.js";

/** Takes a hook away again. */
export interface RemovableHandle {
  /** Takes the hook away; the second call does nothing. */
  remove(): void;
}

/** Sees a gradient, and may give another in its place; what is no tensor must be undefined. */
export type GradHook = (grad: Tensor) => unknown;

/** What is to be done with the gradient of one place of the tape. */
export class GradHooks {
  private readonly hooks = new Map<object, GradHook>();
  /** Handles whose `.grad` is to be filled, though they are no leaves. */
  readonly retainers = new Set<Tensor>();

  add(hook: GradHook): RemovableHandle {
    const key = {};
    this.hooks.set(key, hook);
    return { remove: () => void this.hooks.delete(key) };
  }

  /** Calls the hooks, the first one with `g` and each with what the one before left. */
  run(g: Tensor): Tensor {
    let current = g;
    for (const hook of [...this.hooks.values()]) current = call(hook, current);
    return current;
  }
}

/** Small gradients, and small tensors that the hook makes, stay readable after it; larger ones are given back unless kept. */
function call(hook: GradHook, g: Tensor): Tensor {
  return runScope(
    () => checked(hook(g.alias()), g) ?? g,
    (result) => [result],
    (handle) => handle.giveBack("at the end of the gradient hook that saw or made it"),
  );
}

function checked(replacement: unknown, g: Tensor): Tensor | undefined {
  if (replacement === undefined) return undefined;
  const where = `registerHook (gradient of shape ${formatShape(g.shape)})`;
  if (replacement instanceof Promise) {
    // The promise is nobody's now: its failure must not surface beside the error below.
    replacement.catch(() => undefined);
    throw new ArgumentError(
      `${where}: got a promise from the hook; expected a tensor or undefined, for backward() does not wait. Read with itemSync(), or keep the gradient and read it later.`,
    );
  }
  if (!(replacement instanceof Tensor)) {
    throw new ArgumentError(
      `${where}: got ${replacement === null || typeof replacement !== "object" ? String(replacement) : "an object"} from the hook; expected a tensor or undefined. Put braces around what the hook does.`,
    );
  }
  checkReplacement(where, replacement, g);
  return replacement;
}

/** @throws ShapeError, DTypeError or DeviceError where a gradient is not like the one it stands for. */
function checkReplacement(where: string, replacement: Tensor, g: Tensor): void {
  if (!sameShape(replacement.shape, g.shape)) {
    throw new ShapeError(
      `${where}: got shape ${formatShape(replacement.shape)} from the hook; expected ${formatShape(g.shape)}. Return a gradient in the tensor's shape, or nothing.`,
    );
  }
  if (replacement.dtype !== g.dtype || replacement.device !== g.device) {
    throw new (replacement.dtype === g.dtype ? DeviceError : DTypeError)(
      `${where}: got ${replacement.dtype} on "${replacement.device}" from the hook; expected ${g.dtype} on "${g.device}". Move it with .to(…).`,
    );
  }
}

/**
 * Calls `hook` in each backward pass with the gradient of `x`: all of it, once it has come together from every use. A tensor
 * that the hook returns takes its place. Hooks run in the order in which they were registered, before `.grad` is filled, and
 * also for `grad(outputs, x)`. After an in-place change of `x` the hook still sees the gradient of the old values.
 *
 * The gradient is given back after the hook, unless it is small (4 KiB), kept with `.keep()` or cloned.
 *
 * @returns a handle whose `remove()` takes the hook away.
 * @throws AutogradError where `x` requires no grad.
 * @throws ArgumentError where `hook` is no function; in the backward pass, where it returns anything but a tensor or undefined.
 * @throws ShapeError in the backward pass, where it returns a tensor of another shape.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.register_hook.html
 */
export function registerHook(x: Tensor, hook: GradHook): RemovableHandle {
  commonKernels("registerHook", x);
  if (typeof hook !== "function") {
    throw new ArgumentError(`registerHook: got ${String(hook)}; expected a function. Pass the hook itself.`);
  }
  checkWanted("registerHook", x);
  return hooksOf(x).add(hook);
}

/**
 * Has backward passes fill `.grad` of a tensor that is no leaf, after its hooks; of a leaf they do so anyway. That gradient
 * is given back with the tensor: at the next `zeroGrad()` or `backward()` that touches one of the same leaves, unless small
 * or kept. Returns the tensor.
 *
 * @throws AutogradError where `x` requires no grad.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.retain_grad.html
 */
export function retainGrad(x: Tensor): Tensor {
  commonKernels("retainGrad", x);
  checkWanted("retainGrad", x);
  if (x.isLeaf) return x;
  x.retainsGrad = true;
  hooksOf(x).retainers.add(x);
  return x;
}

function checkWanted(where: string, x: Tensor): void {
  if (x.requiresGrad) return;
  throw new AutogradError(
    `${where}: got a tensor of shape ${formatShape(x.shape)} made by ${x.madeBy} that requires no grad; ` +
      `expected one whose gradient backward() works out. Set requiresGrad_() on it, or compute it outside noGrad.`,
  );
}

function hooksOf(x: Tensor): GradHooks {
  const place = x.node ?? x;
  place.gradHooks ??= new GradHooks();
  return place.gradHooks;
}
