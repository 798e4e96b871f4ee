/**
 * What the memory of tensors holds during a trace, as values of the graph: kernels read and write memory through strides,
 * and here that becomes slices, transposes, reshapes, pads and concatenations.
 *
 * @module
 */
import { ArgumentError } from "../../../errors.js";
import type { DeviceBuffer, DType, Strided } from "../../../kernels/kernelSet.js";
import { bytesPerElement } from "../../../tensor/dtype.js";
import { at, elementCount, formatShape, isDense, type Shape, sameShape } from "../../../tensor/shape.js";
import { assemble, type Box, covers } from "./boxes.js";
import type { Cut, Graph, Value } from "./graph.js";
import { locate, placesOf, refine, type Span, type View } from "./views.js";

/** Random numbers that are not in the graph yet: what uses them first may be an operator of its own. */
export interface Lazy {
  /** The probability of a Bernoulli draw that is not 0, and what it then is. */
  readonly chance: number;
  readonly scale: number;
  make(shape: Shape): Value;
}

/** What one buffer holds: an array of shape `frame`, which is a value, one number everywhere, or not known yet, under boxes. */
interface Content {
  readonly dtype: DType;
  frame: Shape;
  base: Value | number | Lazy | null;
  boxes: Box[];
  /** Views that were read since the last write. */
  readonly views: Map<string, Value>;
}

/** What is known of memory that was there before the trace. */
export interface Outside {
  /** The value and the shape of a whole buffer: a parameter's, say. */
  stateOf(buffer: DeviceBuffer): Value | null;
  /** The elements of a view, in its shape, as they are now. */
  capture(x: Strided): Value;
  /** Is told before the memory is changed for the first time. */
  beforeChange(x: Strided, whole: Shape): void;
}

/** The contents of all memory that a trace has met. */
export class Contents {
  private readonly known = new Map<DeviceBuffer, Content>();
  private readonly foreign = new Set<DeviceBuffer>();

  constructor(
    private readonly graph: Graph,
    private readonly outside: Outside,
  ) {}

  /** New memory. */
  enter(buffer: DeviceBuffer, dtype: DType, length: number): void {
    this.foreign.delete(buffer);
    this.known.set(buffer, { dtype, frame: [length], base: null, boxes: [], views: new Map() });
  }

  /** Memory that is given back. */
  leave(buffer: DeviceBuffer): void {
    this.known.delete(buffer);
  }

  /** Whether what lies there was computed from an input. */
  varies(x: Strided): boolean {
    const content = this.known.get(x.buffer);
    if (content === undefined) return false;
    const { base, boxes } = content;
    return boxes.some(({ value }) => value.varies) || (isValue(base) && base.varies);
  }

  /** The elements of `x` in its shape. */
  read(x: Strided): Value {
    return this.view(x, false);
  }

  /** As {@link read}, but repeated axes have extent 1, or are left out in front: for operators that broadcast. */
  readToBroadcast(x: Strided): Value {
    return this.view(x, true);
  }

  /** The array that fills the memory of a dense `x`, where its first axes are those of `x`. Else `x` itself. */
  readPlanes(x: Strided): Value {
    const content = this.known.get(x.buffer);
    if (content === undefined || x.offset !== 0 || elementCount(content.frame) !== elementCount(x.shape))
      return this.read(x);
    const value = this.settle(content);
    const alike = value.shape.length >= 2 && value.shape[0] === x.shape[0] && value.shape[1] === x.shape[1];
    return alike ? value : this.read(x);
  }

  /** Random numbers that no operator has made yet. */
  lazyOf(x: Strided): Lazy | null {
    const base = this.known.get(x.buffer)?.base;
    return isLazy(base) && isDense(x.shape, x.strides) ? base : null;
  }

  // --- writing ------------------------------------------------------------------------------------------------------

