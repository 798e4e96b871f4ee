/** `npm run bench`: it measures, both sides have the same lines, and it does without PyTorch. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { lines } from "../../bench/lines.js";
import { measureInTurns, type Timed } from "../../bench/measure.js";
import { ops } from "../../bench/ops.js";
import { heading, row } from "../../bench/table.js";

const root = new URL("../../", import.meta.url);

function bench(...args: string[]) {
  const all = ["--import", "tsx", "bench/run.ts", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { cwd: fileURLToPath(root), encoding: "utf8" });
  return { status, stdout, stderr };
}

test("measures this library alone where PyTorch is not", () => {
  const { status, stdout } = bench("--only", "taped", "--repeats", "1", "--threads", "1", "--python", "no-such-python");
  expect(stdout).toContain("PyTorch is not here (spawn no-such-python ENOENT): tapegrad alone.");
  expect(stdout).toMatch(/^add, 16 elements, taped +[\d.]+ µs \([\d.]+–[\d.]+\)$/m);
  expect(status).toBe(0);
});

test("refuses lines that are not there", () => {
  const { status, stderr } = bench("--only", "nothing");
  expect(stderr).toBe("error: no line has nothing in its name (--help lists them)\n");
  expect(status).toBe(1);
});

test.each([
  ["bench/pytorch.py", lines],
  ["bench/pytorch_ops.py", ops],
])("PyTorch's side has every line, under its name: %s", (path, ours) => {
  const script = readFileSync(new URL(path, root), "utf8");
  const theirs = [...script.matchAll(/^ {4}"(.+?)": /gm)].map(([, name]) => name);
  expect(theirs).toEqual(ours.map(({ name }) => name));
});

test("measures in turns, and takes medians", async () => {
  const order: string[] = [];
  // A clock that goes as the test says: warmed up at once, one go a round.
  const side = (name: string, rounds: readonly number[]): Timed => {
    const times = [10_000, ...rounds];
    return async () => {
      order.push(name);
      return times.shift() ?? Number.NaN;
    };
  };
  const results = await measureInTurns([side("a", [4, 1, 7, 2]), side("b", [30, 10, 20, 50])], 4);
  expect(order).toEqual(["a", "b", "a", "b", "a", "b", "a", "b", "a", "b"]);
  expect(results).toEqual([
    { median: 3, least: 1, most: 7 },
    { median: 25, least: 10, most: 50 },
  ]);
});

test("the table is at most 80 columns wide", () => {
  const times = { median: 1, least: 0.99964, most: 1234.5 };
  const rows = [...lines, ...ops].map((line) => row(line, [times, { median: 2, least: 0.123456, most: 12345 }]));
  expect(rows.find((text) => text.startsWith("cnn"))).toBe(
    "cnn, batch 64              1.00 ms (1.00–1235)    2.00 ms (0.123–12345)     2.00",
  );
  expect(lines.slice(0, 1).map((line) => row(line, [times, { median: 2, least: 0.5, most: 3 }], true))).toEqual([
    "scratch, batch 1000        1.00 ms (1.00–1235)    2.00 ms (0.500–3.00)     0.500",
  ]);
  expect(Math.max(heading(true).length, ...rows.map((text) => text.length))).toBeLessThanOrEqual(80);
});
