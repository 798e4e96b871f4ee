/** Functions of one tensor, and the slopes of activation functions, in ONNX's operators. */
import type { ActivationOp, UnaryOp } from "../../../kernels/kernelSet.js";
import type { Graph, Value } from "./graph.js";

const plain = {
  abs: "Abs",
  ceil: "Ceil",
  cos: "Cos",
  erf: "Erf",
  exp: "Exp",
  floor: "Floor",
  hardswish: "HardSwish",
  log: "Log",
  neg: "Neg",
  reciprocal: "Reciprocal",
  relu: "Relu",
  round: "Round",
  sigmoid: "Sigmoid",
  sign: "Sign",
  sin: "Sin",
  sqrt: "Sqrt",
  tanh: "Tanh",
} as const satisfies Partial<Record<UnaryOp, string>>;

/** From here on softplus(z) is z in float32, and ONNX's operator, which knows no threshold, agrees. */
const STRAIGHT = 20;

/** f(x). */
export function unaryNodes(graph: Graph, op: UnaryOp, x: Value, alpha: number, beta: number): Value {
  const { add, mul, choose, not, above } = arithmetic(graph);
  const unary = (name: string, of: Value): Value => graph.unary(name, of);
  switch (op) {
    case "clamp":
    case "hardtanh": {
      const bound = (limit: number): Value | null => (Number.isFinite(limit) ? graph.number(x.dtype, limit) : null);
      return graph.like(x, "Clip", [x, bound(alpha), bound(beta)]);
    }
    case "elu":
      return graph.unary("Elu", x, { alpha: { float: alpha } });
    case "expm1": {
      // 2t / (1 − t) with t = tanh(x/2) keeps the digits near 0.
      const t = unary("Tanh", mul(x, 0.5));
      const near = graph.binary("Div", mul(t, 2), add(unary("Neg", t), 1));
      return choose(above(x, 1), add(unary("Exp", x), -1), near);
    }
    case "gelu":
      return mul(mul(x, 0.5), add(unary("Erf", mul(x, Math.SQRT1_2)), 1));
    case "geluTanh":
      return mul(mul(x, 0.5), add(geluTanh(graph, x), 1));
    case "hardsigmoid":
      return graph.unary("HardSigmoid", x, { alpha: { float: 1 / 6 }, beta: { float: 0.5 } });
    case "huber": {
      const size = unary("Abs", x);
      const near = graph.binary("Min", size, graph.number(x.dtype, alpha));
      return mul(near, graph.binary("Sub", size, mul(near, 0.5)));
    }
    case "leakyRelu":
      return graph.unary("LeakyRelu", x, { alpha: { float: alpha } });
    case "log1p": {
      // What rounding took from 1 + x is in the quotient of x and u − 1.
      const u = add(x, 1);
      const y = unary("Log", u);
      const near = graph.binary("Div", mul(y, x), add(u, -1));
      const isOne = graph.binary("Equal", u, graph.number(u.dtype, 1), "bool");
      return choose(isOne, x, choose(above(x, 1), y, near));
    }
    case "logSigmoid":
      return unary("Neg", unary("Softplus", unary("Neg", x)));
    case "mish":
      return mul(x, unary("Tanh", unary("Softplus", x)));
    case "rsqrt":
      return unary("Reciprocal", unary("Sqrt", x));
    case "silu":
      return mul(x, unary("Sigmoid", x));
    case "softplus": {
      const z = alpha === 1 ? x : mul(x, alpha);
      const curve = unary("Softplus", z);
      const scaled = alpha === 1 ? curve : mul(curve, 1 / alpha);
      return beta >= STRAIGHT ? scaled : choose(not(above(z, beta)), scaled, x);
    }
    case "square":
      return mul(x, x);
    default:
      return unary(plain[op], x);
  }
}

/** The binary cross entropy of logits and targets, or its derivative by the logits: (1 − t)·f(x) ± t·f(−x). */
export function logitNodes(graph: Graph, op: "logitLoss" | "logitLossGrad", x: Value, target: Value): Value {
  const name = op === "logitLoss" ? "Softplus" : "Sigmoid";
  const unwanted = graph.binary("Sub", graph.number(x.dtype, 1), target);
  const first = graph.binary("Mul", unwanted, graph.unary(name, x));
  const second = graph.binary("Mul", target, graph.unary(name, graph.unary("Neg", x)));
  return graph.binary(op === "logitLoss" ? "Add" : "Sub", first, second);
}

