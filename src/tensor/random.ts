import {
  checkCount,
  checkedSeed,
  checkedState,
  checkNormal,
  checkProbability,
  checkRandint,
  checkUniform,
  type GeneratorState,
  WORDS,
} from "./randomArguments.js";
import { Twister } from "./twister.js";

export type { GeneratorState } from "./randomArguments.js";

/** The seed that `new Generator()` starts from, the one that PyTorch's starts from. */
const DEFAULT_SEED = 67280421310721;

/** A range this wide or wider takes 64 bits for each random integer, a narrower one 32. */
const WIDE_RANGE = 2 ** 28;

/** `fillNormal` works on whole blocks of this size when the array holds at least one. */
const NORMAL_BLOCK = 16;

const TWO_PI = 2 * Math.PI;
const TWO_PI_FLOAT32 = Math.fround(TWO_PI);

/**
 * A source of random numbers: the Mersenne Twister MT19937, drawn from the way PyTorch's CPU generator is, so that the
 * same seed and the same calls give PyTorch's own numbers.
 *
 * Integers, uniform numbers, permutations and Bernoulli draws are PyTorch's exactly; normal numbers are within a few
 * units in the last place. Every method draws from one stream, so the order of the calls counts.
 *
 * @see M. Matsumoto, T. Nishimura: Mersenne Twister, ACM TOMACS 8(1), 1998
 * @see https://docs.pytorch.org/docs/stable/generated/torch.Generator.html
 */
export class Generator {
  readonly #twister = new Twister();
  #seed: number | bigint = DEFAULT_SEED;
  #nextNormal: number | null = null;

  /**
   * Makes a generator that starts from `seed`.
   *
   * @param seed - as in {@link Generator.manualSeed}; by default 67280421310721, so that two generators made without a
   *   seed give the same numbers. Use {@link Generator.seed} for numbers that differ from run to run.
   * @throws ArgumentError if the seed is not a non-negative integer.
   */
  constructor(seed: number | bigint = DEFAULT_SEED) {
    this.manualSeed(seed);
  }

  /**
   * Starts the stream again from a seed and forgets the normal sample made in advance.
   *
   * @param seed - a safe integer from 0, or a bigint from 0 to 2⁶⁴ − 1. The stream depends on its lowest 32 bits only.
   * @throws ArgumentError for any other seed.
   */
  manualSeed(seed: number | bigint): this {
    this.#seed = checkedSeed(seed);
    this.#twister.seed(Number(BigInt.asIntN(32, BigInt(seed))));
    this.#nextNormal = null;
    return this;
  }

  /** Starts the stream from a seed that the operating system picks, and returns that seed (53 bits). */
  seed(): number {
    const seed = unpredictableSeed();
    this.manualSeed(seed);
    return seed;
  }

  /** The seed that the stream was last started from: a bigint where a number cannot hold it exactly. */
  initialSeed(): number | bigint {
    return this.#seed;
  }

