/** Starting a worker thread, and talking to it, on each platform. */
import { ArgumentError } from "../../errors.js";
import { importNode, isNode } from "../../platform/node.js";
import { type FromWorker, isOurs, type ToWorker } from "./messages.js";

/** A worker of a browser, or of Node's `worker_threads`. */
export interface WorkerThread {
  postMessage(message: unknown): void;
  terminate(): unknown;
}

/** Where workers come from: the address of a module, or a function that starts one. */
export type WorkerSource = string | URL | (() => WorkerThread);

/** What a thread tells about itself. */
export interface ThreadEvents {
  message(message: FromWorker): void;
  /** It ended by itself, or failed outside of a job. Told once. */
  death(reason: string, cause: unknown): void;
}

/** A thread that runs. */
export interface Thread {
  send(message: ToWorker): void;
  /** Says whether the process shall wait for it. */
  hold(isHeld: boolean): void;
  stop(): void;
}

interface NodeWorker extends WorkerThread {
  on(event: string, listener: (value: unknown) => void): unknown;
  ref(): void;
  unref(): void;
}

interface WebWorker extends WorkerThread {
  addEventListener(
    type: string,
    listener: (event: { data?: unknown; message?: string; error?: unknown }) => void,
  ): void;
}

/**
 * What a worker of Node runs. tsx, which lets Node run TypeScript, enters itself in the main thread only, so here it is entered
 * again: by its module, for what it offers to `require` finds the wrong files.
 */
const BOOT = `
const { workerData: { url } } = require("node:worker_threads");
const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ""].join(" ");
let ready = Promise.resolve();
if (/(^|[\\s=/\\\\])tsx([\\s/\\\\]|$)/.test(options)) {
  const { createRequire } = require("node:module");
  const { pathToFileURL } = require("node:url");
  const [loader = url] = options.match(/file:\\S+[/\\\\]tsx[/\\\\]\\S+/) ?? [];
  const api = createRequire(loader).resolve("tsx/esm/api").replace(/\\.cjs$/, ".mjs");
  ready = import(pathToFileURL(api)).then(({ register }) => register());
}
ready.then(() => import(url));`;

/** Starts a worker. It is not waited for until {@link Thread.hold} says so. */
export async function startThread(source: WorkerSource, events: ThreadEvents): Promise<Thread> {
  const worker = typeof source === "function" ? source() : await workerOf(source);
  let isDead = false;
  const die = (reason: string, cause: unknown): void => {
    if (isDead) return;
    isDead = true;
    worker.terminate();
    events.death(reason, cause);
  };
  const hear = (message: unknown): void => {
    if (!isDead && isOurs(message)) events.message(message as FromWorker);
  };
  if (isNodeWorker(worker)) {
    worker.on("message", hear);
    worker.on("messageerror", (error) => die("a message that cannot be read", error));
    worker.on("error", (error) => die(error instanceof Error ? error.message : String(error), error));
    worker.on("exit", (code) => die(`exit code ${String(code)}`, undefined));
    worker.unref();
  } else if (isWebWorker(worker)) {
    worker.addEventListener("message", ({ data }) => hear(data));
    worker.addEventListener("messageerror", () => die("a message that cannot be read", undefined));
    worker.addEventListener("error", ({ message, error }) => die(message ?? "its module could not be loaded", error));
  } else {
    throw new ArgumentError(
      `WorkerDataset: got a function that gives ${String(worker)}; expected one that gives a Worker. Write () => new Worker(url, { type: "module" }).`,
    );
  }
  return {
    send: (message) => worker.postMessage(message),
    hold: (isHeld) => {
      if (!isNodeWorker(worker)) return;
      if (isHeld) worker.ref();
      else worker.unref();
    },
    stop: () => {
      isDead = true;
      worker.terminate();
    },
  };
}

async function workerOf(source: string | URL): Promise<WorkerThread> {
  const url = String(source);
  if (!isNode()) return new Worker(url, { type: "module" });
  const { Worker: NodeThread } = await importNode("node:worker_threads");
  return new NodeThread(BOOT, { eval: true, workerData: { url }, stdin: false });
}

function isNodeWorker(worker: WorkerThread): worker is NodeWorker {
  return typeof worker === "object" && worker !== null && "on" in worker && "unref" in worker;
}

function isWebWorker(worker: WorkerThread): worker is WebWorker {
  return typeof worker === "object" && worker !== null && "addEventListener" in worker;
}