/** f′(x). */
export function slopeNodes(graph: Graph, op: ActivationOp, x: Value, alpha: number, beta: number): Value {
  const { add, mul, choose, not, above } = arithmetic(graph);
  const unary = (name: string, of: Value): Value => graph.unary(name, of);
  const number = (value: number): Value => graph.expand(graph.number(x.dtype, value), x.shape);
  /** 1 where x is above the bound, else the slope there. */
  const below = (bound: number, slope: Value): Value => choose(above(x, bound), number(1), slope);
  switch (op) {
    case "elu":
      return below(0, mul(unary("Exp", x), alpha));
    case "gelu": {
      const density = unary("Exp", mul(mul(x, x), -0.5));
      const half = mul(add(unary("Erf", mul(x, Math.SQRT1_2)), 1), 0.5);
      return add(half, mul(mul(x, density), 1 / Math.sqrt(2 * Math.PI)));
    }
    case "geluTanh": {
      const t = geluTanh(graph, x);
      const scale = Math.sqrt(2 / Math.PI);
      const inner = add(mul(mul(x, x), 3 * 0.044715 * scale), scale);
      const bend = mul(mul(x, inner), add(unary("Neg", mul(t, t)), 1));
      return mul(add(add(t, 1), bend), 0.5);
    }
    case "hardsigmoid":
      return mul(within(graph, x, -3, 3), 1 / 6);
    case "hardswish": {
      const sloped = add(mul(x, 1 / 3), 0.5);
      const upper = choose(graph.binary("Less", x, graph.number(x.dtype, 3), "bool"), sloped, number(1));
      return choose(graph.binary("LessOrEqual", x, graph.number(x.dtype, -3), "bool"), number(0), upper);
    }
    case "hardtanh":
      return within(graph, x, alpha, beta);
    case "huber":
      return graph.like(x, "Clip", [x, graph.number(x.dtype, -alpha), graph.number(x.dtype, alpha)]);
    case "leakyRelu":
      return below(0, number(alpha));
    case "logSigmoid":
      return unary("Sigmoid", unary("Neg", x));
    case "mish": {
      const t = unary("Tanh", unary("Softplus", x));
      return add(t, mul(mul(x, unary("Sigmoid", x)), add(unary("Neg", mul(t, t)), 1)));
    }
    case "silu": {
      const s = unary("Sigmoid", x);
      return mul(s, add(mul(x, add(unary("Neg", s), 1)), 1));
    }
    case "softplus": {
      const z = mul(x, alpha);
      return choose(not(above(z, beta)), unary("Sigmoid", z), number(1));
    }
  }
}

/** tanh(√(2/π)·(x + 0.044715·x³)) */
function geluTanh(graph: Graph, x: Value): Value {
  const { add, mul } = arithmetic(graph);
  const scale = Math.sqrt(2 / Math.PI);
  return graph.unary("Tanh", mul(x, add(mul(mul(x, x), 0.044715 * scale), scale)));
}

/** 1 strictly within the bounds, else 0. */
function within(graph: Graph, x: Value, low: number, high: number): Value {
  const inside = graph.binary(
    "And",
    graph.binary("Greater", x, graph.number(x.dtype, low), "bool"),
    graph.binary("Less", x, graph.number(x.dtype, high), "bool"),
    "bool",
  );
  return graph.cast(inside, x.dtype);
}

function arithmetic(graph: Graph) {
  const operator = (name: string) => (a: Value, b: Value | number) =>
    typeof b === "number" ? graph.withNumber(name, a, b) : graph.binary(name, a, b);
  return {
    add: operator("Add"),
    mul: operator("Mul"),
    above: (x: Value, bound: number): Value => graph.binary("Greater", x, graph.number(x.dtype, bound), "bool"),
    not: (x: Value): Value => graph.unary("Not", x),
    choose: (condition: Value, a: Value, b: Value): Value => graph.like(a, "Where", [condition, a, b]),
  };
}
