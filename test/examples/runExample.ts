/** An example as its user runs it, with less to do: in a process of its own. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What an example left. */
export interface Outcome {
  /** All that it printed. */
  readonly text: string;
  /** Names of its pictures. */
  readonly files: readonly string[];
  /** The lines below a line that has `title` in it, up to an empty one. */
  below(title: string): string[];
  /** The bytes of a picture. */
  read(file: string): Buffer;
}

/** Runs an example with `--quick`; fails where it fails. */
export async function runExample(name: string, ...options: string[]): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "tapegrad-example-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const args = ["--import", "tsx", "examples/support/runExample.ts", name, "--quick", "--out", folder, ...options];
  const text = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, { cwd: root, maxBuffer: 2 ** 26 }, (error, out, err) =>
      error === null && err === "" ? resolve(out) : reject(new Error(`${name}: ${err}${error ?? ""}\n${out}`)),
    );
  });
  const files = readdirSync(folder).sort();
  const read = (file: string): Buffer => readFileSync(join(folder, file));
  for (const file of files) {
    const start = read(file).subarray(0, 600).toString("latin1");
    if (file.endsWith(".svg")) expect(start).toContain("<svg");
    else if (file.endsWith(".png")) expect(start).toMatch(/^\x89PNG/);
  }
  return {
    text,
    files,
    below(title) {
      const lines = text.split("\n");
      const from = lines.findIndex((line) => line.includes(title));
      expect(from, `a line with ${title}`).toBeGreaterThanOrEqual(0);
      const end = lines.indexOf("", from);
      return lines.slice(from + 1, end < 0 ? undefined : end);
    },
    read,
  };
}

/** Rows of numbers as they are printed, as numbers. */
export function numbersIn(lines: readonly string[]): number[][] {
  return lines
    .filter((line) => line.startsWith("["))
    .map((line) => (line.match(/-?[\d.]+(e[-+]?\d+)?/g) ?? []).map(Number));
}
