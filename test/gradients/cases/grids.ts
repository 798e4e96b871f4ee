import "../../../src/tensor/methods.js";
import { meshgrid } from "../../../src/tensor/ops/joining.js";
import type { GradCase } from "../gradCase.js";

export const cases: GradCase[] = [
  { op: "rot90", name: "once", shapes: [[2, 3]], fn: (x) => x.rot90().square() },
  { op: "rot90", name: "back, other axes", shapes: [[2, 3, 2]], fn: (x) => x.rot90(-1, [0, 2]).square() },
  { op: "trace", name: "", shapes: [[2, 3]], fn: (x) => x.square().trace() },
  { op: "meshgrid", name: "", shapes: [[3], [2]], fn: (x, y) => meshgrid([x.square(), y.exp()]) },
];
