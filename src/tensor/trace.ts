/** Where recorded ops ran, noted while somebody wants to know it. */

/** Where an op ran. */
export interface Trace {
  /** The layer that it ran in; empty where it ran in none. */
  layer(): string;
  /** An error made there, for its stack. */
  readonly error: Error;
}

/** Frames that a trace has: some are the library's own. */
const FRAMES = 50;

let tracing = false;
let currentLayer: () => string = () => "";

export function isTracing(): boolean {
  return tracing;
}

export function setTracing(on: boolean): void {
  tracing = on;
}

/** Runs `fn` as part of a layer, whose name is only asked for when it is told. */
export function tracedIn<T>(layer: () => string, fn: () => T): T {
  if (!tracing) return fn();
  const outer = currentLayer;
  currentLayer = layer;
  try {
    return fn();
  } finally {
    currentLayer = outer;
  }
}

/** Where the op `name` runs now; null while nobody wants to know. */
export function traceHere(name: string): Trace | null {
  if (!tracing) return null;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  try {
    return { layer: currentLayer, error: new Error(`the forward pass of ${name} was here`) };
  } finally {
    Error.stackTraceLimit = limit;
  }
}
