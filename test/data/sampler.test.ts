import { describe, expect, it } from "vitest";
import { ArgumentError, data, Generator } from "../../src/index.js";
import { expectEnds, goldenOrders, seeded } from "./goldenOrders.js";

const { BatchSampler, RandomSampler, SequentialSampler, SubsetRandomSampler } = data;

describe("SequentialSampler", () => {
  it("counts the samples, anew in each pass", () => {
    const sampler = new SequentialSampler({ length: 3 });
    expect([...sampler, ...sampler]).toEqual([0, 1, 2, 0, 1, 2]);
    expect(sampler.length).toBe(3);
    expect([...new SequentialSampler({ length: 0 })]).toEqual([]);
  });
});

describe("RandomSampler", () => {
  it.each(goldenOrders.randomSamplers)("gives PyTorch's order: n=$n $options generator=$own", (each) => {
    const generator = seeded(each);
    const sampler = new RandomSampler({ length: each.n }, { ...each.options, ...generator });
    for (const order of each.orders) {
      expect([...sampler]).toEqual(order);
      expect(sampler.length).toBe(order.length);
    }
    expectEnds(generator, each.ends);
  });

  it("draws 32 at a time with replacement, as shows where a pass is broken off", () => {
    const [generator, model] = [new Generator(5), new Generator(5)];
    for (const _ of new RandomSampler({ length: 9 }, { replacement: true, numSamples: 40, generator })) break;
    model.fillRandint(new Int32Array(32), 0, 9);
    expect(generator.random32()).toBe(model.random32());
  });

  it("refuses what it cannot draw from", () => {
    expect(() => new RandomSampler({ length: 0 })).toThrow(
      new ArgumentError(
        "RandomSampler: got a dataset of 0 samples; expected at least one to draw from. Check where the dataset comes from, or do not shuffle it.",
      ),
    );
    const late = new RandomSampler({ length: 0, load: () => Promise.resolve() });
    expect(() => [...late]).toThrow(ArgumentError);
    for (const numSamples of [0, -1, 1.5, Number.NaN]) {
      expect(() => new RandomSampler({ length: 3 }, { numSamples })).toThrow(
        new ArgumentError(
          `RandomSampler: got numSamples ${numSamples}; expected a whole number of 1 or more. Leave it out to take each sample once.`,
        ),
      );
    }
    // @ts-expect-error: a seed is no generator
    expect(() => new RandomSampler({ length: 3 }, { generator: 7 })).toThrow(
      new ArgumentError("RandomSampler: got 7 as generator; expected a Generator. Write new Generator(seed)."),
    );
  });
});

describe("SubsetRandomSampler", () => {
  it.each(goldenOrders.subsetSamplers)("gives PyTorch's order: $indices generator=$own", (each) => {
    const generator = seeded(each);
    const sampler = new SubsetRandomSampler(each.indices, generator);
    for (const order of each.orders) expect([...sampler]).toEqual(order);
    expect(sampler.length).toBe(each.indices.length);
    expectEnds(generator, each.ends);
  });

  it("does not follow later changes of the array", () => {
    const indices = [1, 2];
    const sampler = new SubsetRandomSampler(indices, { generator: new Generator(0) });
    indices.push(3);
    expect([...sampler].sort()).toEqual([1, 2]);
  });
});

describe("BatchSampler", () => {
  it("cuts into batches, and leaves out a last short one when told to", () => {
    const whole = new BatchSampler([5, 6, 7, 8, 9], 2);
    expect([...whole]).toEqual([[5, 6], [7, 8], [9]]);
    expect(whole.length).toBe(3);
    const dropping = new BatchSampler([5, 6, 7, 8, 9], 2, true);
    expect([...dropping]).toEqual([
      [5, 6],
      [7, 8],
    ]);
    expect(dropping.length).toBe(2);
  });

  it("refuses batch sizes and samplers that are none", () => {
    for (const size of [0, -2, 2.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => new BatchSampler([1], size)).toThrow(
        new ArgumentError(
          `BatchSampler: got batchSize ${size}; expected a whole number of 1 or more. It is the number of samples in a batch.`,
        ),
      );
    }
    // @ts-expect-error: a set has no length
    expect(() => new BatchSampler(new Set([1]), 1)).toThrow(
      new ArgumentError(
        "BatchSampler: got an iterable without a length as sampler; expected an iterable with a length, such as an array. " +
          "Spread it into an array, or give it a length.",
      ),
    );
    // @ts-expect-error: a number is no sampler
    expect(() => new BatchSampler(3, 1)).toThrow(/^BatchSampler: got 3 as sampler; /);
  });
});
