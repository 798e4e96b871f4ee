import { ArgumentError } from "../errors.js";

/** The length of the Mersenne Twister's state, in 32-bit words. */
export const WORDS = 624;

const MAX_UINT64 = 2n ** 64n - 1n;
const FLOAT32_MAX = 2 ** 128 - 2 ** 104;

/** From this length on, a 32-bit draw modulo the length is visibly uneven, and PyTorch shuffles in another way. */
const PERMUTATION_LIMIT = 214748364;

/** All that a `Generator` remembers, as plain data that survives JSON. */
export interface GeneratorState {
  /** The seed that `Generator.initialSeed` gives back, in decimal digits: it may have 64 bits. */
  seed: string;
  /** The 624 words of the Mersenne Twister, each from 0 to 2³² − 1. */
  words: number[];
  /** How many of those words have been drawn, from 0 to 624. */
  index: number;
  /** The standard normal sample made in advance, or null. */
  nextNormal: number | null;
}

/** Checks a seed and returns it, as a number where that is exact. */
export function checkedSeed(seed: number | bigint): number | bigint {
  const ok = typeof seed === "bigint" ? seed >= 0n && seed <= MAX_UINT64 : Number.isSafeInteger(seed) && seed >= 0;
  if (!ok) {
    throw new ArgumentError(
      `manualSeed: got ${String(seed)}; expected an integer from 0 to 2^53 - 1, or a bigint from 0 to 2^64 - 1. ` +
        "Use Generator.seed() for a seed that differs from run to run.",
    );
  }
  return typeof seed === "bigint" && seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seed) : seed;
}

/** Checks a state and returns its seed. */
export function checkedState(state: GeneratorState): number | bigint {
  const bad = (what: string) =>
    new ArgumentError(`setState: got ${what}; expected what getState() gave. The checkpoint may be damaged.`);
  if (typeof state !== "object" || state === null) throw bad(String(state));
  const { seed, words, index, nextNormal } = state;
  if (typeof seed !== "string" || !/^\d{1,20}$/.test(seed) || BigInt(seed) > MAX_UINT64) throw bad(`seed ${seed}`);
  if (!Array.isArray(words) || words.length !== WORDS) throw bad(`${words?.length} words instead of ${WORDS}`);
  const wrong = words.findIndex((word) => typeof word !== "number" || word >>> 0 !== word);
  if (wrong !== -1) throw bad(`${words[wrong]} as word ${wrong}`);
  if (!Number.isInteger(index) || index < 0 || index > WORDS) throw bad(`index ${index}`);
  if (nextNormal !== null && !Number.isFinite(nextNormal)) throw bad(`nextNormal ${nextNormal}`);
  return checkedSeed(BigInt(seed));
}

function floatType(out: Float32Array | Float64Array): [dtype: string, max: number] {
  return out instanceof Float32Array ? ["float32", FLOAT32_MAX] : ["float64", Number.MAX_VALUE];
}

export function checkNormal(out: Float32Array | Float64Array, mean: number, std: number): void {
  const [dtype, max] = floatType(out);
  if (!(Math.abs(mean) <= max && std >= 0 && std <= max)) {
    throw new ArgumentError(
      `normal: got mean = ${mean} and std = ${std}; expected both finite in ${dtype} and std >= 0. ` +
        "std is the standard deviation, in the units of mean.",
    );
  }
}

export function checkUniform(out: Float32Array | Float64Array, from: number, to: number): void {
  const [dtype, max] = floatType(out);
  if (!(from >= -max && from <= to && to <= max && to - from <= max)) {
    throw new ArgumentError(
      `uniform: got from = ${from} and to = ${to}; expected from <= to, with both and their difference finite in ${dtype}. ` +
        "Numbers are drawn from [from, to).",
    );
  }
}

export function checkRandint(out: Int32Array | Float32Array | Float64Array, low: number, high: number): void {
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || low >= high) {
    throw new ArgumentError(
      `randint: got low = ${low} and high = ${high}; expected integers with low < high. high itself is never drawn.`,
    );
  }
  const [dtype, least, greatest] =
    out instanceof Int32Array
      ? ["int32", -(2 ** 31), 2 ** 31 - 1]
      : out instanceof Float32Array
        ? ["float32", -(2 ** 24), 2 ** 24]
        : ["float64", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  if (low < least || high - 1 > greatest) {
    throw new ArgumentError(
      `randint: got low = ${low} and high = ${high}; expected ${least} <= low and high <= ${greatest + 1}, since ${dtype} does ` +
        "not hold every integer beyond. Take a narrower range or another dtype.",
    );
  }
}

export function checkProbability(p: number): void {
  if (!(p >= 0 && p <= 1)) {
    throw new ArgumentError(`bernoulli: got p = ${p}; expected 0 <= p <= 1. p is the probability of a one.`);
  }
}

export function checkCount(n: number): void {
  if (!Number.isInteger(n) || n < 0 || n >= PERMUTATION_LIMIT) {
    throw new ArgumentError(
      `randperm: got n = ${n}; expected an integer from 0 to ${PERMUTATION_LIMIT - 1}. It is the number of items to shuffle.`,
    );
  }
}
