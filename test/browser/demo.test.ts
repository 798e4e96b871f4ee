/** The demo page in Chromium: skipped where there is no browser, with the reason. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { load } from "tapegrad";
import * as vite from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { absent, Demo, demoFolder, launch, serveFolder, watch } from "./demoBrowser.js";

const timeout = 400_000;
const reduced = { images: 2000, batchSize: 16, lr: 0.002 };
const seven = [
  [0.25, 0.2],
  [0.75, 0.2],
  [0.45, 0.85],
] as const;
const configFile = join(demoFolder, "vite.config.ts");
const reason = absent === null ? "" : ` (absent: ${absent})`;

test.runIf(process.env.CI)("there is a browser where the repository is checked", () => {
  expect(absent).toBeNull();
});

describe.skipIf(absent !== null)(`built, on a plain server, without a GPU${reason}`, () => {
  const outDir = mkdtempSync(join(tmpdir(), "tapegrad-demo-"));
  let server: Server;
  let browser: Browser;
  let demo: Demo;
  let complaints: string[];
  let url: string;

  beforeAll(async () => {
    await vite.build({ configFile, logLevel: "error", build: { outDir, emptyOutDir: true } });
    ({ server, url } = await serveFolder(outDir, "/some/where/"));
    browser = await launch({ gpu: false });
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    complaints = watch(page);
    demo = new Demo(page);
    await demo.open(url);
  });

  afterAll(async () => {
    await browser.close();
    server.close();
    rmSync(outDir, { recursive: true });
  });

  test("says what there is, and why there is no GPU", async () => {
    expect(await demo.text("offer")).toBe(
      "CPU: 1 thread, since this page is not cross-origin isolated. This browser has WebGPU but found no graphics card to use. " +
        "Hardware acceleration may be switched off in its settings.",
    );
    expect(await demo.page.getByRole("radio", { name: "GPU" }).isEnabled()).toBe(false);
    expect(await demo.page.getByRole("radio", { name: "CPU" }).isChecked()).toBe(true);
  });

  test("trains on the CPU, and reads a drawing meanwhile", { timeout }, async () => {
    await demo.set(reduced);
    await demo.press("Train");
    await demo.draw(...seven);
    await demo.until("answer", /^Looks like a \d\.$/);
    await demo.until("status", /^Training on the CPU$/);
    await demo.untilAbove("accuracy", 92);
    await demo.untilAbove("speed", 0);
    await demo.until("answer", /^Looks like a 7\.$/);
    for (const plot of ["accuracy-plot", "loss-plot"]) {
      const label = await demo.page.locator(`#${plot}`).getAttribute("aria-label");
      expect(label).toMatch(/^(Accuracy|Loss) after [\d,]+ images: training \d.*, test \d/);
    }
  });

  test("pauses and resumes", { timeout }, async () => {
    await demo.press("Pause");
    await demo.until("status", /^Paused on the CPU$/);
    const seen = await demo.number("seen");
    // Long enough for a step or two, if there were any.
    await demo.page.waitForTimeout(300);
    expect(await demo.number("seen")).toBe(seen);
    await demo.press("Resume");
    await demo.untilAbove("seen", seen + 100);
    await demo.press("Pause");
    await demo.until("status", /^Paused on the CPU$/);
  });

  test("shows what the network makes of a digit", { timeout }, async () => {
    await demo.press("Clear");
    await demo.until("answer", /^With mouse/);
    await demo.draw(...seven);
    await demo.until("answer", /^Looks like a 7\.$/);
    const shares = await demo.page.locator("#probabilities li").allTextContents();
    expect(shares).toHaveLength(10);
    expect(shares[7]).toMatch(/^7(100|[5-9]\d) %$/);
    expect(await demo.inked("#preview")).toBeGreaterThan(40);
    for (const picture of ["canvas:first-child", "canvas:last-child"]) {
      expect(await demo.inked(`#filters li:first-child ${picture}`)).toBeGreaterThan(10);
    }
    await demo.press("Test digit");
    await demo.until("answer", /^Looks like a \d, (and it is|but it is a \d)\.$/);
  });

  test("is there again after a reload", { timeout }, async () => {
    const before = [await demo.text("seen"), await demo.text("accuracy"), await demo.text("loss")];
    const curve = await demo.page.locator("#loss-plot").getAttribute("aria-label");
    await demo.page.reload();
    await demo.isReady();
    expect([await demo.text("seen"), await demo.text("accuracy"), await demo.text("loss")]).toEqual(before);
    expect(await demo.page.locator("#loss-plot").getAttribute("aria-label")).toBe(curve);
    expect(await demo.page.locator("[name=images]").inputValue()).toBe("2000");
    await demo.press("Resume");
    await demo.untilAbove("seen", Number(before[0]?.replaceAll(",", "")));
    await demo.press("Pause");
    expect(await demo.number("accuracy")).toBeGreaterThan(85);
  });

  test("takes digits that keys draw", { timeout }, async () => {
    await demo.page.locator("#pad-frame").focus();
    const { keyboard } = demo.page;
    for (let step = 0; step < 8; step++) await keyboard.press("ArrowUp");
    await keyboard.press("Space");
    for (let step = 0; step < 16; step++) await keyboard.press("ArrowDown");
    await demo.until("answer", /^Looks like a 1\.$/);
    await keyboard.press("Delete");
    await demo.until("answer", /^With mouse/);
  });

  test("hands out weights that load", async () => {
    await demo.page.locator("summary").click();
    const [file] = await Promise.all([demo.page.waitForEvent("download"), demo.press("Save the weights")]);
    expect(file.suggestedFilename()).toBe("digits.safetensors");
    const weights = await load(new Uint8Array(readFileSync(await file.path())));
    const shapes = Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, shape]));
    expect(shapes).toMatchObject({ "conv1.weight": [8, 1, 5, 5], "fc.bias": [10] });
  });

  test.each(["light", "dark"] as const)("has no barriers that axe knows of, when it is %s", async (colorScheme) => {
    const { page } = demo;
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve("axe-core/axe.min.js") });
    const violations = await page.evaluate(
      `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join()))`,
    );
    expect(violations).toEqual([]);
  });

  test("fits a phone, where fingers draw", async () => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    const phone = new Demo(await context.newPage());
    await phone.open(url);
    const [content, window] = await phone.page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return [scrollWidth, clientWidth];
    });
    expect(content).toBe(window);

    const session = await context.newCDPSession(phone.page);
    const [start, ...others] = await phone.placesOf(...seven);
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", at: readonly (readonly [number, number])[]) =>
      session.send("Input.dispatchTouchEvent", { type, touchPoints: at.map(([x, y]) => ({ x, y })) });
    const scrolled = await phone.page.evaluate("scrollY");
    await touch("touchStart", start === undefined ? [] : [start]);
    for (const place of others) await touch("touchMove", [place]);
    await touch("touchEnd", []);
    await phone.until("answer", /^Looks like a \d\.$/);
    // The whole line is there, and the page has not moved with the finger.
    const [endX, endY] = seven[2];
    const ink = `document.getElementById("pad").getContext("2d").getImageData(280 * ${endX}, 280 * ${endY}, 1, 1).data[3]`;
    await phone.page.waitForFunction(`${ink} > 0`, null, { timeout: 20_000 });
    expect(await phone.page.evaluate("scrollY")).toBe(scrolled);
    await context.close();
  });

  test("starts over", async () => {
    await demo.press("Start over");
    await demo.until("seen", /^0$/);
    await demo.until("status", /^Ready$/);
    await demo.page.reload();
    await demo.isReady();
    expect(await demo.text("seen")).toBe("0");
  });

  test("says so where what was kept is damaged, and begins anew", async () => {
    await demo.page.evaluate(
      () =>
        new Promise<void>((resolve, reject) => {
          const opening = indexedDB.open("keyval-store");
          opening.onsuccess = () => {
            const writing = opening.result.transaction("keyval", "readwrite");
            writing.objectStore("keyval").put({ device: "cpu", blob: new Blob(["no"]) }, "tapegrad demo: run");
            writing.oncomplete = () => resolve();
            writing.onerror = () => reject(writing.error);
          };
        }),
    );
    await demo.page.reload();
    await demo.isReady();
    expect(await demo.text("problem")).toMatch(/^What was kept could not be read, so this is a new network\. load/);
    expect(await demo.text("seen")).toBe("0");
  });

  test("has nothing to complain about, and asks no other server", () => {
    expect(complaints).toEqual([]);
  });
});

describe.skipIf(absent !== null)(`served by npm run demo, with a GPU${reason}`, () => {
  let server: vite.ViteDevServer;
  let browser: Browser;
  let demo: Demo;
  let complaints: string[];

  beforeAll(async () => {
    // It would reload the page when somebody edits a file.
    const settings = { port: 0, hmr: false, watch: null } as const;
    server = await vite.createServer({ configFile, logLevel: "error", server: settings });
    await server.listen();
    browser = await launch({ gpu: true });
    const page = await browser.newPage();
    complaints = watch(page);
    demo = new Demo(page);
    await demo.open(server.resolvedUrls?.local[0] ?? "");
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  test("is cross-origin isolated, with all threads and the GPU", async () => {
    const cores = availableParallelism();
    expect(await demo.text("offer")).toMatch(new RegExp(`^CPU: ${cores} threads?\\. GPU: .+\\.$`));
  });

  test("trains on the GPU", { timeout }, async () => {
    await demo.set(reduced);
    await demo.page.getByRole("radio", { name: "GPU" }).check({ force: true });
    await demo.press("Train");
    await demo.until("status", /^Training on the GPU$/);
    await demo.untilAbove("accuracy", 90);
    await demo.draw(...seven);
    await demo.until("answer", /^Looks like a 7\.$/);
  });

  test("goes on on the CPU with what it has learnt", { timeout }, async () => {
    const seen = await demo.number("seen");
    await demo.page.getByRole("radio", { name: "CPU" }).check({ force: true });
    await demo.until("status", /^Training on the CPU$/);
    expect(await demo.number("seen")).toBeGreaterThanOrEqual(seen);
    await demo.untilAbove("seen", seen + 200);
    await demo.press("Pause");
    await demo.until("status", /^Paused on the CPU$/);
    expect(await demo.number("accuracy")).toBeGreaterThan(85);
  });

  test("compares devices, which compute the same", { timeout }, async () => {
    await demo.press("Compare");
    await demo.until("status", /^Waiting for the comparison$/);
    await demo.page.locator("#losses").filter({ hasText: "Loss of the last step" }).waitFor();
    await demo.until("status", /^Paused on the CPU$/);
    const races = await demo.page.locator("#races li").allTextContents();
    expect(races).toHaveLength(availableParallelism() > 1 ? 3 : 2);
    for (const race of races) expect(race).toMatch(/^[CG]PU, .*[\d,]+ images\/s$/);
    expect(await demo.text("losses")).toMatch(/^Loss of the last step: \d\.\d+ on each\.$/);
  });

  test("a comparison can be stopped", { timeout }, async () => {
    await demo.press("Compare");
    await demo.press("Stop");
    await demo.until("status", /^Paused on the CPU$/);
    expect(await demo.page.getByRole("button", { name: "Compare" }).isEnabled()).toBe(true);
  });

  test("has nothing to complain about, and asks no other server", () => {
    expect(complaints).toEqual([]);
  });

  test("goes on on the CPU from what it kept when the GPU is lost", { timeout }, async () => {
    const seen = await demo.number("seen");
    await demo.page.getByRole("radio", { name: "GPU" }).check({ force: true });
    await demo.until("status", /^Paused on the GPU$/);
    await demo.press("Resume");
    await demo.untilAbove("seen", seen);
    // Chromium forgets its canvases with its GPU, and has empty ones half a second later.
    await demo.page.evaluate(() => {
      const note = (): string => (document.body.dataset.restored = "yes");
      document.addEventListener("contextrestored", note, { capture: true, once: true });
    });
    const session = await browser.newBrowserCDPSession();
    await session.send("Browser.crashGpuProcess");
    await demo.until(
      "problem",
      /^The network is back as it was saved last, on the CPU\. What happened: webgpu: the device was lost/,
    );
    await demo.until("status", /^Paused on the CPU$/);
    await demo.press("Clear");
    await demo.draw(...seven);
    await demo.until("answer", /^Looks like a \d\.$/);
    await demo.page.locator("body[data-restored]").waitFor();
    const pictures = [
      "#pad",
      "#preview",
      "#filters li:first-child canvas:first-child",
      "#filters li:first-child canvas:last-child",
    ];
    for (const canvas of [...pictures, "#accuracy-plot canvas", "#loss-plot canvas"]) {
      await expect.poll(() => demo.inked(canvas), { timeout: 20_000, message: canvas }).toBeGreaterThan(10);
    }
    await demo.until("answer", /^Looks like a \d\.$/);
    const kept = await demo.number("seen");
    expect(kept).toBeGreaterThanOrEqual(seen);
    await demo.press("Resume");
    await demo.untilAbove("seen", kept + 100);
    await demo.page.getByRole("radio", { name: "GPU" }).check({ force: true });
    await demo.until("status", /^Training on the GPU$/);
    await demo.untilAbove("seen", (await demo.number("seen")) + 30);
  });
});
