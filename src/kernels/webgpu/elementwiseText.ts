/** The arithmetic of elementwise kernels in WGSL: an expression for each op and type. */
import type { BinaryOp, CompareOp, UnaryOp } from "../kernelSet.js";
import { activationFunctions, activationText } from "./activationText.js";
import type { WgslType } from "./types.js";

/** f(x), which may use alpha and beta. */
const floatUnary: Record<UnaryOp, string> = {
  ...activationText,
  abs: "abs(x)",
  ceil: "select(ceil(x), x, isNan(x))",
  clamp: "select(min(max(x, alpha), beta), x, isNan(x))",
  cos: "sineOfQuarters(x, 1)",
  erf: "errorFunction(x)",
  exp: "select(exp(x), x, isNan(x))",
  expm1: "exponentialLess1(x)",
  floor: "select(floor(x), x, isNan(x))",
  log: "logarithm(x)",
  log1p: "logarithmOf1Plus(x)",
  neg: "-x",
  reciprocal: "1.0 / x",
  relu: "select(max(x, 0.0), x, isNan(x))",
  round: "select(round(x), x, isNan(x))",
  rsqrt:
    "select(select(1.0 / sqrt(x), bitcast<f32>(bitcast<u32>(infinity()) | bitcast<u32>(x)), x == 0.0), nan(), (x < 0.0) | isNan(x))",
  sigmoid: "sigmoid(x)",
  sign: "select(f32(x > 0.0) - f32(x < 0.0), 0.0, isNan(x))",
  sin: "sineOfQuarters(x, 0)",
  sqrt: "select(sqrt(x), nan(), (x < 0.0) | isNan(x))",
  square: "x * x",
  tanh: "hyperbolicTangent(x)",
};

const integerUnary: Partial<Record<UnaryOp, string>> = {
  abs: "abs(x)",
  clamp: "min(max(x, alpha), beta)",
  neg: "-x",
  relu: "max(x, 0)",
  sign: "sign(x)",
  square: "x * x",
};

/** f(a, b). */
const floatBinary: Record<BinaryOp, string> = {
  add: "a + b",
  div: "a / b",
  maximum: "select(select(max(a, b), b, isNan(b)), a, isNan(a))",
  minimum: "select(select(min(a, b), b, isNan(b)), a, isNan(a))",
  mul: "a * b",
  pow: "power(a, b)",
  reluGrad: "select(a, 0.0, (b <= 0.0) & !isNan(b))",
  sigmoidGrad: "a * b * (1.0 - b)",
  sub: "a - b",
  logitLoss: "abs(a) * select(b, 1.0 - b, a > 0.0) + logarithmOf1Plus(exp(-abs(a)))",
  logitLossGrad:
    "select(select(1.0, -1.0, a > 0.0) * (1.0 / (1.0 + exp(abs(a))) - select(b, 1.0 - b, a > 0.0)), a, isNan(a))",
  tanhGrad: "a * (1.0 - b * b)",
};

const integerBinary: Partial<Record<BinaryOp, string>> = {
  add: "a + b",
  maximum: "max(a, b)",
  minimum: "min(a, b)",
  mul: "a * b",
  pow: "integerPower(a, b)",
  sub: "a - b",
};

/** On bools, sums and products are "or" and "and". */
const boolBinary: Partial<Record<BinaryOp, string>> = {
  add: "a | b",
  maximum: "a | b",
  minimum: "a & b",
  mul: "a & b",
};

export function unaryText(op: UnaryOp, type: WgslType): string | undefined {
  return type === "f32" ? floatUnary[op] : integerUnary[op];
}

export function binaryText(op: BinaryOp, type: WgslType): string | undefined {
  if (type === "f32") return floatBinary[op];
  return type === "i32" ? integerBinary[op] : boolBinary[op];
}

const symbols: Record<CompareOp, string> = { eq: "==", ge: ">=", gt: ">", le: "<=", lt: "<", ne: "!=" };

/** 1 where a ∘ b holds, else 0; with NaN only `ne` holds. */
export function compareText(op: CompareOp, type: WgslType): string {
  const test = `a ${symbols[op]} b`;
  if (type !== "f32") return `u32(${test})`;
  return op === "ne" ? `u32((${test}) | isNan(a) | isNan(b))` : `u32((${test}) & !isNan(a) & !isNan(b))`;
}

/** `x` of one type as another. */
export function castText(from: WgslType, to: WgslType): string {
  if (from === to) return "x";
  if (to === "u32") return from === "f32" ? "u32((x != 0.0) | isNan(x))" : "u32(x != 0)";
  return to === "i32" && from === "f32" ? "floatToInteger(x)" : `${to}(x)`;
}

