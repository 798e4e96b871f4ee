/**
 * Datasets: samples by number, and parts of them.
 *
 * @module
 */
import { ArgumentError, ShapeError } from "../errors.js";
import { tensor } from "../tensor/create.js";
import type { Releasable } from "../tensor/memory.js";
import { expand } from "../tensor/ops/broadcast.js";
import { gather } from "../tensor/ops/indexing.js";
import { stack } from "../tensor/ops/joining.js";
import { view } from "../tensor/ops/layout.js";
import { select } from "../tensor/ops/slicing.js";
import { defaultGenerator, type Generator } from "../tensor/random.js";
import { composite } from "../tensor/scopes.js";
import { elementCount, formatShape } from "../tensor/shape.js";
import { commonKernels, type Tensor } from "../tensor/tensor.js";
import type { Collated } from "./collate.js";
import { checkGenerator } from "./sampler.js";

/**
 * Samples that are asked for by number, from 0 to `length` − 1.
 *
 * @see https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Dataset
 */
export interface Dataset<T> {
  /** Number of samples. */
  readonly length: number;

  /** One sample. */
  get(index: number, request?: SampleRequest): T | Promise<T>;

  /**
   * Several samples as one batch, where that is faster than collating what {@link get} gives. A loader gives the tensors
   * made by it back when it makes its next batch.
   */
  getBatch?(indices: Int32Array, request?: SampleRequest): Collated<T> | Promise<Collated<T>>;

  /** Reads what the samples are made of. A loader awaits it before the first batch; `length` may be unknown until then. */
  load?(): Promise<void>;

  /** How many batches a loader asks for ahead of the one that it hands out, unless its own `prefetch` says so. Default: 0. */
  readonly prefetch?: number | undefined;
}

/** What a loader says beside the indices that it asks for. A dataset of other datasets hands it on; others may ignore it. */
export interface SampleRequest {
  /**
   * Where random numbers may come from: the same for the same batch of a pass, whatever else is drawn meanwhile. For the samples
   * of a batch one after another it counts up by 1.
   */
  readonly seed: number;
  /** Aborted once nobody waits for the samples any more. */
  readonly signal: AbortSignal;
  /** @internal Takes the tensors that are made for the samples after the first `await`. */
  readonly made: Set<Releasable>;
}

/** One tensor for each of `T`. */
export type TensorRow<T extends readonly Tensor[]> = { -readonly [K in keyof T]: Tensor };

/** Rows shorter than this are faster chosen element by element than copied one by one. */
const WIDE_ROW = 64;

/**
 * The rows of tensors as samples: sample i is row i of each, as views.
 *
 * @see https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.TensorDataset
 */
export class TensorDataset<T extends readonly Tensor[]> implements Dataset<TensorRow<T>> {
  readonly tensors: T;
  readonly length: number;

  /**
   * @throws ShapeError where the tensors differ in their first extent, or one has no axes.
   * @throws ArgumentError where there is no tensor.
   */
  constructor(...tensors: T) {
    for (const each of tensors) commonKernels("TensorDataset", each);
    const [first] = tensors;
    if (first === undefined) {
      throw new ArgumentError("TensorDataset: got no tensors; expected at least one. Pass the tensors one by one.");
    }
    tensors.forEach(({ shape }, position) => {
      if (shape.length > 0 && shape[0] === first.shape[0]) return;
      throw new ShapeError(
        `TensorDataset: got shape ${formatShape(first.shape)} for tensor 0 and ${formatShape(shape)} for tensor ${position}; ` +
          "expected one first extent, the number of samples. Cut or reshape the tensors.",
      );
    });
    this.tensors = tensors;
    this.length = first.size(0);
  }

  /** @throws ShapeError where there is no such sample. */
  get(index: number): TensorRow<T> {
    checkIndex("TensorDataset.get", index, this.length);
    return this.tensors.map((x) => select(x, 0, index)) as TensorRow<T>;
  }

  /**
   * The rows at `indices`: for a tensor of shape [N, …], one of shape [indices.length, …].
   *
   * @throws ShapeError where there is no such sample.
   */
  getBatch(indices: Int32Array): Collated<TensorRow<T>> {
    for (const index of indices) checkIndex("TensorDataset.getBatch", index, this.length);
    if (indices.length === 0) {
      throw new ArgumentError("TensorDataset.getBatch: got no indices; expected at least one. Skip the empty batch.");
    }
    return this.tensors.map((x) => rowsOf(x, indices)) as Collated<TensorRow<T>>;
  }
}

function rowsOf(x: Tensor, indices: Int32Array): Tensor {
  const [, ...rest] = x.shape;
  if (x.device === "cpu" && elementCount(rest) >= WIDE_ROW) {
    return composite(() => stack(Array.from(indices, (index) => select(x, 0, index))));
  }
  return composite(() => {
    const places = view(tensor(indices, { device: x.device }), [indices.length, ...rest.map(() => 1)]);
    return gather(x, 0, expand(places, [indices.length, ...rest]));
  });
}

/**
 * The samples of another dataset at given places, in that order.
 *
 * @see https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Subset
 */
