/**
 * Downloads a file once, whole and verified, into a folder of Node's file system.
 *
 * @module
 */

import { TapegradError } from "../errors.js";
import { importNode } from "../platform/node.js";
import { claimPart, releasePart } from "../platform/partFile.js";
import { reasonOf } from "../platform/reasonOf.js";

/** No mirror gave an intact copy of a file, or the folder could not be written. */
export class DownloadError extends TapegradError {
  override readonly name = "DownloadError";
}

/** A file on the network: where it is, and what makes it intact. */
export interface RemoteFile {
  /** Addresses of the same file, tried in order. */
  readonly urls: readonly string[];
  /** Length in bytes. */
  readonly size: number;
  /** SHA-256 of the content in lower-case hexadecimal. */
  readonly sha256: string;
}

export interface DownloadOptions {
  /** Gives a mirror up when it sends nothing for so many milliseconds. Default: 30,000. */
  readonly idleTimeout?: number;
}

/** How often one mirror is asked to go on after its connection broke. */
const MAX_RESUMES = 20;

/**
 * Downloads a file to `path`, unless an intact copy is there already.
 *
 * The content goes into a part file beside `path` first. A broken or killed download is resumed from there, on any mirror
 * that serves ranges. Only content of the right length and SHA-256 is moved to `path`, in one step, so whoever opens
 * `path` sees a whole file or none. Several processes may download the same file at the same time.
 *
 * @throws DownloadError when no mirror gives an intact copy; it names every mirror and its failure.
 */
export async function download(file: RemoteFile, path: string, options: DownloadOptions = {}): Promise<void> {
  if (await isIntact(path, file)) return;
  const failures: string[] = [];
  try {
    const fs = await importNode("node:fs/promises");
    const { dirname } = await importNode("node:path");
    await fs.mkdir(dirname(path), { recursive: true });
    const part = await claimPart(path);
    try {
      for (const url of file.urls) {
        const failure = await fetchFrom(url, part, file, options.idleTimeout ?? 30_000);
        if (failure === undefined) return await moveIntoPlace(part, path, file);
        failures.push(`${url}: ${failure}`);
      }
    } finally {
      await releasePart(part, path);
    }
  } catch (error) {
    throw new DownloadError(
      `download: got ${reasonOf(error)}; expected to write ${path}. Choose a folder that can be written.`,
      { cause: error },
    );
  }
  throw new DownloadError(
    `download: got no intact copy from ${failures.length} mirrors (${failures.join("; ")}); expected ${file.size} bytes ` +
      `with sha256 ${file.sha256}. Check the network and try again, or put the file at ${path} yourself.`,
  );
}

/** Completes the part file from one mirror; gives the reason when it cannot. */
async function fetchFrom(
  url: string,
  part: string,
  file: RemoteFile,
  idleTimeout: number,
): Promise<string | undefined> {
  const fs = await importNode("node:fs/promises");
  let resumed = false;
  let restarted = false;
  for (let attempt = 0; ; attempt++) {
    const start = await sizeOf(part);
    resumed ||= start > 0;
    if (start < file.size) {
      try {
        await append(url, part, start, file.size, idleTimeout);
      } catch (error) {
        if ((await sizeOf(part)) > start && attempt < MAX_RESUMES) continue;
        return reasonOf(error);
      }
    }
    const sha256 = await sha256Of(part);
    if (sha256 === file.sha256) return undefined;
    await fs.rm(part, { force: true });
    // The bytes that were there before may be the bad ones.
    if (!resumed || restarted) return `sha256 is ${sha256}`;
    restarted = true;
  }
}

/** Asks a mirror for the bytes from `start` on and adds them to the part file as they come. */
async function append(url: string, part: string, start: number, size: number, idleTimeout: number): Promise<void> {
  const fs = await importNode("node:fs/promises");
  const controller = new AbortController();
  const giveUp = () => controller.abort(new Error(`nothing came for ${idleTimeout} ms`));
  let timer = setTimeout(giveUp, idleTimeout);
  try {
    // Without `identity`, fetch may unpack the very gzip file whose bytes are wanted.
    const headers = { "accept-encoding": "identity", ...(start > 0 && { range: `bytes=${start}-` }) };
    const response = await fetch(url, { headers, signal: controller.signal });
    const from = checkResponse(response, start, size);
    const handle = await fs.open(part, "a");
    try {
      await handle.truncate(from);
      let received = from;
      for await (const chunk of response.body ?? []) {
        clearTimeout(timer);
        timer = setTimeout(giveUp, idleTimeout);
        received += chunk.length;
        if (received > size) {
          await handle.truncate(0);
          throw new Error(`sends more than ${size} bytes`);
        }
        await handle.appendFile(chunk);
      }
      await handle.sync();
      if (received < size) throw new Error(`the connection ended after ${received} of ${size} bytes`);
    } finally {
      await handle.close();
    }
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

/** Gives the position at which the answer's bytes begin: `start`, or 0 when the server ignored the range. */
function checkResponse(response: Response, start: number, size: number): number {
  if (response.status !== 200 && response.status !== 206) throw new Error(`HTTP ${response.status}`);
  const from = response.status === 206 ? start : 0;
  const range = response.headers.get("content-range");
  if (response.status === 206 && range !== `bytes ${start}-${size - 1}/${size}`) {
    throw new Error(`answers with range ${range} instead of bytes ${start}-${size - 1}/${size}`);
  }
  const length = response.headers.get("content-length");
  if (length !== null && Number(length) !== size - from) {
    throw new Error(`sends ${length} bytes instead of ${size - from}`);
  }
  return from;
}

async function moveIntoPlace(part: string, path: string, file: RemoteFile): Promise<void> {
  const fs = await importNode("node:fs/promises");
  try {
    await fs.rename(part, path);
  } catch (error) {
    // Windows refuses to replace a file that another process, which was faster, has open.
    if (!(await isIntact(path, file))) throw error;
    await fs.rm(part, { force: true });
  }
}

async function isIntact(path: string, file: RemoteFile): Promise<boolean> {
  return (await sizeOf(path)) === file.size && (await sha256Of(path)) === file.sha256;
}

async function sizeOf(path: string): Promise<number> {
  const fs = await importNode("node:fs/promises");
  const stat = await fs.stat(path).catch(() => undefined);
  return stat?.size ?? 0;
}

async function sha256Of(path: string): Promise<string> {
  const fs = await importNode("node:fs");
  const { createHash } = await importNode("node:crypto");
  const hash = createHash("sha256");
  for await (const chunk of fs.createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
