/** The runs that an export takes: one for a batch of fixed size, three for one of any size. */
import { ShapeError } from "../../../errors.js";
import type { KernelSet } from "../../../kernels/kernelSet.js";
import type { Module } from "../../../nn/module.js";
import { withGradMode } from "../../../tensor/autograd.js";
import { cat } from "../../../tensor/ops/joining.js";
import { clone } from "../../../tensor/ops/layout.js";
import { at } from "../../../tensor/shape.js";
import type { Tensor } from "../../../tensor/tensor.js";
import { batchPlan, fixedPlan, type Plan } from "./batch.js";
import { type Subject, type Trace, trace } from "./trace.js";

/** Traces the subject on the examples; `batched` says which of them have a batch of any size. */
export function planFor(
  kernels: KernelSet,
  subject: Subject,
  examples: readonly Tensor[],
  batched: readonly boolean[],
  training: boolean,
): Plan {
  const run = (copies: number): Trace => {
    const inputs = examples.map((example, index) => repeated(example, batched[index] === true ? copies : 1));
    try {
      return trace(kernels, subject, inputs);
    } finally {
      for (const input of inputs) input.dispose();
    }
  };
  return inMode(subject.module, training, () => planOf(run, examples, batched));
}

function planOf(run: (copies: number) => Trace, examples: readonly Tensor[], batched: readonly boolean[]): Plan {
  const first = examples[batched.indexOf(true)];
  if (first === undefined) return fixedPlan(run(1));
  const size = at(first.shape, 0);
  // A single row, which a slice may leave of a small batch, looks like something to be broadcast.
  const copies = size < 4 ? [3, 4, 5] : [1, 2, 3];
  const traces = copies.map((count) => {
    try {
      return run(count);
    } catch (error) {
      if (!(error instanceof ShapeError) || count === 1) throw error;
      throw new ShapeError(
        `exportOnnx: got an error with a batch of ${count * size}, though the example has ${size}; expected a function of batches of any size. ` +
          `Pass { dynamicBatch: false } to keep the size. The error: ${error.message}`,
        { cause: error },
      );
    }
  });
  return batchPlan(
    copies.map((count) => count * size),
    traces,
  );
}

/** A leaf with the elements of `x`, `copies` times one after another along the first axis. */
function repeated(x: Tensor, copies: number): Tensor {
  const copy = withGradMode(false, () => (copies === 1 ? clone(x) : cat(new Array<Tensor>(copies).fill(x))));
  return copy.requiresGrad_(x.requiresGrad);
}

function inMode<T>(module: Module | null, training: boolean, fn: () => T): T {
  const modules = module?.modules() ?? [];
  const modes = modules.map((each) => each.training);
  try {
    module?.train(training);
    return fn();
  } finally {
    modules.forEach((each, index) => {
      each.training = modes[index] ?? true;
    });
  }
}
