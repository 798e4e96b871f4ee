/** Elementwise kernels on float32: which of them run in WASM, and how their arrays are cut into rows. */
import { holds } from "../comparison.js";
import type { ActivationOp, BinaryOp, CompareOp, DType, KernelSet, Strided, UnaryOp } from "../kernelSet.js";
import type { Loops } from "../reference/index.js";
import { at, elementCount, isDense } from "../strides.js";
import * as id from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";
import { walkAxes, writeOuterAxes, writeRows } from "./rows.js";

type ElementwiseKernels = Pick<
  KernelSet,
  "fill" | "copy" | "unary" | "activationGrad" | "binary" | "compare" | "where"
>;

const activationIds: Record<ActivationOp, number> = {
  elu: id.ELU,
  gelu: id.GELU,
  geluTanh: id.GELU_TANH,
  hardsigmoid: id.HARDSIGMOID,
  hardswish: id.HARDSWISH,
  hardtanh: id.HARDTANH,
  huber: id.HUBER,
  leakyRelu: id.LEAKY_RELU,
  logSigmoid: id.LOG_SIGMOID,
  mish: id.MISH,
  silu: id.SILU,
  softplus: id.SOFTPLUS,
};

/** Products and quotients say the rest with less code. */
const unaryIds: Record<Exclude<UnaryOp, "neg" | "reciprocal" | "square">, number> = {
  ...activationIds,
  abs: id.ABS,
  ceil: id.CEIL,
  clamp: id.CLAMP,
  cos: id.COS,
  erf: id.ERF,
  exp: id.EXP,
  expm1: id.EXPM1,
  floor: id.FLOOR,
  log: id.LOG,
  log1p: id.LOG1P,
  relu: id.RELU,
  round: id.ROUND,
  rsqrt: id.RSQRT,
  sigmoid: id.SIGMOID,
  sign: id.SIGN,
  sin: id.SIN,
  sqrt: id.SQRT,
  tanh: id.TANH,
};

const binaryIds: Record<BinaryOp, number> = {
  add: id.ADD,
  div: id.DIV,
  logitLoss: id.LOGIT_LOSS,
  logitLossGrad: id.LOGIT_LOSS_GRAD,
  maximum: id.MAXIMUM,
  minimum: id.MINIMUM,
  mul: id.MUL,
  pow: id.POW,
  reluGrad: id.RELU_GRAD,
  sigmoidGrad: id.SIGMOID_GRAD,
  sub: id.SUB,
  tanhGrad: id.TANH_GRAD,
};

/** Conversions on the way to or from float32. */
const castIds: Partial<Record<`${DType} to ${DType}`, number>> = {
  "bool to float32": id.BOOL_TO_FLOAT,
  "int32 to float32": id.INT_TO_FLOAT,
  "float32 to int32": id.FLOAT_TO_INT,
  "float32 to bool": id.FLOAT_TO_BOOL,
};

const compareIds: Record<CompareOp, number> = { eq: id.EQ, ge: id.GE, gt: id.GT, le: id.LE, lt: id.LT, ne: id.NE };

/** Least extent of the two axes that a copy by tiles exchanges. */
const SHORTEST_TRANSPOSED = 4;
/** Where numbers among the operands lie, as arrays of one element. */
const NUMBERS = 120;

