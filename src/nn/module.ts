import { ArgumentError, DTypeError } from "../errors.js";
import { zeroGrad } from "../tensor/backward.js";
import type { Device } from "../tensor/device.js";
import type { RemovableHandle } from "../tensor/gradHooks.js";
import { cpu, to } from "../tensor/ops/cast.js";
import { noGrad } from "../tensor/scopes.js";
import type { Tensor } from "../tensor/tensor.js";
import { describe, kindOf } from "./describe.js";
import { fieldsOf, type Held, join, withoutRepeats } from "./fields.js";
import { addHook, type BackwardHook, type ForwardHook, type ForwardPreHook } from "./hooks.js";
import { Buffer, Parameter } from "./parameter.js";
import { remember } from "./paths.js";
import { type LoadResult, type LoadStateDictOptions, loadState, type StateDict } from "./stateDict.js";

type DType = Tensor["dtype"];

const floats: readonly string[] = ["float16", "float32", "float64"] satisfies DType[];
const devices: readonly string[] = ["cpu", "webgpu"] satisfies Device[];

/** A module that turns one tensor into another, as layers do. */
export type Layer = Module & { forward(input: Tensor): Tensor };

/**
 * The base of every network and every layer. A subclass puts parameters, buffers and other modules into its fields, and
 * says in `forward` what it computes.
 *
 * Whatever lies in a field is found, also inside arrays and plain objects; private `#fields`, maps and sets are not
 * looked into. Fields are looked at anew at each call, so that they may be set at any time. Paths are field names and
 * indices joined by dots: `blocks.0.conv.weight`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Module.html
 */
export abstract class Module {
  /** Whether layers that behave differently in training (dropout, batch norm) do so; see {@link train} and {@link eval}. */
  training = true;

  constructor() {
    remember(this);
  }

  /** What the module computes. A subclass gives it its own parameters and result: `forward(x: Tensor): Tensor`. */
  abstract forward(...inputs: never[]): unknown;

  // --- what it is made of -------------------------------------------------------------------------------------------

  /**
   * All parameters, each once, those of the module itself before those of its children.
   *
   * @throws ArgumentError where a lazy layer in it has seen no input yet.
   */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** {@link parameters} with their paths. */
  namedParameters(): Held<Parameter>[] {
    for (const [path, module] of this.namedModules()) module.checkComplete(path);
    return withoutRepeats(this.heldBy(isParameter));
  }

  /** All buffers, each once. */
  buffers(): Buffer[] {
    return this.namedBuffers().map(([, buffer]) => buffer);
  }

  /** {@link buffers} with their paths. */
  namedBuffers(): Held<Buffer>[] {
    return withoutRepeats(this.heldBy(isBuffer));
  }

  /** The module itself and all modules in it, each once, outer ones first. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** {@link modules} with their paths; that of the module itself is empty. */
  namedModules(): Held<Module>[] {
    const seen = new Set<Module>();
    return [
      ...walk(this, ({ module }) => {
        const isNew = !seen.has(module);
        seen.add(module);
        return isNew;
      }),
    ];
  }

  /** The modules in its own fields, each once. */
  children(): Module[] {
    return this.namedChildren().map(([, child]) => child);
  }

  /** {@link children} with their paths. */
  namedChildren(): Held<Module>[] {
    return withoutRepeats(this.ownModules());
  }

  /** @internal The modules in its own fields, under every name that they have. */
  ownModules(): Held<Module>[] {
    return [...this.fields()].filter((held): held is Held<Module> => held[1] instanceof Module);
  }

  /** @internal The parameters in its own fields, each once. */
  ownParameters(): Parameter[] {
    return [...new Set([...this.fields()].map(([, value]) => value).filter(isParameter))];
  }

  /** Settings to be printed behind the name of the class: `inFeatures=2, outFeatures=3`. */
  extraRepr(): string {
    return "";
  }

  /** What lies in its fields. A container that keeps its modules elsewhere says here where. */
  protected fields(): Iterable<Held<object>> {
    return fieldsOf(this);
  }

