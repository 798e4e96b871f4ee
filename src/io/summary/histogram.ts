import type { TypedArray } from "../../kernels/dtype.js";

/** How many values there are between limits. */
export interface Histogram {
  /** Least value; NaN where one is NaN, as are `max`, `sum` and `sumSquares`. */
  readonly min: number;
  readonly max: number;
  readonly num: number;
  readonly sum: number;
  readonly sumSquares: number;
  /** Upper ends of the buckets. The first bucket is empty: its end is where the second begins. */
  readonly bucketLimits: readonly number[];
  readonly bucketCounts: readonly number[];
}

/**
 * Counts values in buckets whose limits are 0 and ±1e-12·1.1ᵏ up to 1e20, which suit numbers of any size. Empty buckets
 * on either side are left out. NaN and what lies beyond the limits is in no bucket, but counts in `num`.
 *
 * @see https://pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_histogram
 */
export function growingHistogram(values: TypedArray): Histogram {
  return withBuckets(values, growingLimits());
}

/**
 * Counts values in `count` buckets of one width from the least to the greatest; where all are equal, from half below to
 * half above. Values that are not finite are in no bucket.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.histogram.html
 */
export function evenHistogram(values: TypedArray, count: number): Histogram {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (least > most) [least, most] = [0, 1];
  if (least === most) [least, most] = [least - 0.5, most + 0.5];
  const width = (most - least) / count;
  return withBuckets(
    values,
    Array.from({ length: count + 1 }, (_, k) => (k === count ? most : least + k * width)),
  );
}

let knownLimits: readonly number[] | null = null;

function growingLimits(): readonly number[] {
  if (knownLimits === null) {
    const positive: number[] = [];
    for (let limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push(limit);
    knownLimits = [...positive.map((limit) => -limit).reverse(), 0, ...positive];
  }
  return knownLimits;
}

/** Buckets go from one limit, which belongs to them, to the next, which does not; the last one has both. */
function withBuckets(values: TypedArray, limits: readonly number[]): Histogram {
  const counts = new Array<number>(limits.length - 1).fill(0);
  const [lowest, highest] = [limits[0] ?? 0, limits.at(-1) ?? 0];
  let [min, max, sum, sumSquares] = [Infinity, -Infinity, 0, 0];
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    sumSquares += value * value;
    if (!(value >= lowest && value <= highest)) continue;
    const bucket = Math.min(placesUpTo(limits, value), counts.length) - 1;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  const first = Math.max(
    counts.findIndex((count) => count > 0),
    0,
  );
  const end = Math.max(counts.findLastIndex((count) => count > 0) + 1, first + 1);
  return {
    min,
    max,
    num: values.length,
    sum,
    sumSquares,
    bucketLimits: limits.slice(first, end + 1),
    bucketCounts: [0, ...counts.slice(first, end)],
  };
}

/** How many of the limits are no greater than `value`. */
function placesUpTo(limits: readonly number[], value: number): number {
  let [low, high] = [0, limits.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((limits[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
