import { afterEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import {
  ArgumentError,
  arange,
  DTypeError,
  data,
  defaultGenerator,
  Generator,
  manualSeed,
  memoryStats,
  nn,
  ReleasedTensorError,
  randn,
  ShapeError,
  stack,
  TapegradError,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";
import { settledMemory } from "../support/collectGarbage.js";
import { expectEnds, goldenOrders, seeded } from "./goldenOrders.js";

const { DataLoader, TensorDataset } = data;

/** More elements than stay readable for ever. */
const LARGE = 2000;

function numbers(length: number): data.Dataset<number> {
  return { length, get: (index) => index };
}

async function orders(loader: AsyncIterable<Tensor>, stop: number | null = null): Promise<number[][]> {
  const batches: number[][] = [];
  for await (const batch of loader) {
    batches.push([...batch.dataSync()]);
    if (batches.length === stop) break;
  }
  return batches;
}

async function failure(run: () => Promise<unknown>): Promise<Error> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}

describe("order", () => {
  it.each(goldenOrders.loaders)(
    "is PyTorch's: n=$n $options generator=$own stop=$stop subset=$subset",
    async (each) => {
      const generator = seeded(each);
      const { shuffle, ...options } = each.options;
      const loader = new DataLoader(numbers(each.n), {
        ...options,
        ...generator,
        ...(each.subset === null ? { shuffle } : { sampler: new data.SubsetRandomSampler(each.subset) }),
      });
      expect(loader.length).toBe(each.length);
      for (const pass of each.passes) {
        const batches = await orders(loader, each.stop);
        expect(each.stop === null ? batches : batches.map((batch) => batch.slice(0, 8))).toEqual(pass);
      }
      expectEnds(generator, each.ends);
    },
  );

  it("draws the seed of a pass when it begins, and that of the order at its first batch", async () => {
    manualSeed(0);
    const model = new Generator(0);
    const loader = new DataLoader(numbers(10), { batchSize: 4, shuffle: true });
    const pass = loader[Symbol.asyncIterator]();
    model.randomSeed();
    expect(defaultGenerator.randomSeed()).toBe(model.randomSeed());
    const order = new Generator(model.randomSeed()).permutation(10);
    const { value } = await pass.next();
    expect([...(value as Tensor).dataSync()]).toEqual([...order.subarray(0, 4)]);
    await pass.return();
    expect(defaultGenerator.randomSeed()).toBe(model.randomSeed());
  });

  it("follows a sampler and a batch sampler of the user's", async () => {
    expect(await orders(new DataLoader(numbers(9), { sampler: [8, 0, 4], batchSize: 2 }))).toEqual([[8, 0], [4]]);
    const batchSampler = [[1], Int32Array.of(3, 2), [7, 7, 7]];
    const loader = new DataLoader(numbers(9), { batchSampler });
    expect(loader.length).toBe(3);
    expect(await orders(loader)).toEqual([[1], [3, 2], [7, 7, 7]]);
  });
});

describe("batches", () => {
  it("are typed and stacked as the samples are", async () => {
    const samples = {
      length: 3,
      get: (i: number) => ({
        image: tensor([i, i + 0.5]),
        label: i,
        weight: i / 2,
        even: i % 2 === 0,
        name: `n${i}`,
        pair: [Float32Array.of(i, 1), i + 1] as [Float32Array, number],
      }),
    };
    const loader = new DataLoader(samples, { batchSize: 3 });
    for await (const batch of loader) {
      expectTypeOf(batch).toEqualTypeOf<{
        image: Tensor;
        label: Tensor;
        weight: Tensor;
        even: Tensor;
        name: string[];
        pair: [Tensor, Tensor];
      }>();
      expect(batch.image.toArraySync()).toEqual([
        [0, 0.5],
        [1, 1.5],
        [2, 2.5],
      ]);
      expect([batch.label.dtype, batch.label.toArraySync()]).toEqual(["int32", [0, 1, 2]]);
      expect([batch.weight.dtype, batch.weight.toArraySync()]).toEqual(["float32", [0, 0.5, 1]]);
      expect([batch.even.dtype, batch.even.toArraySync()]).toEqual(["bool", [true, false, true]]);
      expect(batch.name).toEqual(["n0", "n1", "n2"]);
      expect(batch.pair[0].toArraySync()).toEqual([
        [0, 1],
        [1, 1],
        [2, 1],
      ]);
      expect(batch.pair[1].toArraySync()).toEqual([1, 2, 3]);
    }
  });

  it("come from getBatch where there is one, unless there is a collate", async () => {
    const dataset = new TensorDataset(arange(6).view([3, 2]), tensor([7, 8, 9], { dtype: "int32" }));
    for await (const [x, y] of new DataLoader(dataset, { batchSize: 2, dropLast: true })) {
      expectTypeOf(x).toEqualTypeOf<Tensor>();
      expect([x.shape, y.toArraySync()]).toEqual([
        [2, 2],
        [7, 8],
      ]);
    }
    const collate = (samples: Tensor[][]) => samples.length;
    const counts = new DataLoader(dataset, { batchSize: 2, collate });
    const seen: number[] = [];
    for await (const count of counts) {
      expectTypeOf(count).toEqualTypeOf<number>();
      seen.push(count);
    }
    expect(seen).toEqual([2, 1]);
  });

  it("of MNIST are typed as the page of the design says", () => {
    const loader = new DataLoader(new data.MNIST({ train: true }), { batchSize: 64, shuffle: true });
    expectTypeOf(loader).toExtend<AsyncIterable<[images: Tensor, labels: Tensor]>>();
    expect(loader.length).toBe(938);
  });

  it("wait for datasets and collates that take their time, and ask for the samples at once, in order", async () => {
    const log: string[] = [];
    let ready = false;
    const dataset = {
      get length() {
        return ready ? 3 : Number.NaN;
      },
      async load() {
        await new Promise((resolve) => setTimeout(resolve, 1));
        ready = true;
      },
      async get(index: number) {
        log.push(`ask ${index}`);
        await new Promise((resolve) => setTimeout(resolve, 6 - 2 * index));
        log.push(`give ${index}`);
        return index;
      },
    };
    const loader = new DataLoader(dataset, { batchSize: 3, shuffle: false, collate: async (samples) => samples });
    for await (const batch of loader) expect(batch).toEqual([0, 1, 2]);
    expect(log.slice(0, 3)).toEqual(["ask 0", "ask 1", "ask 2"]);
    expect(log.slice(3).sort()).toEqual(["give 0", "give 1", "give 2"]);
    const shuffled = new DataLoader({ ...dataset, length: 0, load: async () => undefined }, { shuffle: true });
    expect((await failure(() => orders(shuffled))).message).toMatch(/^RandomSampler: got a dataset of 0 samples/);
  });
});

describe("passes", () => {
  it("may run at the same time", async () => {
    const dataset = new TensorDataset(arange(3 * LARGE).view([3, LARGE]));
    const loader = new DataLoader(dataset);
    const seen: number[][] = [];
    for await (const [outer] of loader) {
      for await (const [inner] of loader)
        seen.push([outer.select(0, 0), inner.select(0, 0)].map((x) => x.dataSync()[0] ?? -1));
      expect(outer.isReleased).toBe(false);
    }
    expect(seen.map((pair) => pair.map((value) => value / LARGE))).toEqual(
      [0, 1, 2].flatMap((outer) => [0, 1, 2].map((inner) => [outer, inner])),
    );
  });

  it("end early by break, by return and by an error, and the loader goes on", async () => {
    let open = 0;
    const sampler = {
      length: 4,
      *[Symbol.iterator]() {
        open++;
        try {
          yield* [0, 1, 2, 3];
        } finally {
          open--;
        }
      },
    };
    const loader = new DataLoader(numbers(4), { sampler });
    expect(await orders(loader, 2)).toEqual([[0], [1]]);
    expect(open).toBe(0);
    const pass = loader[Symbol.asyncIterator]();
    await pass.next();
    expect(open).toBe(1);
    expect(await pass.return()).toEqual({ done: true, value: undefined });
    expect(await pass.next()).toEqual({ done: true, value: undefined });
    expect(open).toBe(0);
    await loader[Symbol.asyncIterator]().return();
    const thrown = new Error("in the body");
    const error = await failure(async () => {
      for await (const _ of loader) throw thrown;
    });
    expect(error).toBe(thrown);
    expect(open).toBe(0);
    expect(await orders(loader)).toEqual([[0], [1], [2], [3]]);
  });

  it("do not follow changes of what the loader was made with", async () => {
    const options = { batchSize: 2, dropLast: false };
    const loader = new DataLoader(numbers(3), options);
    const seen: number[] = [];
    for await (const batch of loader) {
      options.batchSize = 1;
      seen.push(batch.numel());
    }
    expect(seen).toEqual([2, 1]);
    // @ts-expect-error: read-only
    expect(() => (loader.dataset = numbers(9))).toThrow(TypeError);
    // @ts-expect-error: read-only
    expect(() => (loader.length = 9)).toThrow(TypeError);
  });
});

describe("prefetching", () => {
  /** A dataset that takes a moment, and notes when it is asked. */
  function slow(log: string[], failAt = -1): data.Dataset<number> {
    return {
      length: 6,
      get: async (index) => {
        log.push(`get ${index}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (index === failAt) throw new Error("no such sample");
        return index;
      },
    };
  }

  it("asks for the next batch before a batch is handed out", async () => {
    const log: string[] = [];
    for await (const batch of new DataLoader(slow(log), { batchSize: 2, prefetch: true })) {
      log.push(`train ${[...batch.dataSync()]}`);
    }
    expect(log).toEqual(["get 0", "get 1", "get 2", "get 3", "train 0,1", "get 4", "get 5", "train 2,3", "train 4,5"]);
  });

  it("keeps the order of the seed", async () => {
    const run = async (prefetch: boolean): Promise<number[][]> => {
      const loader = new DataLoader(numbers(9), { batchSize: 2, shuffle: true, prefetch, generator: new Generator(3) });
      return [...(await orders(loader)), ...(await orders(loader))];
    };
    expect(await run(true)).toEqual(await run(false));
  });

  it("hands the error of a batch to whoever asks for it, and to nobody else", async () => {
    const got: number[][] = [];
    const loader = new DataLoader(slow([], 2), { batchSize: 2, prefetch: true });
    await expect(async () => {
      for await (const batch of loader) {
        got.push([...batch.dataSync()]);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }).rejects.toThrow("no such sample");
    expect(got).toEqual([[0, 1]]);
    for await (const _ of new DataLoader(slow([], 2), { batchSize: 2, prefetch: true })) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it("gives back what was in the making when the loop is left", async () => {
    const before = (await settledMemory()).bytes;
    const dataset: data.Dataset<Tensor> = { length: 4, get: async () => zeros([LARGE]) };
    for await (const _ of new DataLoader(dataset, { batchSize: 2, prefetch: true })) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(memoryStats().bytes).toBe(before);
  });
});

describe("mistakes", () => {
  it("in the options are refused at once", () => {
    for (const batchSize of [0, -1, 1.5, Number.NaN]) {
      expect(() => new DataLoader(numbers(3), { batchSize })).toThrow(
        new ArgumentError(
          `DataLoader: got batchSize ${batchSize}; expected a whole number of 1 or more. It is the number of samples in a batch.`,
        ),
      );
    }
    expect(() => new DataLoader(numbers(3), { shuffle: true, sampler: [0] })).toThrow(
      new ArgumentError(
        "DataLoader: got sampler together with shuffle; expected one of the two, because sampler already tells the order. " +
          "Leave shuffle out.",
      ),
    );
    const batchSampler = [[0]];
    for (const others of [{ batchSize: 2 }, { shuffle: true }, { sampler: [0] }, { dropLast: true }]) {
      expect(() => new DataLoader(numbers(3), { batchSampler, ...others })).toThrow(
        `DataLoader: got batchSampler together with ${Object.keys(others)[0]}; `,
      );
    }
    // @ts-expect-error: not iterable
    expect(() => new DataLoader(numbers(3), { sampler: 3 })).toThrow(/^DataLoader: got 3 as sampler; /);
    // @ts-expect-error: not iterable
    expect(() => new DataLoader(numbers(3), { batchSampler: 3 })).toThrow(/^DataLoader: got 3 as batchSampler; /);
    // @ts-expect-error: no function
    expect(() => new DataLoader(numbers(3), { collate: 3 })).toThrow(/^DataLoader: got 3 as collate; /);
    // @ts-expect-error: no generator
    expect(() => new DataLoader(numbers(3), { generator: 3 })).toThrow(/^DataLoader: got 3 as generator; /);
    expect(() => new DataLoader([1, 2])).toThrow(/^DataLoader: got an array of 2; expected a dataset/);
    expect(() => new DataLoader(numbers(Number.NaN))).toThrow(/^DataLoader: got a dataset of length NaN; /);
  });

  it("empty datasets give no batch, and cannot be shuffled", async () => {
    const loader = new DataLoader(numbers(0), { batchSize: 2 });
    expect(loader.length).toBe(0);
    expect(await orders(loader)).toEqual([]);
    expect(() => new DataLoader(numbers(0), { shuffle: true })).toThrow(
      new ArgumentError(
        "RandomSampler: got a dataset of 0 samples; expected at least one to draw from. " +
          "Check where the dataset comes from, or do not shuffle it.",
      ),
    );
  });

  it("in indices are named", async () => {
    for (const index of [3, -1, 0.5, Number.NaN]) {
      const error = await failure(() => orders(new DataLoader(numbers(3), { sampler: [0, index] })));
      expect(error).toEqual(
        new ShapeError(
          `DataLoader: got index ${index}; expected a whole number from 0 to 2. Count samples from 0 to length - 1.`,
        ),
      );
    }
    const empty = await failure(() => orders(new DataLoader(numbers(3), { batchSampler: [[0], []] })));
    expect(empty).toEqual(
      new ArgumentError(
        "DataLoader: got a batch without indices from batchSampler; expected at least one. Leave empty batches out.",
      ),
    );
  });

  it("in samples are named", async () => {
    const of = (values: readonly unknown[]) => ({ length: values.length, get: (i: number) => values[i] });
    const message = async (values: readonly unknown[]) => {
      const sampler = values.map((_, i) => i).reverse();
      const error = await failure(async () => {
        for await (const _ of new DataLoader(of(values), { batchSize: 9, sampler }));
      });
      return `${error.name}: ${error.message}`;
    };
    expect(await message([zeros([2]), zeros([3]), zeros([3])])).toBe(
      "ShapeError: DataLoader: got shape [3] in sample 2 and [2] in sample 0; expected one shape in a batch. " +
        "Crop or pad the samples to one shape, or pass collate.",
    );
    expect(
      await message([
        [1, { x: Float32Array.of(1) }],
        [1, { x: new Float32Array(2) }],
      ]),
    ).toMatch(/^ShapeError: DataLoader: got shape \[2\] in sample 1 at \[1\]\.x and \[1\] in sample 0 at \[1\]\.x; /);
    expect(await message([[1], [1, 2]])).toBe(
      "ShapeError: DataLoader: got an array of 2 in sample 1 and one of 1 in sample 0; expected one length in a batch. " +
        "Make the samples alike, or pass collate.",
    );
    expect(await message([{ label: 1 }, { label: "a" }])).toBe(
      "DTypeError: DataLoader: got kind string in sample 1 at .label and number in sample 0 at .label; expected one kind in a batch. " +
        "Make the samples alike, or pass collate.",
    );
    expect(await message([1, undefined])).toBe(
      "DTypeError: DataLoader: got undefined in sample 1; expected tensors, typed arrays, numbers, booleans, strings, " +
        "and arrays and plain objects of them. Convert it, or pass collate.",
    );
    for (const odd of [null, 3n, new Map(), new DataView(new ArrayBuffer(1)), () => 1]) {
      expect(await message([odd])).toMatch(/^DTypeError: DataLoader: got .* in sample 0; /);
    }
    expect(() => data.defaultCollate([])).toThrow(ArgumentError);
    expect(() => data.defaultCollate([1, null])).toThrow(DTypeError);
  });

  it("of the dataset pass through with the index, now or later", async () => {
    const cause = new RangeError("no such file");
    const get = (index: number): number => {
      if (index === 2) throw cause;
      return index;
    };
    for (const each of [get, async (index: number) => get(index)]) {
      const loader = new DataLoader({ length: 4, get: each }, { batchSize: 4 });
      const error = await failure(() => orders(loader as AsyncIterable<Tensor>));
      expect(error).toBeInstanceOf(TapegradError);
      expect(error.message).toBe(
        "DataLoader: got an error from the dataset's get(2) (no such file); expected a sample. Its cause is the error itself.",
      );
      expect(error.cause).toBe(cause);
    }
    const unloadable = new DataLoader({ ...numbers(3), load: () => Promise.reject(cause) });
    expect(await failure(() => orders(unloadable))).toBe(cause);
  });
});

describe("memory", () => {
  it("gives back the views of a batch with it, and leaves kept ones", async () => {
    const loader = new DataLoader(new TensorDataset(zeros([4, LARGE])), { batchSize: 2 });
    const before = (await settledMemory()).bytes;
    const views: Tensor[] = [];
    let kept: Tensor | null = null;
    for await (const [batch] of loader) {
      views.push(batch.flatten().unsqueeze(0), batch.detach().narrow(0, 0, 2));
      kept ??= batch.view([2, LARGE]).keep();
    }
    expect(views.map((view) => view.isReleased)).toEqual([true, true, true, true]);
    expect(() => views[0]?.add(1)).toThrow("given back when the DataLoader made its next batch");
    expect(kept?.dataSync()).toHaveLength(2 * LARGE);
    kept?.dispose();
    expect(memoryStats().bytes).toBe(before);
  });

  it("stays flat over 10,000 batches", async () => {
    const dataset = new TensorDataset(randn([64, 40, 50]), arange(64));
    const loader = new DataLoader(dataset, { batchSize: 4, shuffle: true });
    const before = memoryStats();
    const most = { bytes: 0, tensors: 0 };
    for (let batches = 0; batches < 10_000; ) {
      for await (const [x] of loader) {
        expect(x.shape).toEqual([4, 40, 50]);
        const { bytes, tensors } = memoryStats();
        most.bytes = Math.max(most.bytes, bytes);
        most.tensors = Math.max(most.tensors, tensors);
        batches++;
      }
    }
    expect(most.bytes - before.bytes).toBeLessThanOrEqual(4 * (40 * 50 + 1) * 4);
    expect(most.tensors - before.tensors).toBeLessThanOrEqual(2);
    expect(memoryStats().bytes).toBeLessThanOrEqual(before.bytes);
  });

  it("stays flat where samples are made one by one, with temporaries", async () => {
    const dataset = { length: 500, get: (i: number) => [zeros([LARGE]).add(i).mul(2), i] as [Tensor, number] };
    const before = memoryStats();
    for await (const [x, y] of new DataLoader(dataset, { batchSize: 5 })) {
      expect(x.dataSync().at(-1)).toBe(2 * (y.dataSync()[4] ?? 0));
      expect(memoryStats().bytes - before.bytes).toBeLessThanOrEqual(5 * LARGE * 4 + 5 * 4);
    }
    expect(memoryStats().bytes).toBeLessThanOrEqual(before.bytes);
  });

  it("gives a batch back at the next one, and the last at the end", async () => {
    const loader = new DataLoader(new TensorDataset(zeros([3, LARGE]), arange(3)));
    const images: Tensor[] = [];
    const labels: Tensor[] = [];
    for await (const [image, label] of loader) {
      images.push(image);
      labels.push(label);
      expect(images.map((each) => each.isReleased)).toEqual(images.map((each) => each !== image));
    }
    expect(() => images[0]?.dataSync()).toThrow(
      new ReleasedTensorError(
        "tensor: got a tensor of shape [1, 2000] made by stack and given back when the DataLoader made its next batch; " +
          "expected one that is alive. Read it earlier, or hold on to it with .keep() or .clone().",
      ),
    );
    expect(() => images[2]?.dataSync()).toThrow(/given back when the DataLoader's iteration ended; /);
    expect(labels.map((label) => label.itemSync())).toEqual([0, 1, 2]);
    for await (const [image] of loader) {
      images.push(image);
      break;
    }
    expect(images.at(-1)?.isReleased).toBe(true);
  });

  it("leaves kept tensors, and what the tape needs", async () => {
    const loader = new DataLoader(new TensorDataset(randn([2, LARGE])));
    const kept: Tensor[] = [];
    const weight = randn([LARGE, 2]).requiresGrad_();
    let loss = zeros([]);
    for await (const [x] of loader) {
      kept.push(x.keep());
      loss = loss.add(x.matmul(weight).sum());
    }
    for await (const [x] of loader) loss = loss.add(x.matmul(weight).sum());
    expect(kept.map((x) => x.dataSync().length)).toEqual([LARGE, LARGE]);
    loss.backward();
    const expected = kept.map((x) => x.dataSync()[0] ?? 0).reduce((a, b) => a + b, 0) * 2;
    expect(weight.grad?.dataSync()[0]).toBeCloseTo(expected, 4);
  });

  it("never takes the dataset's own tensors", async () => {
    const cache = [zeros([LARGE]), zeros([LARGE]).add(1)];
    const lazy = new Map<number, Tensor>();
    const made = (i: number): Tensor => {
      const found = lazy.get(i) ?? zeros([LARGE]).add(i);
      lazy.set(i, found);
      return found;
    };
    const held = [
      new DataLoader({ length: 2, get: (i: number) => cache[i] as Tensor }),
      new DataLoader({ length: 2, get: (i: number) => cache[i] as Tensor }, { collate: ([x]) => x as Tensor }),
      new DataLoader({ length: 2, get: made }),
      new DataLoader({ length: 2, get: async (i: number) => made(i) }, { collate: ([x]) => x as Tensor }),
      new DataLoader(
        {
          length: 2,
          get: (i: number) => [cache[i] as Tensor] as [Tensor],
          getBatch: (indices: Int32Array): [Tensor] => [cache[indices[0] ?? 0] as Tensor],
        },
        { collate: ([sample]) => sample?.[0] as Tensor },
      ),
    ];
    for (const loader of held) {
      for (let pass = 0; pass < 3; pass++) {
        const first: number[] = [];
        for await (const x of loader) first.push(x.dataSync()[0] ?? -1);
        expect(first).toEqual([0, 1]);
      }
    }
    const batches = {
      ...numbers(2),
      get: (i: number) => made(i),
      getBatch: (indices: Int32Array) => made(indices[0] ?? 0),
    };
    for (let pass = 0; pass < 2; pass++) expect((await orders(new DataLoader(batches))).length).toBe(2);
    for (const x of [...cache, ...lazy.values()]) expect(x.dataSync().length).toBe(LARGE);
  });

  it("gives back what a collate of the user's made", async () => {
    const dataset = new TensorDataset(randn([4, LARGE]));
    const loader = new DataLoader(dataset, {
      batchSize: 2,
      collate: (samples) => stack(samples.map(([x]) => x.mul(2))),
    });
    const before = memoryStats();
    for await (const x of loader) {
      expect(x.shape).toEqual([2, LARGE]);
      expect(memoryStats().bytes - before.bytes).toBeLessThanOrEqual(2 * LARGE * 4);
    }
    expect(memoryStats().bytes).toBeLessThanOrEqual(before.bytes);
  });

  it("moves what a dataset holds once at most, and no part of it", async () => {
    const all = zeros([2, LARGE]);
    const parts = [all.select(0, 0), all.select(0, 1)];
    const whole = [zeros([LARGE]), zeros([LARGE])];
    const reads = vi.spyOn(all.kernels as { readSync: (...args: never[]) => unknown }, "readSync");
    for (const [samples, moves] of [
      [parts, 0],
      [whole, 2],
      [whole, 0],
    ] as const) {
      reads.mockClear();
      for await (const _ of new DataLoader({ length: 2, get: (i: number) => samples[i] as Tensor }));
      expect(reads).toHaveBeenCalledTimes(moves);
    }
    reads.mockRestore();
  });

  it("moves aside what was made later than it can see", async () => {
    const collate = async (samples: number[]) => {
      await Promise.resolve();
      return zeros([LARGE]).add(samples[0] ?? 0);
    };
    const before = memoryStats();
    const seen: Tensor[] = [];
    for await (const x of new DataLoader(numbers(9), { collate })) {
      seen.push(x);
      // The operand of add is nobody's until a finalizer comes.
      expect(memoryStats().bytes - before.bytes).toBeLessThanOrEqual((seen.length + 1) * LARGE * 4);
    }
    expect(seen.map((x) => x.dataSync()[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("lets a training step read its outputs in the loop", async () => {
    const model = new nn.Linear(LARGE, 3);
    const loader = new DataLoader(
      new TensorDataset(randn([6, LARGE]), tensor([0, 1, 2, 0, 1, 2], { dtype: "int32" })),
      {
        batchSize: 3,
      },
    );
    const losses: Tensor[] = [];
    for await (const [x, y] of loader) {
      model.zeroGrad();
      const loss = nn.functional.crossEntropy(model.forward(x), y);
      loss.backward();
      losses.push(loss);
    }
    for (const loss of losses) expect(await loss.item()).toBeGreaterThan(0);
  });
});

describe("the event loop", () => {
  const timers: ReturnType<typeof setInterval>[] = [];
  afterEach(() => timers.splice(0).forEach(clearInterval));

  it("turns while batches are made one after another", async () => {
    let ticks = 0;
    timers.push(setInterval(() => ticks++, 1));
    const loader = new DataLoader(numbers(100_000), { batchSize: 10 });
    for await (const _ of loader) if (ticks >= 3) break;
    expect(ticks).toBeGreaterThanOrEqual(3);
  });
});