  /** Puts `value`, which has the shape of `out`, where `out` lies. */
  write(out: Strided, value: Value): void {
    if (elementCount(out.shape) === 0) return;
    const content = this.writable(out);
    content.views.clear();
    const length = elementCount(content.frame);
    if (out.offset === 0 && elementCount(out.shape) === length && isDense(out.shape, out.strides)) {
      this.replace(content, value.shape, value);
      return;
    }
    const frame = refine([length], out);
    const spans = locate(frame, out);
    if (spans === null || spans.some(({ step }) => step !== 1)) {
      this.scatter(content, out, value);
      return;
    }
    const laid = this.graph.reshape(
      this.inMemoryOrder(out, value, spans),
      spans.map(({ count }) => count),
    );
    const shape = spans.map(({ extent }) => extent);
    if (spans.every(({ extent, count }) => extent === count)) {
      this.replace(content, shape, laid);
      return;
    }
    if (!sameShape(content.frame, shape)) this.reframe(content, shape);
    const box = {
      starts: spans.map(({ start }) => start),
      ends: spans.map(({ start, count }) => start + count),
      value: laid,
    };
    content.boxes = [...content.boxes.filter((other) => !covers(box, other)), box];
  }

  /** An array of another shape that fills the memory of a dense `out`: what {@link readPlanes} gave, worked upon. */
  writeWhole(out: Strided, value: Value): void {
    const content = this.known.get(out.buffer);
    if (content !== undefined && out.offset === 0 && elementCount(content.frame) === elementCount(value.shape)) {
      content.views.clear();
      this.replace(content, value.shape, value);
    } else {
      this.write(out, this.graph.reshape(value, out.shape));
    }
  }

  fill(out: Strided, number: number): void {
    if (elementCount(out.shape) === 0) return;
    const content = this.writable(out);
    const length = elementCount(content.frame);
    if (elementCount(out.shape) === length) {
      content.views.clear();
      this.replace(content, isDense(out.shape, out.strides) ? out.shape : [length], number);
    } else {
      this.write(out, this.graph.expand(this.graph.number(out.dtype, number), out.shape));
    }
  }

  /** Elements that come from JavaScript. */
  put(buffer: DeviceBuffer, dtype: DType, offset: number, value: Value | Lazy, length: number): void {
    const content = this.known.get(buffer);
    const whole = { buffer, dtype, shape: [length], strides: [1], offset };
    if (content !== undefined && offset === 0 && elementCount(content.frame) === length) {
      content.views.clear();
      this.replace(content, [length], value);
    } else {
      this.write(whole, isLazy(value) ? value.make([length]) : value);
    }
  }

  /** Puts in the place of lazy random numbers what an operator made of them. */
  resolve(x: Strided, value: Value): void {
    const content = this.known.get(x.buffer);
    if (content !== undefined) this.replace(content, value.shape, value);
  }

  private replace(content: Content, frame: Shape, base: Value | number | Lazy): void {
    content.frame = frame;
    content.base = base;
    content.boxes = [];
  }

  private reframe(content: Content, frame: Shape): void {
    if (content.boxes.length === 0 && !isValue(content.base)) content.frame = frame;
    else this.replace(content, frame, this.graph.reshape(this.settle(content), frame));
  }

  private writable(out: Strided): Content {
    const { buffer, dtype } = out;
    const known = this.known.get(buffer);
    if (known !== undefined && !this.foreign.has(buffer)) return known;
    const state = this.outside.stateOf(buffer);
    const whole = state?.shape ?? out.shape;
    if (state === null && !isWhole(out)) {
      throw new ArgumentError(
        `exportOnnx: got an in-place change of a part, of shape ${formatShape(out.shape)}, of a tensor made outside of the traced function; ` +
          `expected changes of whole tensors, or of tensors made inside. Use the form without underscore.`,
      );
    }
    const base = known?.base ?? state ?? this.outside.capture(out);
    this.outside.beforeChange(out, whole);
    this.foreign.delete(buffer);
    const content: Content = known ?? { dtype, frame: whole, base, boxes: [], views: new Map() };
    this.known.set(buffer, content);
    return content;
  }

