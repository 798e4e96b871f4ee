/** Elementwise arithmetic, with broadcasting and type promotion. Forms with a trailing underscore work in place. */
import { ArgumentError } from "../../errors.js";
import { checkOptions } from "../options.js";
import { composite } from "../scopes.js";
import type { Tensor } from "../tensor.js";
import { eq, ge, gt, le, lt } from "./compare.js";
import { applyBinary, applyUnary, type BinarySpec, changeBinary, changeUnary, type UnarySpec } from "./elementwise.js";
import { where } from "./where.js";

/** Settings of {@link add} and {@link sub}. */
export interface AlphaOptions {
  /** Factor of the second operand. Default 1. */
  readonly alpha?: number;
}

const addSpec: BinarySpec = {
  name: "add",
  op: "add",
  reads: { gradA: "", gradB: "" },
  gradA: (g) => g,
  gradB: (g) => g,
};
const subSpec: BinarySpec = {
  name: "sub",
  op: "sub",
  reads: { gradA: "", gradB: "" },
  gradA: (g) => g,
  gradB: (g) => neg(g),
};
const mulSpec: BinarySpec = {
  name: "mul",
  op: "mul",
  reads: { gradA: "b", gradB: "a" },
  gradA: (g, _, b) => mul(g, b),
  gradB: (g, a) => mul(g, a),
};
const divSpec: BinarySpec = {
  name: "div",
  op: "div",
  fractions: true,
  reads: { gradA: "b", gradB: "ab" },
  gradA: (g, _, b) => div(g, b),
  gradB: (g, a, b) => neg(mul(g, div(div(a, b), b))),
};
const powSpec: BinarySpec = {
  name: "pow",
  op: "pow",
  reads: { gradA: "ab", gradB: "ab" },
  gradA: (g, a, b) => {
    if (b === 0) return mul(g, 0);
    if (typeof b === "number") return mul(g, mul(pow(a, b - 1), b));
    // x⁰ is flat even at x = 0, where 0 · x⁻¹ would be NaN.
    return where(eq(b, 0), 0, mul(g, mul(pow(a, sub(b, 1)), b)));
  },
  gradB: (g, a, b) => {
    // 0ᵇ is flat in b where it is finite, though log 0 is not.
    const flat = gt(mul(eq(a, 0), ge(b, 0)), 0);
    return where(flat, 0, mul(g, mul(pow(a, b), log(a))));
  },
};
const maximumSpec: BinarySpec = {
  name: "maximum",
  op: "maximum",
  reads: { gradA: "ab", gradB: "ab" },
  gradA: (g, a, b) => where(lt(a, b), 0, where(eq(a, b), div(g, 2), g)),
  gradB: (g, a, b) => where(gt(a, b), 0, where(eq(a, b), div(g, 2), g)),
};
const minimumSpec: BinarySpec = {
  name: "minimum",
  op: "minimum",
  reads: { gradA: "ab", gradB: "ab" },
  gradA: (g, a, b) => where(gt(a, b), 0, where(eq(a, b), div(g, 2), g)),
  gradB: (g, a, b) => where(lt(a, b), 0, where(eq(a, b), div(g, 2), g)),
};

const negSpec: UnarySpec = { name: "neg", op: "neg", wholeNumbers: true, saves: "nothing", grad: (g) => neg(g) };
const absSpec: UnarySpec = {
  name: "abs",
  op: "abs",
  wholeNumbers: true,
  saves: "input",
  grad: (g, x) => mul(g, sign(x)),
};
const signSpec: UnarySpec = { name: "sign", op: "sign", wholeNumbers: true, saves: "nothing", grad: (g) => mul(g, 0) };
const expSpec: UnarySpec = {
  name: "exp",
  op: "exp",
  wholeNumbers: false,
  saves: "output",
  grad: (g, y) => mul(g, y),
};
const logSpec: UnarySpec = {
  name: "log",
  op: "log",
  wholeNumbers: false,
  saves: "input",
  grad: (g, x) => div(g, x),
};
const sqrtSpec: UnarySpec = {
  name: "sqrt",
  op: "sqrt",
  wholeNumbers: false,
  saves: "output",
  grad: (g, y) => div(g, mul(y, 2)),
};
const squareSpec: UnarySpec = {
  name: "square",
  op: "square",
  wholeNumbers: true,
  saves: "input",
  grad: (g, x) => mul(g, mul(x, 2)),
};

function clampSpec(min: number | null | undefined, max: number | null | undefined): UnarySpec {
  const low = min ?? Number.NEGATIVE_INFINITY;
  const high = max ?? Number.POSITIVE_INFINITY;
  if (Number.isNaN(low) || Number.isNaN(high) || (min == null && max == null)) {
    throw new ArgumentError(
      `clamp: got the bounds ${String(min)} and ${String(max)}; expected at least one, and none of them NaN. Pass min, max or both.`,
    );
  }
  return {
    name: "clamp",
    op: "clamp",
    alpha: low,
    beta: high,
    wholeNumbers: Number.isInteger(min ?? 0) && Number.isInteger(max ?? 0),
    saves: "input",
    grad: (g, x) => where(ge(x, low), where(le(x, high), g, 0), 0),
  };
}

/** a + alpha·b. @see https://pytorch.org/docs/stable/generated/torch.add.html */
export function add(a: Tensor, b: Tensor | number, options: AlphaOptions = {}): Tensor {
  checkOptions("add", options, ["alpha"]);
  return scaled(applyBinary, addSpec, a, b, options);
}

/** a = a + alpha·b, in place. */
export function add_(a: Tensor, b: Tensor | number, options: AlphaOptions = {}): Tensor {
  checkOptions("add_", options, ["alpha"]);
  return scaled(changeBinary, addSpec, a, b, options);
}

