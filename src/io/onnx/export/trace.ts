/**
 * One run of a function, written down as a graph. The hook is the kernel contract: while the function runs, each kernel
 * of the device notes its launch and then computes as always. So all that computes is seen: ops that exist and those yet
 * to come, whether they are recorded for gradients or not, and the backward pass that a call of `grad` makes.
 *
 * @module
 */
import { ArgumentError, DTypeError } from "../../../errors.js";
import type { DeviceBuffer, DType, KernelSet, Strided, TypedArray } from "../../../kernels/kernelSet.js";
import type { Module } from "../../../nn/module.js";
import { watchCalls } from "../../../nn/watchCalls.js";
import { noGrad, tidy } from "../../../tensor/scopes.js";
import { denseStrides, elementCount, formatShape } from "../../../tensor/shape.js";
import { Tensor } from "../../../tensor/tensor.js";
import { Contents, type Outside } from "./contents.js";
import { Draws } from "./draws.js";
import { Graph, type Value } from "./graph.js";
import { withProperties } from "./interpose.js";
import { type ComputeKernel, recordersOf } from "./recorders.js";

/** What is to be traced. */
export interface Subject {
  /** Gives the outputs, in any nesting of arrays and objects. */
  readonly run: (inputs: readonly Tensor[]) => unknown;
  /** The module whose parameters and buffers are named; null for a function. */
  readonly module: Module | null;
}

/** What one run came to. */
export interface Trace {
  readonly graph: Graph;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Output[];
}

export interface Output {
  /** Where it lies in what the function returned: `""`, `"0"`, `"loss"`, `"heads.1"`. */
  readonly path: string;
  readonly value: Value;
}

/** Memory that was there before the trace and is changed in it, and a copy of what was in it. */
interface Change {
  readonly place: Strided;
  readonly copy: Strided;
}

/** @throws DTypeError for float16. */
function refuseHalf(dtype: DType): void {
  if (dtype !== "float16") return;
  throw new DTypeError(
    'exportOnnx: got a tensor of float16; expected other dtypes, since none of it can be written yet. Use module.to("float32"), and no autocast.',
  );
}

/** Runs the subject on `inputs`, which live on the device of `kernels`, and writes down what is computed. */
export function trace(kernels: KernelSet, subject: Subject, inputs: readonly Tensor[]): Trace {
  for (const { dtype } of inputs) refuseHalf(dtype);
  const graph = new Graph();
  const plain: KernelSet = Object.create(Object.getPrototypeOf(kernels), Object.getOwnPropertyDescriptors(kernels));
  const changes: Change[] = [];
  const contents = new Contents(graph, outsideOf(plain, subject.module, changes));
  const recorders = recordersOf({ graph, contents });
  const draws = new Draws();

  const computing: Partial<Record<keyof KernelSet, unknown>> = {};
  for (const name of Object.keys(recorders) as ComputeKernel[]) {
    const note = recorders[name] as (...args: readonly unknown[]) => void;
    const launch = plain[name] as ((...args: readonly unknown[]) => void) | undefined;
    if (launch === undefined) continue;
    computing[name] = (...args: readonly unknown[]) => {
      note(...args);
      Reflect.apply(launch, kernels, args);
    };
  }
  const overlay: Partial<Record<keyof KernelSet, unknown>> = {
    ...computing,
    alloc(dtype: DType, length: number): DeviceBuffer {
      refuseHalf(dtype);
      const buffer = plain.alloc(dtype, length);
      contents.enter(buffer, dtype, length);
      return buffer;
    },
    free(buffer: DeviceBuffer): void {
      contents.leave(buffer);
      plain.free(buffer);
    },
    write(buffer: DeviceBuffer, dtype: DType, offset: number, data: TypedArray): void {
      const lazy = draws.lazyOf(graph, dtype, data);
      contents.put(buffer, dtype, offset, lazy ?? graph.constant(dtype, [data.length], data.slice()), data.length);
      plain.write(buffer, dtype, offset, data);
    },
    // Nothing that depends on inputs may be read: ops then leave out checks of values, as they do on a GPU.
    readSync: null,
    setAside: undefined,
    // Masks are drawn where the watch on generators sees it.
    bernoulli: undefined,
  };
  const { dataSync } = Tensor.prototype;
  const reading = {
    dataSync(this: Tensor): TypedArray {
      if (contents.varies(this)) throw readingError(this);
      return withProperties(kernels, { readSync: plain.readSync }, () => dataSync.call(this));
    },
  };

  const starts = inputs.map((input, index): Value => {
    const { dtype, shape } = input;
    return { dtype, shape, varies: true, source: { kind: "input", index } };
  });
  const run = (): Output[] =>
    inModules(graph, subject.module, () =>
      outputsOf(subject.run(inputs)).map(({ path, tensor }) => ({ path, value: contents.read(tensor) })),
    );
  const scope = subject.module === null ? tidy : noGrad;
  try {
    const outputs = draws.watch(() =>
      withProperties(kernels, overlay, () =>
        withProperties(Tensor.prototype, reading, () => {
          inputs.forEach((input, index) => {
            const start = starts[index];
            if (start === undefined) return;
            contents.enter(input.buffer, input.dtype, input.numel());
            contents.write(input, start);
          });
          let found: Output[] = [];
          scope(() => {
            found = run();
          });
          return found;
        }),
      ),
    );
    return { graph, inputs: starts, outputs };
  } finally {
    for (const { place, copy } of changes) {
      plain.copy(copy, place);
      plain.free(copy.buffer);
    }
  }
}

