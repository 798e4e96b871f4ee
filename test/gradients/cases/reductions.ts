import "../../../src/tensor/methods.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import type { GradCase } from "../gradCase.js";

const cube = [2, 3, 2];

/** Cases over all axes, one axis and several, kept and not. */
function overAxes(
  op: string,
  fn: (x: Tensor, axes: number | readonly number[] | null, keepdim: boolean) => Tensor,
): GradCase[] {
  return [
    { op, name: "all", shapes: [cube], fn: (x) => fn(x, null, false) },
    { op, name: "one axis", shapes: [cube], fn: (x) => fn(x, 1, false) },
    { op, name: "two axes, kept", shapes: [cube], fn: (x) => fn(x, [0, -1], true) },
    { op, name: "scalar", shapes: [[]], fn: (x) => fn(x, null, true) },
    { op, name: "of a permuted tensor", shapes: [cube], fn: (x) => fn(x.permute([2, 0, 1]), [1], false) },
  ];
}

/** A spread of one element has no derivative. */
function spreads(op: "var" | "std"): GradCase[] {
  return [
    ...overAxes(op, (x, axes, keepdim) => x[op](axes, { keepdim })).filter(({ name }) => name !== "scalar"),
    { op, name: "correction 0", shapes: [cube], fn: (x) => x[op](1, { correction: 0 }) },
  ];
}

function norms(p: number): GradCase[] {
  return overAxes("norm", (x, axes, keepdim) => x.norm(p, axes, { keepdim })).map((each) => ({
    ...each,
    name: `p = ${p}, ${each.name}`,
  }));
}

function extremes(op: "max" | "min"): GradCase[] {
  return [
    { op, name: "all", shapes: [cube], fn: (x) => x[op]() },
    { op, name: "axis", shapes: [cube], fn: (x) => x[op](1).values },
    { op, name: "last axis, kept, squared", shapes: [cube], fn: (x) => x[op](-1, { keepdim: true }).values.square() },
    { op, name: "of a permuted tensor", shapes: [cube], fn: (x) => x.permute([2, 0, 1])[op](0).values },
  ];
}

export const cases: GradCase[] = [
  ...overAxes("sum", (x, axes, keepdim) => x.square().sum(axes, { keepdim })),
  ...overAxes("mean", (x, axes, keepdim) => x.mean(axes, { keepdim }).square()),
  ...spreads("var"),
  ...spreads("std"),
  ...overAxes("amax", (x, axes, keepdim) => x.amax(axes, { keepdim }).square()),
  ...overAxes("amin", (x, axes, keepdim) => x.amin(axes, { keepdim }).square()),
  ...[2, 1, 3, 2.5, 1.5, 0.5, -1, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].flatMap(norms),
  ...extremes("max"),
  ...extremes("min"),
];
