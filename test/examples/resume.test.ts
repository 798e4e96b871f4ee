/** `npm run mnist -- --checkpoint FILE --resume`: what Ctrl+C interrupts goes on with the same numbers. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tapegrad-mnist-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the example; presses Ctrl+C after the line that begins with `stopAt`. */
async function mnist(args: readonly string[], stopAt = ""): Promise<{ code: number | null; lines: string[] }> {
  const child = spawn(process.execPath, ["--import", "tsx", "examples/trainMnist.ts", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const ended = once(child, "close");
  const read = async (stream: NodeJS.ReadableStream): Promise<void> => {
    for await (const line of createInterface(stream)) {
      lines.push(line);
      if (stopAt !== "" && line.startsWith(stopAt)) child.kill("SIGINT");
    }
  };
  await Promise.all([read(child.stdout), read(child.stderr)]);
  const [code] = (await ended) as [number | null];
  return { code, lines };
}

const tests = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith("test loss"));

test("goes on with the same numbers, and refuses other options and files that are there", async () => {
  const args = ["--limit", "3000", "--epochs", "2", "--model", "scratch", "--batch-size", "20"];
  const file = join(folder, "run.checkpoint");
  const whole = await mnist(args);
  expect(tests(whole.lines)).toHaveLength(2);

  const first = await mnist([...args, "--checkpoint", file], "epoch 1/2  30%");
  expect(first.code).toBe(130);
  expect(first.lines.at(-1)).toBe(`saved to ${file}; go on with --resume`);
  expect(tests(first.lines)).toEqual([]);
  const second = await mnist([...args, "--checkpoint", file, "--resume"], "epoch 2/2  50%");
  expect(second.code).toBe(130);
  expect(second.lines[2]).toBe(`goes on from ${file}`);
  const third = await mnist([...args, "--checkpoint", file, "--resume"]);
  expect(third.code).toBe(0);
  expect([...tests(second.lines), ...tests(third.lines)]).toEqual(tests(whole.lines));

  expect(await mnist([...args, "--checkpoint", file])).toMatchObject({
    code: 1,
    lines: expect.arrayContaining([
      `error: --checkpoint: got ${file}, which is there; expected a new file. Pass --resume to go on from it, or remove it.`,
    ]),
  });
  expect((await mnist([...args, "--checkpoint", file, "--resume", "--lr", "1"])).lines.at(-1)).toBe(
    `error: --resume: got lr 1 for a run with lr 0.005 in ${file}; expected the same. Pass the options that it was begun with.`,
  );
  expect((await mnist([...args, "--resume"])).lines.at(-1)).toBe(
    "error: --resume: got no file; expected one to go on from. Pass --checkpoint <file>.",
  );
  expect(existsSync(file)).toBe(true);
});
