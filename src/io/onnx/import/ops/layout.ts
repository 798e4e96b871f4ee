import { arange, full } from "../../../../tensor/create.js";
import * as T from "../../../../tensor/ops/index.js";
import { cat } from "../../../../tensor/ops/joining.js";
import {
  at,
  broadcastShapes,
  denseStrides,
  elementCount,
  normalizeAxis,
  type Shape,
} from "../../../../tensor/shape.js";
import { Tensor } from "../../../../tensor/tensor.js";
import type { NodeRun, Result } from "../node.js";
import { Ints, numbersOf, type Value } from "../values.js";

type Operator = (run: NodeRun) => Result;

const WHERE = "importOnnx";

/** How many axes a value has. */
function rankOf(value: Value): number {
  return value.shape.length;
}

function product(extents: Shape): number {
  return extents.reduce((total, extent) => total * extent, 1);
}

function reshaped(value: Value, shape: readonly number[]): Value {
  return value instanceof Ints ? new Ints(shape, value.values) : T.reshape(value, shape);
}

function reshape(run: NodeRun): Result {
  const value = run.value(0);
  const keepsZeros = run.int("allowzero", 0) === 1;
  const wanted = run
    .numbers(1)
    .map((extent, axis) => (extent === 0 && !keepsZeros ? (value.shape[axis] ?? 0) : extent));
  const known = product(wanted.filter((extent) => extent !== -1));
  const shape = wanted.map((extent) => (extent === -1 ? product(value.shape) / known : extent));
  if (product(shape) !== product(value.shape) || !shape.every((extent) => Number.isInteger(extent) && extent >= 0)) {
    run.fail(`the shape [${wanted.join(", ")}] for an array of shape [${value.shape.join(", ")}]`, "as many elements");
  }
  return reshaped(value, shape);
}

function flatten(run: NodeRun): Result {
  const value = run.value(0);
  const axis = run.int("axis", 1);
  const split = axis < 0 ? axis + rankOf(value) : axis;
  return reshaped(value, [product(value.shape.slice(0, split)), product(value.shape.slice(split))]);
}

function squeeze(run: NodeRun): Result {
  const value = run.value(0);
  const axes = run.intsOf("axes", 1)?.map((axis) => normalizeAxis(WHERE, axis, rankOf(value)));
  return reshaped(
    value,
    value.shape.filter((extent, axis) => extent !== 1 || (axes !== undefined && !axes.includes(axis))),
  );
}

function unsqueeze(run: NodeRun): Result {
  const value = run.value(0);
  const given = run.intsOf("axes", 1) ?? run.fail("no axes", "the axes to add");
  const rank = rankOf(value) + given.length;
  const axes = new Set(given.map((axis) => normalizeAxis(WHERE, axis, rank)));
  const rest = [...value.shape];
  return reshaped(
    value,
    Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : (rest.shift() ?? 1))),
  );
}

function transpose(run: NodeRun): Result {
  const value = run.value(0);
  const perm = run.intList("perm") ?? value.shape.map((_, axis) => rankOf(value) - 1 - axis);
  if (value instanceof Tensor) return T.permute(value, perm);
  const shape = perm.map((axis) => at(value.shape, axis));
  return arranged(value, shape, (position) => value.shape.map((_, axis) => at(position, perm.indexOf(axis))));
}

function concat(run: NodeRun): Result {
  const values = Array.from({ length: run.inputCount }, (_, index) => run.value(index));
  const axis = run.int("axis", null) ?? run.fail("no axis", "the axis to join along");
  if (values.every((value) => value instanceof Ints && rankOf(value) === 1)) {
    return Ints.list(values.flatMap((value) => numbersOf(value)));
  }
  return cat(
    values.map((value) => run.toTensor(value)),
    axis,
  );
}

function shapeOf(run: NodeRun): Result {
  return Ints.list(run.value(0).shape.slice(run.int("start", 0), run.int("end", null) ?? undefined));
}

