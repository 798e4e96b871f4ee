/** The operators that can be imported, by their ONNX names. */
import type { NodeRun, Result } from "../node.js";
import { elementwiseOperators } from "./elementwise.js";
import { layoutOperators } from "./layout.js";
import { networkOperators } from "./networks.js";
import { reductionOperators } from "./reductions.js";

export const operators: ReadonlyMap<string, (run: NodeRun) => Result> = new Map(
  Object.entries({ ...elementwiseOperators, ...layoutOperators, ...networkOperators, ...reductionOperators }),
);
