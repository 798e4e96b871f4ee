import { ArgumentError } from "../errors.js";
import { defaultGenerator, type Generator } from "../tensor/random.js";
import { checkGenerator, type Sampler } from "./sampler.js";

/** Settings of {@link WeightedRandomSampler}. */
export interface WeightedRandomSamplerOptions {
  /** Whether a sample may come again. Default: true. */
  readonly replacement?: boolean;
  /** Where the order comes from. Default: the default generator. */
  readonly generator?: Generator;
}

/**
 * Samples drawn at random, each with a chance in proportion to its weight: against classes of unequal size. The order is
 * PyTorch's for the same seed.
 *
 * @see https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.WeightedRandomSampler
 */
export class WeightedRandomSampler implements Sampler {
  readonly weights: readonly number[];
  readonly length: number;
  readonly replacement: boolean;
  readonly generator: Generator;

  /**
   * @throws ArgumentError where a weight is negative or no finite number, all are 0, `numSamples` is not a whole number of 1
   *   or more, or there are not as many samples of a weight above 0 as are to be drawn without replacement.
   */
  constructor(weights: ArrayLike<number>, numSamples: number, options: WeightedRandomSamplerOptions = {}) {
    const { replacement = true, generator } = options;
    checkGenerator("WeightedRandomSampler", generator);
    this.weights = Array.from(weights);
    const wrong = this.weights.findIndex((weight) => !(Number.isFinite(weight) && weight >= 0));
    if (wrong >= 0) {
      throw new ArgumentError(
        `WeightedRandomSampler: got weight ${this.weights[wrong]} at ${wrong}; expected finite numbers of 0 or more. Correct the weights.`,
      );
    }
    const possible = this.weights.filter((weight) => weight > 0).length;
    const most = replacement ? Number.POSITIVE_INFINITY : possible;
    if (!(Number.isInteger(numSamples) && numSamples >= 1 && numSamples <= most && possible > 0)) {
      throw new ArgumentError(
        `WeightedRandomSampler: got numSamples ${numSamples} for ${possible} weights above 0; expected a whole number of 1 or more` +
          `${replacement ? "" : `, and no more than those`}. Correct numSamples or the weights.`,
      );
    }
    this.length = numSamples;
    this.replacement = replacement;
    this.generator = generator ?? defaultGenerator;
  }

  [Symbol.iterator](): IterableIterator<number> {
    // PyTorch draws a single one in the other way.
    const again = this.replacement && this.length > 1;
    return (again ? this.drawAgain() : this.drawOnce())[Symbol.iterator]();
  }

  private drawAgain(): number[] {
    const total = this.weights.reduce((sum, weight) => sum + weight, 0);
    const shares = Float64Array.from(this.weights);
    for (let i = 1; i < shares.length; i++) shares[i] = (shares[i] ?? 0) + (shares[i - 1] ?? 0);
    for (let i = 0; i < shares.length; i++) shares[i] = (shares[i] ?? 0) / total;
    const draws = new Float64Array(this.length);
    for (let i = 0; i < draws.length; i++) this.generator.fillUniform(draws.subarray(i, i + 1), 0, 1);
    return Array.from(draws, (draw) => placeOf(draw, shares));
  }

  /** Those with the greatest weight / e, e drawn from the exponential distribution: a draw without replacement. */
  private drawOnce(): number[] {
    const draws = new Float64Array(this.weights.length);
    this.generator.fillUniform(draws, 0, 1);
    const keys = Array.from(draws, (draw, place) => (this.weights[place] ?? 0) / -Math.log1p(-draw));
    const order = keys.map((_, place) => place).filter((place) => (this.weights[place] ?? 0) > 0);
    return order.sort((a, b) => (keys[b] ?? 0) - (keys[a] ?? 0)).slice(0, this.length);
  }
}

/** The first place whose share of the whole, with all before it, reaches `draw`. */
function placeOf(draw: number, shares: Float64Array): number {
  let [left, right] = [0, shares.length - 1];
  while (left < right) {
    const middle = (left + right) >> 1;
    if ((shares[middle] ?? 0) < draw) left = middle + 1;
    else right = middle;
  }
  return left;
}
