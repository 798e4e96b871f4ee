import * as T from "../../../../tensor/ops/index.js";
import type { Tensor } from "../../../../tensor/tensor.js";
import type { NodeRun, Result } from "../node.js";
import { Ints } from "../values.js";

type Operator = (run: NodeRun) => Result;
type Kept = { readonly keepdim: boolean };

function reduce(fn: (x: Tensor, axes: readonly number[] | null, kept: Kept) => Tensor): Operator {
  return (run) => {
    const x = run.tensor(0);
    const axes = run.intsOf("axes", 1) ?? [];
    if (axes.length === 0 && run.int("noop_with_empty_axes", 0) === 1) return x;
    return fn(x, axes.length === 0 ? null : axes, { keepdim: run.int("keepdims", 1) === 1 });
  };
}

/** Of whole numbers, as shapes need, or of the elements of a tensor. */
function product(run: NodeRun): Result {
  const value = run.value(0);
  if (!(value instanceof Ints)) return reduce(productOver)(run);
  const total = value.values.reduce((all, each) => all * each, 1);
  return run.int("keepdims", 1) === 1
    ? new Ints(
        value.shape.map(() => 1),
        [total],
      )
    : new Ints([], [total]);
}

function productOver(x: Tensor, axes: readonly number[] | null, { keepdim }: Kept): Tensor {
  const all = axes ?? x.shape.map((_, axis) => axis);
  const kept = all.reduce((rest, axis) => T.prod(rest, axis, { keepdim: true }), x);
  return keepdim ? kept : T.squeeze(kept, all);
}

function runningSum(run: NodeRun): Result {
  if (run.int("exclusive", 0) === 1) run.fail("exclusive", "sums that the place itself is in");
  const x = run.tensor(0);
  const [axis = 0] = run.numbers(1);
  if (run.int("reverse", 0) === 0) return T.cumsum(x, axis);
  return T.flip(T.cumsum(T.flip(x, axis), axis), axis);
}

function logSumExp(x: Tensor, axes: readonly number[] | null, { keepdim }: Kept): Tensor {
  const most = T.amax(x, axes, { keepdim: true });
  const kept = T.add(T.log(T.sum(T.exp(T.sub(x, most)), axes, { keepdim: true })), most);
  return keepdim ? kept : T.squeeze(kept, axes ?? x.shape.map((_, axis) => axis));
}

function place(fn: (x: Tensor, dim: number, kept: Kept) => Tensor): Operator {
  return (run) => {
    if (run.int("select_last_index", 0) === 1) run.fail("select_last_index", "the first place on ties");
    return fn(run.tensor(0), run.int("axis", 0), { keepdim: run.int("keepdims", 1) === 1 });
  };
}

function topK(run: NodeRun): Result {
  const count = run.optionalNumber(1) ?? run.int("k", 1);
  const { values, indices } = T.topk(run.tensor(0), count, run.int("axis", -1), {
    largest: run.int("largest", 1) === 1,
  });
  return [values, indices];
}

export const reductionOperators: Readonly<Record<string, Operator>> = {
  ArgMax: place(T.argmax),
  ArgMin: place(T.argmin),
  CumSum: runningSum,
  ReduceL1: reduce((x, axes, kept) => T.sum(T.abs(x), axes, kept)),
  ReduceL2: reduce((x, axes, kept) => T.norm(x, 2, axes, kept)),
  ReduceLogSumExp: reduce(logSumExp),
  ReduceMax: reduce(T.amax),
  ReduceMean: reduce(T.mean),
  ReduceMin: reduce(T.amin),
  ReduceProd: product,
  ReduceSum: reduce(T.sum),
  TopK: topK,
  ReduceSumSquare: reduce((x, axes, kept) => T.sum(T.square(x), axes, kept)),
};
