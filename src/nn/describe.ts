import type { Module } from "./module.js";

/** A module as PyTorch prints it: its kind and settings, then what it is made of, indented. */
export function describe(module: Module, around: readonly Module[] = []): string {
  const kind = kindOf(module);
  // A child that points back to what it is part of would be printed for ever.
  if (around.includes(module)) return `${kind}(…)`;
  const settings = module.extraRepr();
  const parts = module
    .ownModules()
    .map(([name, child]) => `(${name}): ${describe(child, [...around, module])}`.replaceAll("\n", "\n  "));
  if (parts.length === 0) return `${kind}(${settings})`;
  return `${kind}(\n${[...(settings === "" ? [] : [settings]), ...parts].map((line) => `  ${line}\n`).join("")})`;
}

/** The name of a module's class. */
export function kindOf(module: Module): string {
  return module.constructor.name || "Module";
}