  /** A copy of the state, for a checkpoint. */
  getState(): GeneratorState {
    return {
      seed: String(this.#seed),
      words: Array.from(this.#twister.words, (word) => word >>> 0),
      index: this.#twister.drawn,
      nextNormal: this.#nextNormal,
    };
  }

  /**
   * Goes on from a state that {@link Generator.getState} gave.
   *
   * @throws ArgumentError if the state is not one; the generator is then as it was before.
   */
  setState(state: GeneratorState): this {
    const seed = checkedState(state);
    this.#seed = seed;
    this.#twister.words.set(state.words);
    this.#twister.restore(state.index);
    this.#nextNormal = state.nextNormal;
    return this;
  }

  /** The next 32 random bits, as an integer from 0 to 2³² − 1. */
  random32(): number {
    return this.#twister.next();
  }

  /** The next 64 random bits, as an integer from 0 to 2⁶⁴ − 1: two draws of 32 bits, the high half first. */
  random64(): bigint {
    const high = this.random32();
    return (BigInt(high) << 32n) | BigInt(this.random32());
  }

  /** A seed for another generator, from 0 to 2⁶³ − 1: what PyTorch's `random_()` puts into an int64 scalar. */
  randomSeed(): bigint {
    return BigInt.asUintN(63, this.random64());
  }

  /**
   * Fills an array with numbers spread evenly over [from, to): `from + (to − from) · k / 2ᵇ` with a random integer k of
   * b bits, where b is 24 for float32 and 53 for float64.
   *
   * The sum is rounded once, as by a fused multiply-add, which is what PyTorch's builds for today's processors do. A sum
   * that rounds up to `to` becomes `from`.
   *
   * @throws ArgumentError unless `from <= to`, and both and their difference are finite in the array's type.
   */
  fillUniform(out: Float32Array | Float64Array, from: number, to: number): void {
    checkUniform(out, from, to);
    if (out instanceof Float32Array) {
      this.#fillUniform32(out, 0, out.length, from, to);
    } else {
      const range = to - from;
      for (let i = 0; i < out.length; i++) {
        const value = multiplyAdd(this.#random53() * 2 ** -53, range, from);
        out[i] = value === to ? from : value;
      }
    }
  }

  /**
   * Fills an array with normally distributed numbers, by the Box–Muller transform.
   *
   * Fewer than 16 numbers are made one by one in float64, and the second of each pair is kept for the next such call;
   * 16 or more are made in blocks of 16 in the array's own precision, and the last 16 are drawn again if they do not
   * fill a block. That is PyTorch's order, so `fillNormal` of 20 differs from two of 10.
   *
   * @throws ArgumentError unless `mean` and `std` are finite in the array's type and `std >= 0`.
   * @see G. E. P. Box, M. E. Muller: A Note on the Generation of Random Normal Deviates, 1958
   */
  fillNormal(out: Float32Array | Float64Array, mean: number, std: number): void {
    checkNormal(out, mean, std);
    const n = out.length;
    if (n < NORMAL_BLOCK) {
      for (let i = 0; i < n; i++) out[i] = this.#normal() * std + mean;
      return;
    }
    const boxMuller = out instanceof Float32Array ? boxMuller32 : boxMuller64;
    this.#fillUnit(out, 0);
    for (let i = 0; i + NORMAL_BLOCK <= n; i += NORMAL_BLOCK) boxMuller(out, i, mean, std);
    if (n % NORMAL_BLOCK !== 0) {
      const last = n - NORMAL_BLOCK;
      this.#fillUnit(out, last);
      boxMuller(out, last, mean, std);
    }
  }

  /**
   * Fills an array with integers from `low` to `high − 1`: a draw of 32 bits modulo `high − low`, or of 64 bits where
   * that range is 2²⁸ or more.
   *
   * @throws ArgumentError unless low and high are safe integers, `low < high`, and the array's type holds every integer
   *   between them: Int32Array from −2³¹ to 2³¹ − 1, Float32Array within ±2²⁴, Float64Array all safe integers.
   */
  fillRandint(out: Int32Array | Float32Array | Float64Array, low: number, high: number): void {
    checkRandint(out, low, high);
    const range = high - low;
    if (range >= WIDE_RANGE) {
      const wideLow = BigInt(low);
      const wideRange = BigInt(high) - wideLow;
      for (let i = 0; i < out.length; i++) out[i] = Number((this.random64() % wideRange) + wideLow);
    } else {
      for (let i = 0; i < out.length; i++) out[i] = (this.random32() % range) + low;
    }
  }

  /**
   * Fills an array with ones, each with probability `p`, and zeros.
   *
   * Every element takes 64 bits, whatever the array's type and even for p = 0 and p = 1. This is PyTorch's
   * `bernoulli_(p)` for a number p, and so its dropout mask. For a tensor of probabilities PyTorch compares each with a
   * uniform number of that tensor's dtype instead: use {@link Generator.fillUniform} over [0, 1) for that.
   *
   * @throws ArgumentError unless p is from 0 to 1.
   */
  fillBernoulli(out: Float32Array | Float64Array | Uint8Array | Int32Array, p: number): void {
    checkProbability(p);
    const threshold = p * 2 ** 53;
    for (let i = 0; i < out.length; i++) out[i] = this.#random53() < threshold ? 1 : 0;
  }

  /**
   * @internal As {@link Generator.fillBernoulli}, by a kernel: it is given the twister's words, how many of them are drawn, and the
   * whole number that 53 random bits must be below, and returns how many words are drawn after it.
   */
  drawBernoulli(p: number, draw: (words: Int32Array, drawn: number, threshold: number) => number): void {
    checkProbability(p);
    const twister = this.#twister;
    twister.restore(draw(twister.words, twister.drawn, Math.ceil(p * 2 ** 53)));
  }

  /**
   * The integers from 0 to n − 1 in random order, by the Fisher–Yates shuffle from the front: PyTorch's `randperm`.
   *
   * @throws ArgumentError unless n is an integer from 0 to 214,748,363: from there on PyTorch shuffles in another way.
   */
  permutation(n: number): Int32Array<ArrayBuffer> {
    checkCount(n);
    const order = new Int32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    for (let i = 0; i < n - 1; i++) {
      const j = i + (this.random32() % (n - i));
      const item = order[i] as number;
      order[i] = order[j] as number;
      order[j] = item;
    }
    return order;
  }

  /** The low 53 of the next 64 bits. */
  #random53(): number {
    const high = this.random32();
    return (high & 0x1fffff) * 2 ** 32 + this.random32();
  }

  /** Fills `out` from `start` to its end over [0, 1). */
  #fillUnit(out: Float32Array | Float64Array, start: number): void {
    if (out instanceof Float32Array) this.#fillUniform32(out, start, out.length, 0, 1);
    else for (let i = start; i < out.length; i++) out[i] = this.#random53() * 2 ** -53;
  }

  #fillUniform32(out: Float32Array, start: number, end: number, from: number, to: number): void {
    // The product of two 24-bit numbers is exact in float64, and so, unless |from| is much larger than the range, is the
    // sum: storing it rounds once, as a fused multiply-add does.
    const base = Math.fround(from);
    const top = Math.fround(to);
    const step = Math.fround(top - base) * 2 ** -24;
    const twister = this.#twister;
    const { draws } = twister;
    let i = start;
    while (i < end) {
      if (twister.drawn === WORDS) twister.advance();
      const first = twister.drawn;
      const count = Math.min(WORDS - first, end - i);
      for (let k = 0; k < count; k++) out[i + k] = ((draws[first + k] as number) & 0xffffff) * step + base;
      twister.drawn += count;
      i += count;
    }
    // Most ranges cannot round up to `to`, and testing each number as it is made would take as long as making it.
    if (Math.fround(0xffffff * step + base) === top) {
      for (let j = start; j < end; j++) if (out[j] === top) out[j] = base;
    }
  }

