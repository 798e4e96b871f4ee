/** Elementary functions, elementwise. Whole numbers give float32 but for `round`, `floor` and `ceil`. */
import type { UnaryOp } from "../../kernels/kernelSet.js";
import { checkFloating } from "../dtype.js";
import { composite } from "../scopes.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { tanh } from "./activations.js";
import { add, div, exp, log, mul, neg, pow, sqrt, square, sub } from "./arithmetic.js";
import { eq, gt } from "./compare.js";
import { applyComposed, type ComposedSpec } from "./composed.js";
import { applyUnary, type UnarySpec } from "./elementwise.js";
import { clone } from "./layout.js";
import { checkOneDtype } from "./operands.js";
import { where } from "./where.js";

const sinSpec: UnarySpec = {
  name: "sin",
  op: "sin",
  wholeNumbers: false,
  saves: "input",
  grad: (g, x) => composite(() => mul(g, cos(x))),
};
const cosSpec: UnarySpec = {
  name: "cos",
  op: "cos",
  wholeNumbers: false,
  saves: "input",
  grad: (g, x) => composite(() => mul(g, neg(sin(x)))),
};
const erfSpec: UnarySpec = {
  name: "erf",
  op: "erf",
  wholeNumbers: false,
  saves: "input",
  grad: (g, x) => composite(() => mul(g, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)))),
};
const log1pSpec: ComposedSpec = {
  name: "log1p",
  forward: (x) => {
    const u = add(x, 1);
    const y = log(u);
    // What rounding took from 1 + x is in the quotient of x and u − 1. Far from 0 it does not matter, and ∞/∞ would.
    return where(eq(u, 1), x, where(gt(x, 1), y, div(mul(y, x), sub(u, 1))));
  },
  saves: "input",
  grad: (g, x) => div(g, add(x, 1)),
};
const expm1Spec: ComposedSpec = {
  name: "expm1",
  forward: (x) => {
    const half = tanh(mul(x, 0.5));
    return where(gt(x, 1), sub(exp(x), 1), div(mul(half, 2), add(neg(half), 1)));
  },
  saves: "output",
  grad: (g, y) => mul(g, add(y, 1)),
};
const rsqrtSpec: ComposedSpec = {
  name: "rsqrt",
  forward: (x) => pow(sqrt(x), -1),
  saves: "output",
  grad: (g, y) => mul(mul(g, -0.5), pow(y, 3)),
};
const reciprocalSpec: ComposedSpec = {
  name: "reciprocal",
  forward: (x) => pow(x, -1),
  saves: "output",
  grad: (g, y) => mul(neg(g), square(y)),
};

/** sin x, x in radians. @see https://pytorch.org/docs/stable/generated/torch.sin.html */
export function sin(x: Tensor): Tensor {
  return applyUnary(sinSpec, x);
}

/** cos x, x in radians. @see https://pytorch.org/docs/stable/generated/torch.cos.html */
export function cos(x: Tensor): Tensor {
  return applyUnary(cosSpec, x);
}

/** The error function, 2/√π ∫₀ˣ exp(−t²) dt. @see https://pytorch.org/docs/stable/special.html#torch.special.erf */
export function erf(x: Tensor): Tensor {
  return applyUnary(erfSpec, x);
}

/** log(1 + x), exact for small x: −∞ at −1, NaN below. @see https://pytorch.org/docs/stable/generated/torch.log1p.html */
export function log1p(x: Tensor): Tensor {
  return applyComposed(log1pSpec, x);
}

/** eˣ − 1, exact for small x. @see https://pytorch.org/docs/stable/special.html#torch.special.expm1 */
export function expm1(x: Tensor): Tensor {
  return applyComposed(expm1Spec, x);
}

/** 1 / √x: ∞ at 0, NaN below. @see https://pytorch.org/docs/stable/generated/torch.rsqrt.html */
export function rsqrt(x: Tensor): Tensor {
  return applyComposed(rsqrtSpec, x);
}

/** 1 / x. @see https://pytorch.org/docs/stable/generated/torch.reciprocal.html */
export function reciprocal(x: Tensor): Tensor {
  return applyComposed(reciprocalSpec, x);
}

/** The nearest whole number, of two the even one. Its gradient is 0. @see https://pytorch.org/docs/stable/generated/torch.round.html */
export function round(x: Tensor): Tensor {
  return toWhole("round", x);
}

/** The greatest whole number that is not above x. Its gradient is 0. @see https://pytorch.org/docs/stable/generated/torch.floor.html */
export function floor(x: Tensor): Tensor {
  return toWhole("floor", x);
}

/** The smallest whole number that is not below x. Its gradient is 0. @see https://pytorch.org/docs/stable/generated/torch.ceil.html */
export function ceil(x: Tensor): Tensor {
  return toWhole("ceil", x);
}

function toWhole(op: UnaryOp, x: Tensor): Tensor {
  commonKernels(op, x);
  if (x.dtype === "int32") return clone(x);
  return applyUnary({ name: op, op, wholeNumbers: false, saves: "nothing", grad: (g) => mul(g, 0) }, x);
}

/**
 * a + weight·(b − a): a where the weight is 0, b where it is 1. The weight is a number or broadcasts.
 *
 * @throws DTypeError for whole numbers, or where dtypes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.lerp.html
 */
export function lerp(a: Tensor, b: Tensor, weight: Tensor | number): Tensor {
  commonKernels("lerp", a, b, ...(typeof weight === "number" ? [] : [weight]));
  checkFloating("lerp", a.dtype);
  checkOneDtype("lerp", a, b, ...(typeof weight === "number" ? [] : [weight]));
  return composite(() => add(a, mul(sub(b, a), weight)));
}
