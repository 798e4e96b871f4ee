/** The arithmetic of elementwise kernels in WGSL: an expression for each op and type. */
import type { BinaryOp, CompareOp, UnaryOp } from "../kernelSet.js";
import type { WgslType } from "./types.js";

/** f(x), which may use alpha and beta. */
const floatUnary: Record<UnaryOp, string> = {
  abs: "abs(x)",
  clamp: "select(min(max(x, alpha), beta), x, isNan(x))",
  exp: "select(exp(x), x, isNan(x))",
  leakyRelu: "select(x * alpha, x, x > 0.0)",
  log: "logarithm(x)",
  neg: "-x",
  relu: "select(max(x, 0.0), x, isNan(x))",
  sigmoid: "sigmoid(x)",
  sign: "select(f32(x > 0.0) - f32(x < 0.0), 0.0, isNan(x))",
  sqrt: "select(sqrt(x), nan(), x < 0.0 || isNan(x))",
  square: "x * x",
  tanh: "select(tanh(clamp(x, -15.0, 15.0)), x, isNan(x))",
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
  reluGrad: "select(a, 0.0, b <= 0.0 && !isNan(b))",
  sigmoidGrad: "a * b * (1.0 - b)",
  sub: "a - b",
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
  return op === "ne" ? `u32(${test} || isNan(a) || isNan(b))` : `u32(${test} && !isNan(a) && !isNan(b))`;
}

/** `x` of one type as another. */
export function castText(from: WgslType, to: WgslType): string {
  if (from === to) return "x";
  if (to === "u32") return from === "f32" ? "u32(x != 0.0 || isNan(x))" : "u32(x != 0)";
  return to === "i32" && from === "f32" ? "floatToInteger(x)" : `${to}(x)`;
}

/** Functions that the expressions call. */
export const functions = `
fn logarithm(x: f32) -> f32 {
  if (isNan(x) || x < 0.0) { return nan(); }
  if (x == 0.0) { return -infinity(); }
  return select(log(x), x, isInf(x));
}
fn sigmoid(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let e = exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
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
