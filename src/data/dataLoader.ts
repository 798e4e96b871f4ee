/**
 * The loader: from a dataset to batches.
 *
 * @module
 */
import { ArgumentError } from "../errors.js";
import { breathe } from "../tensor/collect.js";
import type { Releasable } from "../tensor/memory.js";
import { defaultGenerator, Generator as RandomGenerator } from "../tensor/random.js";
import { type Batch, type Fetched, fetchBatch } from "./batch.js";
import type { Collated } from "./collate.js";
import { checkDataset, checkIndex, type Dataset, type SampleRequest } from "./dataset.js";
import { type IterableDataset, isIterableDataset, streamedBatches } from "./iterableDataset.js";
import { checkLoaderState, type DataLoaderState, drawnBefore, type Pass, setStates } from "./loaderState.js";
import {
  BatchSampler,
  checkBatchSize,
  checkGenerator,
  checkSampler,
  RandomSampler,
  type Sampler,
  SequentialSampler,
} from "./sampler.js";

/** Settings of {@link DataLoader}. */
export interface DataLoaderOptions<S, B> {
  /** Samples in a batch. Default: 1. */
  readonly batchSize?: number;
  /** Whether the samples come in another random order in each pass. Default: false. */
  readonly shuffle?: boolean;
  /** Whether a last batch that is not full is left out. Default: false. */
  readonly dropLast?: boolean;
  /** The order of the samples, instead of `shuffle`. */
  readonly sampler?: Sampler;
  /** The batches as lists of indices, instead of `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  readonly batchSampler?: Sampler<ArrayLike<number>>;
  /** Where random orders come from. Default: the default generator, which `manualSeed` seeds. */
  readonly generator?: RandomGenerator;
  /** Makes a batch of samples. Default: `defaultCollate`. */
  readonly collate?: (samples: S[]) => B | Promise<B>;
  /**
   * How many batches are asked for ahead of the one that is handed out (`true` is 1), so that a dataset which reads files does
   * so while the training step runs. So many more batches are in memory then, and transforms draw their random numbers that much
   * earlier than PyTorch's do. It helps datasets that wait, and no others. Default: what the dataset says, which is 0 but for a
   * `WorkerDataset`.
   */
  readonly prefetch?: boolean | number;
}

/**
 * The samples of a dataset in batches, for `for await (const [images, labels] of loader)`.
 *
 * Each pass gives every sample once, `batchSize` at a time; its order with `shuffle` is PyTorch's for the same seed. As in
 * PyTorch every pass draws a seed when it begins, also where no order is random. Passes at the same time do not disturb
 * each other.
 *
 * A batch is given back when the next one is asked for, or the pass ends: the tensors that the loader, `collate` or the
 * dataset's `getBatch` made for it (before their first `await`), not those that the dataset holds. Use `.keep()` or
 * `.clone()` for one that shall live longer; tensors of 4 KiB or less stay readable anyway.
 *
 * @see https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
 */
export class DataLoader<S, B = Collated<S>> implements AsyncIterable<B> {
  readonly #dataset: Dataset<S> | IterableDataset<S>;
  /** How samples that come in a stream are put into batches; null for those that are asked for by number. */
  readonly #stream: { readonly batchSize: number; readonly dropLast: boolean } | null;
  readonly #batchSampler: Sampler<ArrayLike<number>>;
  readonly #generator: RandomGenerator | undefined;
  readonly #collate: ((samples: S[]) => B | Promise<B>) | undefined;
  readonly #prefetch: number | undefined;
  /** The pass that began last, until it ends. */
  #pass: Pass | null = null;
  /** The pass that the next one goes on with. */
  #resumed: Pass | null = null;

