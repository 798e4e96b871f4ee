/** Elementwise kernels on float32: which of them run in WASM, and how their arrays are cut into rows. */
import type { BinaryOp, CompareOp, KernelSet, Strided, UnaryOp } from "../kernelSet.js";
import type { Loops } from "../reference/index.js";
import { elementCount, isDense } from "../strides.js";
import * as id from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";
import { writeRows } from "./rows.js";

type ElementwiseKernels = Pick<KernelSet, "fill" | "copy" | "unary" | "binary" | "compare" | "where">;

const unaryIds: Record<UnaryOp, number> = {
  abs: id.ABS,
  clamp: id.CLAMP,
  exp: id.EXP,
  leakyRelu: id.LEAKY_RELU,
  log: id.LOG,
  neg: id.NEG,
  relu: id.RELU,
  sigmoid: id.SIGMOID,
  sign: id.SIGN,
  sqrt: id.SQRT,
  square: id.SQUARE,
  tanh: id.TANH,
};

/** `pow` has too many special cases to be worth four lanes. */
const binaryIds: Record<Exclude<BinaryOp, "pow">, number> = {
  add: id.ADD,
  div: id.DIV,
  maximum: id.MAXIMUM,
  minimum: id.MINIMUM,
  mul: id.MUL,
  reluGrad: id.RELU_GRAD,
  sigmoidGrad: id.SIGMOID_GRAD,
  sub: id.SUB,
  tanhGrad: id.TANH_GRAD,
};

const compareIds: Record<CompareOp, number> = { eq: id.EQ, ge: id.GE, gt: id.GT, le: id.LE, lt: id.LT, ne: id.NE };

/** Where numbers among the operands lie, as arrays of one element. */
const NUMBERS = 120;

/** Cost of one element, in simple steps, for the choice of threads. */
const COSTLY: ReadonlySet<UnaryOp> = new Set(["exp", "log", "sigmoid", "tanh"]);

/** An operand of a job: an array, or a number that was put among the arguments. */
type Operand = Strided | number;

export function elementwiseKernels(engine: Engine, fallback: Loops): ElementwiseKernels {
  /**
   * Writes addresses, extents and strides of a job.
   *
   * @returns the number of units, or −1 where there are too many axes
   */
  function layOut(out: Strided, operands: readonly Operand[]): number {
    const { words } = engine;
    words[3] = addressOf(out);
    operands.forEach((operand, slot) => {
      words[5 + 2 * slot] = typeof operand === "number" ? numberAt(slot, operand) : addressOf(operand);
    });
    const count = elementCount(out.shape);
    if (
      isDense(out.shape, out.strides) &&
      operands.every((x) => typeof x === "number" || isDense(x.shape, x.strides))
    ) {
      words[1] = count;
      words[2] = 0;
      words[4] = 1;
      for (let slot = 0; slot < operands.length; slot++)
        words[6 + 2 * slot] = typeof operands[slot] === "number" ? 0 : 1;
      return count;
    }
    const strides = [out, ...operands].map((x) => (typeof x === "number" ? out.shape.map(() => 0) : x.strides));
    const walk = writeRows(words, out.shape, strides);
    if (walk === null) return -1;
    return walk.rows === 1 ? walk.length : walk.rows;
  }

  function numberAt(slot: number, value: number): number {
    engine.fractions[NUMBERS + slot] = value;
    return id.JOB_ARGUMENTS + 4 * (NUMBERS + slot);
  }

  /** Launches a job over rows. False where it must be left to the loops. */
  function run(kernel: number, op: number, out: Strided, operands: readonly Operand[], cost: number): boolean {
    const count = elementCount(out.shape);
    if (count === 0) return true;
    const units = layOut(out, operands);
    if (units < 0) return false;
    engine.words[0] = op;
    // Chunks of a flat job end on whole vectors.
    engine.launch(kernel, units, count * cost, units === count ? 4096 : 1);
    return true;
  }

  const isFloat = (x: Operand): boolean => typeof x === "number" || x.dtype === "float32";

  return {
    fill(out, value) {
      if (out.dtype === "float32" && run(id.UNARY, id.COPY, out, [value], 1)) return;
      fallback.fill(out, value);
    },
    copy(x, out) {
      // Copies of the same 32 bits, whatever they stand for.
      const sameWords = x.dtype === out.dtype && (x.dtype === "float32" || x.dtype === "int32");
      if (sameWords && run(id.UNARY, id.COPY, out, [x], 1)) return;
      fallback.copy(x, out);
    },
    unary(op, x, out, alpha, beta) {
      engine.fractions[12] = alpha;
      engine.fractions[13] = beta;
      const cost = COSTLY.has(op) ? 8 : 1;
      if (x.dtype === "float32" && run(id.UNARY, unaryIds[op], out, [x], cost)) return;
      fallback.unary(op, x, out, alpha, beta);
    },
    binary(op, a, b, out) {
      if (op !== "pow" && out.dtype === "float32" && run(id.BINARY, binaryIds[op], out, [a, b], 1)) return;
      fallback.binary(op, a, b, out);
    },
    compare(op, a, b, out) {
      if (isFloat(a) && isFloat(b) && run(id.COMPARE, compareIds[op], out, [a, b], 1)) return;
      fallback.compare(op, a, b, out);
    },
    where(condition, a, b, out) {
      if (out.dtype === "float32" && run(id.WHERE, 0, out, [a, b, condition], 1)) return;
      fallback.where(condition, a, b, out);
    },
  };
}
