/**
 * Files of torch.save: a zip archive with a pickle of the structure, and the elements of each storage in a file of its own.
 *
 * @module
 */
import { ArgumentError, DataFormatError } from "../../errors.js";
import type { Device } from "../../tensor/device.js";
import { viewOf } from "../../tensor/ops/layout.js";
import { checkShape } from "../../tensor/shape.js";
import type { Tensor } from "../../tensor/tensor.js";
import { crc32 } from "../checksums.js";
import { readTensor } from "../elements.js";
import { type ElementKind, elementTypes } from "../elementTypes.js";
import type { Source } from "../source.js";
import { type Pickled, unpickle } from "./pickle.js";
import { type TorchStorage, TorchTensor, torchWorld } from "./world.js";
import { bad, checkSum, locate, readContents, readWhole, type ZipEntry } from "./zip.js";

/** Structure that is larger describes millions of tensors. */
const MAX_PICKLE_BYTES = 2 ** 26;

/** A zip archive's first bytes. */
export function looksLikeZip(start: Uint8Array): boolean {
  return start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4;
}

/** The first bytes of a pickle: what torch.save wrote before it wrote archives. */
export function looksLikePickle(start: Uint8Array): boolean {
  return start[0] === 0x80 && start[1] !== undefined && start[1] >= 2 && start[1] <= 5;
}

/**
 * The tensors of a state dict that torch.save wrote, or of one that lies at `path` in what it wrote.
 *
 * @throws DataFormatError where it is damaged, or holds anything that is not plain.
 * @throws ArgumentError where there is no state dict at the path.
 */
export async function readTorch(
  source: Source,
  device: Device,
  path: readonly string[],
): Promise<Record<string, Tensor>> {
  const contents = await readContents(source);
  const root = rootOf(contents, source.name);
  const text = async (name: string): Promise<string | null> => {
    const entry = contents.get(`${root}/${name}`);
    return entry === undefined ? null : new TextDecoder().decode(await readWhole(source, entry, 64));
  };
  const byteOrder = (await text("byteorder")) ?? "little";
  if (byteOrder !== "little") {
    throw new DataFormatError(
      `load: got byte order ${JSON.stringify(byteOrder)} in ${source.name}; expected "little". Save it on another machine.`,
    );
  }
  const structure = contents.get(`${root}/data.pkl`);
  if (structure === undefined) throw bad(source.name, "no data.pkl", "one");
  const bytes = await readWhole(source, structure, MAX_PICKLE_BYTES);
  const described = tensorsAt(unpickle(bytes, torchWorld(source.name), source.name), path, source.name);
  return readTensors(source, device, described, (key) => contents.get(`${root}/data/${key}`));
}

