/** Elementwise kernels: one invocation for each element, over arrays of any strides. */
import { TapegradError } from "../../errors.js";
import type { CompareOp, DType, KernelSet, Strided } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import { inParts, walkNumbers, walkOver, walkText, walkUniforms } from "./axes.js";
import { binaryText, castText, compareText, functions, unaryText } from "./elementwiseText.js";
import type { Runtime } from "./runtime.js";
import { elementOf, toInt32, type WgslType, wgslType } from "./types.js";

type ElementwiseKernels = Pick<KernelSet, "fill" | "copy" | "unary" | "binary" | "compare" | "where">;

/** What an expression calls `name`: an array or a number, as an element of `type`. */
interface Operand {
  readonly name: string;
  readonly type: WgslType;
  readonly value: Strided | number;
}

/** An elementwise launch: out = expression. */
interface Job {
  /** Names the expression in the key of the kernel. */
  readonly name: string;
  readonly expression: string;
  readonly operands: readonly Operand[];
  readonly out: Strided;
  /** `u.alpha` and `u.beta`, of the first operand's type. */
  readonly parameters?: readonly [number, number];
}

export function elementwiseKernels(runtime: Runtime): ElementwiseKernels {
  function run({ name, expression, operands, out, parameters }: Job): void {
    const count = elementCount(out.shape);
    if (count === 0) return;
    const arrays = operands.filter(isArray);
    const numbers = operands.filter((operand) => !isArray(operand));
    // In place, the element is read from where it is written to.
    const apart = arrays.filter(({ value }) => value.buffer !== out.buffer);
    const walk = walkOver(out.shape, [out, ...arrays.map(({ value }) => value)]);
    const outType = wgslType(out.dtype);
    const rank = Math.min(walk.shape.length, 8);

    let key = `${name}/${rank}/${outType}`;
    for (const { name, type, value } of operands) {
      key += `/${name}${type}${typeof value === "number" ? "#" : value.buffer === out.buffer ? "=" : ""}`;
    }
    const parameterType = operands[0]?.type ?? "f32";
    const kernel = runtime.kernel(key, () => {
      const names = ["out", ...arrays.map((operand) => operand.name)];
      const reads = operands.map((operand) => {
        const source = !isArray(operand)
          ? `u.${operand.name}Value`
          : operand.value.buffer === out.buffer
            ? `outArray[${operand.name}At]`
            : `${operand.name}Array[${operand.name}At]`;
        return `let ${operand.name} = ${source};`;
      });
      return {
        name,
        outputs: { outArray: outType },
        inputs: Object.fromEntries(apart.map((operand) => [`${operand.name}Array`, operand.type])),
        uniforms: {
          count: "u32",
          ...Object.fromEntries(numbers.map((operand) => [`${operand.name}Value`, operand.type])),
          ...(parameters && { alpha: parameterType, beta: parameterType }),
          ...walkUniforms(rank, names),
        },
        declarations: functions,
        body: `
  if (index >= u.count) { return; }
  ${walkText(rank, names, "index")}
  ${reads.join("\n  ")}
  outArray[outAt] = ${expression};`,
      };
    });

    const buffers = [out.buffer, ...apart.map(({ value }) => value.buffer)];
    inParts(walk, (part) => {
      const elements = elementCount(part.shape);
      const uniforms = [elements, ...numbers.map(({ type, value }) => elementOf(type, value as number))];
      if (parameters) uniforms.push(...parameters);
      walkNumbers(part, uniforms);
      runtime.launchEach(kernel, buffers, uniforms, elements);
    });
  }

  function fill(out: Strided, value: number): void {
    const type = wgslType(out.dtype);
    run({ name: "fill", expression: "x", operands: [{ name: "x", type, value }], out });
  }

  return {
    fill,

    copy(x, out) {
      const [from, to] = [wgslType(x.dtype), wgslType(out.dtype)];
      run({ name: "copy", expression: castText(from, to), operands: [{ name: "x", type: from, value: x }], out });
    },

    unary(op, x, out, alpha, beta) {
      const type = wgslType(x.dtype);
      const limit = (value: number): number => (type === "f32" ? value : toInt32(value));
      run({
        name: op,
        expression: unaryText(op, type) ?? refuse(op, x.dtype),
        operands: [{ name: "x", type, value: x }],
        out,
        parameters: [limit(alpha), limit(beta)],
      });
    },

    binary(op, a, b, out) {
      const type = wgslType(out.dtype);
      run({
        name: op,
        expression: binaryText(op, type) ?? refuse(op, out.dtype),
        operands: [
          { name: "a", type, value: a },
          { name: "b", type, value: b },
        ],
        out,
      });
    },

    compare(op, a, b, out) {
      if (typeof a === "number") {
        if (typeof b === "number") fill(out, holds(op, a, b) ? 1 : 0);
        else this.compare(mirrored[op], b, a, out);
        return;
      }
      const type = wgslType(a.dtype);
      let [how, right] = [op, b];
      if (typeof b === "number" && type !== "f32") {
        const whole = wholeComparison(op, b);
        if (typeof whole === "boolean") {
          fill(out, whole ? 1 : 0);
          return;
        }
        [how, right] = [whole.op, whole.value];
        if (type === "u32") {
          // A bool is 0 or 1: widened, and the number held near, which changes no answer and keeps kernels few.
          right = Math.min(Math.max(whole.value, -1), 2);
          const operands = [{ name: "a", type, value: a }] as const;
          const expression = compareText(how, "i32").replace("a ", "i32(a) ").replace(" b", ` i32(${right})`);
          run({ name: `${how}(${right})`, expression, operands, out });
          return;
        }
      }
      run({
        name: how,
        expression: compareText(how, type),
        operands: [
          { name: "a", type, value: a },
          { name: "b", type, value: right },
        ],
        out,
      });
    },

    where(condition, a, b, out) {
      const type = wgslType(out.dtype);
      run({
        name: "where",
        expression: "select(b, a, c != 0u)",
        operands: [
          { name: "c", type: "u32", value: condition },
          { name: "a", type, value: a },
          { name: "b", type, value: b },
        ],
        out,
      });
    },
  };
}

function isArray(operand: Operand): operand is Operand & { readonly value: Strided } {
  return typeof operand.value !== "number";
}

function refuse(op: string, dtype: DType): never {
  throw new TapegradError(`${op}: got ${dtype}; expected floats. Cast it with .to("float32") first.`);
}

/** a ∘ b as b ∘ a. */
const mirrored: Record<CompareOp, CompareOp> = { eq: "eq", ge: "le", gt: "lt", le: "ge", lt: "gt", ne: "ne" };

function holds(op: CompareOp, a: number, b: number): boolean {
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

/** Comparison of an int32 with any number, as one with an int32: 1 < 1.5 is 1 < 2. A boolean where it holds for all or for none. */
function wholeComparison(op: CompareOp, value: number): { op: CompareOp; value: number } | boolean {
  if (Number.isNaN(value)) return op === "ne";
  if (value > 2 ** 31 - 1) return op === "lt" || op === "le" || op === "ne";
  if (value < -(2 ** 31)) return op === "gt" || op === "ge" || op === "ne";
  if (Number.isInteger(value)) return { op, value };
  if (op === "eq" || op === "ne") return op === "ne";
  return { op, value: op === "lt" || op === "ge" ? Math.ceil(value) : Math.floor(value) };
}
