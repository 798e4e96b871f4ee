import { ArgumentError, DataFormatError } from "../errors.js";
import { checkOptions } from "../nn/arguments.js";
import { isPlain } from "../nn/fields.js";
import { type Device, getDefaultDevice } from "../tensor/device.js";
import { defaultGenerator, Generator, type GeneratorState } from "../tensor/random.js";
import { Tensor } from "../tensor/tensor.js";
import { damaged, decodeTree, encodeTree } from "./checkpointTree.js";
import { checkSafetensors, firstBytes } from "./load.js";
import { replaceFile } from "./replaceFile.js";
import { readHeader, readSafetensors } from "./safetensors/read.js";
import { safetensorsBytes } from "./safetensors/write.js";
import { collected } from "./save.js";
import { type LoadSource, withSource } from "./source.js";

/** Something that a checkpoint holds the state of: a model, an optimizer, a scheduler, a loader. */
export interface Stateful {
  stateDict(): unknown;
  loadStateDict(state: never): unknown;
}

/**
 * What is saved under names of the user's: things with a state, generators, tensors, numbers, texts, and arrays and plain
 * objects of them.
 */
export type CheckpointContents = Readonly<Record<string, unknown>>;

/** The entries of a checkpoint that are no things with a state: what {@link loadCheckpoint} gives back. */
export type CheckpointValues<Contents extends CheckpointContents> = {
  -readonly [Name in keyof Contents as Contents[Name] extends Stateful | Generator ? never : Name]: Contents[Name];
};

/** Settings of {@link loadCheckpoint}. */
export interface LoadCheckpointOptions {
  /** Where tensors shall be loaded to. Default: the default device. */
  readonly device?: Device;
}

/** Names of the texts that make safetensors a checkpoint. */
const VERSION = "tapegrad.checkpoint";
const CONTENTS = "tapegrad.contents";
const CURRENT = "1";

/** How the structure is kept. */
interface Saved {
  readonly contents: Readonly<Record<string, unknown>>;
  readonly defaultGenerator: GeneratorState;
}

/**
 * Saves all that training needs to go on as if it had never stopped: `saveCheckpoint(path, { model, optimizer, loader, epoch })`.
 *
 * Of whatever has `stateDict()` and `loadStateDict()` the state is saved; generators, tensors, numbers, texts, arrays and
 * plain objects are saved as they are; the state of the default generator is saved too. The file is safetensors, with
 * tensors named by their path: `model.conv.weight`. It is written beside the old one and takes its place when it is whole,
 * so that a process that dies at any moment leaves the old one or the new one. Await it before the next step.
 *
 * Between steps gradients are not needed, and are not saved. Node only: see {@link checkpointToBlob} for browsers.
 *
 * @throws FileError where the file cannot be written.
 * @throws ArgumentError where an entry is nothing that can be saved, or was changed before it was written.
 */
export async function saveCheckpoint(path: string | URL, contents: CheckpointContents): Promise<void> {
  await replaceFile("saveCheckpoint", path, encoded("saveCheckpoint", contents));
}

/**
 * A checkpoint as bytes, for where there are no files.
 *
 * @throws ArgumentError as {@link saveCheckpoint}.
 */
export async function checkpointToBlob(contents: CheckpointContents): Promise<Blob> {
  return collected(encoded("checkpointToBlob", contents));
}

/**
 * Puts the state of a checkpoint back into what is passed under the same names, and sets the default generator:
 * `const { epoch } = await loadCheckpoint(path, { model, optimizer, loader, epoch: 0 })`.
 *
 * Entries without a state, such as `epoch` here, are given back; what is passed for them tells only of what type they are.
 * What the checkpoint has under other names is left alone.
 *
 * @throws DataFormatError where the file is no checkpoint, or is damaged; nothing has changed then.
 * @throws FileError where it cannot be read.
 * @throws ArgumentError where it lacks an entry, or has one of another type; nothing has changed then. What `loadStateDict`
 *   throws where a state does not fit: entries before that one have theirs already.
 */
