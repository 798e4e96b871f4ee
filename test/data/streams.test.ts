/** ConcatDataset, IterableDataset, WeightedRandomSampler. */
import { readFileSync } from "node:fs";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  ArgumentError,
  data,
  Generator,
  memoryStats,
  ShapeError,
  TapegradError,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { settledMemory } from "../support/collectGarbage.js";

const wrong = <T>(value: unknown): T => value as T;

async function collect(loader: AsyncIterable<Tensor>): Promise<number[][]> {
  const batches: number[][] = [];
  for await (const batch of loader) batches.push([...batch.dataSync()]);
  return batches;
}

describe("ConcatDataset", () => {
  const numbers = (...values: number[]): data.Dataset<number> => ({
    length: values.length,
    get: (index) => values[index] ?? Number.NaN,
  });

  test("gives the samples of all, in order", async () => {
    const all = new data.ConcatDataset([numbers(1, 2), numbers(), numbers(3), numbers(4, 5)]);
    expect(all.length).toBe(5);
    expect(await collect(new data.DataLoader(all, { batchSize: 2 }))).toEqual([[1, 2], [3, 4], [5]]);
    expect(() => all.get(5)).toThrow(
      new ShapeError(
        "ConcatDataset.get: got index 5; expected a whole number from 0 to 4. Count samples from 0 to length - 1.",
      ),
    );
  });

  test("loads what has to be loaded", async () => {
    let loaded = false;
    const late = {
      get length() {
        if (!loaded) throw new Error("not loaded");
        return 2;
      },
      get: (index: number) => index + 10,
      async load() {
        loaded = true;
      },
    };
    expect(await collect(new data.DataLoader(new data.ConcatDataset([numbers(1), late])))).toEqual([[1], [10], [11]]);
  });

  test("refuses nothing, and what is no dataset", () => {
    expect(() => new data.ConcatDataset([])).toThrow("ConcatDataset: got no datasets; expected at least one.");
    expect(() => new data.ConcatDataset([wrong<data.Dataset<number>>(3)])).toThrow(ArgumentError);
  });
});

