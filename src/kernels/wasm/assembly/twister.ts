/**
 * The Mersenne Twister MT19937, four words at a time, and masks drawn from it.
 *
 * @see M. Matsumoto, T. Nishimura: Mersenne Twister, ACM TOMACS 8(1), 1998
 */
import { argument, fraction, pointer } from "./environment";
import { JOB_ARGUMENTS, TWISTER_WORDS } from "./kernelIds";

const WORDS: i32 = TWISTER_WORDS;
/** How far ahead the recurrence looks for its second word. */
const MIDDLE: i32 = 397;

/** Words number i to i + 3, from those behind them and those from `middle` on. */
@inline
function mix4(words: usize, i: i32, middle: i32): void {
  const at = words + (<usize>i << 2);
  const y = v128.bitselect(v128.load(at), v128.load(at, 4), i32x4.splat(0x80000000));
  const odd = v128.and(i32x4.shr_s(i32x4.shl(y, 31), 31), i32x4.splat(0x9908b0df));
  v128.store(at, v128.xor(v128.xor(v128.load(words + (<usize>middle << 2)), i32x4.shr_u(y, 1)), odd));
}

@inline
function mix(words: usize, i: i32, next: i32, middle: i32): void {
  const y = (load<u32>(words + (<usize>i << 2)) & 0x80000000) | (load<u32>(words + (<usize>next << 2)) & 0x7fffffff);
  store<u32>(words + (<usize>i << 2), load<u32>(words + (<usize>middle << 2)) ^ (y >> 1) ^ ((0 - (y & 1)) & 0x9908b0df));
}

/** The next words. */
function advance(words: usize): void {
  let i: i32 = 0;
  for (; i + 4 <= WORDS - MIDDLE; i += 4) mix4(words, i, i + MIDDLE);
  for (; i < WORDS - MIDDLE; i++) mix(words, i, i + 1, i + MIDDLE);
  for (; i + 4 < WORDS; i += 4) mix4(words, i, i + MIDDLE - WORDS);
  for (; i < WORDS - 1; i++) mix(words, i, i + 1, i + MIDDLE - WORDS);
  mix(words, WORDS - 1, 0, MIDDLE - 1);
}

/** What is handed out of the words. */
function temper(words: usize, draws: usize): void {
  for (const end = words + (WORDS << 2); words < end; words += 16, draws += 16) {
    let y = v128.load(words);
    y = v128.xor(y, i32x4.shr_u(y, 11));
    y = v128.xor(y, v128.and(i32x4.shl(y, 7), i32x4.splat(0x9d2c5680)));
    y = v128.xor(y, v128.and(i32x4.shl(y, 15), i32x4.splat(0xefc60000)));
    v128.store(draws, v128.xor(y, i32x4.shr_u(y, 18)));
  }
}

/**
 * The value where 53 bits, the low 21 of one draw and the 32 of the next, are below a threshold of 21 and 32 bits; else 0.
 * There is one unit: each draw depends on those before it. Argument 1 is how many of the words are drawn, before and after.
 */
export function bernoulli(): void {
  const words = pointer(0);
  const draws = pointer(2);
  const end = pointer(3) + (pointer(4) << 2);
  const top = argument(5);
  const low = <u32>argument(6);
  const value = fraction(7);
  let drawn = argument(1);
  temper(words, draws);
  for (let out = pointer(3); out < end; ) {
    if (drawn == WORDS) {
      advance(words);
      temper(words, draws);
      drawn = 0;
    }
    const from = draws + (<usize>drawn << 2);
    if (drawn + 8 <= WORDS && out + 16 <= end) {
      const a = v128.load(from), b = v128.load(from, 16);
      const high = v128.and(v128.shuffle<i32>(a, b, 0, 2, 4, 6), i32x4.splat(0x1fffff));
      const below = v128.and(
        i32x4.eq(high, i32x4.splat(top)), i32x4.lt_u(v128.shuffle<i32>(a, b, 1, 3, 5, 7), i32x4.splat(low)),
      );
      v128.store(out, v128.and(v128.or(i32x4.lt_s(high, i32x4.splat(top)), below), f32x4.splat(value)));
      drawn += 8;
      out += 16;
      continue;
    }
    const high = load<i32>(from) & 0x1fffff;
    drawn++;
    if (drawn == WORDS) {
      advance(words);
      temper(words, draws);
      drawn = 0;
    }
    const second = load<u32>(draws + (<usize>drawn << 2));
    drawn++;
    store<f32>(out, high < top || (high == top && second < low) ? value : 0);
    out += 4;
  }
  store<i32>(JOB_ARGUMENTS + 4, drawn);
}
