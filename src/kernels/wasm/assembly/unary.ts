/** Functions of one operand, along a row. */
import { activation4 } from "./activations";
import { fraction } from "./environment";
import * as id from "./kernelIds";
import { gather4, scatter4 } from "./strided";
import { erf4, exp4, expm14, log1p4, log4, sigmoid4, sign4, sineOfQuarters4, tanh4 } from "./vector";

@inline
function unary4(op: i32, x: v128, alpha: v128, beta: v128): v128 {
  if (op == id.ABS) return f32x4.abs(x);
  // pmax(x, y) is x where x is NaN, and one instruction on most machines.
  if (op == id.CLAMP) return f32x4.pmin(f32x4.pmax(x, alpha), beta);
  if (op == id.COPY) return x;
  if (op == id.CUBE) return f32x4.mul(f32x4.mul(x, x), x);
  if (op == id.ERF) return erf4(x);
  if (op == id.EXP) return exp4(x);
  if (op == id.HALF_POWER) {
    // Unlike the square root, +0 for −0 and ∞ for −∞.
    const infinite = f32x4.eq(x, f32x4.splat(-Infinity));
    return f32x4.sqrt(v128.bitselect(f32x4.neg(x), f32x4.add(x, f32x4.splat(0)), infinite));
  }
  if (op == id.CEIL) return f32x4.ceil(x);
  if (op == id.COS) return sineOfQuarters4(x, 1);
  if (op == id.EXPM1) return expm14(x);
  if (op == id.FLOOR) return f32x4.floor(x);
  if (op == id.LOG) return log4(x);
  if (op == id.LOG1P) return log1p4(x);
  if (op == id.ROUND) return f32x4.nearest(x);
  if (op == id.RSQRT) return f32x4.div(f32x4.splat(1), f32x4.sqrt(x));
  if (op == id.SIN) return sineOfQuarters4(x, 0);
  if (op == id.RELU) return f32x4.pmax(x, f32x4.splat(0));
  if (op == id.SIGMOID) return sigmoid4(x);
  if (op == id.SIGN) return sign4(x);
  if (op == id.SQRT) return f32x4.sqrt(x);
  if (op == id.TANH) return tanh4(x);
  return activation4(op, x, alpha, beta);
}

/** What is not contiguous, and what is left of a row: one copy for all ops, because inlined code is most of the module. */
function unaryRest(op: i32, out: usize, outStep: i32, x: usize, xStep: i32, n: i32): void {
  const alpha = f32x4.splat(fraction(12));
  const beta = f32x4.splat(fraction(13));
  const outBytes = <isize>outStep << 2;
  const xBytes = <isize>xStep << 2;
  let i = 0;
  if (outStep == 1 && xStep == 0) {
    const value = anyUnary4(op, v128.load32_splat(x), alpha, beta);
    for (; i + 4 <= n; i += 4, out += 16) v128.store(out, value);
    for (; i < n; i++, out += 4) v128.store32_lane(out, value, 0);
    return;
  }
  for (; i + 4 <= n; i += 4, out += 4 * outBytes, x += 4 * xBytes) {
    scatter4(out, outStep, anyUnary4(op, gather4(x, xStep), alpha, beta));
  }
  for (; i < n; i++, out += outBytes, x += xBytes) {
    store<f32>(out, f32x4.extract_lane(anyUnary4(op, v128.load32_splat(x), alpha, beta), 0));
  }
}

function anyUnary4(op: i32, x: v128, alpha: v128, beta: v128): v128 {
  return unary4(op, x, alpha, beta);
}

@inline
function unaryLoop(op: i32, out: usize, outStep: i32, x: usize, xStep: i32, n: i32): void {
  let i = 0;
  if (outStep == 1 && xStep == 1) {
    const alpha = f32x4.splat(fraction(12));
    const beta = f32x4.splat(fraction(13));
    for (; i + 4 <= n; i += 4, out += 16, x += 16) v128.store(out, unary4(op, v128.load(x), alpha, beta));
  }
  if (i < n) unaryRest(op, out, outStep, x, xStep, n - i);
}