export async function loadCheckpoint<Contents extends CheckpointContents>(
  source: LoadSource,
  contents: Contents,
  options: LoadCheckpointOptions = {},
): Promise<CheckpointValues<Contents>> {
  checkContents("loadCheckpoint", contents);
  checkOptions("loadCheckpoint", options, ["device"]);
  return withSource("loadCheckpoint", source, async (opened) => {
    checkSafetensors(opened, await firstBytes(opened));
    const { metadata } = await readHeader(opened);
    const tensors = await readSafetensors(opened, options.device ?? getDefaultDevice());
    const saved = parse(metadata, tensors, opened.name);
    const wanted = Object.entries(contents).filter(([, into]) => into !== undefined);
    for (const [name, into] of wanted) checkEntry(name, into, saved.contents, opened.name);
    const values = wanted.filter(([name, into]) => !restore(into, saved.contents[name]));
    defaultGenerator.setState(saved.defaultGenerator);
    return Object.fromEntries(values.map(([name]) => [name, saved.contents[name]])) as CheckpointValues<Contents>;
  });
}

function encoded(where: string, contents: CheckpointContents): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  checkContents(where, contents);
  const tensors = new Map<string, Tensor>();
  const entries = Object.entries(contents)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, encodeTree(where, stateOf(value), name, tensors)]);
  const saved = { contents: { object: Object.fromEntries(entries) }, defaultGenerator: defaultGenerator.getState() };
  const metadata = { [VERSION]: CURRENT, [CONTENTS]: JSON.stringify(saved) };
  return safetensorsBytes(where, Object.fromEntries(tensors), metadata);
}

function stateOf(value: unknown): unknown {
  if (value instanceof Generator) return value.getState();
  return isStateful(value) ? value.stateDict() : value;
}

/** Puts a state into what has one; tells whether it has. */
function restore(into: unknown, state: unknown): boolean {
  // Each checks what it is given, and says what is wrong with it.
  if (into instanceof Generator) into.setState(state as GeneratorState);
  else if (isStateful(into)) into.loadStateDict(state as never);
  else return false;
  return true;
}

function isStateful(value: unknown): value is Stateful {
  if (typeof value !== "object" || value === null || value instanceof Tensor) return false;
  const { stateDict, loadStateDict } = value as Partial<Stateful>;
  return typeof stateDict === "function" && typeof loadStateDict === "function";
}

function parse(metadata: Readonly<Record<string, string>>, tensors: Record<string, Tensor>, file: string): Saved {
  const version = metadata[VERSION];
  if (version !== CURRENT) {
    throw new DataFormatError(
      `loadCheckpoint: got ${version === undefined ? "no checkpoint" : `a checkpoint of version ${version}`} in ${file}; expected one of version ${CURRENT}. ` +
        `${version === undefined ? "Read tensors by name with load(…)." : "Load it with the version of tapegrad that saved it."}`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(metadata[CONTENTS] ?? "");
  } catch {
    json = undefined;
  }
  const { contents, defaultGenerator: generator } = isPlain(json) ? json : {};
  const decoded = decodeTree(contents, tensors, file);
  if (!isPlain(decoded)) throw damaged(file);
  try {
    new Generator(0).setState(generator as GeneratorState);
  } catch {
    throw damaged(file);
  }
  return { contents: decoded, defaultGenerator: generator as GeneratorState };
}

function checkContents(where: string, contents: unknown): void {
  if (isPlain(contents)) return;
  throw new ArgumentError(
    `${where}: got ${String(contents)}; expected an object such as { model, optimizer, epoch }. Give each thing a name.`,
  );
}

/** @throws ArgumentError where the checkpoint lacks what is asked for, or has a value of another type. */
function checkEntry(name: string, into: unknown, saved: Readonly<Record<string, unknown>>, file: string): void {
  if (!Object.hasOwn(saved, name)) {
    throw new ArgumentError(
      `loadCheckpoint: got a checkpoint without ${name} in ${file}; expected one of ${Object.keys(saved).join(", ")}. Leave it out, or choose another checkpoint.`,
    );
  }
  if (isStateful(into) || into instanceof Generator) return;
  const [got, expected] = [typeOf(saved[name]), typeOf(into)];
  if (got === expected || got === "null" || expected === "null") return;
  throw new ArgumentError(
    `loadCheckpoint: got ${got} as ${name} in ${file}; expected ${expected}, which is what was passed for it. Pass something of the type that was saved.`,
  );
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (value instanceof Tensor) return "tensor";
  return Array.isArray(value) ? "array" : typeof value;
}
