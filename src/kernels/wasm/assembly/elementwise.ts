/**
 * Elementwise kernels: rows of `argument(1)` elements, as many as the outer extents multiply to. With outer axes a unit is
 * a row; without, it is an element. Steps along a row are counted in elements; 0 repeats one.
 *
 * @module
 */
import { activation4, activationGrad4 } from "./activations";
import { argument, fraction, pointer } from "./environment";
import * as id from "./kernelIds";
import { power4 } from "./power";
import {
  erf4, exp4, expm14, log1p4, log4, sigmoid4, sign4, sineOfQuarters4, tanh4, withoutDenormals4,
} from "./vector";

/** Four floats that lie `step` floats apart. */
@inline
function gather4(at: usize, step: i32): v128 {
  if (step == 1) return v128.load(at);
  if (step == 0) return v128.load32_splat(at);
  const bytes = <isize>step << 2;
  let lanes = f32x4.splat(load<f32>(at));
  lanes = f32x4.replace_lane(lanes, 1, load<f32>(at + bytes));
  lanes = f32x4.replace_lane(lanes, 2, load<f32>(at + 2 * bytes));
  return f32x4.replace_lane(lanes, 3, load<f32>(at + 3 * bytes));
}

@inline
function scatter4(at: usize, step: i32, value: v128): void {
  if (step == 1) {
    v128.store(at, value);
    return;
  }
  const bytes = <isize>step << 2;
  store<f32>(at, f32x4.extract_lane(value, 0));
  store<f32>(at + bytes, f32x4.extract_lane(value, 1));
  store<f32>(at + 2 * bytes, f32x4.extract_lane(value, 2));
  store<f32>(at + 3 * bytes, f32x4.extract_lane(value, 3));
}

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

