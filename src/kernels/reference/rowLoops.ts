/**
 * The loops over one row of an elementwise kernel: a `switch` over the ops, each with a loop of its own. Loops are written
 * out rather than shared through callbacks, so that each is compiled to plain arithmetic on one kind of array.
 */
import { TapegradError } from "../../errors.js";
import type { ActivationOp, BinaryOp, CompareOp, UnaryOp } from "../kernelSet.js";
import { activations, slopes } from "./activations.js";
import { toInt32 } from "./arrays.js";
import { erf, roundToEven } from "./functions.js";
import type { Lane } from "./rows.js";

export function fillRow(value: number, out: Lane, length: number): void {
  const { array, start, step } = out;
  if (step === 1) array.fill(value, start, start + length);
  else for (let i = 0, t = start; i < length; i += 1, t += step) array[t] = value;
}

/** Between dtypes for which writing into the typed array converts as it should. */
export function copyRow(x: Lane, out: Lane, length: number): void {
  const { array: xArray, step: xStep } = x;
  const { array: outArray, step: outStep } = out;
  let p = x.start;
  let t = out.start;
  // For short rows a loop is quicker than setting up the block copy.
  if (xStep === 1 && outStep === 1 && length >= 64) outArray.set(xArray.subarray(p, p + length), t);
  else for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = xArray[p] as number;
}

export function copyRowToBool(x: Lane, out: Lane, length: number): void {
  const { array: xArray, step: xStep } = x;
  const { array: outArray, step: outStep } = out;
  let p = x.start;
  let t = out.start;
  for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = xArray[p] === 0 ? 0 : 1;
}

export function copyRowToInt32(x: Lane, out: Lane, length: number): void {
  const { array: xArray, step: xStep } = x;
  const { array: outArray, step: outStep } = out;
  let p = x.start;
  let t = out.start;
  for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = toInt32(xArray[p] as number);
}

/** On floating elements. */
export function unaryRow(op: UnaryOp, x: Lane, out: Lane, length: number, alpha: number, beta: number): void {
  const { array: xArray, step: xStep } = x;
  const { array: outArray, step: outStep } = out;
  let p = x.start;
  let t = out.start;
  switch (op) {
    case "abs":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = Math.abs(xArray[p] as number);
      break;
    case "ceil":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = Math.ceil(xArray[p] as number);
      break;
    case "clamp":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep)
        outArray[t] = Math.min(Math.max(xArray[p] as number, alpha), beta);
      break;
    case "cos":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = Math.cos(xArray[p] as number);
      break;
    case "erf":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = erf(xArray[p] as number);
      break;
    case "exp":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = Math.exp(xArray[p] as number);
      break;
    case "floor":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = Math.floor(xArray[p] as number);
      break;
    case "expm1":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = Math.expm1(xArray[p] as number);
      break;
    case "log":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = Math.log(xArray[p] as number);
      break;
    case "log1p":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = Math.log1p(xArray[p] as number);
      break;
    case "neg":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = -(xArray[p] as number);
      break;
    case "reciprocal":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = 1 / (xArray[p] as number);
      break;
    case "relu":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = Math.max(xArray[p] as number, 0);
      break;
    case "round":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = roundToEven(xArray[p] as number);
      break;
    case "rsqrt":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = 1 / Math.sqrt(xArray[p] as number);
      break;
    case "sigmoid":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep)
        outArray[t] = 1 / (1 + Math.exp(-(xArray[p] as number)));
      break;
    case "sign":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) {
        const v = xArray[p] as number;
        outArray[t] = v > 0 ? 1 : v < 0 ? -1 : 0;
      }
      break;
    case "sin":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = Math.sin(xArray[p] as number);
      break;
    case "sqrt":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = Math.sqrt(xArray[p] as number);
      break;
    case "square":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) {
        const v = xArray[p] as number;
        outArray[t] = v * v;
      }
      break;
    case "tanh":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) outArray[t] = Math.tanh(xArray[p] as number);
      break;
    default: {
      const curve = activations[op];
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep)
        outArray[t] = curve(xArray[p] as number, alpha, beta);
    }
  }
}

/** out = outGrad · f′(x). */
export function activationGradRow(
  op: ActivationOp,
  outGrad: Lane,
  x: Lane,
  out: Lane,
  length: number,
  alpha: number,
  beta: number,
): void {
  const { array: gradArray, step: gradStep } = outGrad;
  const { array: xArray, step: xStep } = x;
  const { array: outArray, step: outStep } = out;
  const slope = slopes[op];
  let p = outGrad.start;
  let q = x.start;
  let t = out.start;
  for (let i = 0; i < length; i += 1, p += gradStep, q += xStep, t += outStep)
    outArray[t] = (gradArray[p] as number) * slope(xArray[q] as number, alpha, beta);
}

