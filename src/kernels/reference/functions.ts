/** Functions of a number that JavaScript lacks. */

/** From here on erf x is 1 in float64. */
const ERF_ONE = 6;
/** Up to here the series is the shorter way, from here on the continued fraction. */
const ERF_SERIES = 2.5;
const FRACTION_TERMS = 60;

/**
 * The error function, 2/√π ∫₀ˣ exp(−t²) dt.
 *
 * Near 0 it is 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·5⋯(2n + 1)), all of whose terms have one sign; further out one minus the
 * continued fraction of its complement.
 *
 * @see M. Abramowitz, I. Stegun: Handbook of Mathematical Functions, 7.1.6 and 7.1.14
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (!(size < ERF_ONE)) return Math.sign(x);
  const scale = Math.exp(-size * size) / Math.sqrt(Math.PI);
  if (size > ERF_SERIES) {
    let fraction = size;
    for (let n = FRACTION_TERMS; n > 0; n -= 1) fraction = size + n / 2 / fraction;
    return Math.sign(x) * (1 - scale / fraction);
  }
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > Number.EPSILON * Math.abs(total); n += 1) {
    term *= (2 * size * size) / (2 * n + 1);
    total += term;
  }
  return 2 * scale * total;
}

/** The nearest whole number, of two the even one. */
export function roundToEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
