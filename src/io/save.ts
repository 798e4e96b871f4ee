import { checkOptions } from "../nn/arguments.js";
import type { StateDict } from "../nn/stateDict.js";
import { replaceFile } from "./replaceFile.js";
import { safetensorsBytes } from "./safetensors/write.js";

/** Settings of {@link save} and {@link saveToBlob}. */
export interface SaveOptions {
  /** Texts to be kept with the tensors. Default: none. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes tensors by name to a safetensors file, which `safetensors.torch.load_file` in Python reads too.
 *
 * The file is written beside the old one and takes its place when it is whole, so that there is always the old one or
 * the new one. Node only: see {@link saveToBlob} for browsers.
 *
 * @throws FileError where the file cannot be written.
 * @throws ArgumentError where something is no tensor, or a tensor was changed before it was written.
 * @see https://huggingface.co/docs/safetensors
 */
export async function save(path: string | URL, state: StateDict, options: SaveOptions = {}): Promise<void> {
  await replaceFile("save", path, encoded("save", state, options));
}

/**
 * Tensors by name as the bytes of a safetensors file: to be downloaded by a browser's user, sent, or stored.
 *
 * @throws ArgumentError as {@link save}.
 */
export async function saveToBlob(state: StateDict, options: SaveOptions = {}): Promise<Blob> {
  return collected(encoded("saveToBlob", state, options));
}

/** All pieces as one blob. */
export async function collected(pieces: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of pieces) parts.push(piece);
  return new Blob(parts, { type: "application/octet-stream" });
}

function encoded(where: string, state: StateDict, options: SaveOptions): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  checkOptions(where, options, ["metadata"]);
  return safetensorsBytes(where, state, options.metadata ?? {});
}
