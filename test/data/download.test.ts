import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DownloadError, download, type RemoteFile } from "../../src/data/download.js";

const content = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => (index * index) >> 3));
const sha256 = createHash("sha256").update(content).digest("hex");
const host = hostname().replace(/[^A-Za-z0-9-]/g, "_");

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let base: string;
let folder: string;
let path: string;
let log: string[];
let routes: Record<string, Handler>;

beforeEach(async () => {
  log = [];
  routes = { "/good": ranged, "/ignores-range": whole };
  server = createServer((request, response) => {
    log.push(`${request.url} ${request.headers.range ?? "all"}`);
    const handler = routes[request.url ?? ""];
    if (handler) handler(request, response);
    else response.writeHead(404).end("no such file");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  base = `http://127.0.0.1:${portOf(server)}`;
  folder = mkdtempSync(join(tmpdir(), "download-"));
  path = join(folder, "cache", "file.gz");
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function portOf(listening: Server): number {
  const address = listening.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A port at which nobody listens. */
async function unusedPort(): Promise<number> {
  const brief = createServer();
  await once(brief.listen(0, "127.0.0.1"), "listening");
  const port = portOf(brief);
  await once(brief.close(), "close");
  return port;
}

const startOf = (request: IncomingMessage) => Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);

/** Serves `body` as a proper server does, from the asked position; cuts the connection once `until` has arrived. */
function send(request: IncomingMessage, response: ServerResponse, body: Buffer, until = body.length): void {
  const start = startOf(request);
  const headers = { "content-length": body.length - start };
  if (start > 0) {
    response.writeHead(206, { ...headers, "content-range": `bytes ${start}-${body.length - 1}/${body.length}` });
  } else {
    response.writeHead(200, headers);
  }
  if (until >= body.length) {
    response.end(body.subarray(start));
  } else {
    response.write(body.subarray(start, until));
    void partHolds(until).then(() => response.destroy());
  }
}

/** Waits until a part file has the given size: what is on its way when a connection is cut may be lost. */
async function partHolds(bytes: number): Promise<void> {
  const sizes = () =>
    partsIn(join(folder, "cache")).map(
      (name) => statSync(join(folder, "cache", name), { throwIfNoEntry: false })?.size,
    );
  while (server.listening && (!existsSync(join(folder, "cache")) || !sizes().includes(bytes))) {
    await new Promise((wake) => setTimeout(wake, 5));
  }
}

function ranged(request: IncomingMessage, response: ServerResponse): void {
  send(request, response, content);
}

function whole(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-length": content.length }).end(content);
}

function remote(...names: string[]): RemoteFile {
  return { urls: names.map((name) => base + name), size: content.length, sha256 };
}

const partsIn = (directory: string) => readdirSync(directory).filter((name) => name.endsWith("part"));

/** Leaves a part file as an interrupted download would. */
function leavePart(name: string, bytes: Buffer): void {
  const file = join(folder, "cache", name);
  writeFileSync(file, bytes);
}

async function errorOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DownloadError);
  return error instanceof Error ? error.message : "";
}

describe("download", () => {
  it("fetches a file once and leaves nothing else behind", async () => {
    await download(remote("/good"), path);
    await download(remote("/good"), path);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(readdirSync(join(folder, "cache"))).toEqual(["file.gz"]);
    expect(log).toEqual(["/good all"]);
  });

  it("replaces a file that is not intact", async () => {
    await download(remote("/good"), path);
    writeFileSync(path, content.subarray(1));
    await download(remote("/good"), path);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  it("resumes on the same mirror after the connection is cut, as long as bytes come", async () => {
    routes["/cuts"] = (request, response) => send(request, response, content, startOf(request) + 100_000);
    await download(remote("/cuts"), path);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(log).toEqual(["/cuts all", "/cuts bytes=100000-", "/cuts bytes=200000-"]);
  });

  it("goes on at the next mirror when a cut one gives no more bytes", async () => {
    routes["/dies"] = (request, response) => {
      if (startOf(request) > 0) response.writeHead(503).end();
      else send(request, response, content, 100_000);
    };
    await download(remote("/dies", "/good"), path);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(log).toEqual(["/dies all", "/dies bytes=100000-", "/good bytes=100000-"]);
  });

  it("starts over when the server ignores the range", async () => {
    routes["/dies"] = (request, response) => {
      if (startOf(request) > 0) response.writeHead(503).end();
      else send(request, response, content, 100_000);
    };
    await download(remote("/dies", "/ignores-range"), path);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(log.at(-1)).toBe("/ignores-range bytes=100000-");
  });

  it("refuses a range other than the one it asked for", async () => {
    routes["/shifted"] = (_request, response) => {
      const headers = { "content-range": `bytes 0-${content.length - 1}/${content.length}` };
      response.writeHead(206, headers).end(content);
    };
    await download(remote("/good"), join(folder, "cache", "other"));
    leavePart("file.gz.part", content.subarray(0, 10));
    expect(await errorOf(download(remote("/shifted"), path))).toContain(
      "/shifted: answers with range bytes 0-299999/300000 instead of bytes 10-299999/300000",
    );
  });

  it("throws away content with a wrong checksum and asks the next mirror", async () => {
    routes["/bad"] = (request, response) => send(request, response, Buffer.alloc(content.length, 1));
    await download(remote("/bad", "/good"), path);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(log).toEqual(["/bad all", "/good all"]);
  });

  it("starts over on the same mirror when the resumed bytes were bad", async () => {
    await download(remote("/good"), join(folder, "cache", "other"));
    leavePart("file.gz.part", Buffer.alloc(1000, 7));
    await download(remote("/good"), path);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(log.slice(1)).toEqual(["/good bytes=1000-", "/good all"]);
  });

  it("takes a complete part file as it is, and starts over when one is too long", async () => {
    await download(remote("/good"), join(folder, "cache", "other"));
    leavePart("file.gz.part", content);
    await download(remote("/missing"), path);
    expect(readFileSync(path).equals(content)).toBe(true);
    rmSync(path);
    leavePart("file.gz.part", Buffer.concat([content, content]));
    await download(remote("/good"), path);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(log).toEqual(["/good all", "/good all"]);
  });

  it("gives up a mirror that sends something of another length, before or while it is read", async () => {
    routes["/page"] = (_request, response) => response.end("<html>Please log in</html>");
    routes["/endless"] = (_request, response) => {
      response.writeHead(200);
      const more = () => {
        if (!response.destroyed) response.write(content, more);
      };
      more();
    };
    await download(remote("/page", "/endless", "/good"), path);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(log).toEqual(["/page all", "/endless all", "/good all"]);
  });

  it("gives up a mirror that falls silent, and keeps what it sent", async () => {
    routes["/silent"] = (request, response) => {
      response.writeHead(200, { "content-length": content.length });
      if (startOf(request) === 0) response.write(content.subarray(0, 50_000));
    };
    await download(remote("/silent", "/good"), path, { idleTimeout: 200 });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(log.at(-1)).toBe("/good bytes=50000-");
  });

  it("names every mirror and its failure when all fail, and keeps the part for the next time", async () => {
    routes["/broken"] = (_request, response) => response.writeHead(500).end();
    routes["/cut"] = (request, response) => {
      if (startOf(request) > 0) response.writeHead(503).end();
      else send(request, response, content, 1000);
    };
    const file = remote("/missing", "/broken", "/cut");
    const nobody = await unusedPort();
    const urls = [...file.urls, `http://127.0.0.1:${nobody}/file`];
    expect(await errorOf(download({ ...file, urls }, path))).toBe(
      `download: got no intact copy from 4 mirrors (${base}/missing: HTTP 404; ${base}/broken: HTTP 500; ` +
        `${base}/cut: HTTP 503; http://127.0.0.1:${nobody}/file: connect ECONNREFUSED 127.0.0.1:${nobody}); expected 300000 bytes with sha256 ` +
        `${sha256}. Check the network and try again, or put the file at ${path} yourself.`,
    );
    expect(readdirSync(join(folder, "cache"))).toEqual(["file.gz.part"]);
    await download(remote("/good"), path);
    expect(log.at(-1)).toBe("/good bytes=1000-");
    expect(readdirSync(join(folder, "cache"))).toEqual(["file.gz"]);
  });

  it("never leaves a file with a wrong checksum", async () => {
    routes["/bad"] = (request, response) => send(request, response, Buffer.alloc(content.length, 1));
    const bad = createHash("sha256").update(Buffer.alloc(content.length, 1)).digest("hex");
    expect(await errorOf(download(remote("/bad"), path))).toContain(`/bad: sha256 is ${bad}`);
    expect(readdirSync(join(folder, "cache"))).toEqual([]);
  });

  it("says when the folder cannot be written", async () => {
    writeFileSync(join(folder, "cache"), "a file where the folder should be");
    expect(await errorOf(download(remote("/good"), path))).toMatch(
      /^download: got E\w+.*; expected to write .*file\.gz\. Choose a folder that can be written\.$/,
    );
  });
});

describe("download in several processes", () => {
  const script = fileURLToPath(new URL("./downloadChild.ts", import.meta.url));

  function start(file: RemoteFile): ChildProcess {
    const child = spawn(process.execPath, ["--import", "tsx", script, JSON.stringify(file), path]);
    child.stderr?.pipe(process.stderr);
    return child;
  }

  it("resumes what a killed process left", async () => {
    routes["/stops-halfway"] = (_request, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 150_000));
    };
    const child = start(remote("/stops-halfway"));
    await partHolds(150_000);
    // While its process lives, nobody else touches the part.
    await download(remote("/good"), join(folder, "cache", "file.gz"));
    expect(log.at(-1)).toBe("/good all");
    rmSync(path);
    child.kill("SIGKILL");
    await once(child, "exit");
    await download(remote("/good"), path);
    expect(log.at(-1)).toBe("/good bytes=150000-");
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(readdirSync(join(folder, "cache"))).toEqual(["file.gz"]);
  });

  it("gives each of several processes and calls a whole file", async () => {
    // Nobody is answered before all five have asked, so that all of them write at the same time.
    const waiting: (() => void)[] = [];
    routes["/together"] = (request, response) => {
      waiting.push(() => whole(request, response));
      if (waiting.length === 5) for (const answer of waiting) answer();
    };
    const children = [start(remote("/together")), start(remote("/together")), start(remote("/together"))];
    const exits = children.map(async (child) => (await once(child, "exit"))[0]);
    await Promise.all([download(remote("/together"), path), download(remote("/together"), path)]);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(await Promise.all(exits)).toEqual([0, 0, 0]);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(readdirSync(join(folder, "cache"))).toEqual(["file.gz"]);
  });

  it("takes over the part of an earlier process with the same number, and one that is a day old", async () => {
    await download(remote("/good"), join(folder, "cache", "other"));
    const hoursAgo = (hours: number) => new Date(Date.now() - process.uptime() * 1000 - hours * 60 * 60 * 1000);
    for (const [name, bytes, hours] of [
      [`file.gz.${host}.${process.pid}.0123abcd.part`, 2000, 1],
      ["file.gz.elsewhere.1.0123abcd.part", 3000, 25],
    ] as const) {
      leavePart(name, content.subarray(0, bytes));
      await download(remote("/good"), path);
      expect(log.at(-1)).toBe("/good all");
      rmSync(path);
      utimesSync(join(folder, "cache", name), hoursAgo(hours), hoursAgo(hours));
      await download(remote("/good"), path);
      expect(log.at(-1)).toBe(`/good bytes=${bytes}-`);
      rmSync(path);
    }
    expect(partsIn(join(folder, "cache"))).toEqual([]);
  });
});
