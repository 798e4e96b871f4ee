/** What a thread and its worker say to each other. Each message is marked, so that others on the same line are left alone. */
import * as errors from "../../errors.js";
import type { Packed } from "./values.js";

/** Samples that a worker is asked for. */
export interface Job {
  readonly id: number;
  /** One sample, or several as a batch. */
  readonly kind: "sample" | "batch";
  readonly indices: readonly number[];
  /** Where random numbers for the first sample come from; those after it have the next seeds. */
  readonly seed: number;
}

export type ToWorker =
  | { readonly tapegrad: "load"; readonly parameters: unknown }
  | { readonly tapegrad: "job"; readonly job: Job };

export type FromWorker =
  | { readonly tapegrad: "serving" }
  | { readonly tapegrad: "loaded"; readonly length: number }
  | { readonly tapegrad: "failed"; readonly error: PackedError }
  | { readonly tapegrad: "answer"; readonly id: number; readonly value: Packed }
  | { readonly tapegrad: "refusal"; readonly id: number; readonly error: PackedError };

/** An error as plain data: what a thread is sent of an error's class is Error alone. */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: PackedError | null;
}

/** Whether a message is one of these. */
export function isOurs(message: unknown): message is ToWorker | FromWorker {
  return typeof message === "object" && message !== null && "tapegrad" in message;
}

/** Takes an error apart, with its causes. */
export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: undefined, cause: null };
  const { name, message, stack, cause } = error;
  return { name, message, stack, cause: cause instanceof Error ? packError(cause) : null };
}

const kinds = new Map<string, new (message: string, options?: ErrorOptions) => Error>([
  ...Object.entries(errors),
  ...[RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((kind) => [kind.name, kind] as const),
]);

/** An error of the same name, message and stack; of the same class, where it is one of the language's or the library's. */
export function unpackError({ name, message, stack, cause }: PackedError): Error {
  const Kind = kinds.get(name) ?? Error;
  const error = new Kind(message, cause === null ? {} : { cause: unpackError(cause) });
  if (error.name !== name) error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
