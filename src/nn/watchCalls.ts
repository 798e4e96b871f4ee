import type { Held } from "./fields.js";
import type { Module } from "./module.js";

/** Told of the calls of modules, in their order. */
export interface CallWatcher {
  /** A call begins. */
  enter(path: string, module: Module): void;
  /** The call that began last and has not ended yet ends, with what it gave. */
  leave(path: string, module: Module, result: unknown): void;
  /** The call that began last and has not ended yet failed. */
  fail(path: string, module: Module): void;
}

type Forward = (...inputs: unknown[]) => unknown;

/**
 * Runs `fn` and tells of all calls of the modules' `forward` in it. For that it lays a field `forward` over their method,
 * and takes it away in the end.
 */
export function watchCalls<T>(modules: readonly Held<Module>[], watcher: CallWatcher, fn: () => T): T {
  const restore: (() => void)[] = [];
  try {
    for (const [path, module] of modules) restore.push(observe(path, module, watcher));
    return fn();
  } finally {
    for (const undo of restore) undo();
  }
}

/** Tells of the calls of one module's `forward` until the function that comes back is called. */
export function observe(path: string, module: Module, watcher: CallWatcher): () => void {
  const before = Object.getOwnPropertyDescriptor(module, "forward");
  const forward = module.forward as Forward;
  const observed: Forward = (...inputs) => {
    watcher.enter(path, module);
    try {
      const result = Reflect.apply(forward, module, inputs);
      watcher.leave(path, module, result);
      return result;
    } catch (error) {
      watcher.fail(path, module);
      throw error;
    }
  };
  Object.defineProperty(module, "forward", { value: observed, configurable: true, enumerable: false, writable: true });
  return () => {
    // What was laid over it since, such as hooks, stays.
    if (module.forward !== observed) return;
    if (before === undefined) Reflect.deleteProperty(module, "forward");
    else Object.defineProperty(module, "forward", before);
  };
}
