/** How the elements of one printed tensor are written: all in one notation and to one width. */
import { type DType, isFloating, type TypedArray } from "../kernels/dtype.js";

/** Digits behind the point. */
const PRECISION = 4;

/** Writes one element, padded on the left to the common width. */
export interface ElementFormat {
  readonly width: number;
  readonly write: (value: number) => string;
}

/**
 * The notation for the given elements: scientific where their magnitudes lie more than a factor of 1000 apart, above 1e8
 * or below 1e-4; whole floats as `1.`; else four digits behind the point. Zeros, NaN and infinities have no say in it.
 */
export function elementFormat(values: TypedArray, dtype: DType): ElementFormat {
  if (!isFloating(dtype)) {
    const write = dtype === "bool" ? (value: number) => (value !== 0 ? "true" : "false") : String;
    return aligned(values, write);
  }
  const telling = values.filter((value) => value !== 0 && Number.isFinite(value));
  const write = floatNotation(telling);
  return aligned(telling, write);
}

function aligned(values: TypedArray, write: (value: number) => string): ElementFormat {
  let width = 1;
  for (const value of values) width = Math.max(width, write(value).length);
  return { width, write: (value) => write(value).padStart(width) };
}

function floatNotation(values: TypedArray): (value: number) => string {
  let least = Number.POSITIVE_INFINITY;
  let greatest = 0;
  let whole = true;
  for (const value of values) {
    least = Math.min(least, Math.abs(value));
    greatest = Math.max(greatest, Math.abs(value));
    whole &&= Number.isInteger(value);
  }
  if (greatest / least > 1000 || greatest > 1e8 || least < 1e-4) return finite(scientific);
  return finite(whole ? (value) => `${value.toFixed(0)}.` : fixed);
}

/** Adds what JavaScript's own formatting does otherwise: the sign of −0, and the names of what is not finite. */
function finite(write: (value: number) => string): (value: number) => string {
  return (value) => {
    if (Number.isNaN(value)) return "nan";
    if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
    return Object.is(value, -0) ? `-${write(0)}` : write(value);
  };
}

function fixed(value: number): string {
  // toFixed rounds halves away from zero, PyTorch to even. Only a 32nd can lie half-way between two such decimals.
  const longer = value.toFixed(PRECISION + 1);
  const half = Number.isInteger(value * 32) && longer.endsWith("5");
  return half && endsInEven(longer.slice(0, -1)) ? longer.slice(0, -1) : value.toFixed(PRECISION);
}

function scientific(value: number): string {
  const [digits = "", exponent = ""] = roundedMantissa(value).split("e");
  return `${digits}e${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, "0")}`;
}

function roundedMantissa(value: number): string {
  // As above: of two equally near decimals the even one. A number that is no short decimal shows it within 60 digits.
  const [, longer = "", zeros = "", exponent = ""] = /^(-?\d\.\d{5})(\d*)(e.*)$/.exec(value.toExponential(60)) ?? [];
  const half = longer.endsWith("5") && /^0*$/.test(zeros);
  return half && endsInEven(longer.slice(0, -1)) ? longer.slice(0, -1) + exponent : value.toExponential(PRECISION);
}

function endsInEven(digits: string): boolean {
  return Number(digits.at(-1)) % 2 === 0;
}
