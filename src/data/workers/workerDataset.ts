/**
 * A dataset that lives in worker threads.
 *
 * @module
 */
import { ArgumentError } from "../../errors.js";
import { checkOptions } from "../../tensor/options.js";
import { defaultGenerator } from "../../tensor/random.js";
import { tracked } from "../batch.js";
import type { Collated } from "../collate.js";
import { checkIndex, type Dataset, type SampleRequest } from "../dataset.js";
import type { Job } from "./messages.js";
import { Pool } from "./pool.js";
import { importMaker } from "./serveDataset.js";
import { answer, loadedDataset } from "./service.js";
import type { WorkerSource } from "./thread.js";
import { type Packed, pack, unpack } from "./values.js";

/** Settings of {@link WorkerDataset}. */
export interface WorkerDatasetOptions {
  /** Worker threads. 0 runs the module in this thread, for debugging, and gives the same samples. Default: 1. */
  readonly numWorkers?: number;
  /** What the function in `serveDataset` is called with: plain data, as `structuredClone` takes it. Default: undefined. */
  readonly parameters?: unknown;
  /** Milliseconds within which the module has to call `serveDataset`; what its dataset loads is not in it. Default: 60,000. */
  readonly startTimeout?: number;
}

/** Batches that a loader asks for ahead, for each worker: PyTorch's `prefetch_factor`. */
const BATCHES_PER_WORKER = 2;

/** Workers of datasets that nobody holds any more end. */
const pools = new FinalizationRegistry<Pool>((pool) => pool.close());

/**
 * A dataset whose samples are made in worker threads: PyTorch's `num_workers`. A loader collates its batches there too, and asks
 * for two batches for each worker ahead; `collate` functions of the user's run in this thread.
 *
 * Functions cannot be sent to another thread. So `module` is the address of a module that makes the dataset, transforms and all,
 * and hands it to {@link serveDataset}: `new URL("./digits.ts", import.meta.url)`. For a bundler that is to find it, pass a
 * function: `() => new Worker(new URL("./digits.ts", import.meta.url), { type: "module" })`.
 *
 * The order is that of the loader, for any number of workers. Random numbers of a sample come from the default generator of its
 * worker, which a loader has started from a seed for each sample: the seed of the pass + 2654435769 · the number of the batch + the
 * place in the batch, modulo 2³². Where the dataset has a `getBatch`, once for each batch.
 *
 * Workers start at the first use, end with the process, and do not keep it from ending.
 *
 * @see https://docs.pytorch.org/docs/stable/data.html#multi-process-data-loading
 */
export class WorkerDataset<S> implements Dataset<S> {
  readonly numWorkers: number;
  private readonly module: WorkerSource;
  private readonly parameters: unknown;
  /** Null where this thread does the work. */
  private readonly pool: Pool | null;
  private here: Promise<Dataset<unknown>> | null = null;
  private line: Promise<unknown> = Promise.resolve();
  private count: number | null = null;

  /** @throws ArgumentError where an argument is none, or `numWorkers` is 0 for a function that starts workers. */
  constructor(module: WorkerSource, options: WorkerDatasetOptions = {}) {
    const { numWorkers = 1, parameters, startTimeout = 60_000 } = options;
    checkModule(module);
    checkOptions("WorkerDataset", options, ["numWorkers", "parameters", "startTimeout"]);
    if (!Number.isInteger(numWorkers) || numWorkers < 0) {
      throw new ArgumentError(
        `WorkerDataset: got numWorkers ${String(numWorkers)}; expected a whole number of 0 or more. Begin with 1 or 2.`,
      );
    }
    if (!(startTimeout > 0) || startTimeout >= 2 ** 31) {
      throw new ArgumentError(
        `WorkerDataset: got startTimeout ${String(startTimeout)}; expected milliseconds, more than 0 and less than 2147483648. Leave it out for 60,000.`,
      );
    }
    if (numWorkers === 0 && typeof module === "function") {
      throw new ArgumentError(
        "WorkerDataset: got numWorkers 0 with a function that starts workers; expected the address of the module, which this thread can import. Pass new URL(…).",
      );
    }
    this.module = module;
    this.parameters = parameters;
    this.numWorkers = numWorkers;
    this.pool = numWorkers === 0 ? null : new Pool({ source: module, numWorkers, parameters, startTimeout });
    if (this.pool !== null) pools.register(this, this.pool);
  }

