/**
 * Datasets whose samples come one after another, as from a socket or a file that is too large to count.
 *
 * @module
 */
import { TapegradError } from "../errors.js";
import { breathe } from "../tensor/collect.js";
import type { Releasable } from "../tensor/memory.js";
import { type Batch, joinSamples, tracked } from "./batch.js";
import type { Pass } from "./loaderState.js";

/**
 * Samples in a stream: any iterable, asynchronous or not, each pass over which starts anew, such as an object with
 * `async *[Symbol.asyncIterator]()`.
 *
 * A generator object itself is over after one pass. A loader takes samples as they come: it neither shuffles nor samples.
 *
 * @see https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset
 */
export type IterableDataset<T> = (AsyncIterable<T> | Iterable<T>) & {
  /** Number of samples, where it is known. */
  readonly length?: number;
  readonly get?: undefined;
};

/** Whether samples come in a stream, and cannot be asked for by number. */
export function isIterableDataset<T>(dataset: object): dataset is IterableDataset<T> {
  if (typeof dataset !== "object" || dataset === null || Array.isArray(dataset)) return false;
  if ("get" in dataset && dataset.get !== undefined) return false;
  return Symbol.asyncIterator in dataset || Symbol.iterator in dataset;
}

interface StreamOptions<S, B> {
  readonly batchSize: number;
  readonly dropLast: boolean;
  readonly collate: ((samples: S[]) => B | Promise<B>) | undefined;
}

/** The batches of a pass that are yet to be given. What was given before is drawn and thrown away. */
export async function* streamedBatches<S, B>(
  dataset: IterableDataset<S>,
  pass: Pass,
  { batchSize, dropLast, collate }: StreamOptions<S, B>,
): AsyncGenerator<B, void, undefined> {
  const samples = open(dataset);
  let last: Batch<B> | null = null;
  try {
    for (let skip = pass.given * batchSize; skip > 0; skip--) await samples.next();
    for (let isEnd = false; !isEnd; ) {
      last?.giveBack("when the DataLoader made its next batch");
      last = null;
      await breathe();
      const loose = new Set<Releasable>();
      const drawn: S[] = [];
      const before = pass.given * batchSize;
      while (drawn.length < batchSize && !isEnd) {
        const next = await draw(samples, loose, before + drawn.length);
        if (next.done === true) isEnd = true;
        else drawn.push(next.value);
      }
      if (drawn.length === 0 || (isEnd && dropLast)) break;
      last = await joinSamples(drawn, loose, collate, (position) => before + position);
      pass.drawn++;
      pass.given++;
      yield last.value;
    }
    pass.over = true;
  } finally {
    last?.giveBack("when the DataLoader's iteration ended");
    await samples.return?.();
  }
}

function open<S>(dataset: IterableDataset<S>): AsyncIterator<S> | Iterator<S> {
  return Symbol.asyncIterator in dataset ? dataset[Symbol.asyncIterator]() : dataset[Symbol.iterator]();
}

async function draw<S>(
  samples: AsyncIterator<S> | Iterator<S>,
  loose: Set<Releasable>,
  place: number,
): Promise<IteratorResult<S>> {
  try {
    return await tracked(loose, () => samples.next());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TapegradError(
      `DataLoader: got an error from the dataset at sample ${place} of its stream (${reason}); expected a sample. Its cause is the error itself.`,
      { cause: error },
    );
  }
}