  /** The elements in the order in which they lie in memory, without axes of extent 1. */
  private inMemoryOrder(out: Strided, value: Value, spans: readonly Span[]): Value {
    const axes = spans.flatMap(({ axis }) => axis ?? []);
    const kept = out.shape.map((_, axis) => axis).filter((axis) => axes.includes(axis));
    const squeezed = this.graph.reshape(
      value,
      kept.map((axis) => at(out.shape, axis)),
    );
    return this.graph.transpose(
      squeezed,
      axes.map((axis) => kept.indexOf(axis)),
    );
  }

  /** Writes to places that are no box, by their numbers. */
  private scatter(content: Content, out: Strided, value: Value): void {
    const { graph } = this;
    const { rows, row, columns } = lead(elementCount(content.frame), out);
    const places = Int32Array.from(placesOf(row));
    const index = graph.expand(graph.constant("int32", [1, places.length], places), [rows, places.length]);
    const shape = [rows, columns];
    const inputs = [graph.reshape(this.settle(content), shape), index, graph.reshape(value, [rows, places.length])];
    const result = graph.add("ScatterElements", inputs, { dtype: content.dtype, shape }, { axis: 1 });
    this.replace(content, shape, result);
  }

  // --- reading ------------------------------------------------------------------------------------------------------

  private view(x: Strided, broadcast: boolean): Value {
    const { graph } = this;
    const { dtype } = x;
    if (elementCount(x.shape) === 0) return graph.expand(graph.number(dtype, 0), x.shape);
    const content = this.contentOf(x);
    if (content === null) return this.captured(x, broadcast);
    const key = `${x.shape.join()} ${x.strides.join()} ${x.offset} ${broadcast}`;
    const before = content.views.get(key);
    if (before !== undefined) return before;
    const value = this.viewOf(content, x, broadcast);
    content.views.set(key, value);
    return value;
  }

  private viewOf(content: Content, x: Strided, broadcast: boolean): Value {
    const { graph } = this;
    if (typeof content.base === "number" && content.boxes.length === 0) {
      const number = graph.number(x.dtype, content.base);
      return broadcast ? number : graph.expand(number, x.shape);
    }
    const { view, flipped, lead } = normal(x, broadcast);
    const part = this.part(content, view);
    const cuts = flipped.map((axis): Cut => ({ axis: axis - lead, start: at(x.shape, axis) - 1, end: -1, step: -1 }));
    const turned = graph.slice(part, cuts);
    return broadcast ? turned : graph.expand(turned, x.shape);
  }

  private captured(x: Strided, broadcast: boolean): Value {
    const { view, flipped } = normal(x, broadcast);
    if (flipped.length > 0) return this.outside.capture(x);
    const value = this.outside.capture(viewing(x, view));
    return broadcast ? value : this.graph.expand(value, x.shape);
  }

  private part(content: Content, view: View): Value {
    const { graph } = this;
    const value = this.settle(content);
    const length = elementCount(value.shape);
    if (view.offset === 0 && elementCount(view.shape) === length && isDense(view.shape, view.strides)) {
      return graph.reshape(value, view.shape);
    }
    const spans = locate(value.shape, view);
    if (spans === null) return this.gather(value, view);
    const cuts = spans.flatMap(({ extent, start, count, step }, axis): Cut[] =>
      count === extent ? [] : [{ axis, start, end: start + (count - 1) * step + 1, step }],
    );
    const cut = graph.slice(
      graph.reshape(
        value,
        spans.map(({ extent }) => extent),
      ),
      cuts,
    );
    const moving = spans.flatMap(({ axis }) => axis ?? []);
    const inOrder = [...moving].sort((a, b) => a - b);
    if (moving.every((axis, i) => axis === inOrder[i])) return graph.reshape(cut, view.shape);
    const squeezed = graph.reshape(
      cut,
      moving.map((axis) => at(view.shape, axis)),
    );
    const turned = graph.transpose(
      squeezed,
      inOrder.map((axis) => moving.indexOf(axis)),
    );
    return graph.reshape(turned, view.shape);
  }

