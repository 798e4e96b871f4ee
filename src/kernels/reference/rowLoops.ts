/**
 * The loops over one row of an elementwise kernel: a `switch` over the ops, each with a loop of its own. Element i of an
 * operand lies at its offset + i·step. Loops are written out rather than shared through callbacks, so that each is
 * compiled to plain arithmetic on one kind of array.
 */
import { TapegradError } from "../../errors.js";
import type { BinaryOp, CompareOp, TypedArray, UnaryOp } from "../kernelSet.js";

/** On floating elements. */
export function unaryRow(
  op: UnaryOp,
  x: TypedArray,
  xStart: number,
  xStep: number,
  out: TypedArray,
  outStart: number,
  outStep: number,
  length: number,
  alpha: number,
  beta: number,
): void {
  let p = xStart;
  let t = outStart;
  switch (op) {
    case "abs":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) out[t] = Math.abs(x[p] as number);
      break;
    case "clamp":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep)
        out[t] = Math.min(Math.max(x[p] as number, alpha), beta);
      break;
    case "exp":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) out[t] = Math.exp(x[p] as number);
      break;
    case "leakyRelu":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) {
        const v = x[p] as number;
        out[t] = v > 0 ? v : v * alpha;
      }
      break;
    case "log":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) out[t] = Math.log(x[p] as number);
      break;
    case "neg":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) out[t] = -(x[p] as number);
      break;
    case "relu":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) out[t] = Math.max(x[p] as number, 0);
      break;
    case "sigmoid":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) out[t] = 1 / (1 + Math.exp(-(x[p] as number)));
      break;
    case "sign":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) {
        const v = x[p] as number;
        out[t] = v > 0 ? 1 : v < 0 ? -1 : 0;
      }
      break;
    case "sqrt":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) out[t] = Math.sqrt(x[p] as number);
      break;
    case "square":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) {
        const v = x[p] as number;
        out[t] = v * v;
      }
      break;
    case "tanh":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) out[t] = Math.tanh(x[p] as number);
      break;
  }
}

/** On int32, where results wrap. */
export function integerUnaryRow(
  op: UnaryOp,
  x: TypedArray,
  xStart: number,
  xStep: number,
  out: TypedArray,
  outStart: number,
  outStep: number,
  length: number,
  alpha: number,
  beta: number,
): void {
  let p = xStart;
  let t = outStart;
  switch (op) {
    case "square":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) {
        const v = x[p] as number;
        out[t] = Math.imul(v, v);
      }
      break;
    case "abs":
    case "clamp":
    case "neg":
    case "relu":
    case "sign":
      unaryRow(op, x, xStart, xStep, out, outStart, outStep, length, alpha, beta);
      break;
    default:
      throw new TapegradError(`${op}: got int32; expected floats. Cast it with .to("float32") first.`);
  }
}

/** On floating elements. */
export function binaryRow(
  op: BinaryOp,
  a: TypedArray,
  aStart: number,
  aStep: number,
  b: TypedArray,
  bStart: number,
  bStep: number,
  out: TypedArray,
  outStart: number,
  outStep: number,
  length: number,
): void {
  let p = aStart;
  let q = bStart;
  let t = outStart;
  switch (op) {
    case "add":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = (a[p] as number) + (b[q] as number);
      break;
    case "div":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = (a[p] as number) / (b[q] as number);
      break;
    case "maximum":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = Math.max(a[p] as number, b[q] as number);
      break;
    case "minimum":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = Math.min(a[p] as number, b[q] as number);
      break;
    case "mul":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = (a[p] as number) * (b[q] as number);
      break;
    case "pow":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = power(a[p] as number, b[q] as number);
      break;
    case "reluGrad":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = (b[q] as number) > 0 ? (a[p] as number) : 0;
      break;
    case "sigmoidGrad":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep) {
        const left = a[p] as number;
        const right = b[q] as number;
        out[t] = left * right * (1 - right);
      }
      break;
    case "sub":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = (a[p] as number) - (b[q] as number);
      break;
    case "tanhGrad":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep) {
        const left = a[p] as number;
        const right = b[q] as number;
        out[t] = left * (1 - right * right);
      }
      break;
  }
}

/** As in C and PyTorch, and unlike `Math.pow`, 1 to any power is 1, NaN included, and so is (-1) to an infinite one. */
function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Number.POSITIVE_INFINITY)) return 1;
  return base ** exponent;
}

/** base to a non-negative power, modulo 2³². */
function integerPower(base: number, exponent: number): number {
  let result = 1;
  for (let square = base, left = exponent; left > 0; left >>= 1) {
    if ((left & 1) === 1) result = Math.imul(result, square);
    square = Math.imul(square, square);
  }
  return result;
}

/** On int32, where results wrap, and on bool. */
export function integerBinaryRow(
  op: BinaryOp,
  a: TypedArray,
  aStart: number,
  aStep: number,
  b: TypedArray,
  bStart: number,
  bStep: number,
  out: TypedArray,
  outStart: number,
  outStep: number,
  length: number,
): void {
  let p = aStart;
  let q = bStart;
  let t = outStart;
  switch (op) {
    case "mul":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = Math.imul(a[p] as number, b[q] as number);
      break;
    case "pow":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = integerPower(a[p] as number, b[q] as number);
      break;
    case "add":
    case "maximum":
    case "minimum":
    case "sub":
      binaryRow(op, a, aStart, aStep, b, bStart, bStep, out, outStart, outStep, length);
      break;
    default:
      throw new TapegradError(`${op}: got integers; expected floats. Cast them with .to("float32") first.`);
  }
}

/** To bool, from any dtype. */
export function compareRow(
  op: CompareOp,
  a: TypedArray,
  aStart: number,
  aStep: number,
  b: TypedArray,
  bStart: number,
  bStep: number,
  out: TypedArray,
  outStart: number,
  outStep: number,
  length: number,
): void {
  let p = aStart;
  let q = bStart;
  let t = outStart;
  switch (op) {
    case "eq":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = (a[p] as number) === (b[q] as number) ? 1 : 0;
      break;
    case "ge":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = (a[p] as number) >= (b[q] as number) ? 1 : 0;
      break;
    case "gt":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = (a[p] as number) > (b[q] as number) ? 1 : 0;
      break;
    case "le":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = (a[p] as number) <= (b[q] as number) ? 1 : 0;
      break;
    case "lt":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = (a[p] as number) < (b[q] as number) ? 1 : 0;
      break;
    case "ne":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        out[t] = (a[p] as number) !== (b[q] as number) ? 1 : 0;
      break;
  }
}

/** out = condition ? a : b. */
export function whereRow(
  condition: TypedArray,
  conditionStart: number,
  conditionStep: number,
  a: TypedArray,
  aStart: number,
  aStep: number,
  b: TypedArray,
  bStart: number,
  bStep: number,
  out: TypedArray,
  outStart: number,
  outStep: number,
  length: number,
): void {
  let c = conditionStart;
  let p = aStart;
  let q = bStart;
  let t = outStart;
  for (let i = 0; i < length; i += 1, c += conditionStep, p += aStep, q += bStep, t += outStep) {
    out[t] = (condition[c] === 0 ? b[q] : a[p]) as number;
  }
}
