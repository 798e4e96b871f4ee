/**
 * Files that are begun and not finished, beside the place that they are meant for, and who may go on writing them.
 *
 * Each writer has a file of its own, named after its host and process, so two processes never write the same one.
 * What a dead process left behind is taken over by renaming it, which only one taker can do.
 *
 * @module
 */

import { importNode } from "./node.js";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Gives the path of this download's own part file, holding what an earlier download of `path` left, if anything. */
export async function claimPart(path: string): Promise<string> {
  const fs = await importNode("node:fs/promises");
  const { dirname, join } = await importNode("node:path");
  const { randomBytes } = await importNode("node:crypto");
  const own = `${path}.${await hostName()}.${process.pid}.${randomBytes(4).toString("hex")}.part`;
  const folder = dirname(path);

  let claimed = false;
  for (const name of await abandonedParts(path)) {
    try {
      if (claimed) await fs.unlink(join(folder, name));
      else await fs.rename(join(folder, name), own);
      claimed = true;
    } catch {
      // Another process was faster, or holds it open.
    }
  }
  return own;
}

/** Leaves an unfinished part file to whoever downloads `path` next; does nothing when it is gone. */
export async function releasePart(part: string, path: string): Promise<void> {
  const fs = await importNode("node:fs/promises");
  await fs.rename(part, `${path}.part`).catch(() => undefined);
}

/** The part files of `path` that nobody writes any more, largest first. */
async function abandonedParts(path: string): Promise<string[]> {
  const fs = await importNode("node:fs/promises");
  const { basename, dirname, join } = await importNode("node:path");
  const prefix = `${basename(path)}.`;
  const found: { name: string; size: number }[] = [];
  for (const name of await fs.readdir(dirname(path))) {
    if (!name.startsWith(prefix) || !name.endsWith("part")) continue;
    const stat = await fs.stat(join(dirname(path), name)).catch(() => undefined);
    if (stat === undefined) continue;
    const [host, pid] = name.slice(prefix.length).split(".");
    const released = name === `${prefix}part`;
    if (released || Date.now() - stat.mtimeMs > DAY_MS || (host === (await hostName()) && isOver(Number(pid), stat))) {
      found.push({ name, size: stat.size });
    }
  }
  return found.sort((a, b) => b.size - a.size).map(({ name }) => name);
}

/** Tells whether the process of this host that wrote a part file has ended. */
function isOver(pid: number, stat: { mtimeMs: number }): boolean {
  // In a container every run may have the same process number: then the file is older than this process.
  if (pid === process.pid) return stat.mtimeMs < Date.now() - process.uptime() * 1000;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

async function hostName(): Promise<string> {
  const { hostname } = await importNode("node:os");
  return hostname().replace(/[^A-Za-z0-9-]/g, "_");
}