/** Cost of an element, in the time that a sum of two takes, where it is more; for the choice of threads. */
const costs: Partial<Record<UnaryOp | BinaryOp, number>> = {
  cos: 10,
  elu: 4,
  erf: 8,
  exp: 4,
  expm1: 4,
  gelu: 10,
  geluTanh: 10,
  log: 8,
  log1p: 16,
  logSigmoid: 8,
  logitLoss: 8,
  logitLossGrad: 6,
  mish: 8,
  pow: 40,
  rsqrt: 4,
  sigmoid: 6,
  silu: 6,
  sin: 10,
  softplus: 8,
  tanh: 10,
};
const costOf = (op: UnaryOp | BinaryOp): number => costs[op] ?? 1;

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

  /** False where it must be left to the loops. */
  function unaryOf(op: UnaryOp, x: Strided, out: Strided): boolean {
    switch (op) {
      case "neg":
        return run(id.BINARY, id.MUL, out, [x, -1], 1);
      case "reciprocal":
        return run(id.BINARY, id.DIV, out, [1, x], 1);
      case "square":
        return run(id.BINARY, id.MUL, out, [x, x], 1);
      default:
        return run(id.UNARY, unaryIds[op], out, [x], costOf(op));
    }
  }

  /** Powers that are a multiplication or two, a root or a quotient. False where `exponent` is none of them. */
  function powerByNumber(a: Operand, exponent: number, out: Strided): boolean {
    switch (exponent) {
      case 0.5:
        return run(id.UNARY, id.HALF_POWER, out, [a], 1);
      case 1:
        return run(id.UNARY, id.COPY, out, [a], 1);
      case 2:
        return run(id.BINARY, id.MUL, out, [a, a], 1);
      case 3:
        return run(id.UNARY, id.CUBE, out, [a], 1);
      case -1:
        return run(id.BINARY, id.DIV, out, [1, a], 1);
      default:
        return false;
    }
  }

  /** Copies x where its innermost axis is another one than that of `out`, by tiles. False where that is not so. */
  function transpose(x: Strided, out: Strided): boolean {
    const axes = walkAxes(out.shape, [out.strides, x.strides]);
    const denseIn = (array: number) =>
      axes.find(({ extent, strides }) => strides[array] === 1 && extent >= SHORTEST_TRANSPOSED);
    const [row, column] = [denseIn(0), denseIn(1)];
    if (row === undefined || column === undefined || row === column || row.extent === 0) return false;
    const { words } = engine;
    const places = writeOuterAxes(words, axes.filter((axis) => axis !== row && axis !== column).reverse());
    if (places === null) return false;
    words[3] = addressOf(out);
    words[5] = addressOf(x);
    words.set([row.extent, at(row.strides, 1), column.extent, at(column.strides, 0)], 12);
    const units = places * Math.ceil(column.extent / id.TRANSPOSE_BLOCK);
    engine.launch(id.TRANSPOSE, units, places * row.extent * column.extent);
    return true;
  }

  /** A comparison of dense bools with a number, which is one of four functions. False where it is another. */
  function compareBools(op: CompareOp, x: Operand, value: Operand, isLeft: boolean, out: Strided): boolean {
    if (typeof x === "number" || typeof value !== "number" || x.dtype !== "bool") return false;
    if (!isDense(x.shape, x.strides) || !isDense(out.shape, out.strides)) return false;
    const test = (bool: number): boolean => (isLeft ? holds(op, bool, value) : holds(op, value, bool));
    const whenFalse = test(0);
    engine.words.set([addressOf(x), addressOf(out), whenFalse ? 1 : 0, whenFalse === test(1) ? 0 : 1]);
    const count = elementCount(out.shape);
    engine.launch(id.MAP_BOOLS, count, count / 4, 4096);
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
      if (sameWords && (transpose(x, out) || run(id.UNARY, id.COPY, out, [x], 1))) return;
      const cast = castIds[`${x.dtype} to ${out.dtype}`];
      if (cast !== undefined && run(id.CAST, cast, out, [x], 1)) return;
      fallback.copy(x, out);
    },
    unary(op, x, out, alpha, beta) {
      engine.fractions[12] = alpha;
      engine.fractions[13] = beta;
      if (x.dtype === "float32" && unaryOf(op, x, out)) return;
      fallback.unary(op, x, out, alpha, beta);
    },
    activationGrad(op, outGrad, x, out, alpha, beta) {
      engine.fractions[12] = alpha;
      engine.fractions[13] = beta;
      const isFloat = x.dtype === "float32";
      if (isFloat && run(id.ACTIVATION_GRAD, activationIds[op], out, [outGrad, x], costOf(op))) return;
      fallback.activationGrad(op, outGrad, x, out, alpha, beta);
    },
    binary(op, a, b, out) {
      if (op === "pow" && typeof b === "number" && out.dtype === "float32" && powerByNumber(a, b, out)) return;
      if (out.dtype === "float32" && run(id.BINARY, binaryIds[op], out, [a, b], costOf(op))) return;
      fallback.binary(op, a, b, out);
    },
    compare(op, a, b, out) {
      if (compareBools(op, a, b, true, out) || compareBools(op, b, a, false, out)) return;
      if (isFloat(a) && isFloat(b) && run(id.COMPARE, compareIds[op], out, [a, b], 1)) return;
      fallback.compare(op, a, b, out);
    },
    where(condition, a, b, out) {
      if (out.dtype === "float32" && run(id.WHERE, 0, out, [a, b, condition], 1)) return;
      fallback.where(condition, a, b, out);
    },
  };
}
