/** The lines in headless Chromium: a page that has this library and, where they are installed, the others in one bundle. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** @param peers Names of files in bench/peers whose libraries are there. */
export async function measureInChromium(peers: readonly string[], rounds: number, only: readonly string[]) {
  const script = await bundle(peers);
  const server = createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.writeHead(200, {
      "content-type": isScript ? "text/javascript" : "text/html",
      // Pages that share nothing with others get a clock of 5 µs, not of 100.
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(
      isScript ? script : '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: false,
    args: [
      "--headless=new",
      "--no-sandbox",
      "--enable-unsafe-webgpu",
      "--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension",
    ],
  });
  try {
    const tab = await browser.newPage();
    tab.on("console", (message) => {
      if (message.type() === "log") console.log(message.text());
    });
    await tab.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    await tab.waitForFunction("globalThis.measureLines !== undefined");
    console.log(`Chromium ${browser.version()}`);
    await tab.evaluate(`measureLines(${rounds}, ${JSON.stringify(only)})`);
  } finally {
    await browser.close();
    server.close();
  }
}

async function bundle(peers: readonly string[]): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { measure } from "./measure.js";
        import { tapegrad } from "./tapegrad.js";
        globalThis.measureLines = async (rounds, only) => {
          const peers = [${peers.map((name) => `await import("../peers/${name}")`).join(", ")}];
          await measure([tapegrad, ...peers.map(({ side }) => side)], rounds, only, console.log);
        };`,
      resolveDir: folder,
      loader: "ts",
    },
    tsconfig: fileURLToPath(new URL("../../tsconfig.json", import.meta.url)),
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}
