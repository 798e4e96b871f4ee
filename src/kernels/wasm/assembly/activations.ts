/** Activation functions and their slopes, four floats at a time. */
import { fma } from "./environment";
import * as id from "./kernelIds";
import { erf4, expm14, plainExp4, sigmoid4, softplus4, tanh4 } from "./vector";

// Numbers in memory: to load one takes one step, to make one up takes three, and engines do that in every turn of a loop.
const GELU_BEND = memory.data<f32>([0.044715 * 0.7978845608028654]);
const GELU_SCALE = memory.data<f32>([0.7978845608028654]);
const ONE = memory.data<f32>([1]);
const NINE = memory.data<f32>([9]);
const TWO = memory.data<f32>([2]);
const HALF = memory.data<f32>([0.5]);
const ROOT_HALF = memory.data<f32>([0.7071067811865476]);
const THREE = memory.data<f32>([3]);
const SIX = memory.data<f32>([6]);
const SIXTH = memory.data<f32>([1.0 / 6]);
const MINUS_HALF = memory.data<f32>([-0.5]);
/** Beyond this tanh(softplus(x)) is 1, and its exponentials would overflow. */
const STRAIGHT = memory.data<f32>([20]);
const GELU_SLOPE_BEND = memory.data<f32>([3 * 0.044715 * 0.7978845608028654]);
const MINUS_THREE = memory.data<f32>([-3]);
const THIRD = memory.data<f32>([1.0 / 3]);
const FOUR = memory.data<f32>([4]);

@inline
function splat(address: usize): v128 {
  return v128.load32_splat(address);
}

/** tanh(√(2/π)·(x + 0.044715·x³)), and exactly ±1 where it rounds to that: what multiplies 1 − tanh² is large there. */
@inline
function geluTanh4(x: v128): v128 {
  const u = f32x4.mul(fma(f32x4.mul(x, x), splat(GELU_BEND), splat(GELU_SCALE)), x);
  const ones = v128.or(v128.and(u, i32x4.splat(0x80000000)), splat(ONE));
  return v128.bitselect(ones, tanh4(u), f32x4.gt(f32x4.abs(u), splat(NINE)));
}

/** w² + 2w for w = eˣ: tanh(softplus(x)) is this divided by itself plus 2. */
@inline
function mishTerm4(w: v128): v128 {
  return f32x4.mul(f32x4.add(w, splat(TWO)), w);
}

@inline
export function activation4(op: i32, x: v128, alpha: v128, beta: v128): v128 {
  if (op == id.ELU) return v128.bitselect(x, f32x4.mul(expm14(x), alpha), f32x4.gt(x, f32x4.splat(0)));
  if (op == id.GELU) {
    return f32x4.mul(f32x4.mul(x, splat(HALF)), f32x4.add(erf4(f32x4.mul(x, splat(ROOT_HALF))), splat(ONE)));
  }
  if (op == id.GELU_TANH) {
    return f32x4.mul(f32x4.mul(x, splat(HALF)), f32x4.add(geluTanh4(x), splat(ONE)));
  }
  if (op == id.HARDSIGMOID || op == id.HARDSWISH) {
    const held = f32x4.pmin(f32x4.pmax(f32x4.add(x, splat(THREE)), f32x4.splat(0)), splat(SIX));
    return f32x4.mul(op == id.HARDSWISH ? f32x4.mul(x, held) : held, splat(SIXTH));
  }
  // pmax(x, y) is x where x is NaN, and one instruction on most machines.
  if (op == id.HARDTANH) return f32x4.pmin(f32x4.pmax(x, alpha), beta);
  if (op == id.HUBER) {
    const size = f32x4.abs(x);
    const near = f32x4.pmin(size, alpha);
    return f32x4.mul(near, fma(near, splat(MINUS_HALF), size));
  }
  if (op == id.LEAKY_RELU) return v128.bitselect(x, f32x4.mul(x, alpha), f32x4.gt(x, f32x4.splat(0)));
  if (op == id.LOG_SIGMOID) return f32x4.sub(f32x4.splat(0), softplus4(f32x4.neg(x)));
  if (op == id.MISH) {
    const n = mishTerm4(plainExp4(f32x4.pmin(x, splat(STRAIGHT))));
    return f32x4.mul(x, f32x4.div(n, f32x4.add(n, splat(TWO))));
  }
  if (op == id.SILU) return f32x4.mul(x, sigmoid4(x));
  const z = f32x4.mul(x, alpha);
  return v128.bitselect(x, f32x4.div(softplus4(z), alpha), f32x4.gt(z, beta));
}

