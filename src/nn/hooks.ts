/** Functions of the user's that are called with what goes through a module. */
import { ArgumentError, AutogradError, ShapeError } from "../errors.js";
import { isGradEnabled } from "../tensor/autograd.js";
import type { RemovableHandle } from "../tensor/gradHooks.js";
import { formatShape, sameShape } from "../tensor/shape.js";
import { tapGradient } from "../tensor/tapGradient.js";
import { Tensor } from "../tensor/tensor.js";
import type { Module } from "./module.js";

export type ForwardPreHook = (module: Module, inputs: unknown[]) => unknown;
export type ForwardHook = (module: Module, inputs: unknown[], output: unknown) => unknown;
/** Gradients in the order of the tensors that went in and came out; null for those that want none. */
export type BackwardHook = (module: Module, gradInput: (Tensor | null)[], gradOutput: (Tensor | null)[]) => unknown;

interface Hooks {
  readonly before: Map<object, ForwardPreHook>;
  readonly after: Map<object, ForwardHook>;
  readonly backward: Map<object, BackwardHook>;
}

type Kind = keyof Hooks;
type Forward = (...inputs: unknown[]) => unknown;

const hooksOf = new WeakMap<Module, Hooks>();

/** Adds a hook of a kind. */
export function addHook<K extends Kind>(
  where: string,
  module: Module,
  kind: K,
  hook: Hooks[K] extends Map<object, infer H> ? H : never,
): RemovableHandle {
  if (typeof hook !== "function") {
    throw new ArgumentError(`${where}: got ${String(hook)}; expected a function. Pass the hook itself.`);
  }
  const hooks = hooksOf.get(module) ?? install(module);
  const key = {};
  (hooks[kind] as Map<object, unknown>).set(key, hook);
  return { remove: () => void hooks[kind].delete(key) };
}

/** Lays a field `forward` over the module's method. It stays when the hooks are gone, and then only passes on. */
function install(module: Module): Hooks {
  const hooks: Hooks = { before: new Map(), after: new Map(), backward: new Map() };
  hooksOf.set(module, hooks);
  const forward = module.forward as Forward;
  const hooked: Forward = (...inputs) => callWithHooks(module, forward, hooks, inputs);
  Object.defineProperty(module, "forward", { value: hooked, configurable: true, enumerable: false, writable: true });
  return hooks;
}

function callWithHooks(module: Module, forward: Forward, hooks: Hooks, given: unknown[]): unknown {
  let inputs = given;
  for (const hook of [...hooks.before.values()]) {
    const changed = hook(module, inputs);
    if (changed !== undefined) inputs = Array.isArray(changed) ? changed : [changed];
  }
  const watch = hooks.backward.size > 0 && isGradEnabled() ? new BackwardWatch(module, hooks) : null;
  if (watch !== null) inputs = watch.tapInputs(inputs);
  let output = Reflect.apply(forward, module, inputs);
  for (const hook of [...hooks.after.values()]) {
    const changed = hook(module, inputs, output);
    if (changed !== undefined) output = changed;
  }
  return watch === null ? output : watch.tapOutput(output);
}

/** The gradients of one call of a module, until its backward hooks can be called with all of them. */
class BackwardWatch {
  private gradInput: (Tensor | null)[] = [];
  private gradOutput: (Tensor | null)[] = [];
  private missing = 0;

  constructor(
    private readonly module: Module,
    private readonly hooks: Hooks,
  ) {}

  tapInputs(inputs: readonly unknown[]): unknown[] {
    let place = 0;
    return inputs.map((input) => {
      if (!(input instanceof Tensor)) return input;
      const index = place++;
      this.gradInput.push(null);
      if (!input.requiresGrad) return input;
      this.missing++;
      return tapGradient(input, (g) => this.inputGradient(index, g));
    });
  }

  tapOutput(output: unknown): unknown {
    if (output instanceof Tensor) return this.tapOne(output);
    if (Array.isArray(output) && output.every((each) => each instanceof Tensor)) {
      return output.map((each: Tensor) => this.tapOne(each));
    }
    throw new ArgumentError(
      `registerFullBackwardHook: got ${output === null || typeof output !== "object" ? String(output) : "an object"} from ${this.module.constructor.name}.forward; expected a tensor or an array of tensors. ` +
        "Hook the modules inside it.",
    );
  }

  private tapOne(output: Tensor): Tensor {
    const index = this.gradOutput.length;
    this.gradOutput.push(null);
    if (!output.requiresGrad) return output;
    return tapGradient(output, (g) => {
      this.gradOutput[index] = g.alias().keep();
      // Without an input that wants a gradient nothing else comes.
      if (this.missing === 0) this.call();
      return undefined;
    });
  }

  private inputGradient(index: number, g: Tensor): Tensor | undefined {
    this.gradInput[index] = g.alias().keep();
    this.missing--;
    return this.missing === 0 ? this.call(g) : undefined;
  }

  /** Calls the hooks, and gives what the last input's gradient is to be replaced by. */
  private call(g?: Tensor): Tensor | undefined {
    let replacement: Tensor | undefined;
    const shown = [...this.gradInput, ...this.gradOutput];
    try {
      for (const hook of [...this.hooks.backward.values()]) {
        const changed = hook(this.module, [...this.gradInput], [...this.gradOutput]);
        if (changed !== undefined) {
          replacement = this.checked(changed, g);
          this.gradInput = [replacement];
        }
      }
    } finally {
      for (const each of shown) if (each !== replacement) each?.dispose();
    }
    return replacement;
  }

  private checked(changed: unknown, g: Tensor | undefined): Tensor {
    const [replacement] = Array.isArray(changed) ? changed : [changed];
    if (g === undefined || this.gradInput.length !== 1) {
      throw new AutogradError(
        `registerFullBackwardHook: got a replacement for the gradients of ${this.gradInput.length} inputs of ${this.module.constructor.name}; ` +
          "expected one input, which wants a gradient. Return nothing from the hook.",
      );
    }
    if (!(replacement instanceof Tensor) || !sameShape(replacement.shape, g.shape)) {
      const got = replacement instanceof Tensor ? `shape ${formatShape(replacement.shape)}` : String(replacement);
      throw new ShapeError(
        `registerFullBackwardHook: got ${got} as the gradient of an input of ${this.module.constructor.name}; expected a tensor of shape ${formatShape(g.shape)}. ` +
          "Return the gradient in the input's shape, or nothing.",
      );
    }
    return replacement;
  }
}
