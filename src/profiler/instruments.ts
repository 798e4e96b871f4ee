/** Where measuring takes hold: functions laid over kernels, memory, modules, optimizers and the tape, and taken away again. */
import { bytesPerElement } from "../kernels/dtype.js";
import type { DeviceBuffer, DType, KernelSet, TypedArray } from "../kernels/kernelSet.js";
import { livingPaths } from "../nn/paths.js";
import { type CallWatcher, observe } from "../nn/watchCalls.js";
import { Optimizer } from "../optim/optimizer.js";
import { GradNode, type GradThunk, JointNode } from "../tensor/autograd.js";
import { layOver } from "../tensor/layOver.js";
import { opWatch } from "../tensor/opWatch.js";
import { Tensor } from "../tensor/tensor.js";
import { type Launch, namesItself, outputPlaces } from "./launches.js";
import type { Recorder, Span } from "./recorder.js";

type Call = (...args: readonly unknown[]) => unknown;

/** Lets the recorder know of all that happens; what comes back takes the instruments away. */
export function installInstruments(recorder: Recorder, kernelSets: Iterable<KernelSet>): () => void {
  const undo: (() => void)[] = [];
  const remove = (): void => {
    for (const each of undo.splice(0).reverse()) each();
  };
  try {
    for (const kernels of kernelSets) undo.push(measureKernels(recorder, kernels));
    undo.push(measureOps(recorder), measureWalk(recorder), measureSteps(recorder));
    for (const [path, module] of livingPaths()) undo.push(observe(path, module, callWatcher(recorder)));
    return remove;
  } catch (error) {
    remove();
    throw error;
  }
}

function measureKernels(recorder: Recorder, kernels: KernelSet): () => void {
  const { alloc, free, write, read, readSync, setAside } = kernels;
  const overlay: Partial<Record<keyof KernelSet, unknown>> = {
    alloc(dtype: DType, length: number): DeviceBuffer {
      const buffer = alloc.call(kernels, dtype, length);
      recorder.gotMemory(buffer);
      return buffer;
    },
    free(buffer: DeviceBuffer): void {
      recorder.gaveMemory(buffer);
      free.call(kernels, buffer);
    },
    write(buffer: DeviceBuffer, dtype: DType, offset: number, data: TypedArray): void {
      const bytes = data.length * bytesPerElement(dtype);
      recorder.transfer("write", buffer, bytes, () => write.call(kernels, buffer, dtype, offset, data));
    },
    read: reading(recorder, kernels, read),
    // null and undefined say that there is none.
    ...(readSync === null ? {} : { readSync: reading(recorder, kernels, readSync) }),
    ...(setAside === undefined
      ? {}
      : {
          setAside: (buffer: DeviceBuffer, dtype: DType, length: number) =>
            recorder.transfer("read", buffer, length * bytesPerElement(dtype), () =>
              setAside.call(kernels, buffer, dtype, length),
            ),
        }),
  };
  for (const [name, place] of Object.entries(outputPlaces) as [Launch, number][]) {
    const launch = kernels[name] as Call | undefined;
    if (launch === undefined) continue;
    overlay[name] = (...args: readonly unknown[]) => {
      if (kernels.readSync === null) recorder.usesDevice = true;
      const label = namesItself.has(name) ? `${name} ${String(args[0])}` : name;
      return recorder.launch(label, args[place], args, () => Reflect.apply(launch, kernels, args));
    };
  }
  return layOver(kernels, overlay);
}

function reading<R>(
  recorder: Recorder,
  kernels: KernelSet,
  read: (buffer: DeviceBuffer, dtype: DType, offset: number, length: number) => R,
): typeof read {
  return (buffer, dtype, offset, length) =>
    recorder.transfer("read", buffer, length * bytesPerElement(dtype), () =>
      read.call(kernels, buffer, dtype, offset, length),
    );
}

function measureOps(recorder: Recorder): () => void {
  const { allocate } = Tensor;
  const restore = layOver(Tensor, {
    allocate(...args: Parameters<typeof allocate>): Tensor {
      recorder.asking(args[3]);
      const output = allocate.apply(Tensor, args);
      recorder.asked(output);
      return output;
    },
  });
  opWatch.ended = (name, output) => recorder.ended(name, output);
  return () => {
    opWatch.ended = null;
    restore();
  };
}

/** The walk back: each op's rule, and each gradient that it works out. */
function measureWalk(recorder: Recorder): () => void {
  const { gradThunks } = GradNode.prototype;
  const { jointThunks } = JointNode.prototype;
  const measured = (node: GradNode, rule: () => readonly GradThunk[]): readonly GradThunk[] => {
    const name = `${node.name}Backward`;
    return within(recorder, recorder.enter("backward", name), rule).map(
      (thunk) =>
        thunk &&
        ((unseen, wanted) => within(recorder, recorder.enter("backward", name, false), () => thunk(unseen, wanted))),
    );
  };
  const restore = [
    layOver(GradNode.prototype, {
      gradThunks(this: GradNode, outGrad: Tensor): readonly GradThunk[] {
        return measured(this, () => gradThunks.call(this, outGrad));
      },
    }),
    layOver(JointNode.prototype, {
      jointThunks(this: JointNode, ...args: Parameters<typeof jointThunks>): readonly GradThunk[] {
        return measured(this, () => jointThunks.apply(this, args));
      },
    }),
  ];
  return () => {
    for (const each of restore) each();
  };
}

function measureSteps(recorder: Recorder): () => void {
  const { step } = Optimizer.prototype;
  return layOver(Optimizer.prototype, {
    step(this: Optimizer<never>): void {
      within(recorder, recorder.enter("step", `${this.constructor.name}.step`), () => step.call(this));
    },
  });
}

function within<R>(recorder: Recorder, span: Span, fn: () => R): R {
  try {
    return fn();
  } finally {
    recorder.leave(span);
  }
}

/** Notes calls of `forward`: calls are synchronous, so that the one that ends is the one that began last. */
function callWatcher(recorder: Recorder): CallWatcher {
  const open: Span[] = [];
  const leave = (): void => {
    const span = open.pop();
    if (span !== undefined) recorder.leave(span);
  };
  const enter = (path: string): void => {
    if (!recorder.isDone) open.push(recorder.enter("module", path));
  };
  return { enter, leave, fail: leave };
}