/** Runs `fn` while the graph knows which module's `forward` runs. */
function inModules<T>(graph: Graph, module: Module | null, fn: () => T): T {
  if (module === null) return fn();
  const stack: string[] = [];
  const leave = (): void => {
    stack.pop();
    graph.path = stack.at(-1) ?? "";
  };
  const enter = (path: string): void => {
    stack.push(path);
    graph.path = path;
  };
  return watchCalls(module.namedModules(), { enter, leave, fail: leave }, fn);
}

/** Looks at memory from before the trace. */
function outsideOf(plain: KernelSet, module: Module | null, changes: Change[]): Outside {
  const states = new Map<DeviceBuffer, Value>();
  for (const [name, tensor] of module === null ? [] : [...module.namedParameters(), ...module.namedBuffers()]) {
    const { buffer, dtype, shape, offset } = tensor;
    refuseHalf(dtype);
    if (offset !== 0 || !tensor.isContiguous() || states.has(buffer)) continue;
    // Read when it is first met, which is before it is changed.
    let data: Promise<TypedArray> | undefined;
    const source = {
      kind: "state",
      name,
      get data() {
        data ??= plain.read(buffer, dtype, 0, elementCount(shape));
        return data;
      },
    } as const;
    states.set(buffer, { dtype, shape, varies: false, source });
  }
  const captured = new Map<string, Value>();
  const ids = new Map<DeviceBuffer, number>();
  return {
    stateOf: (buffer) => {
      const value = states.get(buffer);
      if (value?.source?.kind === "state") void value.source.data;
      return value ?? null;
    },
    capture(x) {
      const id = ids.get(x.buffer) ?? ids.size;
      ids.set(x.buffer, id);
      const key = `${id}: ${x.shape.join()} ${x.strides.join()} ${x.offset}`;
      const known = captured.get(key);
      if (known !== undefined) return known;
      const data = denseCopy(plain, x, (copy) => plain.read(copy.buffer, x.dtype, 0, elementCount(x.shape)));
      const value: Value = { dtype: x.dtype, shape: x.shape, varies: false, source: { kind: "captured", key, data } };
      captured.set(key, value);
      return value;
    },
    beforeChange(x, shape) {
      const place = { buffer: x.buffer, dtype: x.dtype, shape, strides: denseStrides(shape), offset: 0 };
      const copy = { ...place, buffer: plain.alloc(x.dtype, elementCount(shape)) };
      plain.copy(place, copy);
      changes.push({ place, copy });
    },
  };
}

/** Hands `use` a copy in row-major order. */
function denseCopy<T>(plain: KernelSet, x: Strided, use: (copy: Strided) => T): T {
  const { dtype, shape } = x;
  const buffer = plain.alloc(dtype, elementCount(shape));
  const copy = { buffer, dtype, shape, strides: denseStrides(shape), offset: 0 };
  plain.copy(x, copy);
  try {
    return use(copy);
  } finally {
    plain.free(buffer);
  }
}

/** The tensors in what was returned, with their places in it. */
function outputsOf(result: unknown): { path: string; tensor: Tensor }[] {
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new ArgumentError(
      `exportOnnx: got an asynchronous function; expected a synchronous one, since values that are awaited cannot be traced. Leave the reading out.`,
    );
  }
  const found: { path: string; tensor: Tensor }[] = [];
  const visit = (value: unknown, path: string): void => {
    if (value instanceof Tensor) found.push({ path, tensor: value });
    else if (value instanceof Map) for (const [key, item] of value) visit(item, joined(path, String(key)));
    else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) {
      for (const [key, item] of Object.entries(value)) visit(item, joined(path, key));
    }
  };
  visit(result, "");
  if (found.length === 0) {
    throw new ArgumentError(
      `exportOnnx: got a function that gave ${result === null ? "null" : typeof result}; expected a tensor, or an array or object of tensors. Return what the graph shall compute.`,
    );
  }
  return found;
}

function joined(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function readingError({ shape, madeBy }: Tensor): ArgumentError {
  return new ArgumentError(
    `exportOnnx: got a read of the elements of a tensor of shape ${formatShape(shape)} made by ${madeBy}, which depends on an input; ` +
      `expected tensor operations alone, since what JavaScript makes of the elements would be the same for every input. ` +
      `Compute it with tensors, as with where().`,
  );
}
