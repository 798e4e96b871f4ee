import { full } from "../../../../tensor/create.js";
import * as T from "../../../../tensor/ops/index.js";
import { Tensor } from "../../../../tensor/tensor.js";
import type { NodeRun, Result } from "../node.js";
import { dtypeOf, typeName } from "../tensors.js";
import { combine, Ints, type Value } from "../values.js";

type Operator = (run: NodeRun) => Result;

/** y = f(x), on tensors alone. */
function unary(fn: (x: Tensor, run: NodeRun) => Tensor, ints?: (x: number) => number): Operator {
  return (run) => {
    const value = run.value(0);
    if (value instanceof Ints && ints !== undefined) return new Ints(value.shape, value.values.map(ints));
    return fn(run.tensor(0), run);
  };
}

/** z = f(a, b), on whole numbers where both are. */
function binary(fn: (a: Tensor, b: Tensor) => Tensor, ints: (a: number, b: number) => number): Operator {
  return (run) => {
    const [a, b] = [run.value(0), run.value(1)];
    return a instanceof Ints && b instanceof Ints ? combine(a, b, ints) : fn(run.tensor(0), run.tensor(1));
  };
}

/** Of any number of operands, from the left. */
function many(fn: (a: Tensor, b: Tensor) => Tensor, ints: (a: number, b: number) => number): Operator {
  return (run) => {
    let total: Value = run.value(0);
    for (let i = 1; i < run.inputCount; i++) {
      const next = run.value(i);
      total =
        total instanceof Ints && next instanceof Ints
          ? combine(total, next, ints)
          : fn(run.toTensor(total), run.toTensor(next));
    }
    return total;
  };
}

function divide(a: Tensor, b: Tensor): Tensor {
  // Whole numbers divide without rest, towards zero.
  return a.dtype === "int32" ? T.int(T.div(T.double(a), T.double(b))) : T.div(a, b);
}

function modulo(run: NodeRun): Result {
  const isC = run.int("fmod", 0) === 1;
  const ints = (a: number, b: number): number => (isC ? a % b : a - b * Math.floor(a / b));
  const tensors = (a: Tensor, b: Tensor): Tensor => {
    const quotient = T.div(a.dtype === "int32" ? T.double(a) : a, b);
    const whole = isC ? T.mul(T.sign(quotient), T.floor(T.abs(quotient))) : T.floor(quotient);
    return T.sub(a, T.mul(b, a.dtype === "int32" ? T.int(whole) : whole));
  };
  return binary(tensors, ints)(run);
}

function clip(run: NodeRun): Result {
  const isOld = run.has("min") || run.has("max");
  const low = isOld ? run.float("min", -Infinity) : run.optionalNumber(1);
  const high = isOld ? run.float("max", Infinity) : run.optionalNumber(2);
  return low === null && high === null ? run.tensor(0) : T.clamp(run.tensor(0), low, high);
}

function cast(run: NodeRun): Result {
  const to = run.int("to", 0);
  const dtype = dtypeOf(to);
  if (dtype === null) run.fail(`a cast to ${typeName(to)}`, "one to numbers or bools");
  const value = run.value(0);
  if (dtype !== "int64") return T.to(run.toTensor(value), dtype);
  return value instanceof Ints ? value : T.int(value);
}

function where(run: NodeRun): Result {
  const [condition, a, b] = [run.value(0), run.value(1), run.value(2)];
  if (condition instanceof Ints && a instanceof Ints && b instanceof Ints) {
    const first = combine(condition, a, (yes, value) => (yes !== 0 ? value : Number.NaN));
    return combine(first, b, (value, other) => (Number.isNaN(value) ? other : value));
  }
  return T.where(T.bool(run.toTensor(condition)), run.toTensor(a), run.toTensor(b));
}

/** The exponent is most often one number, whose gradient nobody wants. */
function pow(run: NodeRun): Result {
  const exponent = run.value(1);
  const isNumber =
    exponent.shape.every((extent) => extent === 1) && !(exponent instanceof Tensor && exponent.requiresGrad);
  return T.pow(run.tensor(0), isNumber ? (run.optionalNumber(1) ?? 1) : run.tensor(1));
}

function prelu(run: NodeRun): Result {
  const [x, slope] = [run.tensor(0), run.tensor(1)];
  return T.where(T.gt(x, 0), x, T.mul(x, slope));
}

