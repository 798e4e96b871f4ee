import { data, manualSeed, memoryStats, type Tensor } from "tapegrad";
import type { Parameters } from "../../data/workers/dataset.js";

/** What is the same in Node and in a browser. */
export interface Report {
  /** For each number of workers, the batches of a pass. */
  readonly passes: readonly unknown[];
  readonly failure: string;
  /** Where it was thrown. */
  readonly stack: string;
  readonly death: string;
  readonly missing: string;
  readonly after: unknown;
  /** Bytes alive before 200 batches, and after. */
  readonly bytes: readonly [number, number];
}

type Image = { readonly image: Tensor; readonly label: number; readonly name: string };

/** Uses workers as a user would, and does what goes wrong. */
export async function report(source: data.WorkerSource, nothing: data.WorkerSource): Promise<Report> {
  const served = <S>(numWorkers: number, parameters: Parameters): data.WorkerDataset<S> =>
    new data.WorkerDataset<S>(source, { numWorkers, parameters });
  const passes: unknown[] = [];
  for (const numWorkers of [1, 2]) passes.push(await seededPass(served(numWorkers, {})));
  const failing = served<number>(1, { kind: "fails" });
  const failure = await errorOf(() => failing.getBatch(Int32Array.of(4, 5)));
  const dying = served<number>(1, { kind: "throwsLater" });
  const death = await errorOf(() => dying.get(5));
  const missing = await errorOf(() => new data.WorkerDataset(nothing).load());
  const before = memoryStats().bytes;
  for await (const _ of new data.DataLoader(served(2, { kind: "large", length: 800 }), { batchSize: 4 }));
  return {
    passes,
    failure: failure.message,
    stack: (failure.cause as Error).stack ?? "",
    death: `${death.name}: ${death.message}`,
    missing: `${missing.name}: ${missing.message}`,
    after: await dying.get(6),
    bytes: [before, memoryStats().bytes],
  };
}

/** A pass with random numbers, as plain data. */
export async function seededPass(dataset: data.WorkerDataset<Image>): Promise<unknown[]> {
  manualSeed(11);
  const batches: unknown[] = [];
  for await (const { image, label, name } of new data.DataLoader(dataset, { batchSize: 6, shuffle: true })) {
    batches.push([await image.toArray(), await label.toArray(), name]);
  }
  return batches;
}

async function errorOf(run: () => Promise<unknown>): Promise<Error> {
  return run().then(
    () => new Error("nothing was thrown"),
    (error: Error) => error,
  );
}
