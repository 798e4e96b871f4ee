/** The MNIST notebook: its page, opened in a browser, and the same in Jupyter. On few images. */
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseCells } from "../../examples/notebook/cells.js";
import { toJupyter } from "../../examples/notebook/jupyter.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const script = readFileSync(join(root, "examples/mnist.ts"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "tapegrad-notebook-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  return new Promise<Outcome>((resolve) => {
    execFile(command, [...args], { cwd: root, maxBuffer: 1 << 26, ...options }, (error, out, err) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, out, err });
    });
  });
}

/** Elsewhere another command opens files than the one that stands in here. */
const onLinux = process.platform === "linux";

const notebookArgs = (...args: string[]): string[] => ["--import", "tsx", "examples/notebook/run.ts", ...args];
const notebook = (...args: string[]): Promise<Outcome> => run(process.execPath, notebookArgs(...args));

/** Lines that the same seed makes the same: without speeds, times and paths. */
const steadyLines = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => /^(\d+ images|epoch|test accuracy|\d+ of|the loaded|ONNX)/.test(line))
    .map((line) => line.replace(/ \| \d+ images\/s.*| %, in .*/, ""));

let page: string;
let ran: Outcome;

beforeAll(async () => {
  // What opens files, for the time of the test.
  writeFileSync(join(folder, "xdg-open"), `#!/bin/sh\necho "$1" > "${folder}/opened"\n`, { mode: 0o755 });
  const args = notebookArgs(
    "--limit",
    "2000",
    "--epochs",
    "2",
    "--out",
    join(folder, "node"),
    ...(onLinux ? ["--open"] : []),
  );
  ran = await run(process.execPath, args, { env: { ...process.env, PATH: `${folder}:${process.env.PATH}` } });
  page = readFileSync(join(folder, "node/notebook.html"), "utf8");
});

describe("npm run notebook", () => {
  test("trains, saves, loads, and prints where the page is", () => {
    expect(ran.err).toBe("");
    expect(ran.code).toBe(0);
    expect(ran.out.trimEnd().split("\n").at(-1)).toBe(join(folder, "node/notebook.html"));
    const accuracies = [...ran.out.matchAll(/^test accuracy (\d+\.\d\d) %/gm)].map(([, accuracy]) => Number(accuracy));
    expect(accuracies).toHaveLength(2);
    expect(accuracies[1]).toBeGreaterThan(90);
    expect(ran.out).toContain("the loaded network gives the same answer for 2000 of 2000 images");
    expect(ran.out).toContain("ONNX Runtime gives the same answer for 2000 of 2000 images");
    expect(existsSync(join(folder, "node/digits.safetensors"))).toBe(true);
    expect(existsSync(join(folder, "node/digits.onnx"))).toBe(true);
  });

  test("writes prose, code, printed lines and pictures, and nothing that has to be fetched", () => {
    for (const title of ["Look at the data", "Build the network", "Train", "Judge", "Look inside", "Save and load"]) {
      expect(page).toContain(`>${title}</h2>`);
    }
    expect(page).toContain("2000 images to train on, 2000 to test on");
    expect(page).toContain("(model)     Net     [1, 10]");
    expect(page.match(/<svg/g)?.length).toBeGreaterThanOrEqual(12);
    expect(page).toContain("prefers-color-scheme: dark");
    expect(page).not.toMatch(/<script|<link|@import|src="http|href="http/);
    expect(page).not.toContain('class="error"');
    for (const address of page.matchAll(/(?:href|src)="([^"]*)"/g)) expect(address[1]).toMatch(/^(#|data:image\/png)/);
  });

  test.each([
    ["--epochs", "0", "option '--epochs <n>' argument '0' is invalid. Expected a whole number of 1 or more."],
    ["--limit", "some", "option '--limit <n>' argument 'some' is invalid. Expected a whole number of 1 or more."],
  ])("%s %s is one line and exit code 1", async (option, value, message) => {
    expect(await notebook(option, value)).toEqual({ code: 1, out: "", err: `error: ${message}\n` });
  });
});

describe.runIf(onLinux)("--open", () => {
  test("opens the page", () => {
    const { href } = pathToFileURL(join(folder, "node/notebook.html"));
    expect(readFileSync(join(folder, "opened"), "utf8")).toBe(`${href}\n`);
  });

  test("says so where it cannot", async () => {
    const args = notebookArgs("--limit", "20", "--epochs", "1", "--out", join(folder, "small"), "--open");
    const { code, err } = await run(process.execPath, args, { env: { ...process.env, PATH: "" } });
    expect(code).toBe(1);
    expect(err).toMatch(/^error: --open: got .*xdg-open.*; expected a browser\. Open .*notebook\.html yourself\.$/m);
  });
});

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const noBrowser = existsSync(executablePath) ? null : `there is no ${executablePath}; CHROMIUM can name another`;

