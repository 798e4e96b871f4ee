/**
 * Node's built-in modules, reached in a way that leaves browser bundles alone.
 *
 * @module
 */

interface NodeBuiltins {
  "node:crypto": typeof import("node:crypto");
  "node:fs": typeof import("node:fs");
  "node:fs/promises": typeof import("node:fs/promises");
  "node:module": typeof import("node:module");
  "node:os": typeof import("node:os");
  "node:path": typeof import("node:path");
  "node:url": typeof import("node:url");
  "node:v8": typeof import("node:v8");
  "node:vm": typeof import("node:vm");
  "node:worker_threads": typeof import("node:worker_threads");
}

/** Tells whether this is Node, or a runtime that offers Node's built-in modules. */
export function isNode(): boolean {
  return typeof process !== "undefined" && process.versions?.node !== undefined;
}

/** Imports a built-in module of Node when it is needed; a bundler for browsers does not follow the name. */
export async function importNode<Name extends keyof NodeBuiltins>(name: Name): Promise<NodeBuiltins[Name]> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ name);
}