/** a − alpha·b. @see https://pytorch.org/docs/stable/generated/torch.sub.html */
export function sub(a: Tensor, b: Tensor | number, options: AlphaOptions = {}): Tensor {
  checkOptions("sub", options, ["alpha"]);
  return scaled(applyBinary, subSpec, a, b, options);
}

/** a = a − alpha·b, in place. */
export function sub_(a: Tensor, b: Tensor | number, options: AlphaOptions = {}): Tensor {
  checkOptions("sub_", options, ["alpha"]);
  return scaled(changeBinary, subSpec, a, b, options);
}

/** a · b, elementwise. @see https://pytorch.org/docs/stable/generated/torch.mul.html */
export function mul(a: Tensor, b: Tensor | number): Tensor {
  return applyBinary(mulSpec, a, b);
}

/** a = a · b, in place. */
export function mul_(a: Tensor, b: Tensor | number): Tensor {
  return changeBinary(mulSpec, a, b);
}

/** a / b, elementwise; whole numbers give float32. @see https://pytorch.org/docs/stable/generated/torch.div.html */
export function div(a: Tensor, b: Tensor | number): Tensor {
  return applyBinary(divSpec, a, b);
}

/** a = a / b, in place. */
export function div_(a: Tensor, b: Tensor | number): Tensor {
  return changeBinary(divSpec, a, b);
}

/** aᵇ, elementwise. 0⁰ is 1; the gradient for b at a = 0 is 0. @see https://pytorch.org/docs/stable/generated/torch.pow.html */
export function pow(a: Tensor, b: Tensor | number): Tensor {
  return applyBinary(powSpec, a, b);
}

/** a = aᵇ, in place. */
export function pow_(a: Tensor, b: Tensor | number): Tensor {
  return changeBinary(powSpec, a, b);
}

/** The greater of a and b, elementwise; NaN wins. Where they are equal each gets half of the gradient. @see https://pytorch.org/docs/stable/generated/torch.maximum.html */
export function maximum(a: Tensor, b: Tensor | number): Tensor {
  return applyBinary(maximumSpec, a, b);
}

/** The smaller of a and b, elementwise; NaN wins. Where they are equal each gets half of the gradient. @see https://pytorch.org/docs/stable/generated/torch.minimum.html */
export function minimum(a: Tensor, b: Tensor | number): Tensor {
  return applyBinary(minimumSpec, a, b);
}

/** −x. @see https://pytorch.org/docs/stable/generated/torch.neg.html */
export function neg(x: Tensor): Tensor {
  return applyUnary(negSpec, x);
}

/** x = −x, in place. */
export function neg_(x: Tensor): Tensor {
  return changeUnary(negSpec, x);
}

/** |x|. Its gradient at 0 is 0. @see https://pytorch.org/docs/stable/generated/torch.abs.html */
export function abs(x: Tensor): Tensor {
  return applyUnary(absSpec, x);
}

/** x = |x|, in place. */
export function abs_(x: Tensor): Tensor {
  return changeUnary(absSpec, x);
}

/** −1, 0 or 1. Its gradient is 0. @see https://pytorch.org/docs/stable/generated/torch.sign.html */
export function sign(x: Tensor): Tensor {
  return applyUnary(signSpec, x);
}

/** x = sign(x), in place. */
export function sign_(x: Tensor): Tensor {
  return changeUnary(signSpec, x);
}

/** eˣ. @see https://pytorch.org/docs/stable/generated/torch.exp.html */
export function exp(x: Tensor): Tensor {
  return applyUnary(expSpec, x);
}

/** x = eˣ, in place. */
export function exp_(x: Tensor): Tensor {
  return changeUnary(expSpec, x);
}

/** The natural logarithm: −∞ at 0, NaN below. @see https://pytorch.org/docs/stable/generated/torch.log.html */
export function log(x: Tensor): Tensor {
  return applyUnary(logSpec, x);
}

/** x = log x, in place. */
export function log_(x: Tensor): Tensor {
  return changeUnary(logSpec, x);
}

/** The square root: NaN below 0; its gradient at 0 is infinite. @see https://pytorch.org/docs/stable/generated/torch.sqrt.html */
export function sqrt(x: Tensor): Tensor {
  return applyUnary(sqrtSpec, x);
}

/** x = √x, in place. */
export function sqrt_(x: Tensor): Tensor {
  return changeUnary(sqrtSpec, x);
}

/** x². @see https://pytorch.org/docs/stable/generated/torch.square.html */
export function square(x: Tensor): Tensor {
  return applyUnary(squareSpec, x);
}

/** x = x², in place. */
export function square_(x: Tensor): Tensor {
  return changeUnary(squareSpec, x);
}

/**
 * x held within [min, max]; either may be left out. The gradient flows where x is within the bounds or on them.
 *
 * @throws ArgumentError where both bounds are missing, or one is NaN.
 * @see https://pytorch.org/docs/stable/generated/torch.clamp.html
 */
export function clamp(x: Tensor, min?: number | null, max?: number | null): Tensor {
  return applyUnary(clampSpec(min, max), x);
}

/** x held within [min, max], in place. */
export function clamp_(x: Tensor, min?: number | null, max?: number | null): Tensor {
  return changeUnary(clampSpec(min, max), x);
}

function scaled(
  apply: typeof applyBinary,
  spec: BinarySpec,
  a: Tensor,
  b: Tensor | number,
  { alpha = 1 }: AlphaOptions,
): Tensor {
  if (alpha === 1) return apply(spec, a, b);
  if (typeof b === "number") return apply(spec, a, b * alpha);
  return composite(() => apply(spec, a, mul(b, alpha)));
}
