/** The scopes of the tape and of memory: `noGrad`, `enableGrad`, `tidy`. */
import { ArgumentError } from "../errors.js";
import { withGradMode } from "./autograd.js";
import { runScope } from "./memory.js";
import { Tensor } from "./tensor.js";

/**
 * Runs `fn` without recording, and gives back all tensors made inside except what it returns (also inside arrays,
 * objects, maps and sets), parameters, gradients, optimizer state and what was kept with `.keep()`. Tensors of 4 KiB or
 * less stay readable.
 *
 * @throws ArgumentError where `fn` is asynchronous: the mode belongs to the thread, not to a promise.
 * @see https://pytorch.org/docs/stable/generated/torch.no_grad.html
 */
export function noGrad<T>(fn: () => T): T {
  return withGradMode(false, () => scoped("noGrad", "at the end of noGrad()", fn));
}

/**
 * Runs `fn` with recording on, also inside {@link noGrad}.
 *
 * @throws ArgumentError where `fn` is asynchronous.
 * @see https://pytorch.org/docs/stable/generated/torch.enable_grad.html
 */
export function enableGrad<T>(fn: () => T): T {
  return withGradMode(true, () => refusePromise("enableGrad", fn()));
}

/**
 * Runs `fn` and gives back all tensors made inside, with the same exceptions as {@link noGrad}. What the tape needs for
 * a later `backward()` stays alive.
 *
 * @throws ArgumentError where `fn` is asynchronous.
 */
export function tidy<T>(fn: () => T): T {
  return scoped("tidy", "at the end of tidy()", fn);
}

/** Runs an op that is made of other ops: the tensors in between are nobody's, and go when it returns. What the tape saved stays. */
export function composite(fn: () => Tensor): Tensor {
  return runScope(
    fn,
    (result) => [result],
    (handle) => handle.discard(),
  );
}

function scoped<T>(where: string, when: string, fn: () => T): T {
  return runScope(
    () => refusePromise(where, fn()),
    tensorsIn,
    (handle) => handle.giveBack(when),
  );
}

/** @throws ArgumentError where a function turns out to be asynchronous. */
export function refusePromise<T>(where: string, result: T): T {
  if (isThenable(result)) {
    // The promise is nobody's now: its failure must not surface as an unhandled one beside the error below.
    result.then(undefined, () => undefined);
    throw new ArgumentError(
      `${where}: got an asynchronous function; expected a synchronous one, because the mode would end at its first await. ` +
        `Await outside: return the tensor, and read it after ${where}.`,
    );
  }
  return result;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** The tensors in a value, through arrays, maps, sets, iterables of them and plain objects. */
export function tensorsIn(value: unknown, found = new Set<Tensor>(), seen = new Set<object>()): Set<Tensor> {
  if (value === null || typeof value !== "object" || seen.has(value)) return found;
  seen.add(value);
  if (value instanceof Tensor) {
    found.add(value);
    if (value.grad !== null) found.add(value.grad);
  } else if (Array.isArray(value) || value instanceof Set) {
    for (const item of value) tensorsIn(item, found, seen);
  } else if (value instanceof Map) {
    for (const entry of value) tensorsIn(entry, found, seen);
  } else if (!ArrayBuffer.isView(value)) {
    for (const item of Object.values(value)) tensorsIn(item, found, seen);
  }
  return found;
}
