import { WORDS } from "./randomArguments.js";

/** How far ahead the recurrence looks for its second word. */
const MIDDLE = 397;

/**
 * The Mersenne Twister MT19937: a stream of random words of 32 bits.
 *
 * @see M. Matsumoto, T. Nishimura: Mersenne Twister, ACM TOMACS 8(1), 1998
 */
export class Twister {
  /** The state. After changing it from outside, call {@link restore}. */
  readonly words = new Int32Array(WORDS);
  /** The words after tempering: what is handed out. */
  readonly draws = new Uint32Array(WORDS);
  /** How many of them are handed out. */
  drawn = WORDS;

  /** Starts again from a seed of 32 bits. */
  seed(seed: number): void {
    const { words } = this;
    let word = seed | 0;
    words[0] = word;
    for (let i = 1; i < WORDS; i++) {
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + i) | 0;
      words[i] = word;
    }
    this.drawn = WORDS;
  }

  /** Goes on with the words as they are, of which the first `drawn` are handed out. */
  restore(drawn: number): void {
    this.#temper();
    this.drawn = drawn;
  }

  /** The next 32 bits, from 0 to 2³² − 1. */
  next(): number {
    if (this.drawn === WORDS) this.advance();
    return this.draws[this.drawn++] as number;
  }

  /** Makes the next 624 draws. */
  advance(): void {
    const { words } = this;
    for (let i = 0; i < WORDS - MIDDLE; i++) mix(words, i, i + 1, i + MIDDLE);
    for (let i = WORDS - MIDDLE; i < WORDS - 1; i++) mix(words, i, i + 1, i + MIDDLE - WORDS);
    mix(words, WORDS - 1, 0, MIDDLE - 1);
    this.restore(0);
  }

  #temper(): void {
    const { words, draws } = this;
    for (let i = 0; i < WORDS; i++) {
      let y = words[i] as number;
      y ^= y >>> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      draws[i] = y ^ (y >>> 18);
    }
  }
}

/** One step of the recurrence, in place. */
function mix(words: Int32Array, i: number, next: number, middle: number): void {
  const y = ((words[i] as number) & 0x80000000) | ((words[next] as number) & 0x7fffffff);
  words[i] = (words[middle] as number) ^ (y >>> 1) ^ (-(y & 1) & 0x9908b0df);
}
