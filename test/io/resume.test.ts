/** Training that is killed a hundred times, at random moments, and goes on each time as if it had never stopped. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";

const KILLS = 100;
/** Trainings that are killed at the same time, each its share of the times. */
const LANES = 2;
/** A process begins up to so many steps, each of which saves, and dies up to so many milliseconds after it began the last. */
const STEPS = 4;
const DELAY = 30;
/** More than are reached. */
const ENDLESS = 1_000_000;

const folder = mkdtempSync(join(tmpdir(), "tapegrad-resume-"));
afterAll(() => rmSync(folder, { recursive: true }));
/** One file, so that a hundred processes start in little time. */
const script = join(folder, "training.mjs");
beforeAll(() =>
  build({
    entryPoints: [fileURLToPath(new URL("./trainingChild.ts", import.meta.url))],
    outfile: script,
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "error",
  }),
);

/** Runs the training up to a step, or kills it some time after it began as many as `killAt`; gives how it ended. */
async function train(lane: string, steps: number, killAt: number | null): Promise<unknown> {
  const args = [script, join(folder, lane, "checkpoint"), join(folder, `${lane}.log`), String(steps)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit") as Promise<[number | null, string | null]>;
  // A line for each step that begins.
  let begun = 0;
  const reached = new Promise<void>((resolve) => {
    child.stdout.on("data", (text: Buffer) => {
      begun += text.toString().split("\n").length - 1;
      if (begun >= (killAt ?? Infinity)) resolve();
    });
  });
  if (killAt !== null) {
    await Promise.race([reached, ended]);
    await after(Math.random() * DELAY);
    child.kill("SIGKILL");
  }
  const [code, signal] = await ended;
  return signal ?? code;
}

/** The bits of each step's loss, by step; a step that was logged twice had the same bits. */
function lossesOf(lane: string): Map<number, string> {
  const losses = new Map<number, string>();
  for (const line of readFileSync(join(folder, `${lane}.log`), "utf8")
    .trimEnd()
    .split("\n")) {
    const [step = "", bits = ""] = line.split(" ");
    expect(bits).toMatch(/^[0-9a-f]{8}$/);
    expect(losses.get(Number(step)) ?? bits).toBe(bits);
    losses.set(Number(step), bits);
  }
  return losses;
}

test(`${KILLS} of ${KILLS} kills: losses are those of training that was never stopped`, {
  timeout: 600_000,
}, async () => {
  const lanes = Array.from({ length: LANES }, (_, lane) => `lane${lane}`);
  for (const lane of [...lanes, "whole"]) mkdirSync(join(folder, lane));
  let killed = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      for (let left = KILLS / LANES; left > 0; left--) {
        expect(await train(lane, ENDLESS, 1 + Math.floor(Math.random() * STEPS))).toBe("SIGKILL");
        killed++;
      }
    }),
  );
  expect(killed).toBe(KILLS);

  const reached = Math.max(...lanes.map((lane) => lossesOf(lane).size)) + 1;
  expect(reached).toBeGreaterThan(KILLS / LANES);
  await Promise.all([...lanes, "whole"].map(async (lane) => expect(await train(lane, reached, null)).toBe(0)));
  const whole = [...lossesOf("whole")];
  expect(whole).toHaveLength(reached);
  for (const lane of lanes) {
    expect([...lossesOf(lane)]).toEqual(whole);
    // What killed processes left is cleared away by the next one that saves.
    expect(readdirSync(join(folder, lane))).toEqual(["checkpoint"]);
  }
});
