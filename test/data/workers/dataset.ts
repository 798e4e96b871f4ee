/** What the workers of the tests serve. `kind` chooses a dataset that does what a test is about. */
import { data, memoryStats, rand, type Tensor, tensor, zeros } from "tapegrad";

export interface Parameters {
  readonly kind?: keyof typeof kinds;
  readonly length?: number;
  /** Memory that all threads share: how many samples were made. */
  readonly counter?: SharedArrayBuffer;
  /** What loading the dataset shall fail with. */
  readonly loadingFails?: string;
}

const kinds = {
  /** All kinds of samples, with random numbers in them. */
  mixed: (index: number) => ({
    image: rand([3]).add(index),
    label: index,
    weight: index / 2,
    even: index % 2 === 0,
    name: `n${index}`,
    pair: [Float32Array.of(index, 1), index + 1] as [Float32Array, number],
  }),
  /** A tensor of 8 KB, made with temporaries that nobody gives back, and the bytes that are alive in the worker. */
  large: (index: number) => [zeros([2000]).add(index).mul(1), memoryStats().bytes] as [Tensor, number],
  number: (index: number) => index,
  /** Random numbers around a wait that is shorter for later samples. */
  waiting: async (index: number) => {
    const before = rand([2]);
    await new Promise((resolve) => setTimeout(resolve, 4 - (index % 4)));
    return [before, rand([2])] as [Tensor, Tensor];
  },
  fails: (index: number) => {
    if (index === 5) failInside(index);
    return index;
  },
  ragged: (index: number) => tensor(new Float32Array(index + 1)),
  exits: (index: number) => {
    if (index === 5) process.exit(3);
    return index;
  },
  throwsLater: async (index: number) => {
    if (index === 5) setTimeout(() => failInside(index), 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    return index;
  },
  holdsAFunction: (index: number) => ({ label: index, draw: () => index }),
  holdsAClass: (index: number) => [index, new (class Point {})()],
};

function failInside(index: number): never {
  throw new RangeError(`no sample ${index} on this disk`);
}

export default data.serveDataset(({ kind = "mixed", length = 20, counter, loadingFails }: Parameters = {}) => ({
  length,
  async load() {
    if (loadingFails !== undefined) throw new TypeError(loadingFails);
  },
  get(index: number): unknown {
    if (counter !== undefined) Atomics.add(new Int32Array(counter), 0, 1);
    return kinds[kind](index);
  },
}));
