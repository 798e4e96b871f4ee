import type { Strided } from "../../../kernels/kernelSet.js";
import { at, sameShape } from "../../../tensor/shape.js";
import { logitNodes, slopeNodes, unaryNodes } from "./functions.js";
import type { ElementType, Graph, Value } from "./graph.js";
import type { Recorders, Recording } from "./recorders.js";

const plainBinary = {
  add: "Add",
  div: "Div",
  maximum: "Max",
  minimum: "Min",
  mul: "Mul",
  pow: "Pow",
  sub: "Sub",
} as const;

const comparisons = {
  eq: "Equal",
  ge: "GreaterOrEqual",
  gt: "Greater",
  le: "LessOrEqual",
  lt: "Less",
  ne: "Equal",
} as const;

type Elementwise =
  | "fill"
  | "copy"
  | "unary"
  | "activationGrad"
  | "binary"
  | "compare"
  | "where"
  | "reduce"
  | "argReduce"
  | "cumsum"
  | "argSort";

const reductions = {
  amax: "ReduceMax",
  amin: "ReduceMin",
  prod: "ReduceProd",
  sum: "ReduceSum",
  sumSquares: "ReduceSumSquare",
} as const;

export function elementwiseRecorders({ graph, contents }: Recording): Pick<Recorders, Elementwise> {
  function operand(x: Strided | number, dtype: ElementType): Value {
    return typeof x === "number" ? graph.number(dtype, x) : contents.readToBroadcast(x);
  }

  /** Puts a result, whose shape may lack repeated axes, where `out` lies. */
  function put(out: Strided, value: Value): void {
    if (sameShape(value.shape, out.shape)) contents.write(out, value);
    else contents.write(out, graph.expand(value, out.shape));
  }

  /** The operator that makes a dropout mask and applies it, where `mask` is one that was drawn and not used yet. */
  function dropout(x: Strided | number, mask: Strided | number, out: Strided): boolean {
    if (typeof x === "number" || typeof mask === "number") return false;
    const lazy = contents.lazyOf(mask);
    if (lazy === null || Math.abs(lazy.scale * lazy.chance - 1) > 1e-6) return false;
    const value = contents.read(x);
    const inputs = [value, graph.number("float32", 1 - lazy.chance), graph.number("bool", 1)];
    const { dtype } = value;
    const shape = x.shape;
    const [dropped, kept] = graph.addMany("Dropout", inputs, [
      { dtype, shape },
      { dtype: "bool", shape },
    ]);
    contents.resolve(mask, graph.withNumber("Mul", graph.cast(kept as Value, dtype), lazy.scale));
    contents.write(out, dropped as Value);
    return true;
  }

  return {
    fill: (out, value) => contents.fill(out, value),

    copy(x, out) {
      const value = x.dtype === out.dtype ? contents.read(x) : graph.cast(contents.read(x), out.dtype);
      contents.write(out, value);
    },

    unary(op, x, out, alpha, beta) {
      put(out, unaryNodes(graph, op, contents.read(x), alpha, beta));
    },

    activationGrad(op, outGrad, x, out, alpha, beta) {
      const slope = slopeNodes(graph, op, contents.read(x), alpha, beta);
      put(out, graph.binary("Mul", contents.read(outGrad), slope));
    },

    binary(op, a, b, out) {
      if (op === "mul" && (dropout(a, b, out) || dropout(b, a, out))) return;
      const dtype = numeric(out.dtype);
      const left = graph.cast(operand(a, out.dtype), dtype);
      const right = graph.cast(operand(b, out.dtype), dtype);
      if (op === "reluGrad") {
        put(out, gated(graph, left, right));
      } else if (op === "sigmoidGrad") {
        const rest = graph.binary("Sub", graph.number(out.dtype, 1), right);
        put(out, graph.binary("Mul", graph.binary("Mul", left, right), rest));
      } else if (op === "logitLoss" || op === "logitLossGrad") {
        put(out, logitNodes(graph, op, left, right));
      } else if (op === "tanhGrad") {
        const rest = graph.binary("Sub", graph.number(out.dtype, 1), graph.binary("Mul", right, right));
        put(out, graph.binary("Mul", left, rest));
      } else put(out, graph.cast(graph.binary(plainBinary[op], left, right), out.dtype));
    },

    compare(op, a, b, out) {
      const dtype = typeof a !== "number" ? a.dtype : typeof b !== "number" ? b.dtype : "float32";
      const compared = numeric(dtype);
      const left = graph.cast(operand(a, compared), compared);
      const right = graph.cast(operand(b, compared), compared);
      const result = graph.binary(comparisons[op], left, right, "bool");
      put(out, op === "ne" ? graph.unary("Not", result) : result);
    },

    where(condition, a, b, out) {
      const chosen = contents.readToBroadcast(condition);
      const [left, right] = [operand(a, out.dtype), operand(b, out.dtype)];
      const shape = broadcastAll(chosen, left, right);
      put(out, graph.add("Where", [chosen, left, right], { dtype: out.dtype, shape }));
    },

    reduce(op, x, out) {
      const axes = x.shape.flatMap((extent, axis) => (extent !== 1 && out.shape[axis] === 1 ? [axis] : []));
      const value = graph.cast(contents.read(x), numeric(out.dtype));
      const squares = op === "sumSquares" && axes.length === 0;
      const result = squares ? graph.binary("Mul", value, value) : graph.reduce(reductions[op], value, axes);
      contents.write(out, graph.cast(result, out.dtype));
    },

    cumsum(x, axis, backwards, out) {
      const reverse = backwards ? 1 : 0;
      contents.write(out, graph.like(contents.read(x), "CumSum", [contents.read(x), graph.ints([axis])], { reverse }));
    },

    argSort(x, descending, out) {
      const value = contents.read(x);
      const input = graph.cast(value, numeric(value.dtype));
      const axis = x.shape.length - 1;
      const { shape } = out;
      const places = graph.addMany(
        "TopK",
        [input, graph.ints([at(shape, axis)])],
        [
          { dtype: input.dtype, shape },
          { dtype: "int64", shape },
        ],
        { axis, largest: descending ? 1 : 0, sorted: 1 },
      )[1];
      contents.write(out, graph.cast(places as Value, "int32"));
    },

    argReduce(op, x, axis, out) {
      const value = contents.read(x);
      const input = graph.cast(value, numeric(value.dtype));
      const made = { dtype: "int64", shape: out.shape } as const;
      const places = graph.add(op === "amax" ? "ArgMax" : "ArgMin", [input], made, { axis, keepdims: 1 });
      contents.write(out, graph.cast(places, "int32"));
    },
  };
}

/** ONNX computes with numbers, and so are bools where they are added, compared or sorted. */
function numeric(dtype: ElementType): ElementType {
  return dtype === "bool" ? "int32" : dtype;
}

function broadcastAll(...values: readonly Value[]): number[] {
  const rank = Math.max(...values.map(({ shape }) => shape.length));
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(...values.map(({ shape }) => shape[axis - rank + shape.length] ?? 1)),
  );
}

/** The gradient g of a ReLU's output y as that of its input. */
export function gated(graph: Graph, g: Value, y: Value): Value {
  const positive = graph.binary("Greater", y, graph.number(g.dtype, 0), "bool");
  return graph.binary("Mul", g, graph.cast(positive, g.dtype));
}
