import "../../../src/tensor/methods.js";
import type { GradCase } from "../gradCase.js";

export const cases: GradCase[] = [
  { op: "clone", name: "transposed", shapes: [[2, 3]], fn: (x) => x.transpose(0, 1).clone() },
  { op: "contiguous", name: "dense", shapes: [[2, 3]], fn: (x) => x.contiguous().square() },
  { op: "contiguous", name: "transposed", shapes: [[2, 3]], fn: (x) => x.transpose(0, 1).contiguous().square() },
  { op: "view", name: "inferred", shapes: [[2, 3, 2]], fn: (x) => x.view([-1, 6]).square() },
  { op: "view", name: "of part of the axes", shapes: [[2, 6]], fn: (x) => x.transpose(0, 1).view([3, 2, 2]).square() },
  { op: "reshape", name: "view", shapes: [[2, 3]], fn: (x) => x.reshape([3, 2]).square() },
  { op: "reshape", name: "copy", shapes: [[2, 3]], fn: (x) => x.transpose(0, 1).reshape([6]).square() },
  { op: "flatten", name: "all", shapes: [[2, 3]], fn: (x) => x.flatten().square() },
  { op: "flatten", name: "from axis 1", shapes: [[2, 2, 2]], fn: (x) => x.flatten(1).square() },
  { op: "permute", name: "three axes", shapes: [[2, 3, 2]], fn: (x) => x.permute([2, 0, -2]).square() },
  { op: "transpose", name: "from the end", shapes: [[2, 3, 2]], fn: (x) => x.transpose(-1, 0).square() },
  { op: "squeeze", name: "all", shapes: [[1, 2, 1]], fn: (x) => x.squeeze().square() },
  { op: "squeeze", name: "named", shapes: [[1, 2, 1]], fn: (x) => x.squeeze(-1).square() },
  { op: "squeeze", name: "nothing to do", shapes: [[2, 2]], fn: (x) => x.squeeze().square() },
  { op: "unsqueeze", name: "last", shapes: [[2, 2]], fn: (x) => x.unsqueeze(-1).square() },
];
