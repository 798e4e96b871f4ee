/**
 * The table of contents of a zip archive, of the kind that torch.save writes: nothing packed, nothing encrypted.
 *
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 * @module
 */
import { DataFormatError } from "../../errors.js";
import { crc32 } from "../checksums.js";
import type { Source } from "../source.js";

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const END_64_LOCATOR = 0x07064b50;

const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const END_64_BYTES = 56;
const LOCATOR_BYTES = 20;

/** The comment behind the end, at most. */
const MAX_COMMENT = 0xffff;

/** More than a million entries: what asks for more is no model. */
const MAX_CONTENTS = 2 ** 27;

/** Where a field of 32 bits says that the number is in an extra field of 64. */
const ELSEWHERE = 0xffffffff;
const EXTRA_64 = 1;

/** One file in an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  /** Bytes that it takes up in the archive, and how they were packed: 0 is not at all. */
  readonly packed: number;
  readonly method: number;
  /** The sum of its bytes, or 0 where the writer was told to make none. */
  readonly crc: number;
  /** Where its own header begins. */
  readonly header: number;
  /** Where the next thing in the archive begins. */
  readonly limit: number;
}

/** @throws DataFormatError */
export function bad(file: string, got: string, expected: string): DataFormatError {
  return new DataFormatError(
    `load: got ${got} in ${file}; expected ${expected}. The file is damaged or cut off: make or copy it again.`,
  );
}

/**
 * The files of an archive by name.
 *
 * @throws DataFormatError where it is no zip archive, or one in which files are encrypted, overlap or share a name.
 */
export async function readContents(source: Source): Promise<Map<string, ZipEntry>> {
  const { count, start, size } = await findContents(source);
  const file = source.name;
  const bytes = await readAt(source, start, size);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + CENTRAL_BYTES > size || bytes.getUint32(at, true) !== CENTRAL_HEADER) {
      throw bad(file, `a table of contents without entry ${index}`, `${count} entries`);
    }
    const lengths = [28, 30, 32].map((field) => bytes.getUint16(at + field, true));
    const [nameLength = 0, extraLength = 0, commentLength = 0] = lengths;
    const next = at + CENTRAL_BYTES + nameLength + extraLength + commentLength;
    if (next > size) throw bad(file, `entry ${index} beyond the table of contents`, `at most ${size} bytes`);
    entries.push(readEntry(bytes, at, nameLength, extraLength, file));
    at = next;
  }
  if (at !== size) throw bad(file, `${size - at} bytes behind the last entry`, "none");
  return checkedContents(entries, start, file);
}

/**
 * The place of a file's bytes, checked against its own header.
 *
 * @throws DataFormatError where the header differs from the table of contents, or the file is packed.
 */
export async function locate(source: Source, entry: ZipEntry): Promise<number> {
  const { name, header, limit, size, packed, method } = entry;
  if (method !== 0) {
    throw new DataFormatError(
      `load: got ${name} packed by method ${method} in ${source.name}; expected it as it is, which is how torch.save writes. Save it with torch.save again.`,
    );
  }
  if (size !== packed) throw bad(source.name, `${name} with sizes ${size} and ${packed}`, "one size");
  const nameBytes = new TextEncoder().encode(name);
  const bytes = await readAt(source, header, LOCAL_BYTES + nameBytes.length);
  const own = new Uint8Array(bytes.buffer, LOCAL_BYTES);
  const agrees =
    bytes.getUint32(0, true) === LOCAL_HEADER &&
    bytes.getUint16(8, true) === 0 &&
    bytes.getUint16(26, true) === nameBytes.length &&
    own.every((byte, index) => byte === nameBytes[index]);
  if (!agrees) throw bad(source.name, `another header than that of ${name}`, "the one that the table of contents has");
  const start = header + LOCAL_BYTES + nameBytes.length + bytes.getUint16(28, true);
  if (start + size > limit) throw bad(source.name, `${name} beyond its place`, `${size} bytes before byte ${limit}`);
  return start;
}

/**
 * All bytes of a small file.
 *
 * @throws DataFormatError where it is larger than `most`, or its sum is another.
 */
export async function readWhole(source: Source, entry: ZipEntry, most: number): Promise<Uint8Array> {
  if (entry.size > most) throw bad(source.name, `${entry.name} of ${entry.size} bytes`, `at most ${most}`);
  const bytes = new Uint8Array(entry.size);
  await source.read(await locate(source, entry), bytes);
  checkSum(entry, crc32(bytes), source.name);
  return bytes;
}

/** @throws DataFormatError where the bytes of `entry` have another sum than it says. */
export function checkSum(entry: ZipEntry, sum: number, file: string): void {
  if (entry.crc === 0 || entry.crc === sum) return;
  const hex = (value: number): string => value.toString(16).padStart(8, "0");
  throw bad(file, `${entry.name} with CRC-32 ${hex(sum)}`, hex(entry.crc));
}

