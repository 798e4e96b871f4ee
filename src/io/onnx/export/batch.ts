/**
 * What of a graph depends on the batch size. The same function is traced with several sizes; numbers that differ from
 * trace to trace (extents of reshapes, bounds of slices, divisors of means) are written as formulas of the size.
 *
 * @module
 */
import { ArgumentError } from "../../../errors.js";
import type { TypedArray } from "../../../kernels/kernelSet.js";
import type { Attribute, Graph, Node, Value } from "./graph.js";
import type { Trace } from "./trace.js";

/** slope·N + offset, or 1 / (slope·N + offset), for a batch of N. */
export interface Formula {
  readonly slope: number;
  readonly offset: number;
  readonly inverse: boolean;
}

/** A number, or how it is worked out from the batch size. */
export type Scalar = number | Formula;

/** A trace whose dead ends are cut off, with formulas for what depends on the batch size. */
export interface Plan {
  readonly trace: Trace;
  readonly nodes: readonly Node[];
  /** For sources of kind "ints" and "number": their elements. */
  scalars(value: Value): readonly Scalar[];
  /** The extents of an input or output. */
  extents(value: Value): readonly Scalar[];
}

/** The plan of a single trace, in which nothing depends on anything. */
export function fixedPlan(trace: Trace): Plan {
  return { trace, nodes: liveNodes(trace), scalars: numbersOf, extents: (value) => value.shape };
}

/**
 * The plan of traces with batches of the given sizes.
 *
 * @throws ArgumentError where the traces differ in more than numbers, or the numbers follow no formula.
 */
export function batchPlan(sizes: readonly number[], traces: readonly Trace[]): Plan {
  const [first, ...others] = traces as [Trace, ...Trace[]];
  const nodes = liveNodes(first);
  const fellows = new Map<Value, readonly Value[]>();
  const pair = (value: Value, twins: readonly Value[]): void => {
    if (fellows.has(value)) return;
    checkAlike(value, twins, sizes);
    fellows.set(value, [value, ...twins]);
  };
  const otherNodes = others.map(liveNodes);
  if (otherNodes.some((list) => list.length !== nodes.length)) throw differs(sizes, "other operators");
  nodes.forEach((node, index) => {
    const twins = otherNodes.map((list) => list[index] as Node);
    for (const twin of twins) {
      if (twin.op !== node.op || !sameAttributes(node, twin) || twin.inputs.length !== node.inputs.length) {
        throw differs(sizes, `${node.op} with other settings than ${twin.op === node.op ? "before" : twin.op}`);
      }
    }
    node.inputs.forEach((input, place) => {
      const twinInputs = twins.map((twin) => twin.inputs[place] ?? null);
      if (input === null ? twinInputs.some((twin) => twin !== null) : twinInputs.includes(null)) {
        throw differs(sizes, `${node.op} with other inputs`);
      }
      if (input !== null) pair(input, twinInputs as readonly Value[]);
    });
    node.outputs.forEach((output, place) => {
      pair(
        output,
        twins.map((twin) => twin.outputs[place] as Value),
      );
    });
  });
  first.outputs.forEach(({ value, path }, index) => {
    const twins = others.map(({ outputs }) => outputs[index]);
    if (
      twins.some((twin) => twin?.path !== path) ||
      others.some(({ outputs }) => outputs.length !== first.outputs.length)
    ) {
      throw differs(sizes, "other outputs");
    }
    pair(value, twins.map((twin) => twin?.value) as readonly Value[]);
  });
  first.inputs.forEach((value, index) => {
    pair(value, others.map(({ inputs }) => inputs[index]) as readonly Value[]);
  });
  const across = (value: Value, numbers: (value: Value) => readonly number[]): Scalar[] => {
    const all = (fellows.get(value) ?? [value]).map(numbers);
    return (all[0] ?? []).map((_, place) =>
      formulaOf(
        sizes,
        all.map((list) => list[place] ?? Number.NaN),
      ),
    );
  };
  return {
    trace: first,
    nodes,
    scalars: (value) => across(value, numbersOf),
    extents: (value) => across(value, ({ shape }) => shape),
  };
}

