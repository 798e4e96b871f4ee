import { TapegradError } from "../errors.js";
import { tracedIn } from "../tensor/trace.js";
import type { Module } from "./module.js";
import { pathOf } from "./paths.js";

/** The same error with `where` in front of its text. Errors that are not this library's stay as they are. */
export function errorAt(where: string, error: unknown): unknown {
  if (!(error instanceof TapegradError)) return error;
  const Kind = error.constructor as new (message: string, options: ErrorOptions) => TapegradError;
  return new Kind(`${where}: ${error.message}`, { cause: error });
}

/** Errors that name their layer already: it may be part of a larger layer. */
const placed = new WeakSet<object>();

/**
 * Runs a layer's own computation, so that an error in it names the layer and its settings, and where it lies in its model:
 * `Net.fc1: Linear(inFeatures=576, …): …`.
 */
export function inLayer<T>(layer: Module, fn: () => T): T {
  try {
    return tracedIn(() => pathOf(layer) || String(layer), fn);
  } catch (error) {
    if (!(error instanceof TapegradError) || placed.has(error)) throw error;
    const path = pathOf(layer);
    const told = errorAt(`${path === "" ? "" : `${path}: `}${String(layer)}`, error);
    if (told instanceof TapegradError) placed.add(told);
    throw told;
  }
}