  /**
   * @throws ArgumentError where `batchSize` is not a whole number of 1 or more, an empty dataset is to be shuffled, or
   *   options exclude one another.
   */
  constructor(dataset: Dataset<S> | IterableDataset<S>, options: DataLoaderOptions<S, B> = {}) {
    checkOptions(options);
    const streams = isIterableDataset(dataset);
    if (!streams) checkDataset("DataLoader", dataset);
    checkGenerator("DataLoader", options.generator);
    if (options.collate !== undefined && typeof options.collate !== "function") {
      throw new ArgumentError(
        `DataLoader: got ${String(options.collate)} as collate; expected a function from samples to a batch. Leave it out for the default.`,
      );
    }
    this.#dataset = dataset;
    this.#generator = options.generator;
    this.#collate = options.collate;
    this.#prefetch = prefetchOf(options.prefetch);
    if (streams) {
      const { batchSize = 1, dropLast = false, shuffle = false, sampler, batchSampler } = options;
      const prefetch = (this.#prefetch ?? 0) > 0;
      const others = { shuffle, sampler: sampler !== undefined, batchSampler: batchSampler !== undefined, prefetch };
      refuseBoth("an IterableDataset", others);
      checkBatchSize("DataLoader", batchSize);
      this.#stream = { batchSize, dropLast };
      this.#batchSampler = [];
      return;
    }
    this.#stream = null;
    this.#batchSampler = batchSamplerOf(dataset, options);
    if (dataset.load === undefined) checkLength(dataset);
  }

  /** What the samples come from. */
  get dataset(): Dataset<S> | IterableDataset<S> {
    return this.#dataset;
  }

  /**
   * Number of batches in one pass.
   *
   * @throws ArgumentError for an IterableDataset without a length.
   */
  get length(): number {
    if (this.#stream === null) return this.#batchSampler.length;
    const { length } = this.#dataset;
    if (typeof length !== "number") {
      throw new ArgumentError(
        "DataLoader.length: got an IterableDataset without a length; expected one that tells its number of samples. Give it a length, or count batches as they come.",
      );
    }
    const batches = length / this.#stream.batchSize;
    return this.#stream.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /**
   * Where it is: how many batches the pass that began last has given, and the generators that its order came from. In a
   * training loop, the batch that is being trained on counts as given.
   */
  stateDict(): DataLoaderState {
    const pass = this.#pass ?? this.#resumed;
    return {
      pass: pass === null ? null : { ...pass },
      generators: this.#ownGenerators().map((generator) => generator.getState()),
    };
  }

  /**
   * Goes on from what {@link stateDict} gave: the next pass gives the batches that were left of that pass, without asking the
   * dataset for those before.
   *
   * The default generator stays as it is: a checkpoint restores it by itself. A sampler of the user's that draws from the
   * default generator while a pass runs, and not only when it begins, cannot be resumed.
   *
   * @throws ArgumentError where it is not the state of a loader with as many generators; nothing has changed then.
   */
  loadStateDict(state: DataLoaderState): void {
    const own = this.#ownGenerators();
    checkLoaderState(state, own.length);
    setStates(own, state.generators);
    this.#pass = null;
    this.#resumed = state.pass === null ? null : { ...state.pass };
  }

  /**
   * Starts a pass.
   *
   * @throws ShapeError (while it runs) where an index is out of range, or the samples of a batch differ in shape.
   * @throws TapegradError (while it runs) where the dataset fails at a sample: the message names it, `cause` is the error.
   */
  [Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    // PyTorch's loader draws a seed for its workers here, even without any: what is drawn later depends on it.
    const newSeed = (): number => Number(BigInt.asUintN(32, (this.#generator ?? defaultGenerator).randomSeed()));
    const pass: Pass = this.#resumed ?? { seed: newSeed(), given: 0, drawn: 0, over: false, generators: [] };
    this.#resumed = null;
    this.#pass = pass;
    const dataset = this.#dataset;
    return isIterableDataset(dataset) ? this.#streamed(dataset, pass) : this.#batches(dataset, pass);
  }

  async *#streamed(dataset: IterableDataset<S>, pass: Pass): AsyncGenerator<B, void, undefined> {
    if (pass.generators.length === 0) pass.generators = this.#generators().map((generator) => generator.getState());
    const { batchSize, dropLast } = this.#stream ?? { batchSize: 1, dropLast: false };
    try {
      yield* streamedBatches(dataset, pass, { batchSize, dropLast, collate: this.#collate });
    } finally {
      if (this.#pass === pass) this.#pass = null;
    }
  }

  async *#batches(dataset: Dataset<S>, pass: Pass): AsyncGenerator<B, void, undefined> {
    const order = this.#rest(pass);
    const coming: Promise<Fetched<B>>[] = [];
    const abandoned = new AbortController();
    let last: Batch<B> | null = null;
    try {
      await dataset.load?.();
      checkLength(dataset);
      const ahead = this.#prefetch ?? dataset.prefetch ?? 0;
      let asked = pass.given;
      const ask = (indices: ArrayLike<number>): void => {
        const request = { seed: seedOf(pass.seed, asked++), signal: abandoned.signal, made: new Set<Releasable>() };
        const fetched = this.#fetch(dataset, Array.from(indices), request);
        // Should it fail, the error is for whoever asks for that batch.
        fetched.catch(() => undefined);
        coming.push(fetched);
      };
      const askUpTo = (batches: number): void => {
        while (coming.length < batches) {
          const drawn = order.next();
          if (drawn.done === true) return;
          ask(drawn.value);
        }
      };
      for (;;) {
        const drawn = coming.length === 0 ? order.next() : null;
        if (drawn?.done === true) return;
        last?.giveBack("when the DataLoader made its next batch");
        last = null;
        await breathe();
        if (drawn !== null) {
          ask(drawn.value);
          askUpTo(1 + ahead);
        }
        last = (await (await coming.shift())?.join()) ?? null;
        if (last === null) return;
        askUpTo(ahead);
        pass.given++;
        yield last.value;
      }
    } finally {
      order.return();
      abandoned.abort();
      const when = "when the DataLoader's iteration ended";
      last?.giveBack(when);
      for (const fetched of coming) {
        fetched.then(
          (batch) => batch.drop(when),
          () => undefined,
        );
      }
      if (this.#pass === pass) this.#pass = null;
    }
  }

  /** The batches of a pass that are yet to be given. */
  *#rest(pass: Pass): Generator<ArrayLike<number>, void, undefined> {
    const order = this.#batchSampler[Symbol.iterator]();
    if (pass.generators.length === 0) pass.generators = this.#generators().map((generator) => generator.getState());
    else yield* drawnBefore(order, pass, this.#generators());
    for (const indices of { [Symbol.iterator]: () => order }) {
      pass.drawn++;
      yield indices;
    }
    pass.over = true;
  }

  /** All that its order may come from, the default one first. */
  #generators(): RandomGenerator[] {
    return [defaultGenerator, ...this.#ownGenerators()];
  }

  #ownGenerators(): RandomGenerator[] {
    const own = new Set([this.#generator, this.#batchSampler.generator]);
    own.delete(defaultGenerator);
    return [...own].filter((generator) => generator instanceof RandomGenerator);
  }

  async #fetch(dataset: Dataset<S>, indices: readonly number[], request: SampleRequest): Promise<Fetched<B>> {
    for (const index of indices) checkIndex("DataLoader", index, dataset.length);
    if (indices.length === 0) {
      throw new ArgumentError(
        "DataLoader: got a batch without indices from batchSampler; expected at least one. Leave empty batches out.",
      );
    }
    return fetchBatch(dataset, indices, this.#collate, request);
  }
}

/** Seeds of batches lie far apart, so that those of their samples, which count up from them, do not meet. */
function seedOf(passSeed: number, batch: number): number {
  return (passSeed + Math.imul(batch, 0x9e3779b9)) >>> 0;
}

function prefetchOf(prefetch: boolean | number | undefined): number | undefined {
  if (prefetch === undefined) return undefined;
  const batches = Number(prefetch);
  if ((typeof prefetch === "boolean" || typeof prefetch === "number") && Number.isInteger(batches) && batches >= 0) {
    return batches;
  }
  throw new ArgumentError(
    `DataLoader: got prefetch ${String(prefetch)}; expected true, false, or a whole number of 0 or more. It is the number of batches that are asked for ahead.`,
  );
}

const OPTIONS: readonly string[] = [
  "batchSize",
  "shuffle",
  "dropLast",
  "sampler",
  "batchSampler",
  "generator",
  "collate",
  "prefetch",
] satisfies (keyof DataLoaderOptions<unknown, unknown>)[];

function checkOptions(options: object): void {
  const strange = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (strange === undefined) return;
  const cure =
    strange === "numWorkers"
      ? "Workers belong to a dataset: new data.WorkerDataset(module, { numWorkers })."
      : "Correct its name, or leave it out.";
  throw new ArgumentError(`DataLoader: got the option ${strange}; expected ${OPTIONS.join(", ")}. ${cure}`);
}

function batchSamplerOf<S, B>(dataset: Dataset<S>, options: DataLoaderOptions<S, B>): Sampler<ArrayLike<number>> {
  const { batchSize = 1, shuffle = false, dropLast = false, sampler, batchSampler, generator } = options;
  if (batchSampler !== undefined) {
    refuseBoth("batchSampler", { batchSize: batchSize !== 1, shuffle, sampler: sampler !== undefined, dropLast });
    checkSampler("DataLoader", "batchSampler", batchSampler);
    return batchSampler;
  }
  if (sampler !== undefined) {
    refuseBoth("sampler", { shuffle });
    checkSampler("DataLoader", "sampler", sampler);
  }
  checkBatchSize("DataLoader", batchSize);
  const order =
    sampler ?? (shuffle ? new RandomSampler(dataset, generator && { generator }) : new SequentialSampler(dataset));
  return new BatchSampler(order, batchSize, dropLast);
}

function refuseBoth(option: string, others: Readonly<Record<string, boolean>>): void {
  for (const [other, given] of Object.entries(others)) {
    if (!given) continue;
    throw new ArgumentError(
      `DataLoader: got ${option} together with ${other}; expected one of the two, because ${option} already tells the order. Leave ${other} out.`,
    );
  }
}

function checkLength(dataset: Dataset<unknown>): void {
  const { length } = dataset;
  if (Number.isInteger(length) && length >= 0) return;
  throw new ArgumentError(
    `DataLoader: got a dataset of length ${length}; expected a whole number of 0 or more. Let length tell the number of samples.`,
  );
}