export class Subset<T> implements Dataset<T> {
  readonly dataset: Dataset<T>;
  readonly indices: Int32Array;
  readonly getBatch?: (indices: Int32Array, request?: SampleRequest) => Collated<T> | Promise<Collated<T>>;
  readonly load?: () => Promise<void>;

  /** @throws ShapeError where an index is not one of the dataset's; while that is not loaded, only when it is asked for. */
  constructor(dataset: Dataset<T>, indices: ArrayLike<number>) {
    checkDataset("Subset", dataset);
    const places = Array.from(indices);
    const length = dataset.load === undefined ? dataset.length : 2 ** 31;
    for (const place of places) checkIndex("Subset", place, length);
    this.dataset = dataset;
    this.indices = Int32Array.from(places);
    const load = dataset.load?.bind(dataset);
    if (load !== undefined) this.load = load;
    const getBatch = dataset.getBatch?.bind(dataset);
    if (getBatch !== undefined) {
      this.getBatch = (positions, request) =>
        getBatch(
          positions.map((position) => this.place("Subset.getBatch", position)),
          request,
        );
    }
  }

  get length(): number {
    return this.indices.length;
  }

  get prefetch(): number | undefined {
    return this.dataset.prefetch;
  }

  /** @throws ShapeError where there is no such sample. */
  get(index: number, request?: SampleRequest): T | Promise<T> {
    return this.dataset.get(this.place("Subset.get", index), request);
  }

  private place(where: string, position: number): number {
    checkIndex(where, position, this.length);
    const place = this.indices[position] ?? 0;
    checkIndex(where, place, this.dataset.length);
    return place;
  }
}

/** Settings of {@link randomSplit}. */
export interface RandomSplitOptions {
  /** Where the order comes from. Default: the default generator. */
  readonly generator?: Generator;
}

/**
 * Cuts a dataset at random into parts that share no sample. With the same seed they are PyTorch's.
 *
 * `lengths` are numbers of samples that add up to the dataset's length, or fractions that add up to 1: then each part has
 * ⌊fraction · length⌋ samples, and what is left over goes to the parts one by one from the first on.
 *
 * @throws ArgumentError where a length is negative or no number, or they do not add up.
 * @see https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.random_split
 */
export function randomSplit<T, const L extends readonly number[]>(
  dataset: Dataset<T>,
  lengths: L,
  { generator }: RandomSplitOptions = {},
): { -readonly [K in keyof L]: Subset<T> } {
  checkDataset("randomSplit", dataset);
  checkGenerator("randomSplit", generator);
  const sizes = partSizes(dataset.length, lengths);
  const order = (generator ?? defaultGenerator).permutation(dataset.length);
  let start = 0;
  const parts = sizes.map((size) => {
    const part = new Subset(dataset, order.subarray(start, start + size));
    start += size;
    return part;
  });
  return parts as { -readonly [K in keyof L]: Subset<T> };
}

function partSizes(count: number, lengths: readonly number[]): number[] {
  if (!Array.isArray(lengths)) {
    throw new ArgumentError(`randomSplit: got ${String(lengths)} as lengths; expected an array. Write [0.8, 0.2].`);
  }
  const sum = lengths.reduce((total, length) => total + length, 0);
  // A sum of decimal fractions may miss 1 by its rounding.
  const fractions = Math.abs(sum - 1) <= 1e-9;
  const negative = lengths.some((length) => !(length >= 0));
  const whole = lengths.every((length) => Number.isInteger(length));
  if (negative || !(fractions || (whole && sum === count))) {
    throw new ArgumentError(
      `randomSplit: got lengths [${lengths.join(", ")}] with sum ${sum} for ${count} samples; expected whole numbers of 0 or more ` +
        `that add up to ${count}, or fractions that add up to 1. Correct the lengths.`,
    );
  }
  if (!fractions) return [...lengths];
  const sizes = lengths.map((fraction) => Math.floor(count * fraction));
  const rest = count - sizes.reduce((total, size) => total + size, 0);
  return sizes.map((size, part) => size + Math.floor((rest + sizes.length - 1 - part) / sizes.length));
}

/** @throws ArgumentError where `dataset` is none. */
export function checkDataset(where: string, dataset: Dataset<unknown>): void {
  if (typeof dataset === "object" && dataset !== null && typeof dataset.get === "function") return;
  const got = Array.isArray(dataset) ? `an array of ${dataset.length}` : String(dataset);
  throw new ArgumentError(
    `${where}: got ${got}; expected a dataset, an object with length and get(index). Wrap an array: { length: array.length, get: (i) => array[i] }.`,
  );
}

/** @throws ShapeError where `index` is no whole number from 0 to `length` − 1. */
export function checkIndex(where: string, index: number, length: number): void {
  if (Number.isInteger(index) && index >= 0 && index < length) return;
  const expected = length > 0 ? `a whole number from 0 to ${length - 1}` : "none, because there are no samples";
  throw new ShapeError(`${where}: got index ${index}; expected ${expected}. Count samples from 0 to length - 1.`);
}
