/** The workers of one dataset: who does which job, and what happens when one dies. */
import { ArgumentError, TapegradError } from "../../errors.js";
import { reasonOf } from "../../platform/reasonOf.js";
import { type FromWorker, type Job, unpackError } from "./messages.js";
import { startThread, type Thread, type ThreadEvents, type WorkerSource } from "./thread.js";
import type { Packed } from "./values.js";

/** A worker died, or did not start. */
export class WorkerError extends TapegradError {
  override readonly name = "WorkerError";
}

/** What a pool is made of. */
export interface PoolPlan {
  readonly source: WorkerSource;
  readonly numWorkers: number;
  readonly parameters: unknown;
  readonly startTimeout: number;
}

/** A job of which nobody was told the end yet. */
interface Task {
  readonly job: Job;
  readonly signal: AbortSignal | undefined;
  resolve(value: Packed): void;
  reject(error: unknown): void;
}

/** Jobs that a worker has at a time: the next one waits there while it is at one, so that it need not wait for messages. */
const AT_HAND = 2;

export class Pool {
  private readonly places: Place[];
  private readonly queue: Task[] = [];
  private jobs = 0;

  constructor(plan: PoolPlan) {
    this.places = Array.from({ length: plan.numWorkers }, () => new Place(plan, () => this.deal()));
  }

  /**
   * Starts the workers that do not run, and gives the number of samples.
   *
   * @throws WorkerError where one does not start, or they differ in it; what its module or dataset throws.
   */
  async start(): Promise<number> {
    const lengths = await Promise.all(this.places.map((place) => place.start()));
    const [first = 0] = lengths;
    const other = lengths.find((length) => length !== first);
    if (other === undefined) return first;
    throw new WorkerError(
      `WorkerDataset: got ${first} samples from one worker and ${other} from another; expected all to have the same dataset. Let the module make it without chance.`,
    );
  }

  ask(wanted: Omit<Job, "id">, signal: AbortSignal | undefined): Promise<Packed> {
    return new Promise((resolve, reject) => {
      this.queue.push({ job: { ...wanted, id: this.jobs++ }, signal, resolve, reject });
      this.deal();
    });
  }

  close(): void {
    for (const place of this.places) place.close();
  }

  /** Gives waiting jobs to workers that have time for them. */
  private deal(): void {
    for (;;) {
      const place = this.places.reduce((least, each) => (each.load < least.load ? each : least));
      if (place.load >= AT_HAND) return;
      const task = this.queue.shift();
      if (task === undefined) return;
      if (task.signal?.aborted) task.reject(task.signal.reason);
      else place.take(task);
    }
  }
}

/** The place of one worker: when it died, the next job starts another one. */
class Place {
  private opened: Promise<OpenThread> | null = null;
  private readonly tasks = new Map<number, Task>();

  constructor(
    private readonly plan: PoolPlan,
    private readonly isFree: () => void,
  ) {}

  /** Jobs that it has and has not done. */
  get load(): number {
    return this.tasks.size;
  }

  async start(): Promise<number> {
    return (await this.open()).length;
  }

  take(task: Task): void {
    const { job } = task;
    this.tasks.set(job.id, task);
    this.open().then(
      ({ thread }) => {
        if (!this.tasks.has(job.id)) return;
        thread.hold(true);
        thread.send({ tapegrad: "job", job });
      },
      (error: unknown) => this.end(job.id)?.reject(error),
    );
  }

  close(): void {
    this.opened?.then(
      ({ thread }) => thread.stop(),
      () => undefined,
    );
    this.opened = null;
    const reason = "got close() while samples were asked for; expected it after them. End the loop first";
    this.rejectAll(() => new WorkerError(`WorkerDataset: ${reason}.`));
  }

  private open(): Promise<OpenThread> {
    if (this.opened !== null) return this.opened;
    const opened = openThread(this.plan, {
      message: (message) => this.hear(message),
      death: (reason, cause) => {
        if (this.opened === opened) this.opened = null;
        this.rejectAll(({ kind, indices }) => deathAt(kind, indices, reason, cause));
      },
    });
    opened.catch(() => {
      if (this.opened === opened) this.opened = null;
    });
    this.opened = opened;
    return opened;
  }

  private hear(message: FromWorker): void {
    if (message.tapegrad === "answer") this.end(message.id)?.resolve(message.value);
    else if (message.tapegrad === "refusal") this.end(message.id)?.reject(unpackError(message.error));
  }

  /** The task is over: who waits for it is to be told by the caller. */
  private end(id: number): Task | undefined {
    const task = this.tasks.get(id);
    this.tasks.delete(id);
    if (this.tasks.size === 0) void this.opened?.then(({ thread }) => thread.hold(false));
    // After the caller has told.
    queueMicrotask(this.isFree);
    return task;
  }

  private rejectAll(errorOf: (job: Job) => Error): void {
    for (const { job } of [...this.tasks.values()]) this.end(job.id)?.reject(errorOf(job));
  }
}

function deathAt(kind: Job["kind"], indices: readonly number[], reason: string, cause: unknown): WorkerError {
  const some = `${indices.slice(0, 4).join(", ")}${indices.length > 4 ? ", …" : ""}`;
  const asked = kind === "sample" ? `sample ${some}` : `the batch of samples ${some}`;
  return new WorkerError(
    `WorkerDataset: got a worker that died (${reason}) when it was asked for ${asked}; expected an answer. ` +
      "Mend what the dataset does there: look for process.exit, for errors in callbacks, and for want of memory. The next samples are asked of a new worker.",
    cause === undefined ? {} : { cause },
  );
}

interface OpenThread {
  readonly thread: Thread;
  /** Number of samples. */
  readonly length: number;
}

/** Starts a worker and lets it load its dataset. `later` hears what it says then, and whenever it dies. */
async function openThread(plan: PoolPlan, later: ThreadEvents): Promise<OpenThread> {
  const { source, parameters, startTimeout } = plan;
  let settle: { resolve(length: number): void; reject(error: unknown): void } | null = null;
  const loaded = new Promise<number>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Whoever awaits the result is told.
  loaded.catch(() => undefined);
  const fail = (error: unknown): void => settle?.reject(error);
  const thread = await startThread(source, {
    message: (message) => {
      if (message.tapegrad === "serving") {
        clearTimeout(timer);
        load();
      } else if (message.tapegrad === "loaded") settle?.resolve(message.length);
      else if (message.tapegrad === "failed") fail(unpackError(message.error));
      else later.message(message);
    },
    death: (reason, cause) => {
      fail(startError(reason, cause));
      later.death(reason, cause);
    },
  });
  const timer = setTimeout(() => fail(startError(`nothing heard of it for ${startTimeout} ms`)), startTimeout);
  const load = (): void => {
    try {
      thread.send({ tapegrad: "load", parameters });
    } catch (error) {
      fail(
        new ArgumentError(
          `WorkerDataset: got parameters that another thread cannot be given (${reasonOf(error)}); expected what structuredClone takes. Pass plain data.`,
          { cause: error },
        ),
      );
    }
  };
  thread.hold(true);
  try {
    return { thread, length: await loaded };
  } catch (error) {
    thread.stop();
    throw error;
  } finally {
    clearTimeout(timer);
    thread.hold(false);
  }
}

function startError(reason: string, cause?: unknown): WorkerError {
  return new WorkerError(
    `WorkerDataset: got a worker that did not start (${reason}); expected its module to call data.serveDataset(…). ` +
      "Check the address, and that the module can be run by itself.",
    cause === undefined ? {} : { cause },
  );
}
