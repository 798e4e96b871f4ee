/** Where modules lie in the models that hold them, found out when an error has to tell it. */
import { kindOf } from "./describe.js";
import { type Held, join } from "./fields.js";
import type { Module } from "./module.js";

/** All modules that are alive; those that were collected are swept out as the set grows. */
const alive = new Set<WeakRef<Module>>();
let sweepAt = 1024;

/** Lets a new module be found as what holds others. */
export function remember(module: Module): void {
  if (alive.size >= sweepAt) {
    for (const each of alive) if (each.deref() === undefined) alive.delete(each);
    sweepAt = Math.max(1024, 2 * alive.size);
  }
  alive.add(new WeakRef(module));
}

/**
 * Where a module lies: the class of the outermost module that holds it, and the path from there, as `Net.blocks.0.conv`;
 * empty where nothing holds it. Of several modules that hold it, the one that was made last counts.
 */
export function pathOf(module: Module): string {
  return pathFrom(holdersOf(livingModules()), module);
}

/** All modules that are alive, with their paths as {@link pathOf} gives them; the class of those that nothing holds. */
export function livingPaths(): Held<Module>[] {
  const modules = livingModules();
  const holders = holdersOf(modules);
  return modules.map((module) => [pathFrom(holders, module) || kindOf(module), module]);
}

type Holders = ReadonlyMap<Module, { readonly holder: Module; readonly name: string }>;

function livingModules(): Module[] {
  return [...alive].flatMap((each) => each.deref() ?? []);
}

function holdersOf(modules: readonly Module[]): Holders {
  const holders = new Map<Module, { readonly holder: Module; readonly name: string }>();
  for (const holder of modules) {
    for (const [name, child] of holder.ownModules()) holders.set(child, { holder, name });
  }
  return holders;
}

function pathFrom(holders: Holders, module: Module): string {
  let [path, outer] = ["", module];
  const seen = new Set<Module>();
  for (let held = holders.get(outer); held !== undefined && !seen.has(outer); held = holders.get(outer)) {
    seen.add(outer);
    path = join(held.name, path);
    outer = held.holder;
  }
  return outer === module ? "" : join(kindOf(outer), path);
}
