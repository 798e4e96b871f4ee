/**
 * What happens while a profile is taken, as spans of time. Modules, optimizer steps and ops of the walk back begin and end as they
 * say; a forward op is put together: it begins with its memory, goes on with its launches, and ends as it is recorded.
 *
 * @module
 */
import { bytesPerElement } from "../kernels/dtype.js";
import type { DeviceBuffer, DType } from "../kernels/kernelSet.js";

/** What took the time. */
export type SpanKind = "backward" | "kernel" | "module" | "op" | "step";

/** Something that took time, in milliseconds since the start. */
export interface Span {
  readonly kind: SpanKind;
  name: string;
  readonly begin: number;
  end: number;
  /** Time of what is inside, kernels aside. */
  inner: number;
  /** False for what only continues another span of the same name. */
  counted: boolean;
  /** Bytes of memory asked for. */
  allocated: number;
  /** Bytes that its kernels read and write. */
  moved: number;
  /** Milliseconds on the device's own clock. */
  device: number;
}

/** A launch by the clock of the device, in nanoseconds. */
export interface DeviceSpan {
  readonly name: string;
  readonly op: Span | null;
  /** When it was launched. */
  readonly launched: number;
  readonly begin: bigint;
  readonly end: bigint;
}

/** An array that a kernel is handed. */
interface Operand {
  readonly buffer: DeviceBuffer;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A forward op that is under way, as far as can be seen. */
interface OpenOp {
  readonly span: Span;
  /** Whether its name is that of a kernel, as it asked for no memory. */
  readonly isGuess: boolean;
  /** Memory that it asked for. */
  readonly buffers: Set<DeviceBuffer>;
  /** Of that, what no kernel has written to yet. */
  readonly unwritten: Set<DeviceBuffer>;
  /** Handles that it may give out. */
  readonly outputs: Set<object>;
  launches: number;
}

export class Recorder {
  readonly spans: Span[] = [];
  readonly deviceSpans: DeviceSpan[] = [];
  /** Bytes alive after each change. */
  readonly memory: { readonly time: number; readonly bytes: number }[] = [];
  allocated = 0;
  freed = 0;
  peak: number;
  isDone = false;
  /** Whether anything was launched on a device that computes apart. */
  usesDevice = false;

  private readonly start = performance.now();
  private readonly stack: Span[] = [];
  private op: OpenOp | null = null;
  /** Ops that ended without being recorded, one after the other: parts of an op, it may turn out. */
  private tail: Span[] = [];
  private live: number;
  private isLaunching = false;

  constructor(liveBytes: number) {
    this.live = liveBytes;
    this.peak = liveBytes;
  }

  /** Milliseconds since the start. */
  now(): number {
    return performance.now() - this.start;
  }

  // --- what says when it begins and ends ----------------------------------------------------------------------------

  enter(kind: SpanKind, name: string, counted = true): Span {
    this.endOp();
    this.tail = [];
    const span = this.newSpan(kind, name, counted);
    this.stack.push(span);
    return span;
  }

  leave(span: Span): void {
    this.endOp();
    this.tail = [];
    const place = this.stack.lastIndexOf(span);
    if (place < 0) return;
    this.stack.length = place;
    span.end = this.now();
    this.addToOuter(span);
  }

  /** Ends all that is under way. */
  finish(): void {
    for (let span = this.stack.at(-1); span !== undefined; span = this.stack.at(-1)) this.leave(span);
    this.endOp();
    this.isDone = true;
  }

  // --- forward ops --------------------------------------------------------------------------------------------------

  /** An op of this name is about to ask for memory. */
  asking(name: string): void {
    const { op } = this;
    if (op !== null && !op.isGuess && (op.launches === 0 || op.unwritten.size > 0)) op.span.name = name;
    else this.beginOp(name, false);
  }

  /** The handle of the memory that the op asked for. */
  asked(output: object): void {
    this.op?.outputs.add(output);
  }

  gotMemory(buffer: DeviceBuffer): void {
    const { byteLength } = buffer;
    this.allocated += byteLength;
    this.changeLive(byteLength);
    const owner = this.op?.span ?? this.stack.at(-1);
    if (owner !== undefined) owner.allocated += byteLength;
    this.op?.buffers.add(buffer);
    this.op?.unwritten.add(buffer);
  }

  gaveMemory({ byteLength }: DeviceBuffer): void {
    this.freed += byteLength;
    this.changeLive(-byteLength);
  }

