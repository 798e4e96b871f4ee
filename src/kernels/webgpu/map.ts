/**
 * out = f(operands), element by element. Arrays of any strides are walked by one invocation for each element; dense ones
 * by one for each four, which are read and written as vectors.
 *
 * @module
 */
import type { DeviceBuffer, Strided } from "../kernelSet.js";
import { elementCount, isDense } from "../strides.js";
import { inParts, MOST_AXES, walkNumbers, walkOver, walkText, walkUniforms } from "./axes.js";
import { functions } from "./elementwiseText.js";
import type { KernelText } from "./kernel.js";
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
  /** Names the kernel. With the types and kinds of the operands, it must tell expression and operands' names. */
  readonly name: string;
  readonly expression: string;
  readonly operands: readonly Operand[];
  readonly out: Strided;
}

/** Elements of a vector. */
const VECTOR = 4;

export function runMap(runtime: Runtime, job: MapJob): void {
  const { operands, out } = job;
  const count = elementCount(out.shape);
  if (count === 0) return;
  const buffers: DeviceBuffer[] = [out.buffer];
  // A number for each operand's type and kind: it is put together faster than a text.
  let variant = typeIndex[wgslType(out.dtype)];
  let isFlat = isVector(out);
  for (const operand of operands) {
    let kind = 1;
    if (isArray(operand)) {
      const { buffer } = operand.value;
      // In place, the element is read from where it is written to.
      const inPlace = buffer === out.buffer;
      kind = inPlace ? 2 : 3;
      if (!inPlace) buffers.push(buffer);
      isFlat &&= isVector(operand.value);
    }
    variant = variant * KINDS + kind * TYPES + typeIndex[operand.type];
  }
  if (isFlat) mapVectors(runtime, job, variant, buffers, count);
  else mapWalk(runtime, job, variant, buffers);
}

const typeIndex: Record<WgslType, number> = { f32: 0, i32: 1, u32: 2 };
const TYPES = 3;
const KINDS = 4 * TYPES;
/** Ways to go over the elements: in vectors, or over so many axes. */
const WAYS = MOST_AXES + 2;

/** Whether the array can be taken as vectors. */
function isVector(x: Strided): boolean {
  return x.offset % VECTOR === 0 && isDense(x.shape, x.strides);
}

function mapVectors(
  runtime: Runtime,
  job: MapJob,
  variant: number,
  buffers: readonly DeviceBuffer[],
  count: number,
): void {
  const { operands, out } = job;
  const kernel = runtime.kernel(job.name, () => vectorText(job), variant * WAYS + MOST_AXES + 1);
  const uniforms = [count, out.offset / VECTOR];
  for (const operand of operands) {
    if (isNumber(operand)) uniforms.push(elementOf(operand.type, operand.value));
    else uniforms.push(operand.value.offset / VECTOR);
  }
  runtime.launchEach(kernel, buffers, uniforms, Math.ceil(count / VECTOR));
}

function mapWalk(runtime: Runtime, job: MapJob, variant: number, buffers: readonly DeviceBuffer[]): void {
  const { operands, out } = job;
  const arrays = operands.filter(isArray);
  const numbers = operands.filter(isNumber);
  const walk = walkOver(out.shape, [out, ...arrays.map(({ value }) => value)]);
  const rank = Math.min(walk.shape.length, MOST_AXES);
  const kernel = runtime.kernel(job.name, () => walkingText(job, rank), variant * WAYS + rank);
  inParts(walk, (part) => {
    const count = elementCount(part.shape);
    const uniforms = [count, ...numbers.map(({ type, value }) => elementOf(type, value))];
    walkNumbers(part, uniforms);
    runtime.launchEach(kernel, buffers, uniforms, count);
  });
}

function walkingText({ name, expression, operands, out }: MapJob, rank: number): KernelText {
  const type = wgslType(out.dtype);
  const arrays = operands.filter(isArray);
  const names = ["out", ...arrays.map((operand) => operand.name)];
  const reads = operands.map((operand) => {
    if (isNumber(operand)) return `let ${operand.name} = u.${operand.name};`;
    return `let ${operand.name} = ${arrayName(operand, out)}[${operand.name}At];`;
  });
  return {
    name,
    outputs: { outArray: type },
    inputs: Object.fromEntries(apart(arrays, out).map((operand) => [arrayName(operand, out), operand.type])),
    uniforms: {
      count: "u32",
      ...Object.fromEntries(operands.filter(isNumber).map((operand) => [operand.name, operand.type])),
      ...walkUniforms(rank, names),
    },
    declarations: functions,
    body: `
  if (index >= u.count) { return; }
  ${walkText(rank, names, "index")}
  ${reads.join("\n  ")}
  outArray[outAt] = ${expression};`,
  };
}

function vectorText({ name, expression, operands, out }: MapJob): KernelText {
  const type = wgslType(out.dtype);
  const arrays = operands.filter(isArray);
  const parameters = operands.map((operand) => `${operand.name}: ${operand.type}`);
  const results = ["x", "y", "z", "w"].map((part) => {
    const values = operands.map((operand) => (isNumber(operand) ? `u.${operand.name}` : `${operand.name}Four.${part}`));
    return `f(${values.join(", ")})`;
  });
  return {
    name,
    outputs: { outArray: `vec4<${type}>` },
    inputs: Object.fromEntries(apart(arrays, out).map((operand) => [arrayName(operand, out), `vec4<${operand.type}>`])),
    uniforms: {
      count: "u32",
      outStart: "u32",
      ...Object.fromEntries(
        operands.map((operand) =>
          isNumber(operand) ? [operand.name, operand.type] : [`${operand.name}Start`, "u32" as const],
        ),
      ),
    },
    declarations: `${functions}
fn f(${parameters.join(", ")}) -> ${type} { return ${expression}; }`,
    body: `
  let first = index * ${VECTOR}u;
  if (first >= u.count) { return; }
  ${arrays.map((operand) => `let ${operand.name}Four = ${arrayName(operand, out)}[u.${operand.name}Start + index];`).join("\n  ")}
  let four = vec4<${type}>(${results.join(", ")});
  let at = u.outStart + index;
  if (first + 3u < u.count) {
    outArray[at] = four;
    return;
  }
  // What follows the last element may be somebody else's.
  outArray[at].x = four.x;
  if (first + 1u < u.count) { outArray[at].y = four.y; }
  if (first + 2u < u.count) { outArray[at].z = four.z; }`,
  };
}

/** The arrays that lie in other buffers than the output. */
function apart(arrays: readonly ArrayOperand[], out: Strided): readonly ArrayOperand[] {
  return arrays.filter(({ value }) => value.buffer !== out.buffer);
}

function arrayName(operand: ArrayOperand, out: Strided): string {
  return operand.value.buffer === out.buffer ? "outArray" : `${operand.name}Array`;
}

export function isArray(operand: Operand): operand is ArrayOperand {
  return typeof operand.value !== "number";
}

export function isNumber(operand: Operand): operand is NumberOperand {
  return typeof operand.value === "number";
}
