import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it, test, vi } from "vitest";
import {
  data,
  defaultGenerator,
  Generator,
  manualSeed,
  memoryStats,
  TapegradError,
  type Tensor,
} from "../../../src/index.js";
import { settledMemory } from "../../support/collectGarbage.js";
import type { Parameters } from "./dataset.js";

const { ConcatDataset, DataLoader, Subset, WorkerDataset } = data;

const here = (file: string): URL => new URL(file, import.meta.url);

const folder = mkdtempSync(join(tmpdir(), "tapegrad-workers-"));
/** The modules of this folder as one would publish them: they start ten times as fast as TypeScript does. */
const built = (file: string): URL => pathToFileURL(join(folder, file));

beforeAll(async () => {
  const files = ["dataset", "silent", "stream"];
  await build({
    entryPoints: Object.fromEntries(files.map((file) => [file, fileURLToPath(here(`${file}.ts`))])),
    tsconfig: fileURLToPath(here("../../../tsconfig.json")),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
  });
});

afterAll(() => rmSync(folder, { recursive: true }));

/** A dataset of the module in this folder, which is closed at the end of the test. */
function served<S>(numWorkers: number, parameters: Parameters): data.WorkerDataset<S> & Disposable {
  // What this thread imports has to be made of the same library.
  const module = numWorkers === 0 ? here("dataset.ts") : built("dataset.mjs");
  const dataset = new WorkerDataset<S>(module, { numWorkers, parameters });
  return Object.assign(dataset, { [Symbol.dispose]: () => dataset.close() });
}

interface Mixed {
  readonly image: Tensor;
  readonly label: number;
  readonly weight: number;
  readonly even: boolean;
  readonly name: string;
  readonly pair: [Float32Array, number];
}

type MixedBatch = data.Collated<Mixed>;

function plain({ image, label, weight, even, name, pair: [bytes, next] }: MixedBatch): unknown {
  const tensors = [image, label, weight, even, bytes, next].map((x) => [x.dtype, x.toArraySync()]);
  return [...tensors, name];
}

async function passOf<B>(
  loader: data.DataLoader<never, B> | AsyncIterable<B>,
  see: (batch: B) => unknown,
): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const batch of loader) seen.push(see(batch));
  return seen;
}

async function failure(run: () => Promise<unknown>): Promise<Error> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}

