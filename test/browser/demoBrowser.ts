/** What the tests of the demo page share: Chromium, and a server as plain as can be. */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Why there is no browser, or null. */
export const absent = existsSync(executablePath) ? null : `there is no ${executablePath}; CHROMIUM can name another`;

export const demoFolder = fileURLToPath(new URL("../../examples/demo/", import.meta.url));

/** Chromium without a window. SwiftShader counts as a GPU only where it is told so. */
export function launch({ gpu }: { gpu: boolean }): Promise<Browser> {
  const args = ["--headless=new", "--no-sandbox", ...(gpu ? ["--enable-unsafe-webgpu"] : [])];
  return chromium.launch({ executablePath, headless: false, args });
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".gz": "application/gzip",
};

/** Serves the files of a folder under a path, with nothing but their type; all else is missing. */
export async function serveFolder(folder: string, path: string): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://localhost");
    const file = join(folder, pathname.slice(path.length) || "index.html");
    if (!pathname.startsWith(path) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" });
    response.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return { server, url: `http://localhost:${(server.address() as AddressInfo).port}${path}` };
}

/** Notes what a page complains about, and what it asks other servers for. */
export function watch(page: Page): string[] {
  const complaints: string[] = [];
  // Below the tests' own, so that what was waited for is named.
  page.setDefaultTimeout(300_000);
  page.on("console", (message) => {
    // The library asks for packed files first, and a server that has them as they are says so.
    const isMissing = message.location().url.endsWith(".gz");
    if (message.type() === "error" && !isMissing) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!/^(blob:)?http:\/\/localhost:/.test(request.url())) complaints.push(`asked for ${request.url()}`);
  });
  return complaints;
}

/** The page as its user handles it. */
export class Demo {
  constructor(readonly page: Page) {}

  async open(url: string): Promise<void> {
    await this.page.goto(url);
    await this.isReady();
  }

  async isReady(): Promise<void> {
    await this.page.locator("#train:enabled").waitFor();
  }

  async text(id: string): Promise<string> {
    return (await this.page.locator(`#${id}`).textContent()) ?? "";
  }

  /** The number that an element begins with. */
  async number(id: string): Promise<number> {
    return Number.parseFloat((await this.text(id)).replaceAll(",", ""));
  }

  /** Waits until an element's text matches. */
  async until(id: string, text: RegExp): Promise<void> {
    await this.page.locator(`#${id}`).filter({ hasText: text }).waitFor({ state: "attached" });
  }

  /** Waits until the number that an element begins with is greater. */
  async untilAbove(id: string, least: number): Promise<void> {
    const isAbove = `Number.parseFloat(document.getElementById("${id}").textContent.replaceAll(",", "")) > ${least}`;
    await this.page.waitForFunction(isAbove);
  }

  /** How many pixels of a canvas something is drawn on. */
  inked(selector: string): Promise<number> {
    return this.page.locator(selector).evaluate((canvas) => {
      if (!(canvas instanceof HTMLCanvasElement)) return 0;
      const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      return data.filter((value, i) => i % 4 === 3 && value > 0).length;
    });
  }

  async set(settings: Readonly<Record<"images" | "batchSize" | "lr", number>>): Promise<void> {
    await this.page.locator("details").evaluate((details) => details.setAttribute("open", ""));
    for (const [name, value] of Object.entries(settings)) {
      await this.page.locator(`[name=${name}]`).selectOption(String(value));
    }
  }

  async press(name: string): Promise<void> {
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  /** Where points of the pad are on the screen; their coordinates are shares of the pad. */
  async placesOf(...points: readonly (readonly [number, number])[]): Promise<[x: number, y: number][]> {
    const pad = this.page.locator("#pad");
    await pad.scrollIntoViewIfNeeded();
    const box = await pad.boundingBox();
    if (box === null) throw new Error("The pad is not to be seen.");
    return points.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height]);
  }

  /** Draws a line through points of the pad with the mouse. */
  async draw(...points: readonly (readonly [number, number])[]): Promise<void> {
    const { mouse } = this.page;
    for (const [index, place] of (await this.placesOf(...points)).entries()) {
      await mouse.move(...place, { steps: 6 });
      if (index === 0) await mouse.down();
    }
    await mouse.up();
  }
}
