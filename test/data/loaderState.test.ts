import { describe, expect, test } from "vitest";
import { ArgumentError, data, defaultGenerator, Generator, manualSeed, type Tensor } from "../../src/index.js";

const { DataLoader } = data;

function numbers(length: number): data.Dataset<number> {
  return { length, get: (index) => index };
}

type Loader = data.DataLoader<number, Tensor>;

/** Loaders of every kind whose order comes from somewhere. */
const makers: Readonly<Record<string, () => Loader>> = {
  "in order": () => new DataLoader(numbers(11), { batchSize: 3 }),
  shuffled: () => new DataLoader(numbers(11), { batchSize: 3, shuffle: true }),
  "shuffled by a generator of its own": () =>
    new DataLoader(numbers(11), { batchSize: 3, shuffle: true, generator: new Generator(5) }),
  "with replacement, by a generator that is drawn from all the time": () =>
    new DataLoader(numbers(11), {
      batchSize: 20,
      sampler: new data.RandomSampler(numbers(11), { replacement: true, numSamples: 150, generator: new Generator(6) }),
    }),
  "several permutations": () =>
    new DataLoader(numbers(5), {
      batchSize: 4,
      sampler: new data.RandomSampler(numbers(5), { numSamples: 17, generator: new Generator(7) }),
      generator: new Generator(8),
    }),
  "a subset": () =>
    new DataLoader(numbers(30), { batchSize: 2, sampler: new data.SubsetRandomSampler([3, 1, 4, 15, 9, 26]) }),
  "shuffled by a generator of its own, one batch ahead": () =>
    new DataLoader(numbers(12), { batchSize: 3, shuffle: true, generator: new Generator(5), prefetch: true }),
  "without samples": () => new DataLoader(numbers(0), { batchSize: 3 }),
  "dropping the last": () => new DataLoader(numbers(11), { batchSize: 3, shuffle: true, dropLast: true }),
};

/** Two epochs and a bit, with numbers drawn while they run, as dropout does. */
async function* run(loader: Loader): AsyncGenerator<string> {
  for (let epoch = 0; epoch < 3; epoch++) {
    for await (const batch of loader) yield `${epoch}: ${[...batch.dataSync()]} and ${defaultGenerator.random32()}`;
    yield `${epoch} ends with ${defaultGenerator.random32()}`;
  }
}

describe.each(Object.entries(makers))("a loader %s", (_, make) => {
  test("goes on from any place as if it had never stopped", async () => {
    manualSeed(3);
    const loader = make();
    const whole: string[] = [];
    const states: string[] = [];
    for await (const line of run(loader)) {
      whole.push(line);
      states.push(JSON.stringify({ loader: loader.stateDict(), generator: defaultGenerator.getState() }));
    }
    for (const [index, text] of states.entries()) {
      const state = JSON.parse(text) as { loader: data.DataLoaderState; generator: ReturnType<Generator["getState"]> };
      manualSeed(99);
      const other = make();
      other.loadStateDict(state.loader);
      defaultGenerator.setState(state.generator);
      expect(other.stateDict()).toEqual(state.loader);
      const rest: string[] = [];
      // The epoch's own line was drawn after the state was saved where the pass had ended.
      const epoch = Number(whole[index]?.[0]) + (whole[index]?.includes("ends") ? 1 : 0);
      for (let left = epoch; left < 3; left++) {
        for await (const batch of other)
          rest.push(`${left}: ${[...batch.dataSync()]} and ${defaultGenerator.random32()}`);
        rest.push(`${left} ends with ${defaultGenerator.random32()}`);
      }
      expect(rest).toEqual(whole.slice(index + 1));
    }
  });
});

test("batches that were given are not asked for again", async () => {
  const asked: number[] = [];
  const dataset = { length: 6, get: (index: number) => asked.push(index) };
  const loader = new DataLoader(dataset, { batchSize: 2 });
  for await (const _ of loader) break;
  expect(loader.stateDict()).toEqual({ pass: null, generators: [] });
  const pass = loader[Symbol.asyncIterator]();
  await pass.next();
  await pass.next();
  const other = new DataLoader(dataset, { batchSize: 2 });
  other.loadStateDict(loader.stateDict());
  asked.length = 0;
  for await (const _ of other);
  expect(asked).toEqual([4, 5]);
  for await (const _ of other);
  expect(asked).toEqual([4, 5, 0, 1, 2, 3, 4, 5]);
});

test("a state that is saved while a batch is in the making has the batch before it", async () => {
  manualSeed(4);
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let waits = false;
  const slow: data.Dataset<number> = { length: 6, get: async (index) => (waits ? gate.then(() => index) : index) };
  const make = (): Loader =>
    new DataLoader(slow, {
      batchSize: 2,
      sampler: new data.RandomSampler(slow, { numSamples: 40, replacement: true, generator: new Generator(2) }),
    });
  const loader = make();
  const pass = loader[Symbol.asyncIterator]();
  for (let left = 16; left > 0; left--) await pass.next();
  waits = true;
  const next = pass.next();
  await new Promise((resolve) => setImmediate(resolve));
  const state = loader.stateDict();
  expect(state.pass).toMatchObject({ given: 16, drawn: 17 });
  release();
  waits = false;
  const rest: number[][] = [[...((await next).value as Tensor).dataSync()]];
  for await (const batch of { [Symbol.asyncIterator]: () => pass }) rest.push([...batch.dataSync()]);
  const other = make();
  other.loadStateDict(state);
  const resumed: number[][] = [];
  for await (const batch of other) resumed.push([...batch.dataSync()]);
  expect(resumed).toEqual(rest);
});

describe("loadStateDict refuses", () => {
  const own = () => new DataLoader(numbers(4), { shuffle: true, generator: new Generator(0) });
  const { generators } = own().stateDict();
  const place = "Make the loader as it was when its state was saved.";
  test.each([
    [null, "got null; expected what stateDict() gave"],
    [{ pass: null, generators: [] }, "got the state of 0 generators; expected that of 1"],
    [{ pass: {}, generators }, "got a pass without the number of its batches; expected what stateDict() gave"],
    [{ generators }, "got a pass without the number of its batches; expected what stateDict() gave"],
    [
      { pass: { given: 2, drawn: 1, over: false, generators: [] }, generators },
      "got a pass without the number of its batches; expected what stateDict() gave",
    ],
    [
      { pass: { given: 1, drawn: 1, over: false, generators }, generators },
      "got a pass that began with 1 generators; expected 2",
    ],
  ])("%j", (state, message) => {
    const loader = own();
    const before = loader.stateDict();
    expect(() => loader.loadStateDict(state as never)).toThrow(
      new ArgumentError(`DataLoader.loadStateDict: ${message}. ${place}`),
    );
    expect(loader.stateDict()).toEqual(before);
  });

  test("a place that the pass does not have", async () => {
    const pass = new DataLoader(numbers(9))[Symbol.asyncIterator]();
    await pass.return();
    const long = new DataLoader(numbers(9));
    const begun = long[Symbol.asyncIterator]();
    for (let left = 9; left > 0; left--) await begun.next();
    const short = new DataLoader(numbers(4));
    short.loadStateDict(long.stateDict());
    await expect(short[Symbol.asyncIterator]().next()).rejects.toThrow(
      `DataLoader: got a pass of 4 batches; expected at least the 9 that were drawn before. ${place}`,
    );
  });
});
