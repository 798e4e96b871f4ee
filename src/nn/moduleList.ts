import { ArgumentError } from "../errors.js";
import { type Held, isPlain } from "./fields.js";
import { Module } from "./module.js";

/**
 * Modules in a list that is part of a module: their paths are numbers. An array in a field does as well; this is for code
 * that comes from PyTorch, and for lists that grow.
 *
 * @throws ArgumentError where something in it is no module.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ModuleList.html
 */
export class ModuleList<M extends Module = Module> extends Module implements Iterable<M> {
  readonly #modules: M[] = [];

  constructor(modules: Iterable<M> = []) {
    super();
    this.extend(modules);
  }

  /** Number of modules. */
  get length(): number {
    return this.#modules.length;
  }

  /**
   * The module at a place that may count from the end.
   *
   * @throws ArgumentError where there is none.
   */
  at(index: number): M {
    const module = Number.isInteger(index) ? this.#modules.at(index) : undefined;
    if (module === undefined) {
      throw new ArgumentError(
        `ModuleList: got index ${String(index)}; expected a whole number from ${-this.length} to ${this.length - 1} for ${this.length} modules. ` +
          `Choose one in that range.`,
      );
    }
    return module;
  }

  /** Adds a module at the end. Returns the list. */
  append(module: M): this {
    return this.insert(this.length, module);
  }

  /** Adds modules at the end. Returns the list. */
  extend(modules: Iterable<M>): this {
    for (const module of modules) this.append(module);
    return this;
  }

  /** Adds a module before the one at `index`. Returns the list. @throws ArgumentError where the place is out of range. */
  insert(index: number, module: M): this {
    checkModule("ModuleList", module, String(index));
    if (!Number.isInteger(index) || index < 0 || index > this.length) {
      throw new ArgumentError(
        `ModuleList: got index ${String(index)} to insert at; expected a whole number from 0 to ${this.length}. Choose one in that range.`,
      );
    }
    this.#modules.splice(index, 0, module);
    return this;
  }

  /** Takes a module out, by default the last one, and returns it. @throws ArgumentError where there is none. */
  pop(index = -1): M {
    const module = this.at(index);
    this.#modules.splice(index < 0 ? this.length + index : index, 1);
    return module;
  }

  *[Symbol.iterator](): Iterator<M> {
    yield* this.#modules;
  }

  /** A list computes nothing. @throws ArgumentError always. */
  forward(..._inputs: never[]): never {
    throw noForward("ModuleList", "for (const layer of list) x = layer.forward(x)");
  }

  protected override *fields(): Generator<Held<object>> {
    for (const [index, module] of this.#modules.entries()) yield [String(index), module];
    yield* super.fields();
  }
}

/**
 * Modules by name in a dictionary that is part of a module: their paths are their names, in the order in which they came. A
 * plain object in a field does as well; this is for code that comes from PyTorch.
 *
 * @throws ArgumentError where something in it is no module, or a name has a dot in it or is empty.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ModuleDict.html
 */
export class ModuleDict<M extends Module = Module> extends Module implements Iterable<string> {
  readonly #modules = new Map<string, M>();

  constructor(modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]> = {}) {
    super();
    this.update(modules);
  }

  /** Number of modules. */
  get size(): number {
    return this.#modules.size;
  }

  /** The module of a name. @throws ArgumentError where there is none. */
  get(name: string): M {
    const module = this.#modules.get(name);
    if (module === undefined) {
      throw new ArgumentError(
        `ModuleDict: got the name ${JSON.stringify(name)}; expected one of ${[...this.#modules.keys()].join(", ") || "none, as it is empty"}. Set it first.`,
      );
    }
    return module;
  }

  /** Whether there is a module of a name. */
  has(name: string): boolean {
    return this.#modules.has(name);
  }

  /** Puts a module under a name. Returns the dictionary. */
  set(name: string, module: M): this {
    checkModule("ModuleDict", module, name);
    if (typeof name !== "string" || name === "" || name.includes(".")) {
      throw new ArgumentError(
        `ModuleDict: got the name ${JSON.stringify(name)}; expected a text without dots. Rename the module.`,
      );
    }
    this.#modules.set(name, module);
    return this;
  }

  /** Puts modules under their names. Returns the dictionary. */
  update(modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]>): this {
    const entries = isPlain(modules)
      ? Object.entries(modules as Readonly<Record<string, M>>)
      : (modules as Iterable<readonly [string, M]>);
    for (const [name, module] of entries) this.set(name, module);
    return this;
  }

  /** Takes a module out and returns it. @throws ArgumentError where there is none of that name. */
  pop(name: string): M {
    const module = this.get(name);
    this.#modules.delete(name);
    return module;
  }

  keys(): IterableIterator<string> {
    return this.#modules.keys();
  }

  values(): IterableIterator<M> {
    return this.#modules.values();
  }

  entries(): IterableIterator<[string, M]> {
    return this.#modules.entries();
  }

  *[Symbol.iterator](): Iterator<string> {
    yield* this.#modules.keys();
  }

  /** A dictionary computes nothing. @throws ArgumentError always. */
  forward(..._inputs: never[]): never {
    throw noForward("ModuleDict", "dict.get(name).forward(x)");
  }

  protected override *fields(): Generator<Held<object>> {
    yield* this.#modules;
    yield* super.fields();
  }
}

function checkModule(where: string, module: unknown, place: string): void {
  if (module instanceof Module) return;
  throw new ArgumentError(
    `${where}: got ${Array.isArray(module) ? "an array" : String(module)} at ${place}; expected a module. Wrap functions in a Module of your own.`,
  );
}

function noForward(where: string, cure: string): ArgumentError {
  return new ArgumentError(
    `${where}.forward: got a call; expected its modules to be called one by one, as it computes nothing itself. Write ${cure}.`,
  );
}