/** The nodes that the outputs are made from, in their order. */
function liveNodes({ graph, outputs }: Trace): Node[] {
  const wanted = new Set<Value>(outputs.map(({ value }) => value));
  const live: Node[] = [];
  for (const node of nodesFromTheEnd(graph)) {
    if (!node.outputs.some((output) => wanted.has(output))) continue;
    live.unshift(node);
    for (const input of node.inputs) if (input !== null) wanted.add(input);
  }
  return live;
}

function nodesFromTheEnd({ nodes }: Graph): readonly Node[] {
  return nodes.toReversed();
}

function numbersOf({ source }: Value): readonly number[] {
  return source?.kind === "ints" ? source.values : source?.kind === "number" ? [source.value] : [];
}

function checkAlike(value: Value, twins: readonly Value[], sizes: readonly number[]): void {
  const { source } = value;
  for (const twin of twins) {
    const alike =
      twin.dtype === value.dtype && twin.shape.length === value.shape.length && twin.source?.kind === source?.kind;
    if (!alike) throw differs(sizes, "other values");
    if (source === null || twin.source === null) continue;
    if (source.kind === "state" && twin.source.kind === "state" && source.name !== twin.source.name) {
      throw differs(sizes, `${twin.source.name} in place of ${source.name}`);
    }
    if (source.kind === "input" && twin.source.kind === "input" && source.index !== twin.source.index) {
      throw differs(sizes, "other inputs");
    }
    if (source.kind === "captured" && twin.source.kind === "captured" && source.key !== twin.source.key) {
      throw differs(sizes, "other parts of tensors from outside");
    }
    if (source.kind === "constant" && twin.source.kind === "constant" && !sameElements(source.data, twin.source.data)) {
      throw new ArgumentError(
        `exportOnnx: got ${source.data.length} numbers written for a batch of ${sizes[0]} that are others for another size; ` +
          `expected constants that are the same for every batch. ${CURE}`,
      );
    }
    if (source.kind === "ints" && numbersOf(twin).length !== source.values.length) throw differs(sizes, "other shapes");
  }
}

const CURE = "Build them from tensors that depend on the input, or pass { dynamicBatch: false }.";

function differs(sizes: readonly number[], what: string): ArgumentError {
  return new ArgumentError(
    `exportOnnx: got ${what} for a batch of ${sizes[0]} than for ${sizes.slice(1).join(" and ")}; expected the same operators for every batch size. ` +
      `Make the function independent of the size, or pass { dynamicBatch: false }.`,
  );
}

function sameElements(a: TypedArray, b: TypedArray): boolean {
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]));
}

function sameAttributes(a: Node, b: Node): boolean {
  return textOf(a.attributes) === textOf(b.attributes);
}

function textOf(attributes: Readonly<Record<string, Attribute>>): string {
  return JSON.stringify(attributes);
}

/** The formula that gives each of the numbers for its size. */
function formulaOf(sizes: readonly number[], numbers: readonly number[]): Scalar {
  const [first = Number.NaN] = numbers;
  if (numbers.every((number) => Object.is(number, first))) return first;
  const straight = lineThrough(sizes, numbers);
  if (straight !== null) return { ...straight, inverse: false };
  const inverse = lineThrough(
    sizes,
    numbers.map((number) => 1 / number),
  );
  if (inverse !== null) return { ...inverse, inverse: true };
  throw new ArgumentError(
    `exportOnnx: got the numbers ${numbers.join(", ")} for batches of ${sizes.join(", ")}; expected numbers that grow with the batch size, ` +
      `or with its inverse. Pass { dynamicBatch: false }.`,
  );
}

function lineThrough(sizes: readonly number[], numbers: readonly number[]): { slope: number; offset: number } | null {
  const [x0 = 0, x1 = 1] = sizes;
  const [y0 = 0, y1 = 0] = numbers;
  const slope = rounded((y1 - y0) / (x1 - x0));
  const offset = rounded(y0 - slope * x0);
  const fits = numbers.every((number, index) => {
    const expected = slope * (sizes[index] ?? 0) + offset;
    return Math.abs(expected - number) <= 1e-9 * Math.max(Math.abs(number), 1e-300);
  });
  return fits ? { slope, offset } : null;
}

/** Without the error of the last places where that leaves a whole number. */
function rounded(value: number): number {
  const whole = Math.round(value);
  return Math.abs(value - whole) < 1e-9 * Math.max(Math.abs(whole), 1) ? whole : value;
}
