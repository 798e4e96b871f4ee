/** What a trace writes down: the nodes of an ONNX graph and the values between them, before they have names. */
import type { DType, TypedArray } from "../../../kernels/kernelSet.js";
import type { Shape } from "../../../tensor/shape.js";

/** Element types of values: those of tensors, and int64, which ONNX wants for shapes and axes. */
export type ElementType = DType | "int64";

/** Where a value comes from, unless a node made it. */
export type Source =
  | { readonly kind: "input"; readonly index: number }
  /** A parameter or a buffer of the module, by its name in the state dict. */
  | { readonly kind: "state"; readonly name: string; readonly data: Promise<TypedArray> }
  /** Elements of a tensor that was made before the trace. Traces agree on it where they agree on the key. */
  | { readonly kind: "captured"; readonly key: string; readonly data: Promise<TypedArray> }
  /** Elements that the traced function wrote. */
  | { readonly kind: "constant"; readonly data: TypedArray }
  /** One number without axes. It may differ from trace to trace. */
  | { readonly kind: "number"; readonly value: number }
  /** Whole numbers along one axis: a shape, axes, bounds. They may differ from trace to trace. */
  | { readonly kind: "ints"; readonly values: readonly number[] };

/** An array in the graph. */
export interface Value {
  readonly dtype: ElementType;
  readonly shape: Shape;
  /** Whether it is computed from an input. */
  readonly varies: boolean;
  /** Null for what a node made. */
  readonly source: Source | null;
}

export type Attribute = number | string | readonly number[] | { readonly float: number };

/** One operator. Inputs that are left out are null. */
export interface Node {
  readonly op: string;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** The module in whose `forward` it was recorded; empty outside of all. */
  readonly path: string;
}

/** A value that a node is to make. */
export interface Made {
  readonly dtype: ElementType;
  readonly shape: Shape;
}

/** The nodes of one trace in the order in which they run. */
export class Graph {
  readonly nodes: Node[] = [];
  /** The module whose `forward` runs now. */
  path = "";

  /** Adds an operator with one output. */
  add(
    op: string,
    inputs: readonly (Value | null)[],
    made: Made,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    const [output] = this.addMany(op, inputs, [made], attributes);
    return output as Value;
  }

  /** Adds an operator with several outputs. */
  addMany(
    op: string,
    inputs: readonly (Value | null)[],
    made: readonly Made[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value[] {
    const varies = inputs.some((input) => input?.varies === true);
    const outputs = made.map(({ dtype, shape }): Value => ({ dtype, shape, varies, source: null }));
    this.nodes.push({ op, inputs, outputs, attributes, path: this.path });
    return outputs;
  }

  number(dtype: ElementType, value: number): Value {
    return { dtype, shape: [], varies: false, source: { kind: "number", value } };
  }

  ints(values: readonly number[]): Value {
    return { dtype: "int64", shape: [values.length], varies: false, source: { kind: "ints", values } };
  }

  constant(dtype: ElementType, shape: Shape, data: TypedArray): Value {
    return { dtype, shape, varies: false, source: { kind: "constant", data } };
  }

  // --- what kernels are often made of -------------------------------------------------------------------------------

  /** The same elements in another shape. */
  reshape(x: Value, shape: Shape): Value {
    if (x.shape.length === shape.length && x.shape.every((extent, axis) => extent === shape[axis])) return x;
    if (x.source?.kind === "constant" || x.source?.kind === "captured") return { ...x, shape };
    return this.add("Reshape", [x, this.ints(shape)], { dtype: x.dtype, shape });
  }

  /** Axes of extent 1 repeated. */
  expand(x: Value, shape: Shape): Value {
    if (x.shape.length === shape.length && x.shape.every((extent, axis) => extent === shape[axis])) return x;
    return this.add("Expand", [x, this.ints(shape)], { dtype: x.dtype, shape });
  }

  transpose(x: Value, perm: readonly number[]): Value {
    if (perm.every((axis, index) => axis === index)) return x;
    const shape = perm.map((axis) => x.shape[axis] ?? 1);
    return this.add("Transpose", [x], { dtype: x.dtype, shape }, { perm });
  }

  cast(x: Value, dtype: ElementType): Value {
    if (x.dtype === dtype) return x;
    if (
      x.source?.kind === "number" &&
      dtype !== "bool" &&
      (x.dtype !== "float32" || Number.isInteger(x.source.value))
    ) {
      return this.number(dtype, x.source.value);
    }
    return this.add("Cast", [x], { dtype, shape: x.shape }, { to: dataTypes[dtype] });
  }

  /** z = a ∘ b with broadcasting, in the dtype of `a` unless told otherwise. */
  binary(op: string, a: Value, b: Value, dtype: ElementType = a.dtype): Value {
    return this.add(op, [a, b], { dtype, shape: broadcast(a.shape, b.shape) });
  }

  /** `x ∘ value`. */
  withNumber(op: string, x: Value, value: number): Value {
    return this.binary(op, x, this.number(x.dtype, value));
  }

  unary(op: string, x: Value, attributes: Readonly<Record<string, Attribute>> = {}): Value {
    return this.like(x, op, [x], attributes);
  }

  /** An operator whose result is shaped and typed as `x`. */
  like(
    x: Value,
    op: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    return this.add(op, inputs, { dtype: x.dtype, shape: x.shape }, attributes);
  }

  /** Sum, mean or an extreme over `axes`, which stay with extent 1 where `keepdims`. */
  reduce(op: string, x: Value, axes: readonly number[], keepdims = true): Value {
    if (axes.length === 0) return x;
    const shape = keepdims
      ? x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))
      : x.shape.filter((_, axis) => !axes.includes(axis));
    return this.add(op, [x, this.ints(axes)], { dtype: x.dtype, shape }, { keepdims: keepdims ? 1 : 0 });
  }

  /** Along each of `axes` the places from start to end (not included). */
  slice(x: Value, cuts: readonly Cut[]): Value {
    if (cuts.length === 0) return x;
    const shape = [...x.shape];
    for (const { axis, start, end, step } of cuts) shape[axis] = Math.ceil((end - start) / step);
    const inputs = [
      x,
      // Backwards is always from the last place to the first, before which no place has a number.
      this.ints(cuts.map(({ start, step }) => (step < 0 ? -1 : start))),
      this.ints(cuts.map(({ end, step }) => (step < 0 ? LEAST_INT64 : end))),
      this.ints(cuts.map(({ axis }) => axis)),
      this.ints(cuts.map(({ step }) => step)),
    ];
    return this.add("Slice", inputs, { dtype: x.dtype, shape });
  }

  concat(parts: readonly Value[], axis: number): Value {
    const [first] = parts;
    if (first === undefined || parts.length === 1) return first as Value;
    const length = parts.reduce((sum, part) => sum + (part.shape[axis] ?? 0), 0);
    const shape = first.shape.map((extent, i) => (i === axis ? length : extent));
    return this.add("Concat", parts, { dtype: first.dtype, shape }, { axis });
  }
}

/** What is taken of one axis. */
export interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** Stands for "to the very end" of a slice that runs backwards. */
const LEAST_INT64 = -(2 ** 62);

/** ONNX's numbers of element types. */
export const dataTypes: Readonly<Record<ElementType, number>> = {
  float32: 1,
  float16: 10,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
};

/** The shape that two shapes broadcast to; they are known to. */
export function broadcast(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [left, right] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    return left === 1 ? right : left;
  });
}
