/** Datasets in workers of Chromium: skipped where there is no browser, with the reason. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import type { Browser } from "playwright-core";
import { data } from "tapegrad";
import * as vite from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { absent, launch, serveFolder, watch } from "./demoBrowser.js";
import { type Report, seededPass } from "./workers/report.js";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Vite finds the module in `new Worker(new URL(…))`. */
async function byVite(outDir: string): Promise<void> {
  await vite.build({
    root: at("workers"),
    base: "./",
    configFile: false,
    logLevel: "error",
    resolve: { tsconfigPaths: true },
    worker: { format: "es" },
    build: { outDir, emptyOutDir: true, chunkSizeWarningLimit: 2000 },
  });
}

/** esbuild is told of the module. */
async function byEsbuild(outdir: string): Promise<void> {
  await esbuild.build({
    entryPoints: { page: at("workers/plainPage.ts"), dataset: at("../data/workers/dataset.ts") },
    tsconfig: at("../../tsconfig.json"),
    outdir,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
  });
  writeFileSync(
    join(outdir, "index.html"),
    '<!doctype html><title>Workers</title><link rel="icon" href="data:,"><script type="module" src="page.js"></script>',
  );
}

describe.skipIf(absent !== null)(`in Chromium${absent === null ? "" : ` (absent: ${absent})`}`, () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch({ gpu: false });
  });

  afterAll(() => browser.close());

  test.each([
    ["Vite", byVite],
    ["esbuild", byEsbuild],
  ])("workers that %s bundled give Node's samples, and say what went wrong", async (_, bundle) => {
    const folder = mkdtempSync(join(tmpdir(), "tapegrad-workers-"));
    await bundle(folder);
    const { server, url } = await serveFolder(folder, "/");
    const page = await browser.newPage();
    const complaints = watch(page);
    try {
      await page.goto(url);
      const report = (await page.evaluate("globalThis.report()")) as Report;
      const module = new URL("../data/workers/dataset.ts", import.meta.url);
      const here = await seededPass(new data.WorkerDataset(module, { numWorkers: 0 }));
      expect(report.passes).toEqual([here, here]);
      expect(report.failure).toBe(
        "DataLoader: got an error from the dataset's get(5) (no sample 5 on this disk); expected a sample. Its cause is the error itself.",
      );
      expect(report.stack).toMatch(/^RangeError: no sample 5 on this disk\n.*http:\/\/localhost/s);
      expect(report.death).toMatch(
        /^WorkerError: WorkerDataset: got a worker that died \(Uncaught RangeError: no sample 5 on this disk\) when it was asked for sample 5; expected an answer\./,
      );
      expect(report.missing).toMatch(
        /^WorkerError: WorkerDataset: got a worker that did not start \(its module could not be loaded\); expected its module to call data\.serveDataset/,
      );
      expect(report.after).toBe(6);
      const [before, after] = report.bytes;
      expect(after - before).toBeLessThan(200_000);
      expect(complaints).toEqual([]);
    } finally {
      await page.close();
      server.close();
      rmSync(folder, { recursive: true });
    }
  });
});
