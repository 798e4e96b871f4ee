/** What a worker does: it gets samples of its dataset, each with a seed of its own. */
import { ArgumentError } from "../../errors.js";
import type { Releasable } from "../../tensor/memory.js";
import { defaultGenerator } from "../../tensor/random.js";
import { Batch, joinSamples, sampleError, tracked } from "../batch.js";
import { checkDataset, type Dataset } from "../dataset.js";
import { isIterableDataset } from "../iterableDataset.js";
import type { Job } from "./messages.js";

/** Makes the dataset that workers serve, from what the main thread says about it. */
export type DatasetMaker<S = unknown, P = unknown> = (parameters: P) => Dataset<S> | Promise<Dataset<S>>;

/** The dataset of a maker, loaded. @throws ArgumentError where it makes none, or one whose samples come in a stream. */
export async function loadedDataset(make: DatasetMaker, parameters: unknown): Promise<Dataset<unknown>> {
  const dataset = await make(parameters);
  if (typeof dataset === "object" && dataset !== null && isIterableDataset(dataset)) {
    throw new ArgumentError(
      "serveDataset: got an IterableDataset; expected one whose samples are asked for by number, so that workers can share them. Give it length and get(index).",
    );
  }
  checkDataset("serveDataset", dataset);
  await dataset.load?.();
  return dataset;
}

/**
 * Does a job and hands the sample, or the collated batch, to `use`, after which its tensors are given back. One sample comes
 * after the other, also where they wait for files: random numbers then come in an order that nothing can change.
 */
export async function answer<R>(dataset: Dataset<unknown>, job: Job, use: (value: unknown) => Promise<R>): Promise<R> {
  const before = defaultGenerator.getState();
  let batch: Batch<unknown>;
  try {
    batch = await (job.kind === "sample" ? oneSample(dataset, job) : oneBatch(dataset, job));
  } finally {
    defaultGenerator.setState(before);
  }
  try {
    return await use(batch.value);
  } finally {
    batch.giveBack("when the worker had sent it");
  }
}

async function oneSample(dataset: Dataset<unknown>, { indices, seed }: Job): Promise<Batch<unknown>> {
  const made = new Set<Releasable>();
  return new Batch(await seeded(seed, made, () => dataset.get(indices[0] ?? 0)), made, []);
}

async function oneBatch(dataset: Dataset<unknown>, { indices, seed }: Job): Promise<Batch<unknown>> {
  const made = new Set<Releasable>();
  if (dataset.getBatch !== undefined) {
    const getBatch = dataset.getBatch.bind(dataset);
    return new Batch(await seeded(seed, made, () => getBatch(Int32Array.from(indices))), made, []);
  }
  const samples: unknown[] = [];
  for (const [position, index] of indices.entries()) {
    try {
      samples.push(await seeded(seed + position, made, () => dataset.get(index)));
    } catch (error) {
      throw sampleError(index, error);
    }
  }
  return joinSamples(samples, made, undefined, (position) => indices[position] ?? 0);
}

/** What `fn` gives, with the default generator started from a seed. */
async function seeded<T>(seed: number, made: Set<Releasable>, fn: () => T | Promise<T>): Promise<T> {
  defaultGenerator.manualSeed(seed % 2 ** 32);
  return await tracked(made, fn);
}