function slice(run: NodeRun): Result {
  const value = run.value(0);
  const rank = rankOf(value);
  const starts = run.intsOf("starts", 1) ?? run.fail("no starts", "where to begin");
  const ends = run.intsOf("ends", 2) ?? run.fail("no ends", "where to stop");
  const axes = run.intsOf("axes", 3) ?? starts.map((_, axis) => axis);
  const steps = run.optional(4) === null ? starts.map(() => 1) : run.numbers(4);
  let result = value;
  axes.forEach((given, i) => {
    const axis = normalizeAxis(WHERE, given, rank);
    const places = placesOf(at(result.shape, axis), starts[i] ?? 0, ends[i] ?? 0, steps[i] ?? 1);
    result = result instanceof Ints ? takeInts(result, axis, places) : takePlaces(result, axis, places);
  });
  return result;
}

interface Places {
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

/** What a slice takes of an axis, as Python counts. */
function placesOf(extent: number, start: number, end: number, step: number): Places {
  const fromEnd = (place: number): number => (place < 0 ? place + extent : place);
  const low = step < 0 ? -1 : 0;
  const high = step < 0 ? extent - 1 : extent;
  const first = Math.min(Math.max(fromEnd(start), step < 0 ? 0 : low), high);
  const stop = Math.min(Math.max(fromEnd(end), low), high);
  return { start: first, count: Math.max(0, Math.ceil((stop - first) / step)), step };
}

function takeInts(value: Ints, axis: number, { start, count, step }: Places): Ints {
  const shape = value.shape.map((extent, i) => (i === axis ? count : extent));
  return arranged(value, shape, (position) => position.map((place, i) => (i === axis ? start + place * step : place)));
}

/** Whole numbers in another arrangement: `from` says where each place of the result comes from. */
function arranged(value: Ints, shape: Shape, from: (position: readonly number[]) => readonly number[]): Ints {
  const strides = denseStrides(value.shape);
  const values = Array.from({ length: elementCount(shape) }, (_, index) => {
    let rest = index;
    const position = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position[axis] = rest % at(shape, axis);
      rest = Math.floor(rest / at(shape, axis));
    }
    const place = from(position).reduce((sum, p, axis) => sum + p * at(strides, axis), 0);
    return value.values[place] ?? 0;
  });
  return new Ints(shape, values);
}

function takePlaces(x: Tensor, axis: number, { start, count, step }: Places): Tensor {
  const whole = x.shape.slice(0, axis).map(() => null);
  if (count === 0) return T.slice(x, ...whole, [0, 0]);
  const last = start + (count - 1) * step;
  const [low, high] = step > 0 ? [start, last] : [last, start];
  const taken = T.slice(x, ...whole, [low, high + 1, Math.abs(step)]);
  return step > 0 ? taken : T.flip(taken, axis);
}

/** Negative indices count from the end. */
function forwards(run: NodeRun, value: Value, extent: number): Tensor {
  if (value instanceof Ints) {
    const wrong = value.values.find((index) => index < -extent || index >= extent);
    if (wrong !== undefined) run.fail(`the index ${wrong} on an axis of ${extent}`, "one within it");
    return run.toTensor(
      new Ints(
        value.shape,
        value.values.map((index) => (index < 0 ? index + extent : index)),
      ),
    );
  }
  return T.where(T.lt(value, 0), T.add(value, extent), value);
}

function gather(run: NodeRun): Result {
  const [value, indices] = [run.value(0), run.value(1)];
  const axis = normalizeAxis(WHERE, run.int("axis", 0), rankOf(value));
  if (value instanceof Ints && rankOf(value) === 1) {
    const taken = run
      .numbers(1)
      .map((index) => value.values.at(index) ?? run.fail(`the index ${index}`, "one within the list"));
    return new Ints(indices.shape, taken);
  }
  const x = run.toTensor(value);
  const places = T.reshape(forwards(run, indices, at(x.shape, axis)), [-1]);
  const count = places.numel();
  const target = x.shape.map((extent, i) => (i === axis ? count : extent));
  const index = T.expand(
    T.reshape(
      places,
      x.shape.map((_, i) => (i === axis ? count : 1)),
    ),
    target,
  );
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return T.reshape(T.gather(x, axis, index), shape);
}

function gatherElements(run: NodeRun): Result {
  const x = run.tensor(0);
  const axis = normalizeAxis(WHERE, run.int("axis", 0), x.ndim);
  return T.gather(x, axis, forwards(run, run.value(1), at(x.shape, axis)));
}