  /**
   * Number of samples.
   *
   * @throws ArgumentError where it is not loaded.
   */
  get length(): number {
    if (this.count !== null) return this.count;
    throw new ArgumentError(
      "WorkerDataset.length: got a dataset that is not loaded; expected its workers to have been asked. Call await dataset.load() first.",
    );
  }

  get prefetch(): number {
    return BATCHES_PER_WORKER * this.numWorkers;
  }

  /**
   * Starts the workers, each of which loads its dataset.
   *
   * @throws WorkerError where one does not start; what its module or dataset throws.
   */
  async load(): Promise<void> {
    if (this.pool !== null) {
      this.count = await this.pool.start();
      return;
    }
    this.count = (await this.local()).length;
  }

  /**
   * One sample, which a worker makes. Without `request` its seed is drawn from the default generator.
   *
   * @throws ShapeError where there is no such sample.
   * @throws WorkerError where the worker dies; what the dataset throws, with the stack that it had there.
   */
  async get(index: number, request?: SampleRequest): Promise<S> {
    return (await this.ask("sample", [index], request)) as S;
  }

  /**
   * A batch, which a worker makes: by the `getBatch` of its dataset, or as `defaultCollate` does. Otherwise as {@link get}.
   *
   * @throws ShapeError where there is no such sample, or samples differ in shape.
   * @throws TapegradError where the dataset fails at a sample: the message names it, `cause` is the error.
   */
  async getBatch(indices: Int32Array, request?: SampleRequest): Promise<Collated<S>> {
    return (await this.ask("batch", [...indices], request)) as Collated<S>;
  }

  /** Ends the workers now. They start anew when samples are asked for. */
  close(): void {
    this.pool?.close();
  }

  private async ask(
    kind: Job["kind"],
    indices: readonly number[],
    request: SampleRequest | undefined,
  ): Promise<unknown> {
    const seed = request?.seed ?? Number(BigInt.asUintN(32, defaultGenerator.randomSeed()));
    if (this.count === null) await this.load();
    for (const index of indices)
      checkIndex(`WorkerDataset.${kind === "batch" ? "getBatch" : "get"}`, index, this.length);
    const wanted = { kind, indices, seed };
    const packed = await (this.pool === null ? this.answerHere(wanted) : this.pool.ask(wanted, request?.signal));
    return request === undefined ? unpack(packed) : tracked(request.made, () => unpack(packed));
  }

  private local(): Promise<Dataset<unknown>> {
    this.here ??= importMaker(this.module as string | URL).then((make) => loadedDataset(make, this.parameters));
    return this.here;
  }

  /** One job after another, as in a worker. */
  private answerHere(wanted: Omit<Job, "id">): Promise<Packed> {
    const done = this.line.then(async () =>
      answer(await this.local(), { ...wanted, id: 0 }, (value) => pack("WorkerDataset", value)),
    );
    this.line = done.catch(() => undefined);
    return done;
  }
}

function checkModule(module: WorkerSource): void {
  if (typeof module === "function" || module instanceof URL) return;
  const isAddress = typeof module === "string" && URL.canParse(module);
  if (isAddress) return;
  throw new ArgumentError(
    `WorkerDataset: got ${typeof module === "string" ? JSON.stringify(module) : String(module)} as module; expected its address, or a function that starts a worker. ` +
      'Write new URL("./dataset.js", import.meta.url).',
  );
}
