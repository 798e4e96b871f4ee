/**
 * The header of safetensors: eight bytes of length, then JSON that says of each tensor its kind, shape and place.
 *
 * @see https://huggingface.co/docs/safetensors/index#format
 * @module
 */
import { DataFormatError } from "../../errors.js";
import { isPlain } from "../../nn/fields.js";
import { elementTypes } from "../elementTypes.js";

/** What a header is allowed to have, which is what the format's own library allows. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The name under which a header has texts for tensors' users, and no tensor. */
export const METADATA = "__metadata__";

/** More axes no library makes. */
export const MAX_AXES = 64;

/** Kinds of elements by the format's names. */
export const kinds = {
  F64: elementTypes.float64,
  F32: elementTypes.float32,
  F16: elementTypes.float16,
  BF16: elementTypes.bfloat16,
  I64: elementTypes.int64,
  I32: elementTypes.int32,
  I16: elementTypes.int16,
  I8: elementTypes.int8,
  U64: elementTypes.uint64,
  U32: elementTypes.uint32,
  U16: elementTypes.uint16,
  U8: elementTypes.uint8,
  BOOL: elementTypes.bool,
} as const;

/** Bits of kinds that the format has and no tensor here holds. */
const otherKinds: Readonly<Record<string, number>> = {
  C64: 64,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
};

/** One tensor as the header has it. */
export interface Entry {
  readonly name: string;
  /** The format's name of its kind of elements. */
  readonly kind: string;
  readonly shape: readonly number[];
  /** Its bytes, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

/** What a header says. */
export interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads the JSON of a header.
 *
 * @param size bytes that come after the header
 * @throws DataFormatError where it is not a header of just so many bytes, each in one tensor.
 */
export function parseHeader(bytes: Uint8Array, size: number, file: string): Header {
  const text = decoded(bytes, file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw bad(file, `a header that is no JSON (${reason.slice(0, 200)})`, "an object of tensors by name", { cause });
  }
  if (!isPlain(json)) throw bad(file, "a header that is no object", "an object of tensors by name");
  const { [METADATA]: metadata = {}, ...tensors } = json;
  if (!isPlain(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw bad(file, `${METADATA} of other things than texts`, "texts by name");
  }
  const entries = Object.entries(tensors).map(([name, value]) => parseEntry(name, value, file));
  const keys = Object.keys(json).length + Object.keys(metadata).length + 3 * entries.length;
  checkNoRepeats(text, keys, file);
  checkPlaces(entries, size, file);
  return { entries, metadata: metadata as Record<string, string> };
}

/** The eight bytes of length and the JSON, with spaces behind it so that what follows lies on a multiple of eight. */
export function formatHeader({ entries, metadata }: Header): Uint8Array<ArrayBuffer> {
  const json = Object.fromEntries(
    entries.map(({ name, kind, shape, begin, end }) => [name, { dtype: kind, shape, data_offsets: [begin, end] }]),
  );
  const hasMetadata = Object.keys(metadata).length > 0;
  const text = new TextEncoder().encode(JSON.stringify(hasMetadata ? { [METADATA]: metadata, ...json } : json));
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  return bytes;
}

function decoded(bytes: Uint8Array, file: string): string {
  // The format wants the object to begin at once; a mark of byte order would be dropped in silence.
  if (bytes[0] !== 0x7b) throw bad(file, `a header that begins with byte ${bytes[0]}`, "the brace of an object");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw bad(file, "a header that is not UTF-8", "JSON in UTF-8", { cause });
  }
}

function parseEntry(name: string, value: unknown, file: string): Entry {
  const what = `tensor ${JSON.stringify(name.slice(0, 200))}`;
  if (!isPlain(value) || Object.keys(value).length !== 3) {
    throw bad(file, `${what} without just dtype, shape and data_offsets`, "those three");
  }
  const { dtype: kind, shape, data_offsets: offsets } = value;
  const bits = typeof kind === "string" ? bitsOf(kind) : undefined;
  if (typeof kind !== "string" || bits === undefined) {
    throw bad(file, `${what} of dtype ${shown(kind)}`, "one that the format has");
  }
  if (!isCounts(shape) || shape.length > MAX_AXES) {
    throw bad(file, `${what} with shape ${shown(shape)}`, `at most ${MAX_AXES} whole numbers of 0 or more`);
  }
  const [begin, end] = isCounts(offsets) && offsets.length === 2 ? offsets : [];
  if (begin === undefined || end === undefined || begin > end) {
    throw bad(file, `${what} with data_offsets ${shown(offsets)}`, "the places where it begins and ends");
  }
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (count * bits !== (end - begin) * 8) {
    throw bad(
      file,
      `${what} with ${end - begin} bytes`,
      `${(count * bits) / 8} for ${kind} of shape [${shape.join(", ")}]`,
    );
  }
  return { name, kind, shape, begin, end };
}

function bitsOf(kind: string): number | undefined {
  if (Object.hasOwn(kinds, kind)) return kinds[kind as keyof typeof kinds].bytes * 8;
  return Object.hasOwn(otherKinds, kind) ? otherKinds[kind] : undefined;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** JSON lets a name come twice, and readers take the first or the last as they please. */
function checkNoRepeats(text: string, expected: number, file: string): void {
  let keys = 0;
  // The text is JSON: what stands in quotes and before a colon is a key, and nothing else is.
  for (let start = text.indexOf('"'); start >= 0; ) {
    let end = start + 1;
    while (text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
    let after = end + 1;
    while (" \t\n\r".includes(text[after] ?? "end")) after++;
    if (text[after] === ":") keys++;
    start = text.indexOf('"', after);
  }
  if (keys !== expected) throw bad(file, "a name that comes twice", "each once");
}

/** Every byte belongs to one tensor. */
function checkPlaces(entries: readonly Entry[], size: number, file: string): void {
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const what = `tensor ${JSON.stringify(entry.name.slice(0, 200))} at byte ${entry.begin}`;
    if (entry.begin < end)
      throw bad(file, `${what} of the data, within the one before it`, `${end}: no byte in two tensors`);
    if (entry.begin > end) throw bad(file, `${what} of the data, behind a hole`, `${end}: every byte in a tensor`);
    end = entry.end;
  }
  if (end !== size) throw bad(file, `${size} bytes of data`, `the ${end} that the header speaks of`);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 200);
}

/** @internal The error that all of the reader throws. */
export function bad(file: string, got: string, expected: string, options?: ErrorOptions): DataFormatError {
  return new DataFormatError(
    `load: got ${got} in ${file}; expected ${expected}. The file is damaged or cut off: make or copy it again.`,
    options,
  );
}
