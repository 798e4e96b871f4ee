/** The WebGPU set in Chromium, on a real page: skipped where there is no browser, with the reason. */
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Browser, chromium, type Page as Tab } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Page } from "./page.js";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const absent = existsSync(executablePath) ? null : `there is no ${executablePath}; CHROMIUM can name another`;

test.runIf(process.env.CI)("there is a browser where the repository is checked", () => {
  expect(absent).toBeNull();
});

/** Serves the page from localhost, in a context that may share memory. */
async function serve(script: string): Promise<Server> {
  const server = createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.writeHead(200, {
      "content-type": isScript ? "text/javascript" : "text/html",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(
      isScript ? script : '<!doctype html><title>tapegrad</title><script type="module" src="page.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return server;
}

describe.skipIf(absent !== null)(`in Chromium${absent === null ? "" : ` (absent: ${absent})`}`, () => {
  let browser: Browser;
  let server: Server;
  let tab: Tab;
  const complaints: string[] = [];

  beforeAll(async () => {
    const entry = fileURLToPath(new URL("page.ts", import.meta.url));
    const tsconfig = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
    const bundle = await build({
      entryPoints: [entry],
      tsconfig,
      bundle: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      write: false,
    });
    server = await serve(bundle.outputFiles[0]?.text ?? "");
    browser = await chromium.launch({
      executablePath,
      headless: false,
      args: ["--headless=new", "--no-sandbox", "--enable-unsafe-webgpu"],
    });
    tab = await browser.newPage();
    tab.setDefaultTimeout(400_000);
    tab.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    tab.on("pageerror", (error) => complaints.push(error.message));
    await tab.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    await tab.waitForFunction("globalThis.page !== undefined");
  });

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

  test("a network trains as on the CPU", async () => {
    const onCpu = await run((page) => page.train("cpu", 10));
    const onGpu = await run((page) => page.train("webgpu", 10));
    expect(onGpu).toHaveLength(10);
    onGpu.forEach((loss, step) => {
      expect(Math.abs(loss - (onCpu[step] ?? Number.NaN))).toBeLessThan(1e-3);
    });
  });

  test("a lost device says so, and a new one works", async () => {
    const { message, next } = await run((page) => page.loseDevice());
    expect(message).toMatch(/^DeviceError: webgpu: the device was lost \(destroyed/);
    expect(next).toBe(10);
  });

  test("the page has nothing to complain about", () => {
    expect(complaints).toEqual([]);
  });
});
