/** Files that are large: loading takes little more memory than the tensors themselves do. */
import { execFile } from "node:child_process";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "tapegrad-large-"));
afterAll(() => rmSync(folder, { recursive: true }));

const MEBIBYTE = 2 ** 20;
const script = fileURLToPath(new URL("./loadChild.ts", import.meta.url));

interface Report {
  readonly tensors: number;
  readonly bytes: number;
  readonly grown: number;
}

async function child(...args: string[]): Promise<Report> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", script, ...args]);
  return JSON.parse(stdout) as Report;
}

/** A file of zeros that takes no room on the disk, one tensor of `large` bytes and several small ones. */
function sparse(kind: string, bytesPerElement: number, large: number): string {
  const path = join(folder, `${kind}.safetensors`);
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, bytes] of [
    ["large", large],
    ...Array.from({ length: 8 }, (_, i) => [`part${i}`, 4 * MEBIBYTE]),
  ] as [string, number][]) {
    header[name] = { dtype: kind, shape: [bytes / bytesPerElement], data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = openSync(path, "w");
  writeSync(file, Buffer.concat([length, text]));
  ftruncateSync(file, 8 + text.length + end);
  closeSync(file);
  return path;
}

test.each([
  ["F32", 4, 1],
  ["BF16", 2, 2],
  ["I64", 8, 0.5],
] as const)(
  "a file of %s takes at most 1.2 times the memory of its tensors",
  async (kind, bytesPerElement, widening) => {
    const path = sparse(kind, bytesPerElement, (256 * MEBIBYTE) / widening);
    const { tensors, bytes, grown } = await child("load", path);
    expect(tensors).toBe(9);
    expect(bytes).toBeGreaterThanOrEqual((256 + 32 * widening) * MEBIBYTE);
    expect(grown).toBeGreaterThan(bytes);
    expect(grown).toBeLessThan(1.2 * bytes);
  },
);

test("saving takes no second copy", async () => {
  const path = join(folder, "saved.safetensors");
  const { grown } = await child("save", path, String(256 * MEBIBYTE));
  expect(statSync(path).size).toBeGreaterThan(256 * MEBIBYTE);
  expect(grown).toBeLessThan(1.2 * 256 * MEBIBYTE);
});