  /** Reads places that no slice reaches, by their numbers. */
  private gather(value: Value, view: View): Value {
    const { graph } = this;
    const { rows, row, columns } = lead(elementCount(value.shape), view);
    const places = graph.constant("int32", [elementCount(row.shape)], Int32Array.from(placesOf(row)));
    const shape = [rows, elementCount(row.shape)];
    const found = graph.add(
      "Gather",
      [graph.reshape(value, [rows, columns]), places],
      { dtype: value.dtype, shape },
      { axis: 1 },
    );
    return graph.reshape(found, view.shape);
  }

  private contentOf(x: Strided): Content | null {
    const known = this.known.get(x.buffer);
    if (known !== undefined) return known;
    const state = this.outside.stateOf(x.buffer);
    if (state === null) return null;
    const content: Content = { dtype: x.dtype, frame: state.shape, base: state, boxes: [], views: new Map() };
    this.known.set(x.buffer, content);
    this.foreign.add(x.buffer);
    return content;
  }

  /** The whole content as one value. */
  private settle(content: Content): Value {
    const { frame, base, boxes } = content;
    if (boxes.length === 0 && isValue(base)) return base;
    const value = boxes.length > 0 ? this.assemble(content) : this.spread(content);
    this.replace(content, frame, value);
    return value;
  }

  private spread({ frame, base, dtype }: Content): Value {
    if (isLazy(base)) return base.make(frame);
    return this.graph.expand(this.graph.number(dtype, typeof base === "number" ? base : 0), frame);
  }

  private assemble({ frame, base, boxes, dtype }: Content): Value {
    const under = isLazy(base) ? base.make(frame) : (base ?? 0);
    return assemble(this.graph, { frame, under, boxes, dtype });
  }
}

function isValue(base: Content["base"] | undefined): base is Value {
  return typeof base === "object" && base !== null && "varies" in base;
}

function isLazy(base: Content["base"] | Value | Lazy | undefined): base is Lazy {
  return typeof base === "object" && base !== null && "make" in base;
}

/** Whether a view is all of its buffer, in order. */
function isWhole({ buffer, dtype, shape, strides, offset }: Strided): boolean {
  const isAll = elementCount(shape) * bytesPerElement(dtype) === buffer.byteLength;
  return offset === 0 && isDense(shape, strides) && isAll;
}

/** The same memory as `x` under another view. */
export function viewing({ buffer, dtype }: Strided, { shape, strides, offset }: View): Strided {
  return { buffer, dtype, shape, strides, offset };
}

/** A view with its repeated axes taken once and its reversed axes forwards. */
function normal(x: Strided, broadcast: boolean) {
  const shape = [...x.shape];
  const strides = [...x.strides];
  const flipped: number[] = [];
  let { offset } = x;
  shape.forEach((extent, axis) => {
    const stride = at(strides, axis);
    if (extent > 1 && stride === 0) shape[axis] = 1;
    if (extent > 1 && stride < 0) {
      flipped.push(axis);
      offset += stride * (extent - 1);
      strides[axis] = -stride;
    }
  });
  let lead = 0;
  while (broadcast && lead < shape.length && shape[lead] === 1 && at(x.shape, lead) > 1) lead++;
  return { view: { shape: shape.slice(lead), strides: strides.slice(lead), offset }, flipped, lead };
}

/** A view as rows that are all alike, so that its places have the same numbers for any number of rows: the batch's. */
function lead(length: number, { shape, strides, offset }: View): { rows: number; row: View; columns: number } {
  const [rows = 1, ...rest] = shape;
  const columns = length / rows;
  const row = { shape: rest, strides: strides.slice(1), offset };
  const reach = rest.reduce((sum, extent, axis) => sum + (extent - 1) * at(row.strides, axis), offset);
  if (rows > 1 && strides[0] === columns && reach < columns) return { rows, row, columns };
  return { rows: 1, row: { shape, strides, offset }, columns: length };
}
