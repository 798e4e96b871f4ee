/** Activation functions and their slopes, four floats at a time. */
import { fma } from "./environment";
import * as id from "./kernelIds";
import { erf4, exp4, expm14, sigmoid4, softplus4, tanh4 } from "./vector";

/** Beyond this tanh(softplus(x)) is 1, and its exponentials would overflow. */
const MISH_STRAIGHT: f32 = 20;
const ROOT_HALF: f32 = 0.7071067811865476;
const GELU_SCALE: f32 = 0.7978845608028654;
const GELU_BEND: f32 = 0.044715 * 0.7978845608028654;

@inline
function constant(value: f32): v128 {
  return f32x4.splat(value);
}

/** tanh(√(2/π)·(x + 0.044715·x³)), and exactly ±1 where it rounds to that: what multiplies 1 − tanh² is large there. */
@inline
function geluTanh4(x: v128): v128 {
  const u = f32x4.mul(fma(f32x4.mul(x, x), constant(GELU_BEND), constant(GELU_SCALE)), x);
  const ones = v128.or(v128.and(u, i32x4.splat(0x80000000)), constant(1));
  return v128.bitselect(ones, tanh4(u), f32x4.gt(f32x4.abs(u), constant(9)));
}

/** w² + 2w for w = eˣ: tanh(softplus(x)) is this divided by itself plus 2. */
@inline
function mishTerm4(w: v128): v128 {
  return f32x4.mul(f32x4.add(w, constant(2)), w);
}

@inline
export function activation4(op: i32, x: v128, alpha: v128, beta: v128): v128 {
  if (op == id.ELU) return v128.bitselect(x, f32x4.mul(expm14(x), alpha), f32x4.gt(x, constant(0)));
  if (op == id.GELU) {
    return f32x4.mul(f32x4.mul(x, constant(0.5)), f32x4.add(erf4(f32x4.mul(x, constant(ROOT_HALF))), constant(1)));
  }
  if (op == id.GELU_TANH) {
    return f32x4.mul(f32x4.mul(x, constant(0.5)), f32x4.add(geluTanh4(x), constant(1)));
  }
  if (op == id.HARDSIGMOID || op == id.HARDSWISH) {
    const held = f32x4.pmin(f32x4.pmax(f32x4.add(x, constant(3)), constant(0)), constant(6));
    return f32x4.mul(op == id.HARDSWISH ? f32x4.mul(x, held) : held, constant(1.0 / 6));
  }
  // pmax(x, y) is x where x is NaN, and one instruction on most machines.
  if (op == id.HARDTANH) return f32x4.pmin(f32x4.pmax(x, alpha), beta);
  if (op == id.HUBER) {
    const size = f32x4.abs(x);
    const near = f32x4.pmin(size, alpha);
    return f32x4.mul(near, fma(near, constant(-0.5), size));
  }
  if (op == id.LEAKY_RELU) return v128.bitselect(x, f32x4.mul(x, alpha), f32x4.gt(x, constant(0)));
  if (op == id.LOG_SIGMOID) return f32x4.sub(constant(0), softplus4(f32x4.neg(x)));
  if (op == id.MISH) {
    const n = mishTerm4(exp4(f32x4.pmin(x, constant(MISH_STRAIGHT))));
    return f32x4.mul(x, f32x4.div(n, f32x4.add(n, constant(2))));
  }
  if (op == id.SILU) return f32x4.mul(x, sigmoid4(x));
  const z = f32x4.mul(x, alpha);
  return v128.bitselect(x, f32x4.div(softplus4(z), alpha), f32x4.gt(z, beta));
}

/** g times the slope at x. */
@inline
export function activationGrad4(op: i32, g: v128, x: v128, alpha: v128, beta: v128): v128 {
  const one = constant(1);
  if (op == id.ELU) {
    return v128.bitselect(g, f32x4.mul(f32x4.mul(exp4(x), alpha), g), f32x4.gt(x, constant(0)));
  }
  if (op == id.GELU) {
    // Φ(x) + x·φ(x)
    const density = exp4(f32x4.mul(f32x4.mul(x, x), constant(-0.5)));
    const twice = f32x4.add(erf4(f32x4.mul(x, constant(ROOT_HALF))), one);
    return f32x4.mul(f32x4.mul(fma(f32x4.mul(x, constant(GELU_SCALE)), density, twice), constant(0.5)), g);
  }
  if (op == id.GELU_TANH) {
    // With t the tanh of u(x): ½·(1 + t + x·(1 − t²)·u′).
    const t = geluTanh4(x);
    const slope = f32x4.mul(fma(f32x4.mul(x, x), constant(3 * GELU_BEND), constant(GELU_SCALE)), x);
    const bend = f32x4.sub(one, f32x4.mul(t, t));
    return f32x4.mul(f32x4.mul(fma(bend, slope, f32x4.add(t, one)), constant(0.5)), g);
  }
  if (op == id.HARDSIGMOID) {
    const bent = v128.and(f32x4.gt(x, constant(-3)), f32x4.lt(x, constant(3)));
    return v128.and(f32x4.mul(g, constant(1.0 / 6)), bent);
  }
  if (op == id.HARDSWISH) {
    const sloped = f32x4.mul(fma(x, constant(1.0 / 3), constant(0.5)), g);
    return v128.andnot(v128.bitselect(sloped, g, f32x4.lt(x, constant(3))), f32x4.le(x, constant(-3)));
  }
  if (op == id.HARDTANH) return v128.and(g, v128.and(f32x4.gt(x, alpha), f32x4.lt(x, beta)));
  if (op == id.HUBER) return f32x4.mul(f32x4.pmin(f32x4.pmax(x, f32x4.neg(alpha)), alpha), g);
  if (op == id.LEAKY_RELU) return v128.bitselect(g, f32x4.mul(g, alpha), f32x4.gt(x, constant(0)));
  if (op == id.LOG_SIGMOID) return f32x4.mul(g, sigmoid4(f32x4.neg(x)));
  if (op == id.MISH) {
    // With t = n / (n + 2): t + x·sigmoid(x)·(1 − t²), in which sigmoid(x)·(1 − t²) is 4w·(w + 1) / (n + 2)².
    const w = exp4(f32x4.pmin(x, constant(MISH_STRAIGHT)));
    const n = mishTerm4(w);
    const inverse = f32x4.div(one, f32x4.add(n, constant(2)));
    const bend = f32x4.mul(f32x4.mul(f32x4.mul(w, f32x4.add(w, one)), inverse), f32x4.mul(inverse, constant(4)));
    const slope = fma(x, bend, f32x4.mul(n, inverse));
    return v128.bitselect(g, f32x4.mul(slope, g), f32x4.gt(x, constant(MISH_STRAIGHT)));
  }
  if (op == id.SILU) {
    const s = sigmoid4(x);
    return f32x4.mul(f32x4.mul(fma(x, f32x4.sub(one, s), one), s), g);
  }
  const z = f32x4.mul(x, alpha);
  return v128.bitselect(g, f32x4.mul(g, sigmoid4(z)), f32x4.gt(z, beta));
}