describe("IterableDataset", () => {
  const counting = (end: number) => ({
    passes: 0,
    async *[Symbol.asyncIterator]() {
      this.passes++;
      for (let i = 0; i < end; i++) yield [tensor([i, i]), i] as [Tensor, number];
    },
  });

  test("comes in batches, in each pass anew", async () => {
    const dataset = counting(5);
    const loader = new data.DataLoader(dataset, { batchSize: 2 });
    for (let pass = 0; pass < 2; pass++) {
      const shapes: unknown[] = [];
      for await (const [x, label] of loader) {
        expectTypeOf(x).toEqualTypeOf<Tensor>();
        shapes.push([x.shape, [...label.dataSync()]]);
      }
      expect(shapes).toEqual([
        [
          [2, 2],
          [0, 1],
        ],
        [
          [2, 2],
          [2, 3],
        ],
        [[1, 2], [4]],
      ]);
    }
    expect(dataset.passes).toBe(2);
    const dropping = new data.DataLoader(counting(5), { batchSize: 2, dropLast: true });
    let batches = 0;
    for await (const _ of dropping) batches++;
    expect(batches).toBe(2);
  });

  test("may be synchronous, tell its length, and be collated by the user", async () => {
    const dataset = {
      length: 5,
      *[Symbol.iterator]() {
        yield* [1, 2, 3, 4, 5];
      },
    };
    const loader = new data.DataLoader(dataset, { batchSize: 3, collate: (samples: number[]) => samples.join("-") });
    const seen: string[] = [];
    for await (const batch of loader) seen.push(batch);
    expect(seen).toEqual(["1-2-3", "4-5"]);
    expect(loader.length).toBe(2);
  });

  test("is closed when the loop is left, and holds no memory", async () => {
    let closed = 0;
    const dataset = {
      async *[Symbol.asyncIterator]() {
        try {
          for (;;) yield tensor(new Float32Array(4000));
        } finally {
          closed++;
        }
      },
    };
    const before = (await settledMemory()).bytes;
    let count = 0;
    let most = 0;
    for await (const _ of new data.DataLoader(dataset, { batchSize: 4 })) {
      most = Math.max(most, memoryStats().bytes - before);
      if (++count === 12) break;
    }
    expect(closed).toBe(1);
    expect(most).toBeLessThan(6 * 4 * 16_000);
    expect(memoryStats().bytes).toBe(before);
  });

  test("is gone on with where it stopped", async () => {
    const first = new data.DataLoader(counting(7), { batchSize: 2 });
    let state: data.DataLoaderState | null = null;
    let count = 0;
    for await (const _ of first) {
      if (++count < 2) continue;
      state = first.stateDict();
      break;
    }
    const second = new data.DataLoader(counting(7), { batchSize: 2 });
    second.loadStateDict(state as unknown as data.DataLoaderState);
    const labels: number[][] = [];
    for await (const [, label] of second) labels.push([...label.dataSync()]);
    expect(labels).toEqual([[4, 5], [6]]);
  });

  test("says what it cannot do", async () => {
    expect(() => new data.DataLoader(counting(3), { shuffle: true })).toThrow(
      "DataLoader: got an IterableDataset together with shuffle; expected one of the two,",
    );
    expect(() => new data.DataLoader(counting(3), { prefetch: true })).toThrow(ArgumentError);
    expect(() => new data.DataLoader(counting(3), { batchSize: 0 })).toThrow("DataLoader: got batchSize 0;");
    expect(() => new data.DataLoader(counting(3)).length).toThrow(
      "DataLoader.length: got an IterableDataset without a length; expected one that tells its number of samples.",
    );
    const failing = new data.DataLoader({
      *[Symbol.iterator]() {
        yield 1;
        throw new Error("the line is dead");
      },
    });
    const run = async () => {
      for await (const _ of failing);
    };
    await expect(run()).rejects.toThrow(TapegradError);
    await expect(run()).rejects.toThrow(
      "DataLoader: got an error from the dataset at sample 1 of its stream (the line is dead); expected a sample.",
    );
  });
});

describe("WeightedRandomSampler", () => {
  interface Weighted {
    readonly weights: number[];
    readonly count: number;
    readonly replacement: boolean;
    readonly orders: number[][];
  }
  const golden = JSON.parse(readFileSync(new URL("../golden/sampling.json", import.meta.url), "utf8")) as {
    readonly weighted: Weighted[];
  };

  test.each(golden.weighted.map((each) => [each.count, each.weights.length, each.replacement, each] as const))(
    "%i of %i, replacement %s, in PyTorch's order",
    (_, __, ___, { weights, count, replacement, orders }) => {
      const generator = new Generator(7);
      const sampler = new data.WeightedRandomSampler(weights, count, { replacement, generator });
      expect(sampler.length).toBe(count);
      expect(orders.map(() => [...sampler])).toEqual(orders);
    },
  );

  test.each([
    [
      "a negative weight",
      () => new data.WeightedRandomSampler([1, -1], 1),
      "WeightedRandomSampler: got weight -1 at 1;",
    ],
    [
      "a NaN weight",
      () => new data.WeightedRandomSampler([Number.NaN], 1),
      "WeightedRandomSampler: got weight NaN at 0;",
    ],
    ["nothing to draw", () => new data.WeightedRandomSampler([0, 0], 1), "got numSamples 1 for 0 weights above 0;"],
    [
      "more than there are",
      () => new data.WeightedRandomSampler([1, 0, 1], 3, { replacement: false }),
      "got numSamples 3 for 2 weights above 0; expected a whole number of 1 or more, and no more than those.",
    ],
    ["half a sample", () => new data.WeightedRandomSampler([1], 0.5), "got numSamples 0.5 for 1 weights above 0;"],
  ])("refuses %s", (_, run, text) => {
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(text);
  });
});