export function unaryRow(op: i32, out: usize, outStep: i32, x: usize, xStep: i32, n: i32): void {
  switch (op) {
    case id.ABS:
      return unaryLoop(id.ABS, out, outStep, x, xStep, n);
    case id.CEIL:
      return unaryLoop(id.CEIL, out, outStep, x, xStep, n);
    case id.CLAMP:
      return unaryLoop(id.CLAMP, out, outStep, x, xStep, n);
    case id.COPY:
      return unaryLoop(id.COPY, out, outStep, x, xStep, n);
    case id.COS:
      return unaryLoop(id.COS, out, outStep, x, xStep, n);
    case id.CUBE:
      return unaryLoop(id.CUBE, out, outStep, x, xStep, n);
    case id.ELU:
      return unaryLoop(id.ELU, out, outStep, x, xStep, n);
    case id.ERF:
      return unaryLoop(id.ERF, out, outStep, x, xStep, n);
    case id.EXP:
      return unaryLoop(id.EXP, out, outStep, x, xStep, n);
    case id.EXPM1:
      return unaryLoop(id.EXPM1, out, outStep, x, xStep, n);
    case id.FLOOR:
      return unaryLoop(id.FLOOR, out, outStep, x, xStep, n);
    case id.GELU:
      return unaryLoop(id.GELU, out, outStep, x, xStep, n);
    case id.GELU_TANH:
      return unaryLoop(id.GELU_TANH, out, outStep, x, xStep, n);
    case id.HALF_POWER:
      return unaryLoop(id.HALF_POWER, out, outStep, x, xStep, n);
    case id.HARDSIGMOID:
      return unaryLoop(id.HARDSIGMOID, out, outStep, x, xStep, n);
    case id.HARDSWISH:
      return unaryLoop(id.HARDSWISH, out, outStep, x, xStep, n);
    case id.HARDTANH:
      return unaryLoop(id.HARDTANH, out, outStep, x, xStep, n);
    case id.HUBER:
      return unaryLoop(id.HUBER, out, outStep, x, xStep, n);
    case id.LEAKY_RELU:
      return unaryLoop(id.LEAKY_RELU, out, outStep, x, xStep, n);
    case id.LOG:
      return unaryLoop(id.LOG, out, outStep, x, xStep, n);
    case id.LOG1P:
      return unaryLoop(id.LOG1P, out, outStep, x, xStep, n);
    case id.LOG_SIGMOID:
      return unaryLoop(id.LOG_SIGMOID, out, outStep, x, xStep, n);
    case id.MISH:
      return unaryLoop(id.MISH, out, outStep, x, xStep, n);
    case id.RELU:
      return unaryLoop(id.RELU, out, outStep, x, xStep, n);
    case id.ROUND:
      return unaryLoop(id.ROUND, out, outStep, x, xStep, n);
    case id.RSQRT:
      return unaryLoop(id.RSQRT, out, outStep, x, xStep, n);
    case id.SIGMOID:
      return unaryLoop(id.SIGMOID, out, outStep, x, xStep, n);
    case id.SIGN:
      return unaryLoop(id.SIGN, out, outStep, x, xStep, n);
    case id.SILU:
      return unaryLoop(id.SILU, out, outStep, x, xStep, n);
    case id.SIN:
      return unaryLoop(id.SIN, out, outStep, x, xStep, n);
    case id.SOFTPLUS:
      return unaryLoop(id.SOFTPLUS, out, outStep, x, xStep, n);
    case id.SQRT:
      return unaryLoop(id.SQRT, out, outStep, x, xStep, n);
    default:
      return unaryLoop(id.TANH, out, outStep, x, xStep, n);
  }
}