/** On int32, where results wrap. */
export function integerUnaryRow(op: UnaryOp, x: Lane, out: Lane, length: number, alpha: number, beta: number): void {
  const { array: xArray, step: xStep } = x;
  const { array: outArray, step: outStep } = out;
  let p = x.start;
  let t = out.start;
  switch (op) {
    case "square":
      for (let i = 0; i < length; i += 1, p += xStep, t += outStep) {
        const v = xArray[p] as number;
        outArray[t] = Math.imul(v, v);
      }
      break;
    case "abs":
    case "clamp":
    case "neg":
    case "relu":
    case "sign":
      unaryRow(op, x, out, length, alpha, beta);
      break;
    default:
      throw new TapegradError(`${op}: got int32; expected floats. Cast it with .to("float32") first.`);
  }
}

/** Both terms are never negative for targets from 0 to 1: nothing cancels. */
function logitLoss(x: number, target: number): number {
  const size = Math.abs(x);
  return size * (x > 0 ? 1 - target : target) + Math.log1p(Math.exp(-size));
}

function logitSlope(x: number, target: number): number {
  const share = 1 / (1 + Math.exp(Math.abs(x)));
  return x > 0 ? 1 - target - share : share - target;
}

/** On floating elements. */
export function binaryRow(op: BinaryOp, a: Lane, b: Lane, out: Lane, length: number): void {
  const { array: aArray, step: aStep } = a;
  const { array: bArray, step: bStep } = b;
  const { array: outArray, step: outStep } = out;
  let p = a.start;
  let q = b.start;
  let t = out.start;
  switch (op) {
    case "add":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = (aArray[p] as number) + (bArray[q] as number);
      break;
    case "div":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = (aArray[p] as number) / (bArray[q] as number);
      break;
    case "logitLoss":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = logitLoss(aArray[p] as number, bArray[q] as number);
      break;
    case "logitLossGrad":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = logitSlope(aArray[p] as number, bArray[q] as number);
      break;
    case "maximum":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = Math.max(aArray[p] as number, bArray[q] as number);
      break;
    case "minimum":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = Math.min(aArray[p] as number, bArray[q] as number);
      break;
    case "mul":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = (aArray[p] as number) * (bArray[q] as number);
      break;
    case "pow":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = power(aArray[p] as number, bArray[q] as number);
      break;
    case "reluGrad":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = (bArray[q] as number) <= 0 ? 0 : (aArray[p] as number);
      break;
    case "sigmoidGrad":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep) {
        const left = aArray[p] as number;
        const right = bArray[q] as number;
        outArray[t] = left * right * (1 - right);
      }
      break;
    case "sub":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = (aArray[p] as number) - (bArray[q] as number);
      break;
    case "tanhGrad":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep) {
        const left = aArray[p] as number;
        const right = bArray[q] as number;
        outArray[t] = left * (1 - right * right);
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
export function integerBinaryRow(op: BinaryOp, a: Lane, b: Lane, out: Lane, length: number): void {
  const { array: aArray, step: aStep } = a;
  const { array: bArray, step: bStep } = b;
  const { array: outArray, step: outStep } = out;
  let p = a.start;
  let q = b.start;
  let t = out.start;
  switch (op) {
    case "mul":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = Math.imul(aArray[p] as number, bArray[q] as number);
      break;
    case "pow":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = integerPower(aArray[p] as number, bArray[q] as number);
      break;
    case "add":
    case "maximum":
    case "minimum":
    case "sub":
      binaryRow(op, a, b, out, length);
      break;
    default:
      throw new TapegradError(`${op}: got integers; expected floats. Cast them with .to("float32") first.`);
  }
}

/** To bool, from any dtype. */
export function compareRow(op: CompareOp, a: Lane, b: Lane, out: Lane, length: number): void {
  const { array: aArray, step: aStep } = a;
  const { array: bArray, step: bStep } = b;
  const { array: outArray, step: outStep } = out;
  let p = a.start;
  let q = b.start;
  let t = out.start;
  switch (op) {
    case "eq":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = (aArray[p] as number) === (bArray[q] as number) ? 1 : 0;
      break;
    case "ge":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = (aArray[p] as number) >= (bArray[q] as number) ? 1 : 0;
      break;
    case "gt":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = (aArray[p] as number) > (bArray[q] as number) ? 1 : 0;
      break;
    case "le":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = (aArray[p] as number) <= (bArray[q] as number) ? 1 : 0;
      break;
    case "lt":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = (aArray[p] as number) < (bArray[q] as number) ? 1 : 0;
      break;
    case "ne":
      for (let i = 0; i < length; i += 1, p += aStep, q += bStep, t += outStep)
        outArray[t] = (aArray[p] as number) !== (bArray[q] as number) ? 1 : 0;
      break;
  }
}

/** out = condition ? a : b. */
export function whereRow(condition: Lane, a: Lane, b: Lane, out: Lane, length: number): void {
  const { array: conditionArray, step: conditionStep } = condition;
  let c = condition.start;
  const { array: aArray, step: aStep } = a;
  const { array: bArray, step: bStep } = b;
  const { array: outArray, step: outStep } = out;
  let p = a.start;
  let q = b.start;
  let t = out.start;
  for (let i = 0; i < length; i += 1, c += conditionStep, p += aStep, q += bStep, t += outStep) {
    outArray[t] = (conditionArray[c] === 0 ? bArray[q] : aArray[p]) as number;
  }
}
