/** The WebGPU set in Chromium, on a real page: skipped where there is no browser, with the reason. */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Browser, chromium, type Page as Tab } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { goldenCases, goldenFiles } from "../golden/golden.js";
import { isForGpu } from "../golden/runCase.js";
import { isLayerWithoutFloat64, type LayerCase } from "../nn/layerCase.js";
import type { Page } from "./page.js";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const absent = existsSync(executablePath) ? null : `there is no ${executablePath}; CHROMIUM can name another`;

test.runIf(process.env.CI)("there is a browser where the repository is checked", () => {
  expect(absent).toBeNull();
});

/** What the server has, by path. */
type Files = ReadonlyMap<string, { readonly type: string; readonly text: string }>;

/** Serves the page from localhost, in a context that may share memory. */
async function serve(files: Files): Promise<Server> {
  const server = createServer((request, response) => {
    const file = files.get(request.url ?? "");
    response.writeHead(file === undefined ? 404 : 200, {
      "content-type": file?.type ?? "text/plain",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(file?.text);
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return server;
}

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    tsconfig: fileURLToPath(new URL("../../tsconfig.json", import.meta.url)),
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

const golden = (file: string): string => readFileSync(new URL(`../golden/${file}`, import.meta.url), "utf8");

async function pageFiles(): Promise<Files> {
  const html =
    '<!doctype html><title>tapegrad</title><link rel="icon" href="data:,"><script type="module" src="page.js"></script>';
  // As they are: JSON.stringify would take the sign from −0.
  const json = (text: string) => ({ type: "application/json", text });
  return new Map([
    ["/", { type: "text/html", text: html }],
    ["/page.js", { type: "text/javascript", text: await bundle("page.ts") }],
    ["/worker.js", { type: "text/javascript", text: await bundle("worker.ts") }],
    ["/ops.json", json(`[${goldenFiles.map(golden).join()}]`)],
    ["/layers.json", json(golden("layers/layers.json"))],
  ]);
}

describe.skipIf(absent !== null)(`in Chromium${absent === null ? "" : ` (absent: ${absent})`}`, () => {
  let browser: Browser;
  let server: Server;
  let tab: Tab;
  const complaints: string[] = [];

  beforeAll(async () => {
    server = await serve(await pageFiles());
    browser = await chromium.launch({
      executablePath,
      headless: false,
      args: ["--headless=new", "--no-sandbox", "--enable-unsafe-webgpu", "--disable-domain-blocking-for-3d-apis"],
    });
    tab = await open();
  });

  const open = async (): Promise<Tab> => {
    const tab = await browser.newPage();
    tab.setDefaultTimeout(400_000);
    tab.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    tab.on("pageerror", (error) => complaints.push(error.message));
    await tab.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    await tab.waitForFunction("globalThis.page !== undefined");
    return tab;
  };

  afterAll(async () => {
    await browser.close();
    server.close();
  });

  const run = <R>(call: (page: Page) => Promise<R>): Promise<R> =>
    tab.evaluate(`(${call.toString()})(globalThis.page)`) as Promise<R>;

  test("there is a GPU", async () => {
    expect(await run((page) => page.isAvailable())).toBe(true);
  });

  test("every case of the kernel table passes", { timeout: 400_000 }, async () => {
    const { passed, failures } = await run((page) => page.runTable());
    expect(failures).toEqual([]);
    expect(passed).toBeGreaterThan(1500);
  });

  test("every op and layer gives PyTorch's values, forward and backward", { timeout: 400_000 }, async () => {
    const { passed, failures } = await run((page) => page.runGoldens());
    expect(failures).toEqual([]);
    const ops = goldenFiles.flatMap(goldenCases).filter(([name, each]) => isForGpu(name, each));
    const layers = (JSON.parse(golden("layers/layers.json")) as LayerCase[]).filter(isLayerWithoutFloat64);
    expect(passed).toBe(ops.length + layers.length);
  });

  test("a worker trains as the page does", async () => {
    const onPage = await run((page) => page.train("webgpu", 10));
    expect(await run((page) => page.trainInWorker())).toEqual({ losses: onPage });
  });

  test("a loop that never waits is held back by the browser, and trains", async () => {
    const [first, last] = await run((page) => page.trainWithoutWaiting(2000));
    expect(last).toBeLessThan(first ?? 0);
  });

  test("a network trains as on the CPU", async () => {
    const onCpu = await run((page) => page.train("cpu", 10));
    const onGpu = await run((page) => page.train("webgpu", 10));
    expect(onGpu).toHaveLength(10);
    onGpu.forEach((loss, step) => {
      expect(Math.abs(loss - (onCpu[step] ?? Number.NaN))).toBeLessThan(1e-3);
    });
  });

  test("a step is profiled on either device, by the GPU's own clock where it has one", async () => {
    const onCpu = await run((page) => page.profileStep("cpu"));
    const onGpu = await run((page) => page.profileStep("webgpu"));
    expect([onCpu.gpuTimes, onGpu.gpuTimes]).toEqual(["none", "device"]);
    for (const { rows, written, table, trace } of [onCpu, onGpu]) {
      const counts = Object.fromEntries(rows.map(({ name, count }) => [name, count]));
      expect(counts).toMatchObject({ linear: 1, relu: 1, linearBackward: 1, "SGD.step": 1, Linear: 1 });
      expect(table).toContain("linear");
      expect(written).toBe(
        "FileError: exportChromeTrace: got trace.json where there are no files; expected Node. " +
          "In a browser, make new Blob([profile.chromeTrace()]) of it.",
      );
      const { traceEvents } = JSON.parse(trace) as { traceEvents: { ph: string; tid: number; name: string }[] };
      expect(traceEvents.some(({ ph, tid, name }) => ph === "X" && tid === 1 && name === "linear")).toBe(true);
    }
    const { traceEvents } = JSON.parse(onGpu.trace) as { traceEvents: { ph: string; tid: number }[] };
    expect(traceEvents.filter(({ ph, tid }) => ph === "X" && tid === 2).length).toBeGreaterThan(8);
  });

  test("a lost device says so, and a new one works", async () => {
    const { message, next } = await run((page) => page.loseDevice());
    expect(message).toMatch(/^DeviceError: webgpu: the device was lost \(destroyed/);
    expect(next).toBe(10);
  });

  test("the page has nothing to complain about", () => {
    expect(complaints).toEqual([]);
  });

  test("when the GPU's process dies, reads and launches say so, and a new device works", async () => {
    expect(await run((page) => page.hold())).toBe("0");
    const session = await browser.newBrowserCDPSession();
    await session.send("Browser.crashGpuProcess").catch(() => undefined);
    const { read, launch, next } = await run((page) => page.recover());
    expect(read).toMatch(/^DeviceError: webgpu: the device was lost \(.*Make a new one with await webgpu\.init\(\)/s);
    expect(launch).toMatch(/^DeviceError: webgpu: the device was lost/);
    expect(next).toBe(10);
  });
});
