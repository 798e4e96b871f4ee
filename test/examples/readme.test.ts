/** The README tells the truth: its script runs as printed, and what it lists is there. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as tapegrad from "tapegrad";
import { afterEach, describe, expect, test } from "vitest";

const root = new URL("../../", import.meta.url);
const readme = readFileSync(new URL("README.md", root), "utf8");
const { scripts } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as { scripts: object };

describe("the script", () => {
  const [, script = ""] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const file = new URL(`readme-${process.pid}.ts`, root);
  let child: ChildProcess | null = null;
  afterEach(() => {
    child?.kill();
    rmSync(file, { force: true });
  });

  /** Runs a script as a user's file beside the README, until it ends or has printed so many lines. */
  async function linesOf(text: string, most: number): Promise<{ lines: string[]; code: number | null }> {
    writeFileSync(file, text);
    const running = spawn(process.execPath, ["--import", "tsx", fileURLToPath(file)], {
      cwd: fileURLToPath(root),
      stdio: ["ignore", "pipe", "inherit"],
    });
    child = running;
    const closed = once(running, "close");
    const lines: string[] = [];
    for await (const line of createInterface(running.stdout)) {
      lines.push(line);
      if (lines.length === most) running.kill();
    }
    const [code] = (await closed) as [number | null];
    return { lines, code };
  }

  const mean = (values: readonly string[]): number =>
    values.reduce((sum, value) => sum + Number(value), 0) / values.length;

  test("learns, as printed", async () => {
    const { lines } = await linesOf(script, 60);
    expect(lines.length).toBeGreaterThanOrEqual(60);
    expect(mean(lines.slice(0, 5))).toBeGreaterThan(2);
    expect(mean(lines.slice(55, 60))).toBeLessThan(1);
  });

  test("ends by itself, on fewer digits", async () => {
    const short = script.replace("{ train: true }", "{ train: true, limit: 200 }");
    expect(short).not.toBe(script);
    const { lines, code } = await linesOf(short, Infinity);
    expect(code).toBe(0);
    expect(lines).toHaveLength(4);
  });
});

test("every npm command is there", () => {
  const commands = [...readme.matchAll(/npm run (\w+)/g)].map(([, name]) => name);
  expect(commands).toEqual(expect.arrayContaining(["mnist", "bench"]));
  for (const name of commands) expect(scripts).toHaveProperty(String(name));
});

test("every name in the table is there", () => {
  const { nn, optim, data, autograd, Tensor } = tapegrad;
  const { lrScheduler, swaUtils } = optim;
  const namespaces = [tapegrad, nn, nn.init, nn.utils, optim, lrScheduler, swaUtils, data, data.transforms, autograd];
  const places: object[] = [...namespaces, Tensor.prototype, nn.Module.prototype];
  const rows = readme.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| Area"));
  const names = rows.flatMap((row) =>
    [...(row.split("|")[2] ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => String(name)),
  );
  expect(names.length).toBeGreaterThan(150);
  expect(names.filter((name) => !places.some((place) => name in place))).toEqual([]);
});