/** Where the table of contents is, as the end of the archive tells. */
async function findContents(source: Source): Promise<{ count: number; start: number; size: number }> {
  const { name: file, size: total } = source;
  const tailStart = Math.max(0, total - END_BYTES - MAX_COMMENT);
  const tail = await readAt(source, tailStart, total - tailStart);
  let at = tail.byteLength - END_BYTES;
  const isEnd = (): boolean =>
    tail.getUint32(at, true) === END && at + END_BYTES + tail.getUint16(at + 20, true) === tail.byteLength;
  while (at >= 0 && !isEnd()) at--;
  if (at < 0) throw bad(file, "no end of an archive", "one in its last bytes");
  const end = tailStart + at;
  const small = {
    disks: [tail.getUint16(at + 4, true), tail.getUint16(at + 6, true)],
    counts: [tail.getUint16(at + 8, true), tail.getUint16(at + 10, true)],
    size: tail.getUint32(at + 12, true),
    start: tail.getUint32(at + 16, true),
  };
  const large = await findLarge(source, end);
  const { disks, counts, size, start, limit } = large ?? { ...small, limit: end };
  const [count = 0] = counts;
  if (disks.some((disk) => disk !== 0) || counts.some((other) => other !== count)) {
    throw bad(file, "one part of an archive in several", "a whole archive");
  }
  if (start + size !== limit) throw bad(file, `a table of contents that ends at byte ${start + size}`, `byte ${limit}`);
  if (size > MAX_CONTENTS) throw bad(file, `a table of contents of ${size} bytes`, `at most ${MAX_CONTENTS}`);
  return { count, start, size };
}

/** What the end says in 64 bits, where it does. */
async function findLarge(source: Source, end: number) {
  const locatorAt = end - LOCATOR_BYTES;
  if (locatorAt < END_64_BYTES) return null;
  const locator = await readAt(source, locatorAt, LOCATOR_BYTES);
  if (locator.getUint32(0, true) !== END_64_LOCATOR) return null;
  const limit = Number(locator.getBigUint64(8, true));
  if (limit > locatorAt - END_64_BYTES) throw bad(source.name, `the end of the archive at byte ${limit}`, "it before");
  const bytes = await readAt(source, limit, END_64_BYTES);
  if (bytes.getUint32(0, true) !== END_64) throw bad(source.name, `no end of the archive at byte ${limit}`, "it there");
  return {
    disks: [bytes.getUint32(16, true), bytes.getUint32(20, true)],
    counts: [Number(bytes.getBigUint64(24, true)), Number(bytes.getBigUint64(32, true))],
    size: Number(bytes.getBigUint64(40, true)),
    start: Number(bytes.getBigUint64(48, true)),
    limit,
  };
}

function readEntry(bytes: DataView, at: number, nameLength: number, extraLength: number, file: string): ZipEntry {
  const nameAt = at + CENTRAL_BYTES;
  const nameBytes = new Uint8Array(bytes.buffer, nameAt, nameLength);
  let name: string;
  try {
    name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(nameBytes);
  } catch {
    throw bad(file, "a name that is not UTF-8", "UTF-8");
  }
  if ((bytes.getUint16(at + 8, true) & 1) !== 0) throw bad(file, `${name} encrypted`, "it readable");
  const fields = [24, 20, 42].map((field) => bytes.getUint32(at + field, true));
  const wide = wideFields(new DataView(bytes.buffer, nameAt + nameLength, extraLength));
  const [size = 0, packed = 0, header = 0] = fields.map((value) => {
    if (value !== ELSEWHERE) return value;
    const next = wide.shift();
    if (next === undefined) throw bad(file, `${name} without its size or place`, "them in 64 bits");
    return next;
  });
  const method = bytes.getUint16(at + 10, true);
  return { name, size, packed, method, crc: bytes.getUint32(at + 16, true), header, limit: 0 };
}

/** The numbers in the extra field of 64 bits, in their order. */
function wideFields(extra: DataView): number[] {
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const length = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === EXTRA_64 && at + 4 + length <= extra.byteLength) {
      return Array.from({ length: Math.floor(length / 8) }, (_, i) => Number(extra.getBigUint64(at + 4 + 8 * i, true)));
    }
    at += 4 + length;
  }
  return [];
}

/** Entries that do not overlap and have names of their own, each with the place where the next begins. */
function checkedContents(entries: readonly ZipEntry[], start: number, file: string): Map<string, ZipEntry> {
  const contents = new Map<string, ZipEntry>();
  let limit = start;
  for (const entry of [...entries].sort((a, b) => b.header - a.header)) {
    const { name, header, packed } = entry;
    if (contents.has(name)) throw bad(file, `two files ${name}`, "one");
    if (header + LOCAL_BYTES + name.length + packed > limit) {
      throw bad(file, `${name} of ${packed} bytes at byte ${header}`, `nothing of it from byte ${limit} on`);
    }
    contents.set(name, { ...entry, limit });
    limit = header;
  }
  return contents;
}

async function readAt(source: Source, position: number, length: number): Promise<DataView> {
  if (position < 0 || position + length > source.size) {
    throw bad(source.name, `${source.size} bytes`, `${position + length} at least`);
  }
  const bytes = new Uint8Array(length);
  await source.read(position, bytes);
  return new DataView(bytes.buffer);
}