function unaryRow(op: i32, out: usize, outStep: i32, x: usize, xStep: i32, n: i32): void {
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

@inline
function binary4(op: i32, a: v128, b: v128): v128 {
  if (op == id.ADD) return f32x4.add(a, b);
  if (op == id.SUB) return f32x4.sub(a, b);
  if (op == id.MUL) return f32x4.mul(a, b);
  if (op == id.DIV) return f32x4.div(a, b);
  if (op == id.MAXIMUM) return f32x4.max(a, b);
  if (op == id.MINIMUM) return f32x4.min(a, b);
  if (op == id.POW) return power4(a, b);
  if (op == id.RELU_GRAD) return withoutDenormals4(v128.andnot(a, f32x4.le(b, f32x4.splat(0))));
  if (op == id.SIGMOID_GRAD) return withoutDenormals4(f32x4.mul(f32x4.mul(a, b), f32x4.sub(f32x4.splat(1), b)));
  return withoutDenormals4(f32x4.mul(a, f32x4.sub(f32x4.splat(1), f32x4.mul(b, b))));
}

/** As {@link unaryRest}. */
function binaryRest(op: i32, out: usize, outStep: i32, a: usize, aStep: i32, b: usize, bStep: i32, n: i32): void {
  const outBytes = <isize>outStep << 2;
  const aBytes = <isize>aStep << 2;
  const bBytes = <isize>bStep << 2;
  let i = 0;
  for (; i + 4 <= n; i += 4, out += 4 * outBytes, a += 4 * aBytes, b += 4 * bBytes) {
    scatter4(out, outStep, anyBinary4(op, gather4(a, aStep), gather4(b, bStep)));
  }
  for (; i < n; i++, out += outBytes, a += aBytes, b += bBytes) {
    store<f32>(out, f32x4.extract_lane(anyBinary4(op, v128.load32_splat(a), v128.load32_splat(b)), 0));
  }
}

function anyBinary4(op: i32, a: v128, b: v128): v128 {
  return binary4(op, a, b);
}

@inline
function binaryLoop(op: i32, out: usize, outStep: i32, a: usize, aStep: i32, b: usize, bStep: i32, n: i32): void {
  let i = 0;
  if (outStep == 1 && aStep == 1 && bStep == 1) {
    for (; i + 4 <= n; i += 4, out += 16, a += 16, b += 16) {
      v128.store(out, binary4(op, v128.load(a), v128.load(b)));
    }
  } else if (outStep == 1 && aStep == 1 && bStep == 0) {
    const right = v128.load32_splat(b);
    for (; i + 4 <= n; i += 4, out += 16, a += 16) v128.store(out, binary4(op, v128.load(a), right));
  } else if (outStep == 1 && aStep == 0 && bStep == 1) {
    const left = v128.load32_splat(a);
    for (; i + 4 <= n; i += 4, out += 16, b += 16) v128.store(out, binary4(op, left, v128.load(b)));
  }
  if (i < n) binaryRest(op, out, outStep, a, aStep, b, bStep, n - i);
}

function binaryRow(op: i32, out: usize, outStep: i32, a: usize, aStep: i32, b: usize, bStep: i32, n: i32): void {
  switch (op) {
    case id.ADD:
      return binaryLoop(id.ADD, out, outStep, a, aStep, b, bStep, n);
    case id.SUB:
      return binaryLoop(id.SUB, out, outStep, a, aStep, b, bStep, n);
    case id.MUL:
      return binaryLoop(id.MUL, out, outStep, a, aStep, b, bStep, n);
    case id.DIV:
      return binaryLoop(id.DIV, out, outStep, a, aStep, b, bStep, n);
    case id.MAXIMUM:
      return binaryLoop(id.MAXIMUM, out, outStep, a, aStep, b, bStep, n);
    case id.MINIMUM:
      return binaryLoop(id.MINIMUM, out, outStep, a, aStep, b, bStep, n);
    case id.POW:
      return binaryLoop(id.POW, out, outStep, a, aStep, b, bStep, n);
    case id.RELU_GRAD:
      return binaryLoop(id.RELU_GRAD, out, outStep, a, aStep, b, bStep, n);
    case id.SIGMOID_GRAD:
      return binaryLoop(id.SIGMOID_GRAD, out, outStep, a, aStep, b, bStep, n);
    default:
      return binaryLoop(id.TANH_GRAD, out, outStep, a, aStep, b, bStep, n);
  }
}

@inline
function grad4(op: i32, g: v128, x: v128): v128 {
  const alpha = f32x4.splat(fraction(12));
  const beta = f32x4.splat(fraction(13));
  return withoutDenormals4(activationGrad4(op, g, x, alpha, beta));
}

/** As {@link unaryRest}. */
function gradRest(op: i32, out: usize, outStep: i32, g: usize, gStep: i32, x: usize, xStep: i32, n: i32): void {
  const outBytes = <isize>outStep << 2;
  const gBytes = <isize>gStep << 2;
  const xBytes = <isize>xStep << 2;
  let i = 0;
  for (; i + 4 <= n; i += 4, out += 4 * outBytes, g += 4 * gBytes, x += 4 * xBytes) {
    scatter4(out, outStep, anyGrad4(op, gather4(g, gStep), gather4(x, xStep)));
  }
  for (; i < n; i++, out += outBytes, g += gBytes, x += xBytes) {
    store<f32>(out, f32x4.extract_lane(anyGrad4(op, v128.load32_splat(g), v128.load32_splat(x)), 0));
  }
}

function anyGrad4(op: i32, g: v128, x: v128): v128 {
  return grad4(op, g, x);
}

@inline
function gradLoop(op: i32, out: usize, outStep: i32, g: usize, gStep: i32, x: usize, xStep: i32, n: i32): void {
  let i = 0;
  if (outStep == 1 && <u32>gStep <= 1 && xStep == 1 && n >= 4) {
    // The gradient of a mean is one number, repeated.
    const same = v128.load32_splat(g);
    const gBytes = <usize>gStep << 4;
    for (; i + 4 <= n; i += 4, out += 16, g += gBytes, x += 16) {
      v128.store(out, grad4(op, gStep == 0 ? same : v128.load(g), v128.load(x)));
    }
  }
  if (i < n) gradRest(op, out, outStep, g, gStep, x, xStep, n - i);
}

function gradRow(op: i32, out: usize, outStep: i32, g: usize, gStep: i32, x: usize, xStep: i32, n: i32): void {
  switch (op) {
    case id.ELU:
      return gradLoop(id.ELU, out, outStep, g, gStep, x, xStep, n);
    case id.GELU:
      return gradLoop(id.GELU, out, outStep, g, gStep, x, xStep, n);
    case id.GELU_TANH:
      return gradLoop(id.GELU_TANH, out, outStep, g, gStep, x, xStep, n);
    case id.HARDSIGMOID:
      return gradLoop(id.HARDSIGMOID, out, outStep, g, gStep, x, xStep, n);
    case id.HARDSWISH:
      return gradLoop(id.HARDSWISH, out, outStep, g, gStep, x, xStep, n);
    case id.HARDTANH:
      return gradLoop(id.HARDTANH, out, outStep, g, gStep, x, xStep, n);
    case id.HUBER:
      return gradLoop(id.HUBER, out, outStep, g, gStep, x, xStep, n);
    case id.LEAKY_RELU:
      return gradLoop(id.LEAKY_RELU, out, outStep, g, gStep, x, xStep, n);
    case id.LOG_SIGMOID:
      return gradLoop(id.LOG_SIGMOID, out, outStep, g, gStep, x, xStep, n);
    case id.MISH:
      return gradLoop(id.MISH, out, outStep, g, gStep, x, xStep, n);
    case id.SILU:
      return gradLoop(id.SILU, out, outStep, g, gStep, x, xStep, n);
    default:
      return gradLoop(id.SOFTPLUS, out, outStep, g, gStep, x, xStep, n);
  }
}

@inline
function compare4(op: i32, a: v128, b: v128): v128 {
  if (op == id.EQ) return f32x4.eq(a, b);
  if (op == id.NE) return f32x4.ne(a, b);
  if (op == id.LT) return f32x4.lt(a, b);
  if (op == id.LE) return f32x4.le(a, b);
  if (op == id.GT) return f32x4.gt(a, b);
  return f32x4.ge(a, b);
}

/** Results are bytes. */
@inline
function compareLoop(op: i32, out: usize, outStep: i32, a: usize, aStep: i32, b: usize, bStep: i32, n: i32): void {
  const aBytes = <isize>aStep << 2;
  const bBytes = <isize>bStep << 2;
  const ones = i32x4.splat(1);
  let i = 0;
  if (outStep == 1) {
    for (; i + 4 <= n; i += 4, out += 4, a += 4 * aBytes, b += 4 * bBytes) {
      const bits = v128.and(compare4(op, gather4(a, aStep), gather4(b, bStep)), ones);
      const words = i16x8.narrow_i32x4_s(bits, bits);
      store<i32>(out, i32x4.extract_lane(i8x16.narrow_i16x8_s(words, words), 0));
    }
  }
  for (; i < n; i++, out += <isize>outStep, a += aBytes, b += bBytes) {
    const bits = compare4(op, v128.load32_splat(a), v128.load32_splat(b));
    store<u8>(out, <u8>(i32x4.extract_lane(bits, 0) & 1));
  }
}

function compareRow(op: i32, out: usize, outStep: i32, a: usize, aStep: i32, b: usize, bStep: i32, n: i32): void {
  switch (op) {
    case id.EQ:
      return compareLoop(id.EQ, out, outStep, a, aStep, b, bStep, n);
    case id.NE:
      return compareLoop(id.NE, out, outStep, a, aStep, b, bStep, n);
    case id.LT:
      return compareLoop(id.LT, out, outStep, a, aStep, b, bStep, n);
    case id.LE:
      return compareLoop(id.LE, out, outStep, a, aStep, b, bStep, n);
    case id.GT:
      return compareLoop(id.GT, out, outStep, a, aStep, b, bStep, n);
    default:
      return compareLoop(id.GE, out, outStep, a, aStep, b, bStep, n);
  }
}

/** The condition is bytes. */
function whereRow(
  out: usize,
  outStep: i32,
  a: usize,
  aStep: i32,
  b: usize,
  bStep: i32,
  condition: usize,
  conditionStep: i32,
  n: i32,
): void {
  const outBytes = <isize>outStep << 2;
  const aBytes = <isize>aStep << 2;
  const bBytes = <isize>bStep << 2;
  const zero = i32x4.splat(0);
  let i = 0;
  if (conditionStep == 1) {
    for (; i + 4 <= n; i += 4, out += 4 * outBytes, a += 4 * aBytes, b += 4 * bBytes, condition += 4) {
      const bytes = v128.load32_zero(condition);
      const mask = i32x4.ne(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(bytes)), zero);
      scatter4(out, outStep, v128.bitselect(gather4(a, aStep), gather4(b, bStep), mask));
    }
  }
  for (; i < n; i++, out += outBytes, a += aBytes, b += bBytes, condition += <isize>conditionStep) {
    store<f32>(out, load<u8>(condition) != 0 ? load<f32>(a) : load<f32>(b));
  }
}

