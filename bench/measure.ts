/** Measuring two sides in turns, so that whatever else the machine does falls on both. */

/** Does the work so many times, and tells how many milliseconds that took. */
export type Timed = (times: number) => Promise<number>;

/** Milliseconds of one go: the median of all rounds, the fastest and the slowest. */
export interface Times {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** How long one round of one side should take, in milliseconds. */
export const ROUND = 250;

/**
 * How long each side runs before it counts, in milliseconds: until code is compiled, which takes V8 one or two seconds of a training
 * step on as many threads as there are cores, and memory is there.
 */
const warmUp = 2000;

/** A pause between the sides in milliseconds, in which the other's threads go to sleep. */
const pause = 20;

/** Measures every side once in each round of `length` milliseconds. */
export async function measureInTurns(sides: readonly Timed[], rounds: number, length = ROUND): Promise<Times[]> {
  const counts: number[] = [];
  for (const side of sides) counts.push(await goesPerRound(side, length));
  const samples: number[][] = sides.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, side] of sides.entries()) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      const count = counts[index] ?? 1;
      samples[index]?.push((await side(count)) / count);
    }
  }
  return samples.map(summarize);
}

/** Warms a side up, and finds how often it goes in one round. */
async function goesPerRound(side: Timed, length: number): Promise<number> {
  let spent = 0;
  let times = 1;
  for (;;) {
    const milliseconds = await side(times);
    spent += milliseconds;
    if (spent >= warmUp) return Math.max(1, Math.round((length * times) / milliseconds));
    if (milliseconds < length / 2) times *= 2;
  }
}

function summarize(samples: readonly number[]): Times {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low = Number.NaN, high = low] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return { median: (low + high) / 2, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN };
}
