import "../../../src/tensor/methods.js";
import type { GradCase } from "../gradCase.js";

function along(op: "softmax" | "logSoftmax"): GradCase[] {
  return [
    { op, name: "last axis", shapes: [[3, 4]], fn: (x) => x[op](-1) },
    { op, name: "first axis", shapes: [[3, 2]], fn: (x) => x[op](0) },
    { op, name: "middle axis", shapes: [[2, 3, 2]], fn: (x) => x[op](1) },
    { op, name: "of a transposed tensor", shapes: [[3, 2]], fn: (x) => x.transpose(0, 1)[op](1) },
    { op, name: "weighted", shapes: [[2, 3], [3]], fn: (x, w) => x[op](1).mul(w) },
    { op, name: "scalar", shapes: [[]], fn: (x) => x[op](0) },
  ];
}

export const cases: GradCase[] = [...along("softmax"), ...along("logSoftmax")];