/** Where argument `slot` (out 0, a 1, b 2, condition 3) of a row lies, in elements from its first. */
@inline
export function rowOffset(slot: i32, row: i32): isize {
  const rank = argument(2);
  if (rank == 1) return <isize>row * <isize>argument(24 + 8 * slot);
  let offset: isize = 0;
  let rest = row;
  for (let axis = rank - 1; axis >= 0; axis--) {
    const extent = argument(16 + axis);
    const next = rest / extent;
    offset += <isize>(rest - next * extent) * <isize>argument(24 + 8 * slot + axis);
    rest = next;
  }
  return offset;
}

/** Units of one row, or rows, of an elementwise job; `kind` says of which family the op is. */
@inline
function rows(kind: i32, begin: i32, end: i32): void {
  const op = argument(0);
  const outStep = argument(4);
  const aStep = argument(6);
  const bStep = argument(8);
  const conditionStep = argument(10);
  // Results of comparisons are bytes.
  const outShift = kind == id.COMPARE ? 0 : 2;
  const flat = argument(2) == 0;
  const first = flat ? 0 : begin;
  const last = flat ? 1 : end;
  const length = flat ? end - begin : argument(1);
  for (let row = first; row < last; row++) {
    let outAt = flat ? <isize>begin * outStep : rowOffset(0, row);
    let aAt = flat ? <isize>begin * aStep : rowOffset(1, row);
    const out = pointer(3) + (outAt << outShift);
    const a = pointer(5) + (aAt << 2);
    if (kind == id.UNARY) {
      unaryRow(op, out, outStep, a, aStep, length);
      continue;
    }
    let bAt = flat ? <isize>begin * bStep : rowOffset(2, row);
    const b = pointer(7) + (bAt << 2);
    if (kind == id.BINARY) binaryRow(op, out, outStep, a, aStep, b, bStep, length);
    else if (kind == id.ACTIVATION_GRAD) gradRow(op, out, outStep, a, aStep, b, bStep, length);
    else if (kind == id.COMPARE) compareRow(op, out, outStep, a, aStep, b, bStep, length);
    else {
      let conditionAt = flat ? <isize>begin * conditionStep : rowOffset(3, row);
      whereRow(out, outStep, a, aStep, b, bStep, pointer(9) + conditionAt, conditionStep, length);
    }
  }
}

export function unary(begin: i32, end: i32): void {
  rows(id.UNARY, begin, end);
}

export function binary(begin: i32, end: i32): void {
  rows(id.BINARY, begin, end);
}

export function activationGrad(begin: i32, end: i32): void {
  rows(id.ACTIVATION_GRAD, begin, end);
}

export function compare(begin: i32, end: i32): void {
  rows(id.COMPARE, begin, end);
}

export function where(begin: i32, end: i32): void {
  rows(id.WHERE, begin, end);
}