  /** Runs one kernel that writes to `out`. */
  launch<R>(name: string, out: unknown, operands: readonly unknown[], run: () => R): R {
    // A kernel that calls another one is one.
    if (this.isLaunching) return run();
    const op = this.opFor(name, isOperand(out) ? out.buffer : null);
    if (typeof out === "object" && out !== null) op.outputs.add(out);
    op.span.moved += operands.reduce<number>((sum, each) => sum + bytesOf(each), 0);
    return this.timed(name, op, run, isOperand(out) ? out.buffer : null);
  }

  /** Runs what copies `bytes` between a buffer and JavaScript's memory. */
  transfer<R>(name: "read" | "write", buffer: DeviceBuffer, bytes: number, run: () => R): R {
    if (this.isLaunching) return run();
    if (name === "read") this.beginOp(name, true);
    const op = this.opFor(name, buffer);
    op.span.moved += bytes;
    try {
      return this.timed(name, op, run, buffer);
    } finally {
      if (name === "read") this.endOp();
    }
  }

  /** An op ends, and gives this. */
  ended(name: string, output: object): void {
    const { op } = this;
    if (op !== null && (op.span.name === name || op.outputs.has(output))) {
      op.span.name = name;
      op.span.end = this.now();
      this.endOp();
      this.joinSteps(name);
    } else {
      this.endOp();
      this.addToOuter(this.newSpan("op", name, true));
    }
    this.tail = [];
  }

  /** What to call with the times of a launch that the device is told of now. */
  deviceLaunch(name: string): (begin: bigint, end: bigint) => void {
    const op = this.op?.span ?? this.stack.at(-1) ?? null;
    const launched = this.now();
    return (begin, end) => {
      this.deviceSpans.push({ name, op, launched, begin, end });
      if (op !== null) op.device += Number(end - begin) / 1e6;
    };
  }

  // --- inside -------------------------------------------------------------------------------------------------------

  private newSpan(kind: SpanKind, name: string, counted: boolean): Span {
    const begin = this.now();
    const span = { kind, name, begin, end: begin, inner: 0, counted, allocated: 0, moved: 0, device: 0 };
    this.spans.push(span);
    return span;
  }

  /** What came just before an op, under its name, was a step on its way. */
  private joinSteps(name: string): void {
    for (const span of this.tail.slice(0, -1).reverse()) {
      if (span.name !== name) return;
      span.counted = false;
    }
  }

  private addToOuter(span: Span): void {
    const outer = this.stack.at(-1);
    if (outer !== undefined) outer.inner += span.end - span.begin;
  }

  private beginOp(name: string, isGuess: boolean): OpenOp {
    this.endOp();
    const span = this.newSpan("op", name, true);
    const op = { span, isGuess, buffers: new Set<DeviceBuffer>(), unwritten: new Set<DeviceBuffer>() };
    this.op = { ...op, outputs: new Set<object>(), launches: 0 };
    return this.op;
  }

  private endOp(): void {
    const { op } = this;
    if (op === null) return;
    this.op = null;
    this.tail.push(op.span);
    this.addToOuter(op.span);
  }

  /** The op that a launch is part of: the one under way, if the memory is its own or it still has some to fill. */
  private opFor(name: string, buffer: DeviceBuffer | null): OpenOp {
    const { op } = this;
    if (op === null) return this.beginOp(name, true);
    const isNew = op.isGuess && op.launches === 0;
    if (isNew || op.unwritten.size > 0 || (buffer !== null && op.buffers.has(buffer))) return op;
    return this.beginOp(name, true);
  }

  private timed<R>(name: string, op: OpenOp, run: () => R, buffer: DeviceBuffer | null): R {
    const kernel = this.newSpan("kernel", name, true);
    this.isLaunching = true;
    try {
      return run();
    } finally {
      this.isLaunching = false;
      kernel.end = this.now();
      op.span.end = kernel.end;
      op.launches++;
      if (buffer !== null) {
        op.unwritten.delete(buffer);
        op.buffers.add(buffer);
      }
    }
  }

  private changeLive(bytes: number): void {
    this.live += bytes;
    if (this.live > this.peak) this.peak = this.live;
    this.memory.push({ time: this.now(), bytes: this.live });
  }
}

function isOperand(value: unknown): value is Operand {
  return typeof value === "object" && value !== null && "buffer" in value && "shape" in value;
}

function bytesOf(value: unknown): number {
  if (!isOperand(value)) return 0;
  const elements = value.shape.reduce((product, extent) => product * extent, 1);
  // What is repeated lies in memory once.
  return Math.min(elements * bytesPerElement(value.dtype), value.buffer.byteLength);
}
