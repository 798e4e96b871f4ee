import type { CompareOp } from "./kernelSet.js";

/** Whether a comparison of two numbers holds. */
export function holds(op: CompareOp, a: number, b: number): boolean {
  switch (op) {
    case "eq":
      return a === b;
    case "ge":
      return a >= b;
    case "gt":
      return a > b;
    case "le":
      return a <= b;
    case "lt":
      return a < b;
    case "ne":
      return a !== b;
  }
}
