/**
 * Samplers: in which order, and in which groups, a loader takes the samples of a dataset.
 *
 * @module
 */
import { ArgumentError } from "../errors.js";
import { defaultGenerator, Generator } from "../tensor/random.js";

/** Indices of samples, in the order in which they are to be taken; each pass over it starts anew. */
export interface Sampler<T = number> extends Iterable<T> {
  /** How many it gives in one pass. */
  readonly length: number;
  /** Where its order comes from, unless that is the default generator: a loader's state has it too. */
  readonly generator?: Generator | undefined;
}

/** What a sampler asks of a dataset. */
export interface SampleSource {
  readonly length: number;
  /** Where there is one, the length may be unknown until it was called. */
  readonly load?: unknown;
}

/** All samples from the first to the last. @see https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.SequentialSampler */
export class SequentialSampler implements Sampler {
  private readonly source: SampleSource;

  constructor(source: SampleSource) {
    this.source = source;
  }

  get length(): number {
    return this.source.length;
  }

  *[Symbol.iterator](): IterableIterator<number> {
    for (let index = 0; index < this.source.length; index++) yield index;
  }
}

/** How many indices PyTorch draws at once with replacement: it shows in what a pass that is broken off has used up. */
const CHUNK = 32;

/** Settings of {@link RandomSampler}. */
export interface RandomSamplerOptions {
  /** Whether a sample may come again before all others came. Default: false. */
  readonly replacement?: boolean;
  /** How many to draw. Default: as many as there are samples. */
  readonly numSamples?: number;
  /** Where the order comes from. Default: for each pass one that is seeded from the default generator. */
  readonly generator?: Generator;
}

/**
 * Samples in random order, which is PyTorch's for the same seed.
 *
 * Without replacement the order is a permutation; where `numSamples` asks for more, another one follows.
 *
 * @see https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.RandomSampler
 */
export class RandomSampler implements Sampler {
  readonly replacement: boolean;
  private readonly source: SampleSource;
  readonly generator: Generator | undefined;
  private readonly wanted: number | undefined;

  /** @throws ArgumentError where there is nothing to draw from, or `numSamples` is not a whole number of 1 or more. */
  constructor(source: SampleSource, options: RandomSamplerOptions = {}) {
    const { replacement = false, numSamples, generator } = options;
    if (numSamples !== undefined && !(Number.isInteger(numSamples) && numSamples >= 1)) {
      throw new ArgumentError(
        `RandomSampler: got numSamples ${numSamples}; expected a whole number of 1 or more. Leave it out to take each sample once.`,
      );
    }
    checkGenerator("RandomSampler", generator);
    this.source = source;
    this.replacement = replacement;
    this.wanted = numSamples;
    this.generator = generator;
    if (source.load === undefined) this.sourceLength();
  }

  get length(): number {
    return this.wanted ?? this.source.length;
  }

  *[Symbol.iterator](): IterableIterator<number> {
    const count = this.sourceLength();
    const wanted = this.length;
    const generator = this.generator ?? new Generator(defaultGenerator.randomSeed());
    if (this.replacement) {
      for (let left = wanted; left > 0; left -= CHUNK) {
        const chunk = new Int32Array(Math.min(left, CHUNK));
        generator.fillRandint(chunk, 0, count);
        yield* chunk;
      }
      return;
    }
    for (let left = wanted; left >= count; left -= count) yield* generator.permutation(count);
    // PyTorch draws the last permutation even where nothing of it is taken, and what follows depends on it.
    yield* generator.permutation(count).subarray(0, wanted % count);
  }

  private sourceLength(): number {
    const { length } = this.source;
    if (length > 0) return length;
    throw new ArgumentError(
      `RandomSampler: got a dataset of ${length} samples; expected at least one to draw from. Check where the dataset comes from, or do not shuffle it.`,
    );
  }
}

/** Settings of {@link SubsetRandomSampler}. */
export interface SubsetRandomSamplerOptions {
  /** Where the order comes from. Default: the default generator. */
  readonly generator?: Generator;
}

/**
 * Given indices in random order, without replacement. The order is PyTorch's for the same seed.
 *
 * @see https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.SubsetRandomSampler
 */
export class SubsetRandomSampler implements Sampler {
  readonly indices: readonly number[];
  readonly generator: Generator;

  constructor(indices: ArrayLike<number>, { generator }: SubsetRandomSamplerOptions = {}) {
    checkGenerator("SubsetRandomSampler", generator);
    this.indices = Array.from(indices);
    this.generator = generator ?? defaultGenerator;
  }

  get length(): number {
    return this.indices.length;
  }

  *[Symbol.iterator](): IterableIterator<number> {
    for (const place of this.generator.permutation(this.length)) yield this.indices[place] ?? 0;
  }
}

/**
 * Cuts the indices that a sampler gives into batches. The last one is shorter where they do not divide evenly, or left out
 * with `dropLast`.
 *
 * @see https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.BatchSampler
 */
export class BatchSampler implements Sampler<number[]> {
  readonly sampler: Sampler;
  readonly batchSize: number;
  readonly dropLast: boolean;

  /** @throws ArgumentError where `batchSize` is not a whole number of 1 or more, or `sampler` is none. */
  constructor(sampler: Sampler, batchSize: number, dropLast = false) {
    checkSampler("BatchSampler", "sampler", sampler);
    checkBatchSize("BatchSampler", batchSize);
    this.sampler = sampler;
    this.batchSize = batchSize;
    this.dropLast = dropLast;
  }

  get generator(): Generator | undefined {
    return this.sampler.generator;
  }

  get length(): number {
    const batches = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  *[Symbol.iterator](): IterableIterator<number[]> {
    let batch: number[] = [];
    for (const index of this.sampler) {
      batch.push(index);
      if (batch.length < this.batchSize) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0 && !this.dropLast) yield batch;
  }
}

/** @throws ArgumentError where `batchSize` is not a whole number of 1 or more. */
export function checkBatchSize(where: string, batchSize: number): void {
  if (Number.isInteger(batchSize) && batchSize >= 1) return;
  throw new ArgumentError(
    `${where}: got batchSize ${batchSize}; expected a whole number of 1 or more. It is the number of samples in a batch.`,
  );
}

/** @throws ArgumentError where `sampler` cannot be iterated, or does not tell its length. */
export function checkSampler(where: string, option: string, sampler: Sampler<unknown>): void {
  const iterable = typeof sampler === "object" && sampler !== null && typeof sampler[Symbol.iterator] === "function";
  if (iterable && "length" in sampler) return;
  const got = iterable ? "an iterable without a length" : String(sampler);
  throw new ArgumentError(
    `${where}: got ${got} as ${option}; expected an iterable with a length, such as an array. Spread it into an array, or give it a length.`,
  );
}

/** @throws ArgumentError where `generator` is given and is none. */
export function checkGenerator(where: string, generator: Generator | undefined): void {
  if (generator === undefined || generator instanceof Generator) return;
  throw new ArgumentError(
    `${where}: got ${String(generator)} as generator; expected a Generator. Write new Generator(seed).`,
  );
}
