/** Elementary functions, elementwise. Whole numbers give float32 but for `round`, `floor` and `ceil`. */
import type { UnaryOp } from "../../kernels/kernelSet.js";
import { isGradEnabled, record, withGradMode } from "../autograd.js";
import { checkFloating } from "../dtype.js";
import { composite } from "../scopes.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { add, add_, div, exp, mul, mul_, neg, pow, square, sub } from "./arithmetic.js";
import { gradFor } from "./broadcast.js";
import { applyUnary, type UnarySpec } from "./elementwise.js";
import { clone } from "./layout.js";
import { checkOneDtype } from "./operands.js";

/** A slope that nobody else holds times the gradient: in its memory where nothing is recorded. */
function product(slope: Tensor, g: Tensor): Tensor {
  return isGradEnabled() ? mul(slope, g) : mul_(slope, g);
}

/** What the gradient of an operand is brought to. */
type Like = Pick<Tensor, "shape" | "dtype">;

const sinSpec: UnarySpec = {
  name: "sin",
  op: "sin",
  wholeNumbers: false,
  saves: "input",
  grad: (g, x) => composite(() => product(cos(x), g)),
};
const cosSpec: UnarySpec = {
  name: "cos",
  op: "cos",
  wholeNumbers: false,
  saves: "input",
  grad: (g, x) => composite(() => product(isGradEnabled() ? neg(sin(x)) : mul_(sin(x), -1), g)),
};
const erfSpec: UnarySpec = {
  name: "erf",
  op: "erf",
  wholeNumbers: false,
  saves: "input",
  grad: (g, x) => composite(() => mul(g, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)))),
};
const log1pSpec: UnarySpec = {
  name: "log1p",
  op: "log1p",
  wholeNumbers: false,
  saves: "input",
  grad: (g, x) => composite(() => div(g, add(x, 1))),
};
const expm1Spec: UnarySpec = {
  name: "expm1",
  op: "expm1",
  wholeNumbers: false,
  saves: "output",
  grad: (g, y) => composite(() => mul(g, add(y, 1))),
};
const rsqrtSpec: UnarySpec = {
  name: "rsqrt",
  op: "rsqrt",
  wholeNumbers: false,
  saves: "output",
  grad: (g, y) => composite(() => mul(mul(g, -0.5), pow(y, 3))),
};
const reciprocalSpec: UnarySpec = {
  name: "reciprocal",
  op: "reciprocal",
  wholeNumbers: false,
  saves: "output",
  grad: (g, y) => composite(() => mul(neg(g), square(y))),
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
  return applyUnary(log1pSpec, x);
}

/** eˣ − 1, exact for small x. @see https://pytorch.org/docs/stable/special.html#torch.special.expm1 */
export function expm1(x: Tensor): Tensor {
  return applyUnary(expm1Spec, x);
}

/** 1 / √x: ∞ at 0, NaN below. @see https://pytorch.org/docs/stable/generated/torch.rsqrt.html */
export function rsqrt(x: Tensor): Tensor {
  return applyUnary(rsqrtSpec, x);
}

/** 1 / x. @see https://pytorch.org/docs/stable/generated/torch.reciprocal.html */
export function reciprocal(x: Tensor): Tensor {
  return applyUnary(reciprocalSpec, x);
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
  if (typeof weight !== "number") return composite(() => add(a, mul(sub(b, a), weight)));
  const out = withGradMode(false, () => composite(() => add_(mul_(sub(b, a), weight), a)));
  const [first, second] = [a, b].map(({ shape, dtype }) => ({ shape, dtype })) as [Like, Like];
  return record("lerp", out, [a, b], [], (g) => [
    () => composite(() => gradFor(first, mul(g, 1 - weight))),
    () => composite(() => gradFor(second, mul(g, weight))),
  ]);
}