/** The folder that everything lies in. */
function rootOf(contents: ReadonlyMap<string, ZipEntry>, file: string): string {
  const roots = [...contents.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [first] = roots;
  if (first === undefined || roots.length > 1) {
    throw new DataFormatError(
      `load: got a zip archive with ${roots.length} files data.pkl in ${file}; expected one. Save model.state_dict() with torch.save.`,
    );
  }
  return first.slice(0, first.indexOf("/"));
}

/** The dictionary of tensors at a path, by name. */
function tensorsAt(value: Pickled, path: readonly string[], file: string): [string, TorchTensor][] {
  let found: Pickled | undefined = value;
  for (const [depth, key] of path.entries()) {
    const inside: Pickled | undefined = found instanceof Map ? found.get(key) : undefined;
    if (inside === undefined) {
      throw new ArgumentError(
        `load: got the key ${JSON.stringify(path.slice(0, depth + 1).join("."))}; expected one of ${keysOf(found)} in ${file}. Choose one of them.`,
      );
    }
    found = inside;
  }
  const entries = found instanceof Map ? [...found] : [];
  const wrong = entries.find(([key, item]) => typeof key !== "string" || !(item instanceof TorchTensor));
  if (!(found instanceof Map) || wrong !== undefined) {
    const dictionaries = entries.filter(([, item]) => item instanceof Map).map(([key]) => String(key));
    const cure =
      dictionaries.length > 0
        ? `Choose a dictionary in it: load(…, { key: ${JSON.stringify(dictionaries[0])} }) or ${keysOf(found)}.`
        : "Save model.state_dict() alone.";
    throw new DataFormatError(
      `load: got ${wrong === undefined ? kindOf(found) : `${kindOf(wrong[1])} as ${JSON.stringify(String(wrong[0]))}`} in ${file}; ` +
        `expected tensors by name. ${cure}`,
    );
  }
  return entries as [string, TorchTensor][];
}

/** Tensors that share a storage there share one here. */
async function readTensors(
  source: Source,
  device: Device,
  described: readonly (readonly [string, TorchTensor])[],
  entryOf: (key: string) => ZipEntry | undefined,
): Promise<Record<string, Tensor>> {
  const storages = new Map<string, Tensor>();
  const tensors: [string, Tensor][] = [];
  try {
    for (const [name, { storage, shape, strides, offset, kind }] of described) {
      const entry = checkedEntry(storage, kind, entryOf(storage.key), source.name);
      const id = `${kind} ${storage.key}`;
      const base = storages.get(id) ?? (await readStorage(source, device, kind, entry));
      storages.set(id, base);
      tensors.push([name, viewOf(base, shape, strides, offset, "load")]);
    }
  } catch (error) {
    for (const [, tensor] of tensors) tensor.dispose();
    throw error;
  } finally {
    // The views hold the memory.
    for (const base of storages.values()) base.dispose();
  }
  return Object.fromEntries(tensors);
}

/** The file of a storage, which has just as many bytes as the pickle says. */
function checkedEntry(storage: TorchStorage, kind: ElementKind, entry: ZipEntry | undefined, file: string): ZipEntry {
  const what = `storage ${JSON.stringify(storage.key.slice(0, 200))}`;
  if (entry === undefined) throw bad(file, `no ${what}`, "a file for each storage");
  const bytes = storage.kind === null ? storage.length : storage.length * elementTypes[kind].bytes;
  if (entry.size !== bytes) throw bad(file, `${what} of ${entry.size} bytes`, `${bytes}`);
  return entry;
}

/** All elements of a storage, one after another. */
async function readStorage(source: Source, device: Device, kind: ElementKind, entry: ZipEntry): Promise<Tensor> {
  const type = elementTypes[kind];
  const length = Math.floor(entry.size / type.bytes);
  const where = `${entry.name} of ${source.name}`;
  checkShape(`load: ${where}`, [length]);
  const start = await locate(source, entry);
  let sum = 0;
  const base = await readTensor(source, start, type, [length], device, where, (piece) => {
    sum = crc32(piece, sum);
  });
  try {
    // Bytes that make no whole element are part of the sum too.
    const rest = new Uint8Array(entry.size - length * type.bytes);
    await source.read(start + length * type.bytes, rest);
    checkSum(entry, crc32(rest, sum), source.name);
    return base;
  } catch (error) {
    base.dispose();
    throw error;
  }
}

function keysOf(value: Pickled | undefined): string {
  if (!(value instanceof Map)) return "nothing";
  const keys = [...value.keys()].map((key) => JSON.stringify(String(key)));
  return keys.length <= 10 ? keys.join(", ") : `${keys.slice(0, 10).join(", ")} and ${keys.length - 10} more`;
}

function kindOf(value: Pickled | undefined): string {
  if (value instanceof TorchTensor) return "a tensor";
  if (value instanceof Map) return "a dictionary";
  if (Array.isArray(value)) return "a list";
  if (value === null) return "None";
  return typeof value === "object" || typeof value === "function" ? "a name" : `a ${typeof value}`;
}