describe("batches", () => {
  it.each([0, 1, 2, 3])("of %d workers are those of the seed, in order", async (numWorkers) => {
    using dataset = served<Mixed>(numWorkers, {});
    manualSeed(11);
    const model = new Generator(11);
    const passSeed = Number(BigInt.asUintN(32, model.randomSeed()));
    const order = new Generator(model.randomSeed()).permutation(20);
    let batch = 0;
    for await (const { image, label, weight, even, name, pair } of new DataLoader(dataset, {
      batchSize: 6,
      shuffle: true,
    })) {
      const indices = [...order.subarray(6 * batch, 6 * batch + 6)];
      const seed = (passSeed + Math.imul(batch++, 2654435769)) >>> 0;
      const images = indices.map((index, place) => {
        const drawn = new Float32Array(3);
        new Generator((seed + place) % 2 ** 32).fillUniform(drawn, 0, 1);
        return [...drawn.map((value) => value + index)];
      });
      expect(image.toArraySync()).toEqual(images);
      expect([label.dtype, label.toArraySync()]).toEqual(["int32", indices]);
      expect(weight.toArraySync()).toEqual(indices.map((index) => index / 2));
      expect([even.dtype, even.toArraySync()]).toEqual(["bool", indices.map((index) => index % 2 === 0)]);
      expect(name).toEqual(indices.map((index) => `n${index}`));
      expect(pair[0].toArraySync()).toEqual(indices.map((index) => [index, 1]));
      expect(pair[1].toArraySync()).toEqual(indices.map((index) => index + 1));
    }
    expect(batch).toBe(4);
    expect(defaultGenerator.randomSeed()).toBe(model.randomSeed());
  });

  it("are the same where samples wait, each for another time", async () => {
    const see = ([before, after]: Tensor[]): unknown => [before?.toArraySync(), after?.toArraySync()];
    const passes: unknown[] = [];
    for (const numWorkers of [0, 1, 2]) {
      using dataset = served<[Tensor, Tensor]>(numWorkers, { kind: "waiting" });
      manualSeed(5);
      passes.push(await passOf(new DataLoader(dataset, { batchSize: 4 }), see));
    }
    expect(passes[1]).toEqual(passes[0]);
    expect(passes[2]).toEqual(passes[0]);
  });

  it("come through Subset, ConcatDataset and a collate of the user's with the same random numbers", async () => {
    using dataset = served<Mixed>(2, {});
    const direct = async (): Promise<unknown[]> => {
      manualSeed(2);
      return passOf(new DataLoader(new Subset(dataset, [3, 1, 8]), { batchSize: 2 }), plain);
    };
    const expected = await direct();
    const joined = new ConcatDataset([new Subset(dataset, [3, 1]), new Subset(dataset, [8])]);
    expect(joined.prefetch).toBe(4);
    await joined.load?.();
    manualSeed(2);
    expect(await passOf(new DataLoader(joined, { batchSize: 2 }), plain)).toEqual(expected);
    manualSeed(2);
    const collate = (samples: Mixed[]): MixedBatch => data.defaultCollate(samples);
    const loader = new DataLoader(new Subset(dataset, [3, 1, 8]), { batchSize: 2, collate });
    expect(await passOf(loader, plain)).toEqual(expected);
    expect(await direct()).toEqual(expected);
  });

  it("are split at random, once loaded", async () => {
    using dataset = served<number>(1, { kind: "number" });
    expect(() => data.randomSplit(dataset, [15, 5])).toThrow(
      "WorkerDataset.length: got a dataset that is not loaded; expected its workers to have been asked. Call await dataset.load() first.",
    );
    await dataset.load();
    const [, test] = data.randomSplit(dataset, [15, 5], { generator: new Generator(0) });
    const expected = [...new Generator(0).permutation(20).subarray(15)];
    expect(await passOf(new DataLoader(test, { batchSize: 5 }), (x) => x.toArraySync())).toEqual([expected]);
  });

  it("go on where a state was saved", async () => {
    using dataset = served<Mixed>(2, {});
    const options = { batchSize: 3, shuffle: true };
    manualSeed(4);
    const whole = await passOf(new DataLoader(dataset, options), plain);
    manualSeed(4);
    const first = new DataLoader(dataset, options);
    let state = "";
    let given = 0;
    for await (const _ of first) {
      if (++given < 3) continue;
      state = JSON.stringify({ loader: first.stateDict(), generator: defaultGenerator.getState() });
      break;
    }
    const second = new DataLoader(dataset, options);
    const { loader, generator } = JSON.parse(state);
    defaultGenerator.setState(generator);
    second.loadStateDict(loader);
    expect(await passOf(second, plain)).toEqual(whole.slice(3));
  });

  it("are asked for two a worker ahead, and no more", async () => {
    const counter = new SharedArrayBuffer(4);
    const made = new Int32Array(counter);
    using dataset = served<number>(2, { kind: "number", length: 1000, counter });
    const loader = new DataLoader(dataset, { batchSize: 10 });
    const pass = loader[Symbol.asyncIterator]();
    for (const given of [1, 2, 3]) {
      await pass.next();
      await vi.waitFor(() => expect(Atomics.load(made, 0)).toBe((given + 4) * 10));
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(Atomics.load(made, 0)).toBe((given + 4) * 10);
    }
    await pass.return();
  });

  it("that nobody waits for any more are not made", async () => {
    const counter = new SharedArrayBuffer(4);
    const made = new Int32Array(counter);
    using dataset = served<number>(1, { kind: "waiting", length: 1000, counter });
    for await (const _ of new DataLoader(dataset, { batchSize: 10, prefetch: 50 })) break;
    await dataset.get(0);
    // The first, the one that was given to the user meanwhile, two that were on their way, and the last sample.
    expect(Atomics.load(made, 0)).toBeLessThan(60);
  });
});

test("single samples are asked for with a seed of the default generator", async () => {
  using dataset = served<Mixed>(1, {});
  manualSeed(9);
  const { image, label, pair } = await dataset.get(4);
  const drawn = new Float32Array(3);
  new Generator(BigInt.asUintN(32, new Generator(9).randomSeed())).fillUniform(drawn, 0, 1);
  expect(image.toArraySync()).toEqual([...drawn.map((value) => value + 4)]);
  expect([label, pair]).toEqual([4, [Float32Array.of(4, 1), 5]]);
  await expect(dataset.get(20)).rejects.toThrow(
    "WorkerDataset.get: got index 20; expected a whole number from 0 to 19.",
  );
});