function scatterElements(run: NodeRun): Result {
  const [x, updates] = [run.tensor(0), run.tensor(2)];
  const axis = normalizeAxis(WHERE, run.int("axis", 0), x.ndim);
  const index = forwards(run, run.value(1), at(x.shape, axis));
  const reduction = run.text("reduction", "none");
  if (reduction === "add") return T.scatterAdd(x, axis, index, updates);
  if (reduction !== "none") run.fail(`the reduction ${reduction}`, "none or add");
  // What is overwritten is taken off before the new elements are added.
  const ones = full(updates.shape, 1, run.place(x.dtype));
  const none = full(x.shape, 0, run.place(x.dtype));
  const isHit = T.ne(T.scatterAdd(none, axis, index, ones), 0);
  return T.where(isHit, T.scatterAdd(none, axis, index, updates), x);
}

function expand(run: NodeRun): Result {
  const value = run.value(0);
  const shape = broadcastShapes(WHERE, value.shape, run.numbers(1));
  if (value instanceof Ints) {
    const [only] = value.values;
    if (value.values.length !== 1) run.fail("several whole numbers to repeat", "one");
    return new Ints(shape, new Array<number>(elementCount(shape)).fill(only ?? 0));
  }
  return T.expand(value, shape);
}

function constantOfShape(run: NodeRun): Result {
  const shape = run.numbers(0);
  const elements = run.elements("value");
  const value = Number(elements?.values[0] ?? 0);
  if (elements?.dtype === "int64") return new Ints(shape, new Array<number>(elementCount(shape)).fill(value));
  return full(shape, value, run.place(elements?.dtype ?? "float32"));
}

function range(run: NodeRun): Result {
  const [start = 0, limit = 0, delta = 1] = [0, 1, 2].map((index) => run.numbers(index)[0] ?? 0);
  const value = run.value(0);
  if (value instanceof Tensor) return arange(start, limit, delta, run.place(value.dtype));
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (!(count <= 2 ** 24)) run.fail(`a range of ${count} numbers`, `at most ${2 ** 24}`);
  return Ints.list(Array.from({ length: count }, (_, i) => start + i * delta));
}

const padModes = { constant: "constant", reflect: "reflect", edge: "replicate", wrap: "circular" } as const;

function pad(run: NodeRun): Result {
  const x = run.tensor(0);
  const pads = run.intsOf("pads", 1) ?? run.fail("no pads", "how much to add");
  const mode = run.text("mode", "constant");
  if (!(mode in padModes)) run.fail(`the mode ${mode}`, "constant, reflect, edge or wrap");
  const axes = (run.optional(3) === null ? x.shape.map((_, axis) => axis) : run.numbers(3)).map((axis) =>
    normalizeAxis(WHERE, axis, x.ndim),
  );
  const sides = x.shape.map((_, axis) => {
    const i = axes.indexOf(axis);
    return i < 0 ? [0, 0] : [pads[i] ?? 0, pads[i + axes.length] ?? 0];
  });
  const value = run.has("value") ? run.float("value", 0) : (run.optionalNumber(2) ?? 0);
  return T.pad(x, sides.toReversed().flat(), padModes[mode as keyof typeof padModes], mode === "constant" ? value : 0);
}

function split(run: NodeRun): Result {
  const x = run.tensor(0);
  const axis = normalizeAxis(WHERE, run.int("axis", 0), x.ndim);
  const extent = at(x.shape, axis);
  const count = run.int("num_outputs", run.node.outputs.length);
  const each = Math.ceil(extent / count);
  const sizes =
    run.intsOf("split", 1) ?? Array.from({ length: count }, (_, i) => Math.max(0, Math.min(each, extent - i * each)));
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return T.narrow(x, axis, start - size, size);
  });
}

export const layoutOperators: Readonly<Record<string, Operator>> = {
  Concat: concat,
  ConstantOfShape: constantOfShape,
  Expand: expand,
  Flatten: flatten,
  Gather: gather,
  GatherElements: gatherElements,
  Pad: pad,
  Range: range,
  Reshape: reshape,
  ScatterElements: scatterElements,
  Shape: shapeOf,
  Size: (run) => new Ints([], [product(run.value(0).shape)]),
  Slice: slice,
  Split: split,
  Squeeze: squeeze,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
