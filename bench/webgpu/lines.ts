/** What is measured on a GPU, and how many times as fast as TensorFlow.js this library wants to be. */

/** Does the work so many times, and gives the milliseconds that it took. */
export type Timed = (times: number) => Promise<number>;

/** A library that is measured. */
export interface Side {
  readonly name: string;
  /** Prepares a line; null where the library is not measured in it. */
  prepare(line: LineName): Promise<Timed | null>;
}

export const lines = [
  { name: "LeNet-5, first step", floor: null, unit: "ms" },
  { name: "LeNet-5, batch 64", floor: 3, unit: "ms" },
  { name: "add, dispatch", floor: 5, unit: "µs" },
  { name: "matmul 512×512×512", floor: 1.5, unit: "ms" },
  { name: "conv2d", floor: 1.5, unit: "ms" },
  { name: "conv2d, input gradient", floor: 1.5, unit: "ms" },
  { name: "conv2d, weight gradient", floor: 3, unit: "ms" },
] as const;

export type LineName = (typeof lines)[number]["name"];

/** The convolution: 8 images of 32×32 with 16 channels, 32 filters of 3×3, padding 1. */
export const convolution = { batch: 8, channels: 16, outChannels: 32, size: 32, kernel: 3, padding: 1 } as const;

/** Ops that are launched between two reads where their dispatch is measured. */
export const CHUNK = 500;

/** What starts `work` and waits for its end. */
export function awaited(work: () => void | Promise<void>, finish: () => Promise<unknown>): Timed {
  return async (times) => {
    await finish();
    const start = performance.now();
    for (let i = 0; i < times; i++) await work();
    await finish();
    return performance.now() - start;
  };
}

/** What starts `work(count)` in chunks, of which the end is awaited and not counted. */
export function started(work: (count: number) => void, finish: () => Promise<unknown>): Timed {
  return async (times) => {
    let spent = 0;
    for (let left = times; left > 0; left -= CHUNK) {
      await finish();
      const start = performance.now();
      work(Math.min(left, CHUNK));
      spent += performance.now() - start;
    }
    await finish();
    return spent;
  };
}