test("1,000 batches leave memory flat, here and in the workers", async () => {
  const before = await settledMemory();
  using dataset = served<[Tensor, Tensor]>(2, { kind: "large", length: 4000 });
  let [most, batches, mostThere] = [0, 0, 0];
  for await (const [x, bytes] of new DataLoader(dataset, { batchSize: 4 })) {
    expect([x.shape, bytes.shape]).toEqual([[4, 2000], [4]]);
    most = Math.max(most, memoryStats().bytes - before.bytes);
    mostThere = Math.max(mostThere, ...bytes.dataSync());
    batches++;
  }
  expect(batches).toBe(1000);
  // A batch is 32 KB: there are this one and four ahead, and in a worker what is made on the way to one.
  expect(most).toBeLessThan(200_000);
  expect(mostThere).toBeLessThan(300_000);
  expect(mostThere).toBeGreaterThan(8000);
  expect((await settledMemory()).tensors).toBe(before.tensors);
});

describe("errors", () => {
  it.each([0, 1, 2])(
    "of the dataset come with the sample, the message and the stack (%d workers)",
    async (numWorkers) => {
      using dataset = served<number>(numWorkers, { kind: "fails" });
      const seen: number[] = [];
      const error = await failure(async () => {
        for await (const batch of new DataLoader(dataset, { batchSize: 2 })) seen.push(...batch.dataSync());
      });
      expect(seen).toEqual([0, 1, 2, 3]);
      expect(error).toBeInstanceOf(TapegradError);
      expect(error.message).toBe(
        "DataLoader: got an error from the dataset's get(5) (no sample 5 on this disk); expected a sample. Its cause is the error itself.",
      );
      expect(error.cause).toBeInstanceOf(RangeError);
      expect((error.cause as Error).stack).toMatch(/^RangeError: no sample 5 on this disk\n.*failInside/s);
      // The workers go on.
      expect(await dataset.get(7)).toBe(7);
      const alone = await failure(() => dataset.get(5));
      expect([alone.name, alone.message]).toEqual(["RangeError", "no sample 5 on this disk"]);
    },
  );

  it.each([
    ["ragged", /^DataLoader: got shape \[1\] in sample 0 and \[2\] in sample 1; expected one shape in a batch/],
    ["holdsAClass", /^DataLoader: got a Point in sample 0 at \[1\]; expected/],
  ] as const)("of collating name the samples: %s", async (kind, message) => {
    using dataset = served<number>(1, { kind });
    const error = await failure(() => passOf(new DataLoader(dataset, { batchSize: 2 }), () => null));
    expect(error.message).toMatch(message);
  });

  it.each([
    ["holdsAFunction", "a function in a sample at .draw"],
    ["holdsAClass", "a Point in a sample at [1]"],
  ] as const)("tell what cannot be handed over: %s", async (kind, got) => {
    using dataset = served<number>(1, { kind });
    await expect(dataset.get(0)).rejects.toThrow(
      `WorkerDataset: got ${got}; expected tensors, typed arrays, numbers, booleans, strings, and arrays and plain objects of them, ` +
        "which alone can be handed to another thread. Convert it in the dataset.",
    );
  });

  it.each([
    ["exits", "exit code 3"],
    ["throwsLater", "no sample 5 on this disk"],
  ] as const)("of a worker that dies say so, and another one takes its place: %s", async (kind, reason) => {
    using dataset = served<number>(2, { kind });
    const error = await failure(() => passOf(new DataLoader(dataset, { batchSize: 6 }), () => null));
    expect(error).toBeInstanceOf(data.WorkerError);
    expect(error.message).toBe(
      `WorkerDataset: got a worker that died (${reason}) when it was asked for the batch of samples 0, 1, 2, 3, …; expected an answer. ` +
        "Mend what the dataset does there: look for process.exit, for errors in callbacks, and for want of memory. The next samples are asked of a new worker.",
    );
    const rest = new Subset(dataset, [6, 7, 8, 9, 10, 11]);
    expect(await passOf(new DataLoader(rest, { batchSize: 2 }), (x) => x.toArraySync())).toEqual([
      [6, 7],
      [8, 9],
      [10, 11],
    ]);
  });

  it("of modules that do not serve say so", async () => {
    const notThere = new WorkerDataset(built("missing.mjs"));
    const error = await failure(() => notThere.load());
    expect(error).toBeInstanceOf(data.WorkerError);
    expect(error.message).toMatch(
      /^WorkerDataset: got a worker that did not start \(Cannot find module .*missing\.mjs.*\); expected its module to call data\.serveDataset\(…\)\. Check the address, and that the module can be run by itself\.$/,
    );
    await expect(new WorkerDataset(built("silent.mjs")).load()).rejects.toThrow("did not start (exit code 0)");
    await expect(new WorkerDataset(here("silent.ts"), { numWorkers: 0 }).load()).rejects.toThrow(
      /^WorkerDataset: got undefined as the default export of .*silent\.ts; expected what serveDataset gives\. Write export default data\.serveDataset\(…\)\.$/,
    );
    await expect(new WorkerDataset(built("dataset.mjs"), { startTimeout: 1 }).load()).rejects.toThrow(
      "did not start (nothing heard of it for 1 ms)",
    );
    await expect(new WorkerDataset(built("stream.mjs")).load()).rejects.toThrow(
      "serveDataset: got an IterableDataset; expected one whose samples are asked for by number, so that workers can share them. Give it length and get(index).",
    );
  });

  it.each([0, 2])("of loading are those of the dataset (%d workers)", async (numWorkers) => {
    using dataset = served<number>(numWorkers, { loadingFails: "no such folder" });
    const error = await failure(() => passOf(new DataLoader(dataset), () => null));
    expect([error.name, error.message]).toEqual(["TypeError", "no such folder"]);
  });

  it("of arguments come at once", async () => {
    const module = built("dataset.mjs");
    const refused: [() => unknown, string][] = [
      [
        () => new WorkerDataset("./dataset.ts"),
        'WorkerDataset: got "./dataset.ts" as module; expected its address, or a function that starts a worker. Write new URL("./dataset.js", import.meta.url).',
      ],
      [
        () => new WorkerDataset(module, { numWorkers: -1 }),
        "WorkerDataset: got numWorkers -1; expected a whole number of 0 or more. Begin with 1 or 2.",
      ],
      [
        () => new WorkerDataset(module, { startTimeout: 0 }),
        "WorkerDataset: got startTimeout 0; expected milliseconds, more than 0 and less than 2147483648. Leave it out for 60,000.",
      ],
      [
        () => new WorkerDataset(() => new Worker("x"), { numWorkers: 0 }),
        "WorkerDataset: got numWorkers 0 with a function that starts workers; expected the address of the module, which this thread can import. Pass new URL(…).",
      ],
      [
        () => new WorkerDataset(module, { persistentWorkers: true } as object),
        'WorkerDataset: got the option "persistentWorkers"; expected only numWorkers, parameters, startTimeout. Correct its name, or leave it out.',
      ],
      [
        () => new DataLoader({ length: 1, get: () => 1 }, { numWorkers: 2 } as object),
        "DataLoader: got the option numWorkers; expected batchSize, shuffle, dropLast, sampler, batchSampler, generator, collate, prefetch. " +
          "Workers belong to a dataset: new data.WorkerDataset(module, { numWorkers }).",
      ],
      [
        () => new DataLoader({ length: 1, get: () => 1 }, { prefetch: -1 }),
        "DataLoader: got prefetch -1; expected true, false, or a whole number of 0 or more. It is the number of batches that are asked for ahead.",
      ],
      [
        () => data.serveDataset({} as never),
        "serveDataset: got [object Object]; expected a function that makes the dataset. Write serveDataset(() => new MyDataset()).",
      ],
    ];
    for (const [run, message] of refused) expect(run).toThrow(message);
    await expect(new WorkerDataset(module, { parameters: { make: () => 1 } }).load()).rejects.toThrow(
      /^WorkerDataset: got parameters that another thread cannot be given \(.*\); expected what structuredClone takes\. Pass plain data\.$/,
    );
    await expect(new WorkerDataset(() => ({}) as data.WorkerThread).load()).rejects.toThrow(
      'WorkerDataset: got a function that gives [object Object]; expected one that gives a Worker. Write () => new Worker(url, { type: "module" }).',
    );
  });

  it("of closing too early are for who waits", async () => {
    using dataset = served<number>(1, { kind: "waiting" });
    await dataset.load();
    const waiting = dataset.get(0);
    dataset.close();
    await expect(waiting).rejects.toThrow(
      "WorkerDataset: got close() while samples were asked for; expected it after them.",
    );
    expect(await dataset.get(1)).toHaveLength(2);
  });
});

test.each([
  ["node --import tsx", ["--import", "tsx"]],
  ["tsx", [fileURLToPath(import.meta.resolve("tsx/cli"))]],
])(
  "%s runs a TypeScript module in workers, and ends by itself after a loop that was left early",
  async (_, options) => {
    const child = fileURLToPath(here("child.ts"));
    const { stdout } = await promisify(execFile)(process.execPath, [...options, child], { timeout: 60_000 });
    expect(stdout).toBe("0,1,2,3,4: done\n");
  },
);
