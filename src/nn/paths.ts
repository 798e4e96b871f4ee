/** Where modules lie in the models that hold them, found out when an error has to tell it. */
import { kindOf } from "./describe.js";
import { join } from "./fields.js";
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
  const holders = new Map<Module, { readonly holder: Module; readonly name: string }>();
  for (const each of alive) {
    const holder = each.deref();
    for (const [name, child] of holder?.ownModules() ?? []) if (holder) holders.set(child, { holder, name });
  }
  let [path, outer] = ["", module];
  const seen = new Set<Module>();
  for (let held = holders.get(outer); held !== undefined && !seen.has(outer); held = holders.get(outer)) {
    seen.add(outer);
    path = join(held.name, path);
    outer = held.holder;
  }
  return outer === module ? "" : join(kindOf(outer), path);
}
