/** Elementwise kernels. */

import { TapegradError } from "../../errors.js";
import { holds } from "../comparison.js";
import type { CompareOp, DType, KernelSet, Strided } from "../kernelSet.js";
import { activationGradText } from "./activationText.js";
import { binaryText, castText, compareText, unaryText } from "./elementwiseText.js";
import { array, operand, runMap } from "./map.js";
import type { Runtime } from "./runtime.js";
import { type WgslType, wgslType } from "./types.js";

type ElementwiseKernels = Pick<
  KernelSet,
  "fill" | "copy" | "unary" | "activationGrad" | "binary" | "compare" | "where"
>;

export function elementwiseKernels(runtime: Runtime): ElementwiseKernels {
  function fill(out: Strided, value: number): void {
    runMap(runtime, {
      name: "fill",
      expression: "x",
      operands: [{ name: "x", type: wgslType(out.dtype), value }],
      out,
    });
  }

  function compare(op: CompareOp, a: Strided, b: Strided | number, out: Strided): void {
    const type = wgslType(a.dtype);
    runMap(runtime, {
      name: op,
      expression: compareText(op, type),
      operands: [array("a", a), operand("b", type, b)],
      out,
    });
  }

  /** With a bool on the left: held near 0 and 1, few numbers are left, and no answer changes. */
  function compareBool(op: CompareOp, a: Strided, b: number, out: Strided): void {
    const value = Math.min(Math.max(b, -1), 2);
    runMap(runtime, {
      name: `${op} ${value}`,
      expression: compareText(op, "i32").replaceAll("a ", "i32(a) ").replaceAll(" b", ` ${value}`),
      operands: [array("a", a)],
      out,
    });
  }

  return {
    fill,

    copy(x, out) {
      const expression = castText(wgslType(x.dtype), wgslType(out.dtype));
      runMap(runtime, { name: "copy", expression, operands: [array("x", x)], out });
    },

    unary(op, x, out, alpha, beta) {
      const type = wgslType(x.dtype);
      const expression = unaryText(op, type) ?? refuse(op, x.dtype);
      const operands = [array("x", x), ...parametersIn(expression, type, alpha, beta)];
      runMap(runtime, { name: op, expression, operands, out });
    },

    activationGrad(op, outGrad, x, out, alpha, beta) {
      const expression = activationGradText(op);
      const operands = [array("g", outGrad), array("x", x), ...parametersIn(expression, "f32", alpha, beta)];
      runMap(runtime, { name: `${op}, gradient`, expression, operands, out });
    },

    binary(op, a, b, out) {
      const type = wgslType(out.dtype);
      const operands = [operand("a", type, a), operand("b", type, b)];
      runMap(runtime, { name: op, expression: binaryText(op, type) ?? refuse(op, out.dtype), operands, out });
    },

    compare(op, a, b, out) {
      if (typeof a === "number") {
        if (typeof b === "number") fill(out, holds(op, a, b) ? 1 : 0);
        else this.compare(mirrored[op], b, a, out);
        return;
      }
      if (typeof b !== "number" || wgslType(a.dtype) === "f32") {
        compare(op, a, b, out);
        return;
      }
      const whole = wholeComparison(op, b);
      if (typeof whole === "boolean") fill(out, whole ? 1 : 0);
      else if (a.dtype === "bool") compareBool(whole.op, a, whole.value, out);
      else compare(whole.op, a, whole.value, out);
    },

    where(condition, a, b, out) {
      const type = wgslType(out.dtype);
      const operands = [array("c", condition), operand("a", type, a), operand("b", type, b)];
      runMap(runtime, { name: "where", expression: "select(b, a, c != 0u)", operands, out });
    },
  };
}

/** The parameters that an expression names. */
function parametersIn(expression: string, type: WgslType, alpha: number, beta: number) {
  const parameters = [
    { name: "alpha", type, value: alpha },
    { name: "beta", type, value: beta },
  ];
  return parameters.filter(({ name }) => expression.includes(name));
}

function refuse(op: string, dtype: DType): never {
  throw new TapegradError(`${op}: got ${dtype}; expected floats. Cast it with .to("float32") first.`);
}

/** a ∘ b as b ∘ a. */
const mirrored: Record<CompareOp, CompareOp> = { eq: "eq", ge: "le", gt: "lt", le: "ge", lt: "gt", ne: "ne" };

/** Comparison of an int32 with any number, as one with an int32: x < 1.5 is x < 2. A boolean where it holds for all or for none. */
function wholeComparison(op: CompareOp, value: number): { op: CompareOp; value: number } | boolean {
  if (Number.isNaN(value)) return op === "ne";
  if (value > 2 ** 31 - 1) return op === "lt" || op === "le" || op === "ne";
  if (value < -(2 ** 31)) return op === "gt" || op === "ge" || op === "ne";
  if (Number.isInteger(value)) return { op, value };
  if (op === "eq" || op === "ne") return op === "ne";
  return { op, value: op === "lt" || op === "ge" ? Math.ceil(value) : Math.floor(value) };
}
