/** How an elementwise op is launched, out of place and in place, and put on the tape. The ops themselves are beside this file. */
import { ArgumentError, DTypeError, ShapeError } from "../../errors.js";
import { isFloating } from "../../kernels/dtype.js";
import type { BinaryOp, DType, KernelSet, UnaryOp } from "../../kernels/kernelSet.js";
import { forElementwise } from "../autocast.js";
import { type BackwardRule, checkInPlace, isRecording, record, recordInPlace } from "../autograd.js";
import { checkFloating, resultType } from "../dtype.js";
import { broadcastShapes, formatShape, sameShape } from "../shape.js";
import { commonKernels, Tensor } from "../tensor.js";
import { expanded, gradFor } from "./broadcast.js";
import { clone } from "./layout.js";

/** An elementwise function of one tensor, with its derivative. */
export interface UnarySpec {
  readonly name: string;
  readonly op: UnaryOp;
  readonly alpha?: number;
  readonly beta?: number;
  /** Whether int32 stays int32; else whole numbers and bools become float32. */
  readonly wholeNumbers: boolean;
  /** What the derivative is worked out from. */
  readonly saves: "input" | "output" | "nothing";
  readonly grad: (g: Tensor, saved: Tensor) => Tensor;
}

/** y = f(x). */
export function applyUnary(spec: UnarySpec, x: Tensor): Tensor {
  const { name, saves } = spec;
  const kernels = commonKernels(name, x);
  x = forElementwise(name, x);
  const dtype = spec.wholeNumbers && x.dtype !== "bool" ? x.dtype : fractional(x.dtype);
  const out = Tensor.allocate(x.shape, dtype, x.device, name);
  withCast(x, dtype, (operand) => kernels.unary(spec.op, operand, out, spec.alpha ?? 0, spec.beta ?? 0));
  const saved: readonly Tensor[] = saves === "nothing" ? [] : [saves === "output" ? out : x];
  return record(name, out, [x], saved, unaryRule(spec));
}

/** x = f(x). With `isDone` x holds that already, and it is only put on the tape. */
export function changeUnary(spec: UnarySpec, x: Tensor, isDone = false): Tensor {
  const { saves } = spec;
  const name = `${spec.name}_`;
  const kernels = commonKernels(name, x);
  if (!spec.wholeNumbers) checkFloating(name, x.dtype);
  checkWritable(name, x);
  checkInPlace(name, x, [x]);
  const original = saves === "input" && isRecording([x]) ? clone(x) : x;
  if (!isDone) kernels.unary(spec.op, x, x, spec.alpha ?? 0, spec.beta ?? 0);
  const saved: readonly Tensor[] = saves === "nothing" ? [] : [original];
  recordInPlace(name, x, [x], saved, unaryRule(spec));
  if (original !== x) original.dispose();
  return x;
}

function unaryRule(spec: UnarySpec): BackwardRule<readonly Tensor[]> {
  return (g, saved = g) => [() => spec.grad(g, saved)];
}

type Operands = "" | "a" | "b" | "ab";

/** An elementwise function of two operands, with its derivatives for either. The second operand may be a plain number. */
export interface BinarySpec {
  readonly name: string;
  readonly op: BinaryOp;
  /** Whether whole numbers become float32. */
  readonly fractions?: boolean;
  /** The operands that the derivative for either looks at. */
  readonly reads: { readonly gradA: Operands; readonly gradB: Operands };
  readonly gradA: (g: Tensor, a: Tensor, b: Tensor | number) => Tensor;
  readonly gradB: (g: Tensor, a: Tensor, b: Tensor) => Tensor;
}

/** z = f(a, b). */
export function applyBinary(spec: BinarySpec, a: Tensor, b: Tensor | number): Tensor {
  const { name } = spec;
  const kernels = operandKernels(name, a, b);
  [a, b] = [forElementwise(name, a), forElementwise(name, b)];
  const dtype = binaryDtype(spec, a, b);
  const shape = typeof b === "number" ? a.shape : broadcastShapes(name, a.shape, b.shape);
  const out = Tensor.allocate(shape, dtype, a.device, name);
  launch(kernels, spec.op, a, b, out);
  const inputs = typeof b === "number" ? [a] : [a, b];
  return record(name, out, inputs, toSave(a, b, operandsRead(spec, a, b)), binaryRule(spec, a, b));
}

/** a = f(a, b). */
export function changeBinary(spec: BinarySpec, a: Tensor, b: Tensor | number): Tensor {
  const name = `${spec.name}_`;
  const kernels = operandKernels(name, a, b);
  const inputs = typeof b === "number" ? [a] : [a, b];
  checkWritable(name, a);
  checkFits(name, spec, a, b);
  checkInPlace(name, a, inputs);
  // The derivatives want the operands as they were; and no kernel may read through another layout what it overwrites.
  const read = isRecording(inputs) ? operandsRead(spec, a, b) : "";
  const original = read.includes("a") || (b === a && read !== "") ? clone(a) : a;
  const isOverwritten = typeof b !== "number" && a.storage === b.storage && (read.includes("b") || overlaps(a, b));
  const other = b === a ? original : isOverwritten ? clone(b) : b;
  const rule = binaryRule(spec, a, b);
  launch(kernels, spec.op, a, other, a);
  recordInPlace(name, a, inputs, toSave(original, other, read), rule);
  if (original !== a) original.dispose();
  if (typeof other !== "number" && other !== b && other !== original) other.dispose();
  return a;
}

