/**
 * Batches of a loader: how samples become one, and how its memory is given back.
 *
 * @module
 */
import { TapegradError } from "../errors.js";
import { type Releasable, runScope, type Storage } from "../tensor/memory.js";
import { tensorsIn } from "../tensor/scopes.js";
import { Tensor } from "../tensor/tensor.js";
import { collateSamples } from "./collate.js";
import type { Dataset, SampleRequest } from "./dataset.js";

/** Makes a batch of samples, of which `loose` was made on the way; `nameOf` numbers them in messages. */
export async function joinSamples<S, B>(
  samples: S[],
  loose: Set<Releasable>,
  collate: ((samples: S[]) => B | Promise<B>) | undefined,
  nameOf: (position: number) => number,
): Promise<Batch<B>> {
  const made = new Set<Releasable>();
  for (const tensor of tensorsIn(samples)) loose.add(tensor);
  const batch = await tracked(made, () => {
    if (collate !== undefined) return collate(samples);
    return collateSamples("DataLoader", samples, nameOf) as B;
  });
  return new Batch(batch, made, loose);
}

/** What was handed out, and the tensors to take care of when it is given back. */
export class Batch<B> {
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
export function tracked<T>(made: Set<Releasable>, fn: () => T): T {
  return runScope(
    fn,
    () => [],
    (handle) => made.add(handle),
  );
}

/** Asks for all samples at once, in order. */
export function fetchAll<S>(dataset: Dataset<S>, indices: readonly number[], request: SampleRequest): Promise<S[]> {
  const { made, seed } = request;
  return Promise.all(
    indices.map(async (index, position) => {
      try {
        return await tracked(made, () => dataset.get(index, { ...request, seed: seed + position }));
      } catch (error) {
        throw sampleError(index, error);
      }
    }),
  );
}

/** That a dataset failed at a sample. */
export function sampleError(index: number, error: unknown): TapegradError {
  const reason = error instanceof Error ? error.message : String(error);
  return new TapegradError(
    `DataLoader: got an error from the dataset's get(${index}) (${reason}); expected a sample. Its cause is the error itself.`,
    { cause: error },
  );
}

/** What was asked of a dataset for a batch: to be made the batch, or to be dropped. */
export interface Fetched<B> {
  join(): Batch<B> | Promise<Batch<B>>;
  drop(when: string): void;
}

/** Asks for the samples of a batch; `collate` makes one of them later, or the dataset itself did. */
export async function fetchBatch<S, B>(
  dataset: Dataset<S>,
  indices: readonly number[],
  collate: ((samples: S[]) => B | Promise<B>) | undefined,
  request: SampleRequest,
): Promise<Fetched<B>> {
  const { made } = request;
  if (dataset.getBatch !== undefined && collate === undefined) {
    const getBatch = dataset.getBatch.bind(dataset);
    const value = await tracked(made, () => getBatch(Int32Array.from(indices), request));
    // Without a collate of the user's, B is Collated<S>.
    const batch = new Batch(value as B, made, []);
    return { join: () => batch, drop: (when) => batch.giveBack(when) };
  }
  const samples = await fetchAll(dataset, indices, request);
  return {
    join: () => joinSamples(samples, made, collate, (position) => indices[position] ?? 0),
    drop: () => void new Batch(null, new Set(), made),
  };
}
