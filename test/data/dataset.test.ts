import { describe, expect, expectTypeOf, it } from "vitest";
import { ArgumentError, arange, data, memoryStats, ShapeError, type Tensor, tensor } from "../../src/index.js";
import { expectEnds, goldenOrders, seeded } from "./goldenOrders.js";

const { randomSplit, Subset, TensorDataset } = data;

/** Samples i·10 of a dataset that notes what it was asked for. */
function numbers(length: number): data.Dataset<number> {
  return { length, get: (index) => index * 10 };
}

describe("TensorDataset", () => {
  const wide = arange(6 * 100).view([6, 10, 10]);
  const narrow = arange(12).view([6, 2]);
  const labels = tensor([5, 4, 3, 2, 1, 0], { dtype: "int32" });

  it("gives rows as samples, as views", () => {
    const dataset = new TensorDataset(narrow, labels);
    expectTypeOf(dataset.get(0)).toEqualTypeOf<[Tensor, Tensor]>();
    expect(dataset.length).toBe(6);
    const { tensors } = memoryStats();
    const [row, label] = dataset.get(2);
    expect(row.toArraySync()).toEqual([4, 5]);
    expect(label.itemSync()).toBe(3);
    expect(memoryStats().tensors).toBe(tensors);
  });

  it("gathers wide, narrow, transposed and scalar rows into batches", () => {
    const flipped = narrow.transpose(0, 1).contiguous().transpose(0, 1);
    const wideFlipped = wide.transpose(1, 2);
    const dataset = new TensorDataset(wide, narrow, labels, flipped, wideFlipped);
    const picked = Int32Array.of(4, 0, 4);
    const [wides, narrows, each, flips, wideFlips] = dataset.getBatch(picked);
    const rows = (x: Tensor) => {
      const nested = x.toArraySync() as unknown[];
      return [nested[4], nested[0], nested[4]];
    };
    expect(wides.shape).toEqual([3, 10, 10]);
    expect(wides.toArraySync()).toEqual(rows(wide));
    expect(wideFlips.toArraySync()).toEqual(rows(wideFlipped));
    expect(narrows.toArraySync()).toEqual(rows(narrow));
    expect(flips.toArraySync()).toEqual(rows(narrow));
    expect(each.toArraySync()).toEqual([1, 5, 1]);
    expect(each.dtype).toBe("int32");
  });

  it("lets gradients reach its tensors", () => {
    for (const x of [arange(4).requiresGrad_(), arange(400).view([4, 100]).detach().requiresGrad_()]) {
      const [batch] = new TensorDataset(x).getBatch(Int32Array.of(1, 1, 3));
      batch.sum().backward();
      const counts = x.grad?.view([4, -1]).toArraySync() as number[][];
      expect(counts.map((row) => row[0])).toEqual([0, 2, 0, 1]);
    }
  });

  it("refuses tensors that do not fit and samples that are not there", () => {
    expect(() => new TensorDataset()).toThrow(
      new ArgumentError("TensorDataset: got no tensors; expected at least one. Pass the tensors one by one."),
    );
    expect(() => new TensorDataset(narrow, arange(5))).toThrow(
      new ShapeError(
        "TensorDataset: got shape [6, 2] for tensor 0 and [5] for tensor 1; expected one first extent, the number of samples. " +
          "Cut or reshape the tensors.",
      ),
    );
    expect(() => new TensorDataset(tensor(3))).toThrow(ShapeError);
    // @ts-expect-error: an array is no tensor
    expect(() => new TensorDataset([1, 2])).toThrow(ArgumentError);
    const dataset = new TensorDataset(narrow);
    for (const index of [-1, 6, 0.5, Number.NaN]) {
      expect(() => dataset.get(index)).toThrow(
        new ShapeError(
          `TensorDataset.get: got index ${index}; expected a whole number from 0 to 5. Count samples from 0 to length - 1.`,
        ),
      );
    }
    expect(() => dataset.getBatch(Int32Array.of(0, 6))).toThrow(/^TensorDataset.getBatch: got index 6; /);
    expect(() => dataset.getBatch(new Int32Array())).toThrow(ArgumentError);
    expect(() => new TensorDataset(arange(0)).get(0)).toThrow(/expected none, because there are no samples/);
  });
});

