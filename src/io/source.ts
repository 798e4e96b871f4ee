/**
 * Where bytes are loaded from: files, addresses and memory, all read at positions of their own, so that nothing has to be
 * in memory as a whole.
 *
 * @module
 */
import { ArgumentError, DataFormatError, TapegradError } from "../errors.js";
import { importNode, isNode } from "../platform/node.js";
import { reasonOf } from "../platform/reasonOf.js";
import { FileError } from "./fileError.js";

/** A file's path (in Node), an address, or the bytes themselves. */
export type LoadSource = string | URL | Blob | ArrayBuffer | Uint8Array;

/** Bytes that can be read at any position. */
export interface Source {
  /** Its path or address for messages. */
  readonly name: string;
  readonly size: number;
  /**
   * Fills `into` with the bytes from `position` on. The caller keeps within the size.
   *
   * @throws DataFormatError where they are not there after all.
   */
  read(position: number, into: Uint8Array): Promise<void>;
}

/** Opens a source, hands it to `use`, and closes it. Asks for nothing before the first `await`. */
export async function withSource<T>(where: string, from: LoadSource, use: (source: Source) => Promise<T>): Promise<T> {
  if (from instanceof Blob) return use(blobSource("the blob", from));
  if (from instanceof ArrayBuffer) return use(memorySource(new Uint8Array(from)));
  if (from instanceof Uint8Array) return use(memorySource(from));
  const isText = typeof from === "string";
  if (!isText && !(from instanceof URL)) {
    throw new ArgumentError(
      `${where}: got ${describe(from)}; expected a path, a URL, a Blob, an ArrayBuffer or a Uint8Array. Pass one of them.`,
    );
  }
  const isAddress = !isText || !isNode() || /^(https?|file|data|blob):/i.test(from);
  if (!isAddress) return withFile(where, from, use);
  const address = String(from);
  if (/^file:/i.test(address) && isNode()) {
    const { fileURLToPath } = await importNode("node:url");
    return withFile(where, fileURLToPath(address), use);
  }
  return use(blobSource(shortened(address), await fetched(where, address)));
}

async function withFile<T>(where: string, path: string, use: (source: Source) => Promise<T>): Promise<T> {
  const fs = await importNode("node:fs/promises");
  try {
    const handle = await fs.open(path, "r");
    try {
      const { size } = await handle.stat();
      return await use({
        name: path,
        size,
        async read(position, into) {
          for (let done = 0; done < into.length; ) {
            const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
            if (bytesRead === 0) throw tooShort(path, position + into.length, position + done);
            done += bytesRead;
          }
        },
      });
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw isSystemError(error) ? unreadable(where, path, error) : error;
  }
}

async function fetched(where: string, address: string): Promise<Blob> {
  const name = shortened(address);
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return await response.blob();
  } catch (error) {
    throw unreadable(where, name, error);
  }
}

function blobSource(name: string, blob: Blob): Source {
  return {
    name,
    size: blob.size,
    async read(position, into) {
      const bytes = new Uint8Array(await blob.slice(position, position + into.length).arrayBuffer());
      if (bytes.length < into.length) throw tooShort(name, position + into.length, position + bytes.length);
      into.set(bytes);
    },
  };
}

function memorySource(bytes: Uint8Array): Source {
  return {
    name: "the bytes",
    size: bytes.length,
    async read(position, into) {
      into.set(bytes.subarray(position, position + into.length));
    },
  };
}

/** Whether an error came from the file system, and not from what was found in the file. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && !(error instanceof TapegradError) && "syscall" in error;
}

function unreadable(where: string, name: string, cause: unknown): FileError {
  return new FileError(
    `${where}: got ${reasonOf(cause)}; expected to read ${name}. Check that it is there and may be read.`,
    { cause },
  );
}

function tooShort(name: string, expected: number, got: number): DataFormatError {
  return new DataFormatError(
    `load: got only ${got} bytes of ${name}; expected at least ${expected}. It was cut short while it was read: load it again.`,
  );
}

/** An address for messages: data: URLs hold the whole file. */
function shortened(address: string): string {
  return address.length <= 200 ? address : `${address.slice(0, 100)}…`;
}

function describe(value: unknown): string {
  return value === null || typeof value !== "object" ? String(value) : (value.constructor?.name ?? "an object");
}
