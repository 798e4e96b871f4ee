/** out = f(operands), element by element, over arrays of any strides: one invocation for each element. */
import type { Strided } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import { inParts, MOST_AXES, walkNumbers, walkOver, walkText, walkUniforms } from "./axes.js";
import { functions } from "./elementwiseText.js";
import type { Runtime } from "./runtime.js";
import { elementOf, type WgslType, wgslType } from "./types.js";

/** What an expression calls by a name: an array of out's shape (stride 0 where broadcast), or a number. */
export type Operand = ArrayOperand | NumberOperand;

export interface ArrayOperand {
  readonly name: string;
  readonly type: WgslType;
  readonly value: Strided;
}

export interface NumberOperand {
  readonly name: string;
  readonly type: WgslType;
  readonly value: number;
}

/** A number or an array as an operand of a type. */
export function operand(name: string, type: WgslType, value: Strided | number): Operand {
  return typeof value === "number" ? { name, type, value } : { name, type, value };
}

/** An array as an operand. */
export function array(name: string, value: Strided): ArrayOperand {
  return { name, type: wgslType(value.dtype), value };
}

/** A number as an operand of floats. */
export function number(name: string, value: number): NumberOperand {
  return { name, type: "f32", value };
}

/** out = expression. */
export interface MapJob {
  /** Names the expression in the key of the kernel, and the kernel in messages. */
  readonly name: string;
  readonly expression: string;
  readonly operands: readonly Operand[];
  readonly out: Strided;
}

export function runMap(runtime: Runtime, { name, expression, operands, out }: MapJob): void {
  if (elementCount(out.shape) === 0) return;
  const arrays = operands.filter(isArray);
  const numbers = operands.filter(isNumber);
  // In place, the element is read from where it is written to.
  const isInPlace = (operand: ArrayOperand): boolean => operand.value.buffer === out.buffer;
  const apart = arrays.filter((operand) => !isInPlace(operand));
  const walk = walkOver(out.shape, [out, ...arrays.map(({ value }) => value)]);
  const outType = wgslType(out.dtype);
  const rank = Math.min(walk.shape.length, MOST_AXES);

  let key = `${name}/${rank}/${outType}`;
  for (const operand of operands) {
    key += `/${operand.name}${operand.type}${isNumber(operand) ? "#" : isInPlace(operand) ? "=" : ""}`;
  }
  const kernel = runtime.kernel(key, () => {
    const names = ["out", ...arrays.map((operand) => operand.name)];
    const reads = operands.map((operand) => {
      if (isNumber(operand)) return `let ${operand.name} = u.${operand.name};`;
      const source = isInPlace(operand) ? "outArray" : `${operand.name}Array`;
      return `let ${operand.name} = ${source}[${operand.name}At];`;
    });
    return {
      name,
      outputs: { outArray: outType },
      inputs: Object.fromEntries(apart.map((operand) => [`${operand.name}Array`, operand.type])),
      uniforms: {
        count: "u32",
        ...Object.fromEntries(numbers.map((operand) => [operand.name, operand.type])),
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
    const count = elementCount(part.shape);
    const uniforms = [count, ...numbers.map(({ type, value }) => elementOf(type, value))];
    walkNumbers(part, uniforms);
    runtime.launchEach(kernel, buffers, uniforms, count);
  });
}

export function isArray(operand: Operand): operand is ArrayOperand {
  return typeof operand.value !== "number";
}

export function isNumber(operand: Operand): operand is NumberOperand {
  return typeof operand.value === "number";
}
