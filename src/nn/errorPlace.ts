import { TapegradError } from "../errors.js";

/** The same error with `where` in front of its text. Errors that are not this library's stay as they are. */
export function errorAt(where: string, error: unknown): unknown {
  if (!(error instanceof TapegradError)) return error;
  const Kind = error.constructor as new (message: string, options: ErrorOptions) => TapegradError;
  return new Kind(`${where}: ${error.message}`, { cause: error });
}

/** Runs a layer's own computation, so that an error in it names the layer and its settings. */
export function inLayer<T>(layer: object, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    throw errorAt(String(layer), error);
  }
}