/** The operands that the derivatives look at which somebody will ask for: "ab" is both. */
function operandsRead(spec: BinarySpec, a: Tensor, b: Tensor | number): string {
  return (a.requiresGrad ? spec.reads.gradA : "") + (typeof b !== "number" && b.requiresGrad ? spec.reads.gradB : "");
}

function toSave(a: Tensor, b: Tensor | number, read: string): readonly Tensor[] {
  const [savesA, savesB] = [read.includes("a"), read.includes("b")];
  if (typeof b === "number") return savesA ? [a] : [];
  // The rule knows them by their places; one that it will not look at is stood in for by the other.
  return savesA || savesB ? [savesA ? a : b, savesB ? b : a] : [];
}

/**
 * Checks that an in-place op may write to `x`.
 *
 * @throws ShapeError where several elements of it are one place in memory.
 */
export function checkWritable(name: string, x: Tensor): void {
  if (x.strides.some((stride, axis) => stride === 0 && (x.shape[axis] ?? 0) > 1)) {
    throw new ShapeError(
      `${name}: got an expanded tensor of shape ${formatShape(x.shape)}, in which several elements are one place in memory; ` +
        `expected one place for each. Use .clone() first.`,
    );
  }
}

/** Whether two tensors share storage without having the same layout. */
export function overlaps(a: Tensor, b: Tensor): boolean {
  return (
    a.storage === b.storage &&
    !(a.offset === b.offset && sameShape(a.shape, b.shape) && sameShape(a.strides, b.strides))
  );
}

/** The kernel set of a tensor and an operand that may be a number. */
export function operandKernels(name: string, a: Tensor, b: Tensor | number): KernelSet {
  if (typeof b === "number") return commonKernels(name, a);
  if (!(b instanceof Tensor)) {
    throw new ArgumentError(
      `${name}: got ${String(b)} as the second operand; expected a tensor or a number. Make one with tensor(…).`,
    );
  }
  return commonKernels(name, a, b);
}

/** Hands `use` the tensor in another dtype, and takes the cast copy back afterwards. */
export function withCast(x: Tensor, dtype: DType, use: (operand: Tensor) => void): void {
  if (x.dtype === dtype) {
    use(x);
    return;
  }
  const cast = Tensor.allocate(x.shape, dtype, x.device, "to");
  x.kernels.copy(x, cast);
  use(cast);
  cast.dispose();
}

function fractional(dtype: DType): DType {
  return isFloating(dtype) ? dtype : "float32";
}

const ofBools: readonly BinaryOp[] = ["add", "mul", "maximum", "minimum"];

function binaryDtype(spec: BinarySpec, a: Tensor, b: Tensor | number): DType {
  const dtype = resultType(a, b);
  if (spec.fractions === true) return fractional(dtype);
  // Sums of two bools are "or", products are "and"; other arithmetic is done on whole numbers.
  return dtype === "bool" && !ofBools.includes(spec.op) ? "int32" : dtype;
}

function launch(kernels: KernelSet, op: BinaryOp, a: Tensor, b: Tensor | number, out: Tensor): void {
  const { dtype, shape } = out;
  withCast(a, dtype, (left) => {
    if (typeof b === "number") kernels.binary(op, expanded(left, shape), b, out);
    else withCast(b, dtype, (right) => kernels.binary(op, expanded(left, shape), expanded(right, shape), out));
  });
}

function binaryRule(spec: BinarySpec, a: Tensor, b: Tensor | number): BackwardRule<readonly Tensor[]> {
  const first = { shape: a.shape, dtype: a.dtype };
  if (typeof b === "number") {
    return (g, left = g) => [() => gradFor(first, spec.gradA(g, left, b))];
  }
  const second = { shape: b.shape, dtype: b.dtype };
  return (g, left = g, right = g) => [
    () => gradFor(first, spec.gradA(g, left, right)),
    () => gradFor(second, spec.gradB(g, left, right)),
  ];
}

function checkFits(name: string, spec: BinarySpec, a: Tensor, b: Tensor | number): void {
  const dtype = binaryDtype(spec, a, b);
  if (dtype !== a.dtype) {
    throw new DTypeError(
      `${name}: got a result of ${dtype} for a tensor of ${a.dtype}; expected one that the tensor can hold. Use ${spec.name}, or cast the tensor first.`,
    );
  }
  if (typeof b !== "number" && !sameShape(broadcastShapes(name, a.shape, b.shape), a.shape)) {
    throw new ShapeError(
      `${name}: got shape ${formatShape(b.shape)} to put into ${formatShape(a.shape)}; expected a shape that broadcasts to it. Use ${spec.name}.`,
    );
  }
}
