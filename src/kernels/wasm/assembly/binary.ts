/** Functions of two operands, and gradients of activation functions, along a row. */
import { activationGrad4 } from "./activations";
import { fraction } from "./environment";
import * as id from "./kernelIds";
import { power4 } from "./power";
import { gather4, scatter4 } from "./strided";
import { gated4, logitLoss4, logitLossGrad4, withoutDenormals4 } from "./vector";

@inline
function binary4(op: i32, a: v128, b: v128): v128 {
  if (op == id.ADD) return f32x4.add(a, b);
  if (op == id.SUB) return f32x4.sub(a, b);
  if (op == id.MUL) return f32x4.mul(a, b);
  if (op == id.DIV) return f32x4.div(a, b);
  if (op == id.MAXIMUM) return f32x4.max(a, b);
  if (op == id.MINIMUM) return f32x4.min(a, b);
  if (op == id.POW) return power4(a, b);
  if (op == id.LOGIT_LOSS) return logitLoss4(a, b);
  if (op == id.LOGIT_LOSS_GRAD) return logitLossGrad4(a, b);
  if (op == id.RELU_GRAD) return gated4(a, b);
  if (op == id.SIGMOID_GRAD) return withoutDenormals4(f32x4.mul(f32x4.mul(a, b), f32x4.sub(f32x4.splat(1), b)));
  return withoutDenormals4(f32x4.mul(a, f32x4.sub(f32x4.splat(1), f32x4.mul(b, b))));
}

@inline
function grad4(op: i32, g: v128, x: v128): v128 {
  const alpha = f32x4.splat(fraction(12));
  const beta = f32x4.splat(fraction(13));
  return withoutDenormals4(activationGrad4(op, g, x, alpha, beta));
}

/** One copy for all ops of what is not contiguous, and of what is left of a row. */
function anyBinary4(op: i32, a: v128, b: v128): v128 {
  return binary4(op, a, b);
}

function anyGrad4(op: i32, g: v128, x: v128): v128 {
  return grad4(op, g, x);
}

@inline
function restLoop(
  grads: bool, op: i32, out: usize, outStep: i32, a: usize, aStep: i32, b: usize, bStep: i32, n: i32,
): void {
  const outBytes = <isize>outStep << 2;
  const aBytes = <isize>aStep << 2;
  const bBytes = <isize>bStep << 2;
  let i = 0;
  for (; i + 4 <= n; i += 4, out += 4 * outBytes, a += 4 * aBytes, b += 4 * bBytes) {
    const left = gather4(a, aStep);
    const right = gather4(b, bStep);
    scatter4(out, outStep, grads ? anyGrad4(op, left, right) : anyBinary4(op, left, right));
  }
  for (; i < n; i++, out += outBytes, a += aBytes, b += bBytes) {
    const left = v128.load32_splat(a);
    const right = v128.load32_splat(b);
    store<f32>(out, f32x4.extract_lane(grads ? anyGrad4(op, left, right) : anyBinary4(op, left, right), 0));
  }
}

function binaryRest(op: i32, out: usize, outStep: i32, a: usize, aStep: i32, b: usize, bStep: i32, n: i32): void {
  restLoop(false, op, out, outStep, a, aStep, b, bStep, n);
}

function gradRest(op: i32, out: usize, outStep: i32, g: usize, gStep: i32, x: usize, xStep: i32, n: i32): void {
  restLoop(true, op, out, outStep, g, gStep, x, xStep, n);
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

export function binaryRow(op: i32, out: usize, outStep: i32, a: usize, aStep: i32, b: usize, bStep: i32, n: i32): void {
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
    case id.LOGIT_LOSS:
      return binaryLoop(id.LOGIT_LOSS, out, outStep, a, aStep, b, bStep, n);
    case id.LOGIT_LOSS_GRAD:
      return binaryLoop(id.LOGIT_LOSS_GRAD, out, outStep, a, aStep, b, bStep, n);
    case id.RELU_GRAD:
      return binaryLoop(id.RELU_GRAD, out, outStep, a, aStep, b, bStep, n);
    case id.SIGMOID_GRAD:
      return binaryLoop(id.SIGMOID_GRAD, out, outStep, a, aStep, b, bStep, n);
    default:
      return binaryLoop(id.TANH_GRAD, out, outStep, a, aStep, b, bStep, n);
  }
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

export function gradRow(op: i32, out: usize, outStep: i32, g: usize, gStep: i32, x: usize, xStep: i32, n: i32): void {
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