describe("Subset", () => {
  it("gives the chosen samples in the chosen order, also of a subset", async () => {
    const subset = new Subset(new Subset(numbers(9), [8, 6, 4]), [2, 0, 0]);
    expect(subset.length).toBe(3);
    expect(await Promise.all([0, 1, 2].map((i) => subset.get(i)))).toEqual([40, 80, 80]);
    expect(subset.getBatch).toBeUndefined();
    expect(subset.load).toBeUndefined();
  });

  it("gathers batches where the dataset does, and loads it", async () => {
    const subset = new Subset(new TensorDataset(arange(5)), [4, 2]);
    expectTypeOf(subset).toEqualTypeOf<data.Subset<[Tensor]>>();
    const [batch] = (await subset.getBatch?.(Int32Array.of(1, 0))) ?? [];
    expect(batch?.toArraySync()).toEqual([2, 4]);

    let length = 0;
    const late = {
      get length() {
        return length;
      },
      get: (index: number) => index,
      load: async () => {
        length = 3;
      },
    };
    const part = new Subset(late, [2, 3]);
    await part.load?.();
    expect(part.get(0)).toBe(2);
    expect(() => part.get(1)).toThrow(/^Subset.get: got index 3; expected a whole number from 0 to 2/);
  });

  it("refuses places that the dataset does not have", () => {
    expect(() => new Subset(numbers(3), [0, 3])).toThrow(
      new ShapeError("Subset: got index 3; expected a whole number from 0 to 2. Count samples from 0 to length - 1."),
    );
    expect(() => new Subset(numbers(3), [0.5])).toThrow(ShapeError);
    expect(() => new Subset(numbers(3), [0]).get(1)).toThrow(/^Subset.get: got index 1; /);
    // @ts-expect-error: an array is no dataset
    expect(() => new Subset([1, 2], [0])).toThrow(
      new ArgumentError(
        "Subset: got an array of 2; expected a dataset, an object with length and get(index). " +
          "Wrap an array: { length: array.length, get: (i) => array[i] }.",
      ),
    );
  });
});

describe("randomSplit", () => {
  it.each(goldenOrders.splits)("gives PyTorch's parts: $n in $lengths generator=$own", (each) => {
    const generator = seeded(each);
    const parts = randomSplit(numbers(each.n), each.lengths, generator);
    expect(parts.map((part) => [...part.indices])).toEqual(each.parts);
    expectEnds(generator, each.ends);
  });

  it("is typed by the number of parts", () => {
    const [train, test] = randomSplit(numbers(10), [0.8, 0.2]);
    expectTypeOf(train).toEqualTypeOf<data.Subset<number>>();
    expect([train.length, test.length]).toEqual([8, 2]);
  });

  it("takes fractions whose sum misses 1 by rounding", () => {
    expect(0.34 + 0.56 + 0.1).toBeGreaterThan(1);
    expect(randomSplit(numbers(100), [0.34, 0.56, 0.1]).map((part) => part.length)).toEqual([34, 56, 10]);
    expect(0.7 + 0.2 + 0.1).toBeLessThan(1);
    expect(randomSplit(numbers(10), [0.7, 0.2, 0.1]).map((part) => part.length)).toEqual([7, 2, 1]);
  });

  it("refuses lengths that do not add up", () => {
    expect(() => randomSplit(numbers(10), [3, 6])).toThrow(
      new ArgumentError(
        "randomSplit: got lengths [3, 6] with sum 9 for 10 samples; expected whole numbers of 0 or more that add up to 10, " +
          "or fractions that add up to 1. Correct the lengths.",
      ),
    );
    for (const lengths of [
      [0.5, 0.6],
      [0.5, 0.4],
      [-1, 11],
      [2.5, 7.5],
      [Number.NaN, 1],
      [1.5, -0.5],
    ]) {
      expect(() => randomSplit(numbers(10), lengths)).toThrow(ArgumentError);
    }
    // @ts-expect-error: a number is no list of lengths
    expect(() => randomSplit(numbers(10), 0.8)).toThrow(
      new ArgumentError("randomSplit: got 0.8 as lengths; expected an array. Write [0.8, 0.2]."),
    );
  });
});
