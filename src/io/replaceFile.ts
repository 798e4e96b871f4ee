/** Writing files so that there is the old one or the new one at any time, and never half of one. */
import { ArgumentError, TapegradError } from "../errors.js";
import { importNode, isNode } from "../platform/node.js";
import { claimPart } from "../platform/partFile.js";
import { reasonOf } from "../platform/reasonOf.js";
import { FileError } from "./fileError.js";

/**
 * Puts the bytes into a file beside `path`, waits until the disk has them, and gives that file the name. What killed
 * processes left of earlier attempts is cleared away.
 *
 * @param inBrowsers What to do where there are no files.
 * @throws FileError where the file cannot be written; what was there before is untouched then.
 */
export async function replaceFile(
  where: string,
  path: string | URL,
  chunks: AsyncIterable<Uint8Array>,
  inBrowsers = "Use saveToBlob(…) or checkpointToBlob(…) in a browser.",
): Promise<void> {
  if (!isNode()) {
    throw new FileError(`${where}: got ${String(path)} where there are no files; expected Node. ${inBrowsers}`);
  }
  if (!(typeof path === "string" ? path !== "" : path instanceof URL && path.protocol === "file:")) {
    throw new ArgumentError(
      `${where}: got ${JSON.stringify(path) ?? String(path)} as the path; expected a path or a file: URL. Pass it before what is to be saved.`,
    );
  }
  const [fs, { dirname }, { fileURLToPath }] = await Promise.all([
    importNode("node:fs/promises"),
    importNode("node:path"),
    importNode("node:url"),
  ]);
  const given = typeof path === "string" ? path : fileURLToPath(path);
  try {
    // Renaming over a link would replace the link and leave the file that it leads to.
    const target = await fs.realpath(given).catch(() => given);
    const part = await claimPart(target);
    try {
      const handle = await fs.open(part, "w");
      try {
        for await (const chunk of chunks) await handle.appendFile(chunk);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await fs.rename(part, target);
    } catch (error) {
      await fs.rm(part, { force: true });
      throw error;
    }
    await syncFolder(dirname(target));
  } catch (error) {
    if (error instanceof TapegradError) throw error;
    throw new FileError(
      `${where}: got ${reasonOf(error)}; expected to write ${given}. Choose a folder that is there and can be written.`,
      { cause: error },
    );
  }
}

/** Makes the new name outlast a power cut, where the system can. */
async function syncFolder(path: string): Promise<void> {
  const fs = await importNode("node:fs/promises");
  try {
    const handle = await fs.open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows does not open folders. The file itself is safe.
  }
}