function elu(run: NodeRun): Result {
  const x = run.tensor(0);
  const below = T.mul(T.sub(T.exp(T.minimum(x, 0)), 1), run.float("alpha", 1));
  return T.where(T.gt(x, 0), x, below);
}

function softplus(x: Tensor): Tensor {
  return T.add(T.relu(x), T.log(T.add(T.exp(T.neg(T.abs(x))), 1)));
}

function hardSigmoid(x: Tensor, alpha: number, beta: number): Tensor {
  return T.clamp(T.add(T.mul(x, alpha), beta), 0, 1);
}

function gelu(run: NodeRun): Result {
  const x = run.tensor(0);
  if (run.text("approximate", "none") === "tanh") {
    const inner = T.mul(T.add(x, T.mul(T.pow(x, 3), 0.044715)), Math.sqrt(2 / Math.PI));
    return T.mul(T.mul(x, 0.5), T.add(T.tanh(inner), 1));
  }
  return T.mul(T.mul(x, 0.5), T.add(T.erf(T.mul(x, Math.SQRT1_2)), 1));
}

function isTrue(value: number): number {
  return value === 0 ? 0 : 1;
}

function compare(fn: (a: Tensor, b: Tensor) => Tensor, ints: (a: number, b: number) => boolean): Operator {
  return binary(fn, (a, b) => Number(ints(a, b)));
}

/** The results of bools are whole numbers here, until they are bools again. */
function logical(fn: (a: Tensor, b: Tensor) => Tensor, ints: (a: number, b: number) => number): Operator {
  return binary((a, b) => T.bool(fn(T.int(a), T.int(b))), ints);
}

function random(run: NodeRun): Result {
  const x = run.tensor(0);
  const empty = full(x.shape, 0, run.place(x.dtype));
  if (run.node.op === "RandomNormalLike") return T.normal_(empty, run.float("mean", 0), run.float("scale", 1));
  return T.uniform_(empty, run.float("low", 0), run.float("high", 1));
}

export const elementwiseOperators: Readonly<Record<string, Operator>> = {
  Abs: unary(T.abs, Math.abs),
  Add: binary(T.add, (a, b) => a + b),
  And: logical(T.mul, (a, b) => isTrue(a) * isTrue(b)),
  Cast: cast,
  Ceil: unary(T.ceil),
  Clip: clip,
  Cos: unary(T.cos),
  Div: binary(divide, (a, b) => Math.trunc(a / b)),
  Elu: elu,
  Equal: compare(T.eq, (a, b) => a === b),
  Erf: unary(T.erf),
  Exp: unary(T.exp),
  Floor: unary(T.floor),
  Gelu: gelu,
  Greater: compare(T.gt, (a, b) => a > b),
  GreaterOrEqual: compare(T.ge, (a, b) => a >= b),
  HardSigmoid: unary((x, run) => hardSigmoid(x, run.float("alpha", 0.2), run.float("beta", 0.5))),
  HardSwish: unary((x) => T.mul(x, hardSigmoid(x, 1 / 6, 0.5))),
  Identity: (run) => run.value(0),
  LeakyRelu: unary((x, run) => T.leakyRelu(x, run.float("alpha", 0.01))),
  Less: compare(T.lt, (a, b) => a < b),
  LessOrEqual: compare(T.le, (a, b) => a <= b),
  Log: unary(T.log),
  Max: many(T.maximum, Math.max),
  Mean: (run) => T.div(run.toTensor(many(T.add, (a, b) => a + b)(run) as Value), run.inputCount),
  Min: many(T.minimum, Math.min),
  Mod: modulo,
  Mul: binary(T.mul, (a, b) => a * b),
  Neg: unary(T.neg, (x) => -x),
  Not: unary(
    (x) => T.eq(x, 0),
    (x) => 1 - isTrue(x),
  ),
  Or: logical(T.add, (a, b) => Math.max(isTrue(a), isTrue(b))),
  PRelu: prelu,
  Pow: pow,
  RandomNormalLike: random,
  RandomUniformLike: random,
  Reciprocal: unary((x) => T.pow(x, -1)),
  Relu: unary(T.relu, (x) => Math.max(x, 0)),
  Round: unary(T.round),
  Sigmoid: unary(T.sigmoid),
  Sign: unary(T.sign, Math.sign),
  Sin: unary(T.sin),
  Softplus: unary(softplus),
  Sqrt: unary(T.sqrt),
  Sub: binary(T.sub, (a, b) => a - b),
  Sum: many(T.add, (a, b) => a + b),
  Tanh: unary(T.tanh),
  Where: where,
};