/** Functions that the expressions call. */
export const functions = `${activationFunctions}
// The logarithm of 1 + x; what rounding took from the sum is given back as the first term of the series.
fn logarithmOf1Plus(x: f32) -> f32 {
  if (abs(x) < 0.3) {
    let s = x / (x + 2.0);
    let z = s * s;
    return 2.0 * s + 2.0 * s * z * (0.333333333 + z * (0.2 + z * (0.142857143 + z * 0.111111111)));
  }
  return logarithm(1.0 + x);
}
// The series where the difference would leave few digits.
fn exponentialLess1(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  if (abs(x) > 0.35) { return exp(x) - 1.0; }
  return x + x * x * (0.5 + x * (0.166666667 + x * (4.16666667e-2 + x * (8.33333333e-3 + x * (1.38888889e-3 + x * 1.98412698e-4)))));
}
fn logarithm(x: f32) -> f32 {
  if (isNan(x) || x < 0.0) { return nan(); }
  if (x == 0.0) { return -infinity(); }
  if (isInf(x)) { return x; }
  // The built-in one may be off by 2⁻²¹ near 1: the series in s = f / (2 + f) is exact there.
  let f = x - 1.0;
  if (abs(f) > 0.3) { return log(x); }
  let s = f / (f + 2.0);
  let z = s * s;
  return 2.0 * s + 2.0 * s * z * (0.333333333 + z * (0.2 + z * (0.142857143 + z * (0.111111111 + z * 0.0909090909))));
}
// The built-in one may take differences of exponentials, which leave few digits near 0.
fn hyperbolicTangent(x: f32) -> f32 {
  let z = x * x;
  let p = (((-5.70498872745e-3 * z + 2.06390887954e-2) * z - 5.37397155531e-2) * z + 0.133314422036) * z - 0.333332819422;
  let held = select(tanh(clamp(x, -15.0, 15.0)), x + x * z * p, z <= 0.390625);
  return select(held, x, isNan(x));
}
fn sigmoid(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let e = exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}
// The quotient of two polynomials in x², fitted to erf(x)/x; beyond ±3.925 the result is ±1.
fn errorFunction(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let held = clamp(x, -3.925, 3.925);
  let z = held * held;
  let p = ((((2.0460620e-6 * z + 2.8483820e-4) * z + 3.7723300e-3) * z + 5.2768621e-2) * z + 0.19058869) * z + 1.12837915;
  let q = ((((3.8047853e-5 * z + 1.1638036e-3) * z + 1.4982759e-2) * z + 0.11418062) * z + 0.50223756) * z + 1.0;
  return clamp(held * p / q, -1.0, 1.0);
}
// The sine of x plus so many quarter turns, more exact than the built-in one has to be.
fn sineOfQuarters(x: f32, quarters: i32) -> f32 {
  if (isNan(x) || isInf(x)) { return nan(); }
  let turns = round(x * 0.636619772);
  // π/2 in three parts, of which the first two have few bits.
  let r = fma(turns, -7.54978997e-8, fma(turns, -4.83751297e-4, fma(turns, -1.5703125, x)));
  let z = r * r;
  let sine = r + r * z * (((2.7183114e-6 * z - 1.9839334e-4) * z + 8.3333293e-3) * z - 0.166666666);
  let cosine = 1.0 - 0.5 * z + z * z * ((2.4433157e-5 * z - 1.3887316e-3) * z + 4.1666645e-2);
  // Beyond the range of i32 no digit of the result means anything.
  let quadrant = (i32(clamp(turns, -2.0e9, 2.0e9)) + quarters) & 3;
  let size = select(sine, cosine, (quadrant & 1) == 1);
  return select(size, -size, quadrant >= 2);
}
fn floatToInteger(x: f32) -> i32 {
  if (isNan(x)) { return 0; }
  if (x >= 2147483648.0) { return 2147483647; }
  if (x <= -2147483648.0) { return -2147483647 - 1; }
  return i32(x);
}
fn integerPower(base: i32, exponent: i32) -> i32 {
  var result = 1;
  var square = base;
  for (var left = exponent; left > 0; left = left >> 1u) {
    if ((left & 1) == 1) { result *= square; }
    square *= square;
  }
  return result;
}
// As in C: 1 to any power is 1, NaN included, and so is -1 to an infinite one.
fn power(base: f32, exponent: f32) -> f32 {
  if (base == 1.0 || exponent == 0.0) { return 1.0; }
  if (isNan(base) || isNan(exponent)) { return nan(); }
  let size = abs(base);
  if (isInf(exponent)) {
    if (size == 1.0) { return 1.0; }
    return select(0.0, infinity(), (size > 1.0) == (exponent > 0.0));
  }
  let whole = exponent == floor(exponent);
  // Above 2^24 every float is even.
  let odd = whole && abs(exponent) < 16777216.0 && (i32(exponent) & 1) == 1;
  var result: f32;
  if (size == 0.0 || isInf(size)) {
    result = select(0.0, infinity(), (size == 0.0) == (exponent < 0.0));
  } else if (whole && abs(exponent) <= 64.0) {
    // Products are exact to rounding, where the logarithm would lose digits.
    result = 1.0;
    var square = size;
    for (var left = i32(abs(exponent)); left > 0; left = left >> 1u) {
      if ((left & 1) == 1) { result *= square; }
      square *= square;
    }
    if (exponent < 0.0) { result = 1.0 / result; }
  } else {
    result = exp2(exponent * log2(size));
  }
  if (base < 0.0) { return select(nan(), select(result, -result, odd), whole || isInf(base)); }
  return select(result, -result, odd && bitcast<u32>(base) == 0x80000000u);
}
`;
