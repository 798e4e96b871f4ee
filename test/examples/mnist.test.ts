/** `npm run mnist` as its user runs it: in a process of its own. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { data, tensor } from "tapegrad";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Outcome {
  readonly code: number;
  readonly out: string[];
  readonly err: string[];
}

function mnist(...args: string[]): Promise<Outcome> {
  const linesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "");
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--import", "tsx", "examples/trainMnist.ts", ...args],
      { cwd: root },
      (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, out: linesOf(out), err: linesOf(err) });
      },
    );
  });
}

const progress = (epoch: string, percent: string): RegExp =>
  new RegExp(
    String.raw`^epoch ${epoch} ${percent.padStart(4)} \| loss \d\.\d{4} \| \d+ images/s \| (\d+:\d\d left|took \d+:\d\d)$`,
  );

describe("training", () => {
  test("prints progress, then the test's loss and accuracy, one epoch after the other", async () => {
    const { code, out, err } = await mnist(
      "--limit",
      "500",
      "--epochs",
      "2",
      "--model",
      "scratch",
      "--batch-size",
      "50",
    );
    expect(err).toEqual([]);
    expect(code).toBe(0);
    const [network, images, ...lines] = out;
    expect(network).toBe("scratch with 3832 parameters on cpu");
    expect(images).toBe("500 images to train on, 500 to test on");
    const epochs = [lines.slice(0, 11), lines.slice(11)];
    epochs.forEach((epoch, index) => {
      expect(epoch).toHaveLength(11);
      for (let tenth = 1; tenth <= 10; tenth++) {
        expect(epoch[tenth - 1]).toMatch(progress(`${index + 1}/2`, `${tenth * 10}%`));
      }
      expect(epoch[9]).toContain("took");
      expect(epoch[10]).toMatch(/^test loss \d\.\d{4}, accuracy \d+\.\d\d % \(\d+ of 500\)$/);
    });
  });

  test("gives the same numbers for the same seed, and others for another", async () => {
    const args = ["--limit", "200", "--model", "scratch"];
    const results = await Promise.all([[], [], ["--seed", "1"]].map((more) => mnist(...args, ...more)));
    const [once, again, other] = results.map(({ out }) => out.at(-1));
    expect(once).toMatch(/^test loss/);
    expect(again).toBe(once);
    expect(other).not.toBe(once);
  });

  test("takes learning rate, penalty and model as told", async () => {
    const { out } = await mnist("--limit", "100", "--model", "lenet5", "--l1", "100", "--lr", "0.01");
    expect(out[0]).toBe("lenet5 with 61706 parameters on cpu");
    expect(out.at(-1)).toBe("61706 of 61706 parameters are exactly 0");
  });
});

test("logs each step's loss, and each epoch's test, with --log", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tapegrad-log-"));
  try {
    const { out } = await mnist("--limit", "150", "--epochs", "2", "--model", "scratch", "--log", folder);
    const rows = readFileSync(join(folder, "scalars.csv"), "utf8").trimEnd().split("\n").slice(1);
    const found = rows.map((row) => row.split(",")).map(([step, , tag, value]) => [Number(step), tag, Number(value)]);
    const places = found.map(([step, tag]) => `${step} ${tag}`);
    const train = (from: number): string[] => [from, from + 1, from + 2].map((step) => `${step} loss/train`);
    const ends = (step: number): string[] => [`${step} loss/test`, `${step} accuracy/test`];
    expect(places).toEqual([...train(1), ...ends(3), ...train(4), ...ends(6)]);
    const [, , loss, accuracy] = found.slice(-4).map(([, , value]) => value as number);
    expect(out.at(-1)).toMatch(`test loss ${loss?.toFixed(4)}, accuracy ${(100 * (accuracy ?? 0)).toFixed(2)} % (`);
    const lines = readFileSync(join(folder, "events.jsonl"), "utf8");
    expect(lines).toContain('"tag":"head.4.weight","kind":"histogram"');
    expect(readdirSync(folder).filter((name) => name.startsWith("events.out.tfevents."))).toHaveLength(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("a folder of the user's", () => {
  const folder = mkdtempSync(join(tmpdir(), "tapegrad-mnist-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeAll(async () => {
    for (const [split, count] of [
      ["train", 30],
      ["t10k", 20],
    ] as const) {
      const images = tensor(
        new Int32Array(count * 784).map((_, i) => i % 256),
        { shape: [count, 28, 28] },
      );
      const labels = tensor(new Int32Array(count).map((_, i) => i % 10));
      writeFileSync(join(folder, `${split}-images-idx3-ubyte`), await data.encodeIdx(images, { type: "ubyte" }));
      writeFileSync(join(folder, `${split}-labels-idx1-ubyte`), await data.encodeIdx(labels, { type: "ubyte" }));
    }
  });

  test("is read", async () => {
    const { code, out } = await mnist("--data", folder, "--model", "scratch");
    expect(code).toBe(0);
    expect(out[1]).toBe("30 images to train on, 20 to test on");
    expect(out.at(-1)).toMatch(/of 20\)$/);
  });

  test("without MNIST in it is refused", async () => {
    const { code, out, err } = await mnist("--data", join(folder, "missing"));
    expect(code).toBe(1);
    expect(out).toEqual([]);
    expect(err).toHaveLength(1);
    // Both sets are looked for at once, and either may be found missing first.
    expect(err[0]).toMatch(
      /^error: MNIST: got no (train|t10k)-images-idx3-ubyte and \1-labels-idx1-ubyte in .*missing; expected both files/,
    );
  });
});

describe("options", () => {
  test.each([
    ["--epochs", "0", "option '--epochs <n>' argument '0' is invalid. Expected a whole number of 1 or more."],
    ["--limit", "", "option '--limit <n>' argument '' is invalid. Expected a whole number of 1 or more."],
    ["--lr", "fast", "option '--lr <x>' argument 'fast' is invalid. Expected a number above 0."],
    ["--l1", "-1", "option '--l1 <x>' argument '-1' is invalid. Expected a number of 0 or more."],
    ["--model", "vgg", "option '--model <name>' argument 'vgg' is invalid. Allowed choices are cnn, lenet5, scratch."],
    ["--momentum", "1", "unknown option '--momentum'"],
  ])("%s %j is one line and exit code 1", async (option, value, message) => {
    expect(await mnist(option, value)).toEqual({ code: 1, out: [], err: [`error: ${message}`] });
  });

  test("--help lists them all", async () => {
    const { code, out } = await mnist("--help");
    expect(code).toBe(0);
    const text = out.join("\n");
    for (const option of ["epochs", "batch-size", "lr", "l1", "seed", "model", "device", "data", "limit"]) {
      expect(text).toContain(`--${option} <`);
    }
  });
});