  /** One standard normal number in float64. */
  #normal(): number {
    const kept = this.#nextNormal;
    if (kept !== null) {
      this.#nextNormal = null;
      return kept;
    }
    const angle = TWO_PI * (this.#random53() * 2 ** -53);
    const radius = Math.sqrt(-2 * Math.log1p(-(this.#random53() * 2 ** -53)));
    this.#nextNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

/** The generator that is used wherever none is given. It starts from an unpredictable seed. */
export const defaultGenerator: Generator = new Generator(unpredictableSeed());

/**
 * Starts the default generator again from a seed and returns it.
 *
 * @throws ArgumentError if the seed is not a non-negative integer.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.manual_seed.html
 */
export function manualSeed(seed: number | bigint): Generator {
  return defaultGenerator.manualSeed(seed);
}

function unpredictableSeed(): number {
  const bits = crypto.getRandomValues(new Uint32Array(2));
  return ((bits[0] as number) & 0x1fffff) * 2 ** 32 + (bits[1] as number);
}

/** Turns 16 uniform numbers into normal ones, with every step rounded to float32. */
function boxMuller32(out: Float32Array | Float64Array, start: number, mean: number, std: number): void {
  const mean32 = Math.fround(mean);
  const std32 = Math.fround(std);
  for (let i = start; i < start + 8; i++) {
    const radius = Math.fround(Math.sqrt(-2 * Math.fround(Math.log(1 - (out[i] as number)))));
    const angle = Math.fround(TWO_PI_FLOAT32 * (out[i + 8] as number));
    out[i] = Math.fround(radius * Math.fround(Math.cos(angle))) * std32 + mean32;
    out[i + 8] = Math.fround(radius * Math.fround(Math.sin(angle))) * std32 + mean32;
  }
}

/** Turns 16 uniform numbers into normal ones. */
function boxMuller64(out: Float32Array | Float64Array, start: number, mean: number, std: number): void {
  for (let i = start; i < start + 8; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - (out[i] as number)));
    const angle = TWO_PI * (out[i + 8] as number);
    out[i] = radius * Math.cos(angle) * std + mean;
    out[i + 8] = radius * Math.sin(angle) * std + mean;
  }
}

/** `a · b + c` rounded once: the errors of product and sum are found exactly and added at the end. */
function multiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const splitA = a * 134217729;
  const highA = splitA - (splitA - a);
  const lowA = a - highA;
  const splitB = b * 134217729;
  const highB = splitB - (splitB - b);
  const lowB = b - highB;
  const productError = lowA * lowB - (product - highA * highB - lowA * highB - highA * lowB);
  const part = sum - product;
  const sumError = product - (sum - part) + (c - part);
  const result = sum + (productError + sumError);
  // Splitting b overflows within a factor of 2²⁷ of the largest number: there both roundings have to do.
  return Number.isFinite(result) ? result : sum;
}
