/**
 * The loader: from a dataset to batches.
 *
 * @module
 */
import { ArgumentError, TapegradError } from "../errors.js";
import { breathe } from "../tensor/collect.js";
import { type Releasable, runScope, type Storage } from "../tensor/memory.js";
import { defaultGenerator, Generator as RandomGenerator } from "../tensor/random.js";
import { tensorsIn } from "../tensor/scopes.js";
import { Tensor } from "../tensor/tensor.js";
import { type Collated, collateSamples } from "./collate.js";
import { checkDataset, checkIndex, type Dataset } from "./dataset.js";
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
   * Whether the samples of the next batch are asked for before a batch is handed out, so that a dataset which reads files
   * does so while the training step runs. Two batches are in memory then, and transforms draw their random numbers one
   * batch earlier than PyTorch's do. It helps datasets that wait, and no others. Default: false.
   */
  readonly prefetch?: boolean;
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
  readonly #dataset: Dataset<S>;
  readonly #batchSampler: Sampler<ArrayLike<number>>;
  readonly #generator: RandomGenerator | undefined;
  readonly #collate: ((samples: S[]) => B | Promise<B>) | undefined;
  readonly #prefetch: boolean;
  /** The pass that began last, until it ends. */
  #pass: Pass | null = null;
  /** The pass that the next one goes on with. */
  #resumed: Pass | null = null;

  /**
   * @throws ArgumentError where `batchSize` is not a whole number of 1 or more, an empty dataset is to be shuffled, or
   *   options exclude one another.
   */
  constructor(dataset: Dataset<S>, options: DataLoaderOptions<S, B> = {}) {
    checkDataset("DataLoader", dataset);
    checkGenerator("DataLoader", options.generator);
    if (options.collate !== undefined && typeof options.collate !== "function") {
      throw new ArgumentError(
        `DataLoader: got ${String(options.collate)} as collate; expected a function from samples to a batch. Leave it out for the default.`,
      );
    }
    this.#dataset = dataset;
    this.#generator = options.generator;
    this.#collate = options.collate;
    this.#prefetch = options.prefetch ?? false;
    this.#batchSampler = batchSamplerOf(dataset, options);
    if (dataset.load === undefined) checkLength(dataset);
  }

  /** What the samples come from. */
  get dataset(): Dataset<S> {
    return this.#dataset;
  }

  /** Number of batches in one pass. */
  get length(): number {
    return this.#batchSampler.length;
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
    const pass: Pass = this.#resumed ?? { given: 0, drawn: 0, over: false, generators: [] };
    // PyTorch's loader draws a seed for its workers here, even without any: what is drawn later depends on it.
    if (this.#resumed === null) (this.#generator ?? defaultGenerator).randomSeed();
    this.#resumed = null;
    this.#pass = pass;
    return this.#batches(pass);
  }

  async *#batches(pass: Pass): AsyncGenerator<B, void, undefined> {
    const order = this.#rest(pass);
    let last: Batch<B> | null = null;
    let coming: Promise<Batch<B>> | null = null;
    try {
      await this.#dataset.load?.();
      checkLength(this.#dataset);
      for (let drawn = order.next(); drawn.done !== true; ) {
        const indices = Array.from(drawn.value);
        last?.giveBack("when the DataLoader made its next batch");
        last = null;
        await breathe();
        last = await (coming ?? this.#make(indices));
        coming = null;
        if (this.#prefetch) {
          drawn = order.next();
          coming = drawn.done === true ? null : this.#make(Array.from(drawn.value));
          // Should it fail, the error is for whoever asks for that batch.
          coming?.catch(() => undefined);
        }
        pass.given++;
        yield last.value;
        if (!this.#prefetch) drawn = order.next();
      }
    } finally {
      order.return();
      const when = "when the DataLoader's iteration ended";
      last?.giveBack(when);
      void coming?.then(
        (batch) => batch.giveBack(when),
        () => undefined,
      );
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

  async #make(indices: readonly number[]): Promise<Batch<B>> {
    const dataset = this.#dataset;
    const collate = this.#collate;
    for (const index of indices) checkIndex("DataLoader", index, dataset.length);
    if (indices.length === 0) {
      throw new ArgumentError(
        "DataLoader: got a batch without indices from batchSampler; expected at least one. Leave empty batches out.",
      );
    }
    const made = new Set<Releasable>();
    if (dataset.getBatch !== undefined && collate === undefined) {
      const getBatch = dataset.getBatch.bind(dataset);
      const batch = await tracked(made, () => getBatch(Int32Array.from(indices)));
      // Without a collate of the user's, B is Collated<S>.
      return new Batch(batch as B, made, []);
    }
    const loose = new Set<Releasable>();
    const samples = await fetchAll(dataset, indices, loose);
    for (const tensor of tensorsIn(samples)) loose.add(tensor);
    const batch = await tracked(made, () => {
      if (collate !== undefined) return collate(samples);
      return collateSamples("DataLoader", samples, (position) => indices[position] ?? 0) as B;
    });
    return new Batch(batch, made, loose);
  }
}

/** What was handed out, and the tensors to take care of when it is given back. */
class Batch<B> {
  private readonly own: Releasable[] = [];
  private readonly others: Tensor[] = [];

  /** `made` by the loader or what it called to make the batch; `loose` was made or fetched on the way. */
  constructor(
    readonly value: B,
    made: ReadonlySet<Releasable>,
    loose: Iterable<Releasable>,
  ) {
    const tensors = tensorsIn(value);
    for (const tensor of tensors) {
      if (!made.has(tensor)) {
        this.others.push(tensor);
        continue;
      }
      this.own.push(tensor);
      // Views that the training loop takes of the batch (x.flatten(1)) would hold its memory until the collector finds them.
      tensor.lentViews = this.own;
    }
    for (const handle of [...made, ...loose]) {
      if (handle instanceof Tensor && !tensors.has(handle)) moveAside(handle);
    }
  }

  giveBack(when: string): void {
    for (const handle of this.own) handle.giveBack(when);
    for (const tensor of this.others) moveAside(tensor);
  }
}

const movedAside = new WeakSet<Storage>();

/**
 * Moves a tensor that may be the dataset's own, or may be nobody's, to ordinary JavaScript memory where the device can be
 * read at once. There the collector sees it, and it stays readable. What comes again is held by the dataset, and stays.
 */
function moveAside(tensor: Tensor): void {
  if (tensor.isReleased) return;
  const { storage } = tensor;
  // A part of something larger is the dataset's.
  if (storage.length !== tensor.numel() || movedAside.has(storage)) return;
  movedAside.add(storage);
  storage.moveToHost();
}

/** Runs `fn` and adds the tensors that it makes to `made`: up to its first `await`, where it is asynchronous. */
function tracked<T>(made: Set<Releasable>, fn: () => T): T {
  return runScope(
    fn,
    () => [],
    (handle) => made.add(handle),
  );
}

/** Asks for all samples at once, in order. */
function fetchAll<S>(dataset: Dataset<S>, indices: readonly number[], made: Set<Releasable>): Promise<S[]> {
  return Promise.all(
    indices.map(async (index) => {
      try {
        return await tracked(made, () => dataset.get(index));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new TapegradError(
          `DataLoader: got an error from the dataset's get(${index}) (${reason}); expected a sample. Its cause is the error itself.`,
          { cause: error },
        );
      }
    }),
  );
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
