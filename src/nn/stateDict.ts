import { ArgumentError, ShapeError } from "../errors.js";
import { withGradMode } from "../tensor/autograd.js";
import { to } from "../tensor/ops/cast.js";
import { copy_ } from "../tensor/ops/fill.js";
import { formatShape, sameShape } from "../tensor/shape.js";
import { commonKernels, Tensor } from "../tensor/tensor.js";
import { checkOptions } from "./arguments.js";

/** Parameters and buffers by path. */
export type StateDict = Record<string, Tensor>;

/** Settings of `loadStateDict`. */
export interface LoadStateDictOptions {
  /** Whether the keys must be just those of the module. Default true. */
  readonly strict?: boolean;
}

/** What a state dict lacked, and what it had beyond. */
export interface LoadResult {
  readonly missingKeys: string[];
  readonly unexpectedKeys: string[];
}

/** Copies `state` into `targets`, after checks of everything that could go wrong on the way. */
export function loadState(
  kind: string,
  targets: ReadonlyMap<string, Tensor>,
  state: StateDict,
  options: LoadStateDictOptions,
): LoadResult {
  checkOptions(`loadStateDict of ${kind}`, options, ["strict"]);
  const { strict = true } = options;
  if (typeof state !== "object" || state === null) {
    throw new ArgumentError(
      `loadStateDict of ${kind}: got ${String(state)}; expected an object of tensors by name. Pass what stateDict() gave.`,
    );
  }
  const missingKeys = [...targets.keys()].filter((key) => !Object.hasOwn(state, key));
  const unexpectedKeys = Object.keys(state).filter((key) => !targets.has(key));
  const pairs: [Tensor, Tensor][] = [];
  const misfits: string[] = [];
  for (const [key, target] of targets) {
    const source: unknown = Object.hasOwn(state, key) ? state[key] : target;
    if (!(source instanceof Tensor)) misfits.push(`${key} is no tensor`);
    else if (!sameShape(source.shape, target.shape)) {
      misfits.push(`${key} is ${formatShape(source.shape)} there and ${formatShape(target.shape)} here`);
    } else if (source !== target) pairs.push([target, source]);
  }
  const keysFit = !strict || (missingKeys.length === 0 && unexpectedKeys.length === 0);
  if (!keysFit || misfits.length > 0) {
    const Kind = keysFit && !misfits.some((misfit) => misfit.endsWith("no tensor")) ? ShapeError : ArgumentError;
    throw new Kind(misfitMessage(kind, targets.size, strict ? { missingKeys, unexpectedKeys } : null, misfits));
  }
  const where = `loadStateDict of ${kind}`;
  for (const [target, source] of pairs) for (const tensor of [target, source]) commonKernels(where, tensor);
  withGradMode(false, () => {
    // All are brought to the model's device before the first is copied: when one fails, nothing has happened.
    const here = pairs.map(([target, source]) => ({ target, source, near: to(source, target.device) }));
    for (const { target, source, near } of here) {
      copy_(target, near);
      if (near !== source) near.dispose();
    }
  });
  return { missingKeys, unexpectedKeys };
}

function misfitMessage(kind: string, count: number, keys: LoadResult | null, misfits: readonly string[]): string {
  const missing = keys?.missingKeys ?? [];
  const unexpected = keys?.unexpectedKeys ?? [];
  const leaveOut = missing.length + unexpected.length > 0 && misfits.length === 0;
  return [
    `loadStateDict of ${kind}: got a state with ${missing.length} keys missing, ${unexpected.length} unexpected and ${misfits.length} tensors that do not fit; ` +
      `expected the ${count} keys and shapes of this model. Make the model as it was when the state was saved` +
      `${leaveOut ? ", or pass { strict: false } to load what is there" : ""}.`,
    ...(missing.length > 0 ? [`  missing: ${missing.join(", ")}`] : []),
    ...(unexpected.length > 0 ? [`  unexpected: ${unexpected.join(", ")}`] : []),
    ...(misfits.length > 0 ? [`  not fitting: ${misfits.join("; ")}`] : []),
  ].join("\n");
}