  /** @internal @throws ArgumentError where its parameters are yet to be made. */
  checkComplete(_path: string): void {}

  private *heldBy<T extends Tensor>(is: (value: object) => value is T): Generator<Held<T>> {
    for (const [path, module] of this.namedModules()) {
      for (const [name, value] of module.fields()) if (is(value)) yield [join(path, name), value];
    }
  }

  // --- what is done to all of it ------------------------------------------------------------------------------------

  /** Calls `fn` with every module in it, inner ones first, and at last with itself. Returns the module. */
  apply(fn: (module: Module) => void): this {
    const seen = new Set<Module>();
    const visit = (module: Module): void => {
      seen.add(module);
      for (const child of module.children()) if (!seen.has(child)) visit(child);
      fn(module);
    };
    visit(this);
    return this;
  }

  /**
   * Switches it and all modules in it to training, or with `false` to evaluation. Returns the module.
   *
   * @throws ArgumentError where `mode` is no boolean.
   */
  train(mode = true): this {
    if (typeof mode !== "boolean") {
      throw new ArgumentError(
        `train: got ${String(mode)}; expected true or false. Call train() to train, eval() to evaluate.`,
      );
    }
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  /** Switches it and all modules in it to evaluation. Returns the module. */
  eval(): this {
    return this.train(false);
  }

  /** Says whether gradients shall be collected for its parameters. Returns the module. */
  requiresGrad_(requiresGrad = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(requiresGrad);
    return this;
  }

  /** Forgets the gradients of its parameters, and gives back what the last backward pass left behind. */
  zeroGrad(): void {
    zeroGrad(this.parameters());
  }

  /**
   * Moves its parameters and buffers to a device, or casts those that have fractions to a dtype. They stay the same
   * objects, so that optimizers keep their hold on them. Returns the module.
   *
   * @throws DTypeError where the dtype has no fractions.
   * @throws DeviceError where the device is not present or was not started; from a GPU, {@link cpu} is the way back.
   */
  to(target: DType | Device): this {
    if (target === "int32" || target === "bool") {
      throw new DTypeError(
        `to: got ${target} for a module; expected float32 or float64, since parameters are learnt by gradients. Cast single tensors instead.`,
      );
    }
    const isDType = floats.includes(target);
    if (!isDType && !devices.includes(target)) {
      throw new ArgumentError(
        `to: got ${JSON.stringify(target)} for a module; expected one of ${[...floats, ...devices].join(", ")}. Name a dtype or a device.`,
      );
    }
    const state = [...this.parameters(), ...this.buffers()].filter((held) => !isDType || floats.includes(held.dtype));
    // All are converted before the first is changed: when one fails, nothing has happened.
    const moved = noGrad(() =>
      state.map((held) => ({ held, data: to(held, target), grad: held.grad && to(held.grad, target) })),
    );
    replace(moved, "by module.to()");
    return this;
  }

  /**
   * Moves its parameters and buffers to the CPU: the asynchronous twin of `.to("cpu")`, which a GPU cannot do. They stay
   * the same objects. Resolves to the module.
   *
   * @throws DeviceError (as a rejection) where the device was lost; nothing has changed then.
   */
  async cpu(): Promise<this> {
    const state = [...this.parameters(), ...this.buffers()];
    const moved = await Promise.all(
      state.map(async (held) => ({ held, data: await cpu(held), grad: held.grad && (await cpu(held.grad)) })),
    );
    replace(moved, "by module.cpu()");
    return this;
  }

  // --- state --------------------------------------------------------------------------------------------------------

  /**
   * Its parameters and persistent buffers by path, sharing memory: what is saved of a model. A tensor that lies in
   * several fields comes under each of its names, as in PyTorch.
   *
   * Names are PyTorch's, so that files go back and forth: where the fields of two models have the same names there and
   * here, so have their state dicts. (A batch norm's `runningMean` goes by `running_mean`.)
   *
   * Since memory is shared, training goes on to change it: clone what shall stay as it is.
   *
   * @see https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.state_dict
   */
  stateDict(): StateDict {
    return Object.fromEntries([...this.state()].map(([path, held]) => [path, held.detach()]));
  }

  /**
   * Copies the tensors of a state dict into the parameters and buffers of the same paths, cast to their dtypes. Tensors on
   * the CPU fit a model on any device. When it fails, nothing has changed.
   *
   * @returns the keys that were missing and those that were too many, both empty when `strict`
   * @throws ArgumentError where keys are missing or too many, unless `strict` is false; where an entry is no tensor.
   * @throws ShapeError where a shape differs.
   * @see https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.load_state_dict
   */
  loadStateDict(state: StateDict, options: LoadStateDictOptions = {}): LoadResult {
    return loadState(kindOf(this), new Map(this.state()), state, options);
  }

  private *state(): Generator<Held<Parameter | Buffer>> {
    // A module in several fields comes under each of its paths; only one that holds itself would never end.
    for (const [path, module] of walk(this, (visit) => !isInItself(visit))) {
      module.checkComplete(path);
      const fields = [...module.fields()];
      for (const [name, value] of fields) if (value instanceof Parameter) yield [join(path, name), value];
      for (const [name, value] of fields) {
        if (value instanceof Buffer && value.persistent) yield [join(path, name), value];
      }
    }
  }

  // --- hooks --------------------------------------------------------------------------------------------------------

  /**
   * Has `hook(module, inputs)` called before each call of `forward`. What it returns, if anything, goes in instead: one input,
   * or an array of them.
   *
   * @see https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_pre_hook
   */
  registerForwardPreHook(hook: ForwardPreHook): RemovableHandle {
    return addHook("registerForwardPreHook", this, "before", hook);
  }

  /**
   * Has `hook(module, inputs, output)` called after each call of `forward`. What it returns, if anything, comes out instead.
   *
   * @see https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_hook
   */
  registerForwardHook(hook: ForwardHook): RemovableHandle {
    return addHook("registerForwardHook", this, "after", hook);
  }

  /**
   * Has `hook(module, gradInput, gradOutput)` called when a backward pass has worked out the gradients of the tensors that went
   * into a call of `forward`; where none of them wants a gradient, when those of its output are there. Where the only input
   * wants one, what the hook returns, if anything, replaces it.
   *
   * The gradients are given back when the hook returns; `.clone().keep()` keeps one. In-place layers cannot be hooked.
   *
   * @see https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_full_backward_hook
   */
  registerFullBackwardHook(hook: BackwardHook): RemovableHandle {
    return addHook("registerFullBackwardHook", this, "backward", hook);
  }

  // --- printing -----------------------------------------------------------------------------------------------------

  toString(): string {
    return describe(this);
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return describe(this);
  }
}

/** Gives tensors other elements and gradients, which may be their own. */
function replace(
  moved: readonly { held: Parameter | Buffer; data: Tensor; grad: Tensor | null }[],
  when: string,
): void {
  for (const { held, data, grad } of moved) {
    if (data === held) continue;
    held.become(data);
    data.dispose();
    held.clearGrad(when);
    held.grad = grad;
  }
}

/** A module on the way from the one that is walked through. */
interface Visit {
  readonly path: string;
  readonly module: Module;
  /** The module in whose fields it lies. */
  readonly around: Visit | null;
}

/** A module and the modules in it with their paths, outer ones first, as far as `enter` lets them in. */
function* walk(root: Module, enter: (visit: Visit) => boolean): Generator<Held<Module>> {
  const stack: Visit[] = [{ path: "", module: root, around: null }];
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    const { path, module } = visit;
    if (!enter(visit)) continue;
    yield [path, module];
    for (const [name, child] of module.ownModules().reverse()) {
      stack.push({ path: join(path, name), module: child, around: visit });
    }
  }
}

/** Whether a module lies somewhere in itself. */
function isInItself({ module, around }: Visit): boolean {
  for (let outer = around; outer !== null; outer = outer.around) if (outer.module === module) return true;
  return false;
}

function isParameter(value: object): value is Parameter {
  return value instanceof Parameter;
}

function isBuffer(value: object): value is Buffer {
  return value instanceof Buffer;
}