describe.skipIf(noBrowser !== null)(
  `the page in Chromium${noBrowser === null ? "" : ` (absent: ${noBrowser})`}`,
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath, headless: false, args: ["--headless=new", "--no-sandbox"] });
    });
    afterAll(() => browser?.close());

    test.each([
      ["light", 1100],
      ["dark", 1100],
      ["light", 390],
      ["dark", 390],
    ] as const)(
      "%s, %i pixels wide: legible, without a network, nothing beyond the edge",
      async (colorScheme, width) => {
        const context = await browser.newContext({ colorScheme, offline: true, viewport: { width, height: 800 } });
        const tab = await context.newPage();
        const complaints: string[] = [];
        tab.on("console", (message) => complaints.push(message.text()));
        tab.on("pageerror", (error) => complaints.push(String(error)));
        tab.on("request", (request) => {
          if (!/^(file|data):/.test(request.url())) complaints.push(request.url());
        });
        await tab.goto(pathToFileURL(join(folder, "node/notebook.html")).href);
        const seen = await tab.evaluate(() => {
          const brightness = (color: string): number =>
            (color.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part) / 765, 0);
          const grounds = [document.body, ...document.querySelectorAll("pre.shiki, svg.tapegrad-plot")];
          return {
            overflow: document.documentElement.scrollWidth - window.innerWidth,
            grounds: grounds.map((element) => brightness(getComputedStyle(element).backgroundColor)),
            texts: grounds.map((element) => brightness(getComputedStyle(element).color)),
            broken: [...document.querySelectorAll("svg")].filter((svg) => svg.getBoundingClientRect().width < 40)
              .length,
            images: document.querySelectorAll("svg image").length,
          };
        });
        await context.close();
        expect(complaints).toEqual([]);
        expect(seen.overflow).toBeLessThanOrEqual(0);
        expect(seen.broken).toBe(0);
        expect(seen.images).toBeGreaterThan(100);
        for (const [index, ground] of seen.grounds.entries()) {
          if (colorScheme === "light") expect(ground).toBeGreaterThan(0.9);
          else expect(ground).toBeLessThan(0.2);
          expect(Math.abs(ground - (seen.texts[index] ?? ground))).toBeGreaterThan(0.6);
        }
      },
    );
  },
);

test("the Jupyter notebook is made from the script", () => {
  const made = readFileSync(join(root, "examples/mnist.ipynb"), "utf8");
  expect(made === toJupyter(parseCells(script)), "npm run notebook -- --jupyter makes it").toBe(true);
});

// Python's package of Deno tells where it is.
const deno = spawnSync("python3", ["-c", "import deno, nbconvert; print(deno.find_deno_bin())"], { encoding: "utf8" });
const noJupyter = deno.status === 0 ? null : "pip install -r requirements.txt brings nbconvert and deno";

test.runIf(process.env.CI)("there are nbconvert and Deno where the repository is checked", () => {
  expect(noJupyter).toBeNull();
});

describe.skipIf(noJupyter !== null)(`in Jupyter${noJupyter === null ? "" : ` (absent: ${noJupyter})`}`, () => {
  test("Deno's kernel runs every cell, with the numbers that Node has", async () => {
    const kernel = join(folder, "jupyter/kernels/deno");
    mkdirSync(kernel, { recursive: true });
    const argv = [deno.stdout.trim(), "jupyter", "--kernel", "--conn", "{connection_file}"];
    writeFileSync(join(kernel, "kernel.json"), JSON.stringify({ argv, display_name: "Deno", language: "typescript" }));
    const out = join(folder, "deno");
    const { code, err } = await run(
      "python3",
      ["-m", "nbconvert", "--to", "notebook", "--execute", "mnist.ipynb", "--output-dir", out],
      {
        cwd: join(root, "examples"),
        env: { ...process.env, JUPYTER_PATH: join(folder, "jupyter"), EPOCHS: "2", LIMIT: "2000", OUT: out },
      },
    );
    expect(err).not.toMatch(/Uncaught|Traceback/);
    expect(code).toBe(0);

    interface Output {
      readonly output_type: string;
      readonly text?: readonly string[];
      readonly data?: Readonly<Record<string, readonly string[]>>;
    }
    const { cells } = JSON.parse(readFileSync(join(out, "mnist.ipynb"), "utf8")) as {
      cells: { cell_type: string; outputs?: Output[] }[];
    };
    const outputs = cells.flatMap((cell) => cell.outputs ?? []);
    expect(new Set(outputs.map((output) => output.output_type))).toEqual(new Set(["stream", "display_data"]));
    const printed = outputs.flatMap((output) => output.text ?? []).join("");
    const lines = steadyLines(printed);
    const lost = steadyLines(ran.out).filter((line) => !lines.includes(line));
    expect(lines).toEqual(steadyLines(ran.out).filter((line) => !lost.includes(line)));
    expect(lines.length).toBeGreaterThan(20);
    const pictures = outputs.flatMap((output) => output.data?.["text/html"] ?? []).join("");
    const countOf = (text: string): number => text.match(/<svg/g)?.length ?? 0;
    // At times Deno's kernel says that a cell is done before it has passed on the last of what it shows, which is dropped then.
    const lostPictures = countOf(page) - countOf(pictures);
    expect(lostPictures).toBeGreaterThanOrEqual(0);
    expect(lost.length + lostPictures).toBeLessThanOrEqual(2);
  });
});
