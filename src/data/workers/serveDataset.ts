/** The side of the workers: a module that makes a dataset, and serves its samples to the main thread. */
import { ArgumentError } from "../../errors.js";
import { importNode, isNode } from "../../platform/node.js";
import { breathe } from "../../tensor/collect.js";
import { useOneThread } from "../../tensor/device.js";
import type { Dataset } from "../dataset.js";
import { type FromWorker, isOurs, packError, type ToWorker } from "./messages.js";
import { answer, type DatasetMaker, loadedDataset } from "./service.js";
import { pack, transferables } from "./values.js";

/** The way to the thread that started this one. */
interface Line {
  send(message: FromWorker, transfer?: readonly ArrayBuffer[]): void;
  listen(hear: (message: ToWorker) => void): void;
}

/**
 * Serves a dataset to the thread that started this one as a worker of a {@link WorkerDataset}. It stands in a module of its own,
 * which the workers run; elsewhere it does nothing. `make` is given the `parameters` of the `WorkerDataset`.
 *
 * While a sample is made, the default generator starts from a seed that is the sample's own, so that random transforms give the
 * same for any number of workers. Kernels use one thread here.
 *
 * @returns `make`, to be the default export of the module, which `numWorkers: 0` takes.
 * @throws ArgumentError where `make` is no function.
 */
export function serveDataset<S, P>(make: (parameters: P) => Dataset<S> | Promise<Dataset<S>>): typeof make {
  if (typeof make !== "function") {
    throw new ArgumentError(
      `serveDataset: got ${String(make)}; expected a function that makes the dataset. Write serveDataset(() => new MyDataset()).`,
    );
  }
  if (!importingHere) void serve(make as DatasetMaker);
  return make;
}

let importingHere = false;

/** The maker that a module exports, which runs in this thread and serves nobody. @throws ArgumentError where it exports none. */
export async function importMaker(module: string | URL): Promise<DatasetMaker> {
  importingHere = true;
  try {
    const url = String(module);
    const { default: make } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ url)) as { default?: unknown };
    if (typeof make === "function") return make as DatasetMaker;
    throw new ArgumentError(
      `WorkerDataset: got ${String(make)} as the default export of ${url}; expected what serveDataset gives. Write export default data.serveDataset(…).`,
    );
  } finally {
    importingHere = false;
  }
}

async function serve(make: DatasetMaker): Promise<void> {
  const line = await lineToParent();
  if (line === null) return;
  let dataset: Dataset<unknown> | null = null;
  const handle = async (message: ToWorker): Promise<void> => {
    if (message.tapegrad === "load") {
      try {
        // Each worker has a core of its own at best.
        useOneThread();
        dataset = await loadedDataset(make, message.parameters);
        line.send({ tapegrad: "loaded", length: dataset.length });
      } catch (error) {
        line.send({ tapegrad: "failed", error: packError(error) });
      }
      return;
    }
    const { job } = message;
    try {
      if (dataset === null) throw new Error("a job before the dataset was loaded");
      const value = await answer(dataset, job, (value) => pack("WorkerDataset", value));
      line.send({ tapegrad: "answer", id: job.id, value }, transferables(value));
    } catch (error) {
      line.send({ tapegrad: "refusal", id: job.id, error: packError(error) });
    }
    await breathe();
  };
  let tail = Promise.resolve();
  line.listen((message) => {
    tail = tail.then(() => handle(message));
  });
  line.send({ tapegrad: "serving" });
}

/** Null in a main thread. */
async function lineToParent(): Promise<Line | null> {
  if (isNode()) {
    const { parentPort } = await importNode("node:worker_threads");
    if (parentPort === null) return null;
    return {
      send: (message, transfer = []) => parentPort.postMessage(message, transfer),
      listen: (hear) =>
        void parentPort.on("message", (message: unknown) => isOurs(message) && hear(message as ToWorker)),
    };
  }
  const scope = globalThis as { WorkerGlobalScope?: unknown };
  if (scope.WorkerGlobalScope === undefined) return null;
  return {
    // Only a page's postMessage takes an origin.
    send: (message, transfer = []) => globalThis.postMessage(message, { transfer: [...transfer] }),
    listen: (hear) =>
      globalThis.addEventListener("message", ({ data }) => {
        if (isOurs(data)) hear(data as ToWorker);
      }),
  };
}