/** g times the slope at x. */
@inline
export function activationGrad4(op: i32, g: v128, x: v128, alpha: v128, beta: v128): v128 {
  const one = splat(ONE);
  if (op == id.ELU) {
    return v128.bitselect(g, f32x4.mul(f32x4.mul(plainExp4(x), alpha), g), f32x4.gt(x, f32x4.splat(0)));
  }
  if (op == id.GELU) {
    // Φ(x) + x·φ(x)
    const density = plainExp4(f32x4.mul(f32x4.mul(x, x), splat(MINUS_HALF)));
    const twice = f32x4.add(erf4(f32x4.mul(x, splat(ROOT_HALF))), one);
    return f32x4.mul(f32x4.mul(fma(f32x4.mul(x, splat(GELU_SCALE)), density, twice), splat(HALF)), g);
  }
  if (op == id.GELU_TANH) {
    // With t the tanh of u(x): ½·(1 + t + x·(1 − t²)·u′).
    const t = geluTanh4(x);
    const slope = f32x4.mul(fma(f32x4.mul(x, x), splat(GELU_SLOPE_BEND), splat(GELU_SCALE)), x);
    const bend = f32x4.sub(one, f32x4.mul(t, t));
    return f32x4.mul(f32x4.mul(fma(bend, slope, f32x4.add(t, one)), splat(HALF)), g);
  }
  if (op == id.HARDSIGMOID) {
    const bent = v128.and(f32x4.gt(x, splat(MINUS_THREE)), f32x4.lt(x, splat(THREE)));
    return v128.and(f32x4.mul(g, splat(SIXTH)), bent);
  }
  if (op == id.HARDSWISH) {
    const sloped = f32x4.mul(fma(x, splat(THIRD), splat(HALF)), g);
    return v128.andnot(v128.bitselect(sloped, g, f32x4.lt(x, splat(THREE))), f32x4.le(x, splat(MINUS_THREE)));
  }
  if (op == id.HARDTANH) return v128.and(g, v128.and(f32x4.gt(x, alpha), f32x4.lt(x, beta)));
  if (op == id.HUBER) return f32x4.mul(f32x4.pmin(f32x4.pmax(x, f32x4.neg(alpha)), alpha), g);
  if (op == id.LEAKY_RELU) return v128.bitselect(g, f32x4.mul(g, alpha), f32x4.gt(x, f32x4.splat(0)));
  if (op == id.LOG_SIGMOID) return f32x4.mul(g, sigmoid4(f32x4.neg(x)));
  if (op == id.MISH) {
    // With t = n / (n + 2): t + x·sigmoid(x)·(1 − t²), in which sigmoid(x)·(1 − t²) is 4w·(w + 1) / (n + 2)².
    const w = plainExp4(f32x4.pmin(x, splat(STRAIGHT)));
    const n = mishTerm4(w);
    const inverse = f32x4.div(one, f32x4.add(n, splat(TWO)));
    const bend = f32x4.mul(f32x4.mul(f32x4.mul(w, f32x4.add(w, one)), inverse), f32x4.mul(inverse, splat(FOUR)));
    const slope = fma(x, bend, f32x4.mul(n, inverse));
    return v128.bitselect(g, f32x4.mul(slope, g), f32x4.gt(x, splat(STRAIGHT)));
  }
  if (op == id.SILU) {
    const s = sigmoid4(x);
    return f32x4.mul(f32x4.mul(fma(x, f32x4.sub(one, s), one), s), g);
  }
  const z = f32x4.mul(x, alpha);
  return v128.bitselect(g, f32x4.mul(g, sigmoid4(z)), f32x4.gt(z, beta));
}
