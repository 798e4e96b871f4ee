/**
 * A kernel set written straight from the definitions: it visits every index of every sum, one element at a time, and
 * shares no code with the real sets. Slow, and for tests only.
 */
import type {
  ActivationOp,
  AvgPoolGeometry,
  BinaryOp,
  CompareOp,
  ConvGeometry,
  DeviceBuffer,
  DType,
  KernelSet,
  L1Mode,
  ReduceOp,
  Strided,
  TypedArray,
  UnaryOp,
  WindowGeometry,
} from "../../src/kernels/kernelSet.js";
import { indicesOf, placeOf, sizeOf, typedArray } from "./bench.js";

class NaiveBuffer implements DeviceBuffer {
  readonly array: TypedArray;
  constructor(array: TypedArray) {
    this.array = array;
  }
  get byteLength(): number {
    return this.array.byteLength;
  }
}

function arrayOf(buffer: DeviceBuffer): TypedArray {
  if (!(buffer instanceof NaiveBuffer)) throw new Error("not a buffer of the naive set");
  return buffer.array;
}

function get(x: Strided, ...index: number[]): number {
  const value = arrayOf(x.buffer)[placeOf(x, index)];
  if (value === undefined) throw new Error(`[${index}] lies outside the buffer`);
  return value;
}

function set(x: Strided, index: readonly number[], value: number): void {
  const array = arrayOf(x.buffer);
  const place = placeOf(x, index);
  if (place < 0 || place >= array.length) throw new Error(`[${index}] lies outside the buffer`);
  array[place] = value;
}

function add(x: Strided, index: readonly number[], value: number): void {
  set(x, index, get(x, ...index) + value);
}

/** For sums that are rounded once, at the end. */
function accumulate(out: Strided, addTo: (add: (index: readonly number[], value: number) => void) => void): void {
  const sums = new Map<string, number>();
  addTo((index, value) => sums.set(index.join(), (sums.get(index.join()) ?? 0) + value));
  for (const index of indicesOf(out.shape)) set(out, index, sums.get(index.join()) ?? 0);
}

function rectified(value: number): number {
  return value < 0 ? 0 : value;
}

function closeGate(x: Strided, gate: Strided | null): void {
  if (gate === null) return;
  for (const index of indicesOf(x.shape)) if (get(gate, ...index) <= 0) set(x, index, 0);
}

function elementOf(x: Strided | number, index: readonly number[], dtype: DType): number {
  if (typeof x !== "number") return get(x, ...index);
  return typedArray(dtype, [x])[0] ?? 0;
}

function convert(value: number, dtype: DType): number {
  if (dtype === "bool") return value === 0 ? 0 : 1;
  if (dtype !== "int32") return value;
  return Number.isNaN(value) ? 0 : Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), Math.trunc(value)));
}

/** The exact integer, wrapped to 32 bits. */
function wrap(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

/** 2/√π ∫₀ˣ exp(−t²) dt by Simpson's rule. */
function errorIntegral(x: number): number {
  const steps = 2000;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const factor = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += factor * Math.exp(-(((i / steps) * x) ** 2));
  }
  return (2 / Math.sqrt(Math.PI)) * sum * (x / steps / 3);
}

type Curve = (x: number, alpha: number, beta: number) => number;

/** The distribution function of the normal distribution. */
function normal(x: number): number {
  return Math.abs(x) > 9 ? Number(x > 0) : Number.isNaN(x) ? x : (1 + errorIntegral(x / Math.SQRT2)) / 2;
}

/** What tanh is taken of in the approximation of gelu. */
const cubic = (x: number): number => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
const logistic = (x: number): number => 0.5 + 0.5 * Math.tanh(x / 2);
/** log(1 + eˣ) */
const softened = (x: number): number => (x > 30 ? x : Math.log1p(Math.exp(x)));

const activations: Record<ActivationOp, Curve> = {
  elu: (x, alpha) => (x >= 0 ? x : alpha * (Math.exp(x) - 1)),
  gelu: (x) => x * normal(x),
  geluTanh: (x) => x * logistic(2 * cubic(x)),
  hardsigmoid: (x) => (x < -3 ? 0 : x > 3 ? 1 : (x + 3) / 6),
  hardswish: (x) => x * (x < -3 ? 0 : x > 3 ? 1 : (x + 3) / 6),
  hardtanh: (x, alpha, beta) => (x < alpha ? alpha : x > beta ? beta : x),
  huber: (x, alpha) => (Math.abs(x) > alpha ? alpha * (Math.abs(x) - alpha / 2) : x ** 2 / 2),
  leakyRelu: (x, alpha) => (x >= 0 ? x : alpha * x),
  logSigmoid: (x) => (x < -30 ? x : -Math.log1p(Math.exp(-x))),
  mish: (x) => x * Math.tanh(softened(x)),
  silu: (x) => x / (1 + Math.exp(-x)),
  softplus: (x, alpha, beta) => (x * alpha > beta ? x : softened(x * alpha) / alpha),
};

const slopes: Record<ActivationOp, Curve> = {
  elu: (x, alpha) => (x > 0 ? 1 : alpha * Math.exp(x)),
  gelu: (x) => normal(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
  geluTanh: (x) => {
    const share = logistic(2 * cubic(x));
    return share + 2 * x * share * (1 - share) * Math.sqrt(2 / Math.PI) * (1 + 0.134145 * x * x);
  },
  hardsigmoid: (x) => (Math.abs(x) < 3 ? 1 / 6 : 0),
  hardswish: (x) => (x <= -3 ? 0 : Math.abs(x) < 3 ? (2 * x + 3) / 6 : 1),
  hardtanh: (x, alpha, beta) => (alpha < x && x < beta ? 1 : 0),
  huber: (x, alpha) => (Math.abs(x) > alpha ? alpha * Math.sign(x) : x),
  leakyRelu: (x, alpha) => (x > 0 ? 1 : alpha),
  logSigmoid: (x) => 1 - logistic(x),
  mish: (x) => {
    const t = Math.tanh(softened(x));
    return t + x * (1 - t * t) * logistic(x);
  },
  silu: (x) => logistic(x) + x * logistic(x) * (1 - logistic(x)),
  softplus: (x, alpha, beta) => (x * alpha > beta ? 1 : logistic(x * alpha)),
};

const unaryFunctions: Record<UnaryOp, Curve> = {
  ...activations,
  abs: Math.abs,
  ceil: (x) => -Math.floor(-x),
  clamp: (x, alpha, beta) => {
    if (Number.isNaN(x)) return x;
    const raised = x < alpha ? alpha : x;
    return raised > beta ? beta : raised;
  },
  cos: Math.cos,
  erf: (x) => (Number.isNaN(x) ? x : errorIntegral(Math.max(-7, Math.min(7, x)))),
  exp: Math.exp,
  expm1: Math.expm1,
  floor: (x) => (Number.isFinite(x) ? x - (((x % 1) + 1) % 1) : x),
  log: Math.log,
  log1p: Math.log1p,
  neg: (x) => 0 - x,
  reciprocal: (x) => x ** -1,
  relu: (x) => (x <= 0 ? 0 : x),
  round: (x) =>
    Math.abs(x % 2) === 0.5 ? Math.trunc(x) : Math.abs(x % 2) === 1.5 ? x + Math.sign(x) / 2 : Math.round(x),
  rsqrt: (x) => Math.sqrt(1 / Math.abs(x)) * (x < 0 ? Number.NaN : 1),
  sigmoid: (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x))),
  sign: (x) => Number(x > 0) - Number(x < 0),
  sin: Math.sin,
  sqrt: Math.sqrt,
  square: (x) => x ** 2,
  tanh: Math.tanh,
};

const binaryFunctions: Record<BinaryOp, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  div: (a, b) => a / b,
  maximum: (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : a > b ? a : b),
  minimum: (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : a < b ? a : b),
  mul: (a, b) => a * b,
  pow: (a, b) => {
    if (b === 0 || a === 1) return 1;
    if (a === -1 && !Number.isFinite(b) && !Number.isNaN(b)) return 1;
    return a ** b;
  },
  reluGrad: (a, b) => (b <= 0 ? 0 : a),
  sigmoidGrad: (a, b) => a * b * (1 - b),
  sub: (a, b) => a - b,
  logitLoss: (x, t) => softened(-Math.abs(x)) + (x > 0 ? x * (1 - t) : -x * t),
  logitLossGrad: (x, t) => (x > 0 ? 1 - t - logistic(-x) : logistic(x) - t),
  tanhGrad: (a, b) => a * (1 - b * b),
};

const integerFunctions: Partial<Record<BinaryOp, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  pow: (a, b) => a ** b,
  sub: (a, b) => a - b,
};

const compareFunctions: Record<CompareOp, (a: number, b: number) => boolean> = {
  eq: (a, b) => a === b,
  ge: (a, b) => a >= b,
  gt: (a, b) => a > b,
  le: (a, b) => a <= b,
  lt: (a, b) => a < b,
  ne: (a, b) => a !== b,
};

function reduceValues(op: ReduceOp, values: readonly number[]): number {
  if (op === "sum") return values.reduce((sum, value) => sum + value, 0);
  if (op === "sumSquares") return values.reduce((sum, value) => sum + value * value, 0);
  if (op === "prod") return values.reduce((product, value) => product * value, 1);
  if (values.some(Number.isNaN)) return Number.NaN;
  return op === "amax" ? Math.max(...values) : Math.min(...values);
}

/** Input place (y, x) of a window's tap, or null where it is in padding. */
function tapPlace(g: WindowGeometry, y: number, x: number, ky: number, kx: number): [number, number] | null {
  const inY = y * g.strideHeight + ky * g.dilationHeight - g.padTop;
  const inX = x * g.strideWidth + kx * g.dilationWidth - g.padLeft;
  return inY >= 0 && inY < g.inHeight && inX >= 0 && inX < g.inWidth ? [inY, inX] : null;
}

/** Calls `visit` for every output place and tap of a window that reads the input, and where it reads it. */
function eachTap(
  g: WindowGeometry,
  visit: (y: number, x: number, ky: number, kx: number, inY: number, inX: number) => void,
): void {
  for (let y = 0; y < g.outHeight; y += 1) {
    for (let x = 0; x < g.outWidth; x += 1) {
      for (let ky = 0; ky < g.kernelHeight; ky += 1) {
        for (let kx = 0; kx < g.kernelWidth; kx += 1) {
          const place = tapPlace(g, y, x, ky, kx);
          if (place !== null) visit(y, x, ky, kx, place[0], place[1]);
        }
      }
    }
  }
}

/** The same for every image, filter and channel of a convolution; `c` counts within the filter's group. */
function eachProduct(
  g: ConvGeometry,
  visit: (n: number, o: number, c: number, inC: number, ...tap: Parameters<Parameters<typeof eachTap>[1]>) => void,
): void {
  const perGroup = g.channels / g.groups;
  for (let n = 0; n < g.batch; n += 1) {
    for (let o = 0; o < g.outChannels; o += 1) {
      const group = Math.floor(o / (g.outChannels / g.groups));
      for (let c = 0; c < perGroup; c += 1) eachTap(g, (...tap) => visit(n, o, c, group * perGroup + c, ...tap));
    }
  }
}

function averageDivisor(g: AvgPoolGeometry, y: number, x: number): number {
  if (g.divisorOverride !== null) return g.divisorOverride;
  const [bottom, right] = g.countIncludePad ? [g.padBottom, g.padRight] : [0, 0];
  let count = 0;
  for (let ky = 0; ky < g.kernelHeight; ky += 1) {
    for (let kx = 0; kx < g.kernelWidth; kx += 1) {
      const inY = y * g.strideHeight + ky * g.dilationHeight - g.padTop;
      const inX = x * g.strideWidth + kx * g.dilationWidth - g.padLeft;
      const behindEdge = g.countIncludePad || (inY >= 0 && inX >= 0);
      if (behindEdge && inY < g.inHeight + bottom && inX < g.inWidth + right) count += 1;
    }
  }
  return count;
}

/** Places of the last axis, for each index of the others. */
function rowsOf(x: Strided): number[][][] {
  const classes = x.shape.at(-1) ?? 1;
  return [...indicesOf(x.shape.slice(0, -1))].map((row) => Array.from({ length: classes }, (_, i) => [...row, i]));
}

function channelIndices(x: Strided, c: number): number[][] {
  return [...indicesOf(x.shape)].filter((index) => index[1] === c);
}

function afterStep(w: number, lr: number, l1: number, mode: L1Mode): number {
  return mode === "proximal" && l1 > 0 ? Math.sign(w) * Math.max(Math.abs(w) - lr * l1, 0) : w;
}

/** Calls `visit` with the sample, the group and the indices of each group of channels of x [N, C, L]. */
function forEachGroup(
  x: Strided,
  groups: number,
  visit: (n: number, group: number, indices: number[][]) => void,
): void {
  const [batch = 0, channels = 0] = x.shape;
  for (let n = 0; n < batch; n += 1) {
    for (let group = 0; group < groups; group += 1) {
      const isIn = ([sample, c = 0]: number[]) => sample === n && Math.floor((c * groups) / channels) === group;
      visit(n, group, [...indicesOf(x.shape)].filter(isIn));
    }
  }
}

export function createNaiveKernels(): KernelSet {
  return {
    name: "naive",
    supports: () => true,
    alloc: (dtype, length) => new NaiveBuffer(typedArray(dtype, new Array<number>(length).fill(0))),
    free: () => {},
    write: (buffer, _dtype, offset, data) => arrayOf(buffer).set(data, offset),
    read: async (buffer, _dtype, offset, length) => arrayOf(buffer).slice(offset, offset + length),
    readSync: null,

    fill(out, value) {
      for (const index of indicesOf(out.shape)) set(out, index, convert(value, out.dtype));
    },
    copy(x, out) {
      for (const index of indicesOf(out.shape)) set(out, index, convert(get(x, ...index), out.dtype));
    },
    unary(op, x, out, alpha, beta) {
      for (const index of indicesOf(out.shape)) {
        const value = get(x, ...index);
        if (out.dtype === "int32" && (op === "square" || op === "neg" || op === "abs")) {
          const exact = BigInt(value);
          set(out, index, wrap(op === "square" ? exact * exact : op === "neg" || exact < 0n ? -exact : exact));
        } else {
          set(out, index, unaryFunctions[op](value, alpha, beta));
        }
      }
    },
    activationGrad(op, outGrad, x, out, alpha, beta) {
      for (const index of indicesOf(out.shape)) {
        set(out, index, get(outGrad, ...index) * slopes[op](get(x, ...index), alpha, beta));
      }
    },
    binary(op, a, b, out) {
      const exact = out.dtype === "int32" ? integerFunctions[op] : undefined;
      for (const index of indicesOf(out.shape)) {
        const left = elementOf(a, index, out.dtype);
        const right = elementOf(b, index, out.dtype);
        if (exact !== undefined) set(out, index, wrap(exact(BigInt(left), BigInt(right))));
        else
          set(
            out,
            index,
            Math.min(binaryFunctions[op](left, right), out.dtype === "bool" ? 1 : Number.POSITIVE_INFINITY),
          );
      }
    },
    compare(op, a, b, out) {
      const dtype = typeof a === "number" ? (typeof b === "number" ? "float64" : b.dtype) : a.dtype;
      const numberType = dtype === "float32" ? "float32" : "float64";
      for (const index of indicesOf(out.shape)) {
        const holds = compareFunctions[op](elementOf(a, index, numberType), elementOf(b, index, numberType));
        set(out, index, holds ? 1 : 0);
      }
    },
    where(condition, a, b, out) {
      for (const index of indicesOf(out.shape)) {
        set(out, index, elementOf(get(condition, ...index) === 1 ? a : b, index, out.dtype));
      }
    },

    reduce(op, x, out) {
      const parts = new Map<string, number[]>();
      for (const index of indicesOf(x.shape)) {
        const target = index.map((i, axis) => (out.shape[axis] === 1 ? 0 : i)).join();
        const values = parts.get(target);
        if (values === undefined) parts.set(target, [get(x, ...index)]);
        else values.push(get(x, ...index));
      }
      for (const index of indicesOf(out.shape)) {
        const values = parts.get(index.join()) ?? [];
        const wraps = op === "prod" && out.dtype === "int32";
        set(out, index, wraps ? values.reduce(Math.imul, 1) : reduceValues(op, values));
      }
    },
    argReduce(op, x, axis, out) {
      for (const index of indicesOf(out.shape)) {
        const values = Array.from({ length: x.shape[axis] ?? 0 }, (_, i) => get(x, ...index.with(axis, i)));
        const extreme = reduceValues(op, values);
        set(
          out,
          index,
          values.findIndex((value) => value === extreme || (Number.isNaN(extreme) && Number.isNaN(value))),
        );
      }
    },

    gather(x, axis, index, out) {
      for (const place of indicesOf(out.shape)) set(out, place, get(x, ...place.with(axis, get(index, ...place))));
    },
    cumsum(x, axis, backwards, out) {
      for (const index of indicesOf(x.shape)) {
        const place = index[axis] ?? 0;
        let sum = 0;
        for (let i = 0; i < (x.shape[axis] ?? 1); i++) {
          if (backwards ? i >= place : i <= place) sum += get(x, ...index.with(axis, i));
        }
        set(out, index, sum);
      }
    },

    argSort(x, descending, out) {
      const rank = (value: number): number => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value);
      for (const place of indicesOf(x.shape.slice(0, -1))) {
        const keys = Array.from({ length: x.shape.at(-1) ?? 1 }, (_, i) => get(x, ...place, i));
        const later = (a: number, b: number): boolean => {
          const [left, right] = [keys[a] ?? 0, keys[b] ?? 0];
          if (Number.isNaN(left) !== Number.isNaN(right)) return Number.isNaN(left) !== descending;
          if (rank(left) !== rank(right)) return rank(left) > rank(right) !== descending;
          return a > b;
        };
        keys.forEach((_, own) => {
          const spot = keys.filter((_, other) => other !== own && later(own, other)).length;
          if (spot < (out.shape.at(-1) ?? 1)) set(out, [...place, spot], own);
        });
      }
    },

    scatter(x, axis, index, out) {
      for (const place of indicesOf(x.shape)) set(out, place.with(axis, get(index, ...place)), get(x, ...place));
    },

    scatterAdd(x, axis, index, out) {
      for (const place of indicesOf(x.shape)) {
        const target = place.with(axis, get(index, ...place));
        if (out.dtype === "bool") set(out, target, get(x, ...place) === 1 ? 1 : get(out, ...target));
        else add(out, target, get(x, ...place));
      }
    },

    matmul(a, b, bias, out) {
      const depth = a.shape.at(-1) ?? 0;
      for (const index of indicesOf(out.shape)) {
        const batch = index.slice(0, -2);
        const [m = 0, n = 0] = index.slice(-2);
        const pairs = Array.from(
          { length: depth },
          (_, k) => [get(a, ...batch, m, k), get(b, ...batch, k, n)] as const,
        );
        const start = bias === null ? 0 : get(bias, ...index);
        const exact = () => pairs.reduce((sum, [p, q]) => sum + BigInt(p) * BigInt(q), BigInt(start));
        if (out.dtype === "int32") set(out, index, wrap(exact()));
        else set(out, index, start + pairs.reduce((sum, [p, q]) => sum + p * q, 0));
      }
    },

    conv2d(x, weight, bias, out, g, relu = false) {
      accumulate(out, (addTo) => {
        for (const index of indicesOf(out.shape)) addTo(index, bias === null ? 0 : get(bias, index[1] ?? 0));
        eachProduct(g, (n, o, c, inC, y, xx, ky, kx, inY, inX) => {
          addTo([n, o, y, xx], get(x, n, inC, inY, inX) * get(weight, o, c, ky, kx));
        });
      });
      if (relu) for (const index of indicesOf(out.shape)) set(out, index, rectified(get(out, ...index)));
    },
    conv2dInputGrad(outGrad, weight, bias, xGrad, g, gate = null) {
      accumulate(xGrad, (addTo) => {
        for (const index of indicesOf(xGrad.shape)) addTo(index, bias === null ? 0 : get(bias, index[1] ?? 0));
        eachProduct(g, (n, o, c, inC, y, xx, ky, kx, inY, inX) => {
          addTo([n, inC, inY, inX], get(outGrad, n, o, y, xx) * get(weight, o, c, ky, kx));
        });
      });
      closeGate(xGrad, gate);
    },
    conv2dWeightGrad(outGrad, x, weightGrad, g, biasGrad = null) {
      accumulate(weightGrad, (addTo) => {
        eachProduct(g, (n, o, c, inC, y, xx, ky, kx, inY, inX) => {
          addTo([o, c, ky, kx], get(outGrad, n, o, y, xx) * get(x, n, inC, inY, inX));
        });
      });
      if (biasGrad === null) return;
      accumulate(biasGrad, (addTo) => {
        for (const index of indicesOf(outGrad.shape)) addTo([index[1] ?? 0], get(outGrad, ...index));
      });
    },

    unfold(x, columns, g) {
      for (const [n = 0, row = 0, place = 0] of indicesOf(columns.shape)) {
        const kx = row % g.kernelWidth;
        const ky = Math.floor(row / g.kernelWidth) % g.kernelHeight;
        const c = Math.floor(row / (g.kernelWidth * g.kernelHeight));
        const at = tapPlace(g, Math.floor(place / g.outWidth), place % g.outWidth, ky, kx);
        set(columns, [n, row, place], at === null ? 0 : get(x, n, c, ...at));
      }
    },
    fold(columns, out, g) {
      accumulate(out, (addTo) => {
        for (let n = 0; n < g.batch; n += 1) {
          for (let c = 0; c < g.channels; c += 1) {
            eachTap(g, (y, x, ky, kx, inY, inX) => {
              const row = (c * g.kernelHeight + ky) * g.kernelWidth + kx;
              addTo([n, c, inY, inX], get(columns, n, row, y * g.outWidth + x));
            });
          }
        }
      });
    },

    maxPool2d(x, out, indices, g) {
      for (const index of indicesOf(out.shape)) {
        const [n = 0, c = 0, y = 0, xx = 0] = index;
        const taps: { value: number; place: number }[] = [];
        for (let ky = 0; ky < g.kernelHeight; ky += 1) {
          for (let kx = 0; kx < g.kernelWidth; kx += 1) {
            const at = tapPlace(g, y, xx, ky, kx);
            if (at !== null) taps.push({ value: get(x, n, c, ...at), place: at[0] * g.inWidth + at[1] });
          }
        }
        const extreme = reduceValues(
          "amax",
          taps.map((tap) => tap.value),
        );
        const winner = Number.isNaN(extreme)
          ? taps.filter(({ value }) => Number.isNaN(value)).at(-1)
          : taps.find(({ value }) => value === extreme);
        set(out, index, extreme);
        set(indices, index, winner?.place ?? -1);
      }
    },
    maxPool2dGrad(outGrad, indices, xGrad, g, gate = null) {
      accumulate(xGrad, (addTo) => {
        for (const [n = 0, c = 0, y = 0, x = 0] of indicesOf(outGrad.shape)) {
          if (gate !== null && get(gate, n, c, y, x) <= 0) continue;
          const place = get(indices, n, c, y, x);
          addTo([n, c, Math.floor(place / g.inWidth), place % g.inWidth], get(outGrad, n, c, y, x));
        }
      });
    },
    avgPool2d(x, out, g) {
      accumulate(out, (addTo) => {
        for (let n = 0; n < g.batch; n += 1) {
          for (let c = 0; c < g.channels; c += 1) {
            eachTap(g, (y, xx, _ky, _kx, inY, inX) => {
              addTo([n, c, y, xx], get(x, n, c, inY, inX) / averageDivisor(g, y, xx));
            });
          }
        }
      });
    },
    avgPool2dGrad(outGrad, xGrad, g) {
      accumulate(xGrad, (addTo) => {
        for (let n = 0; n < g.batch; n += 1) {
          for (let c = 0; c < g.channels; c += 1) {
            eachTap(g, (y, xx, _ky, _kx, inY, inX) => {
              addTo([n, c, inY, inX], get(outGrad, n, c, y, xx) / averageDivisor(g, y, xx));
            });
          }
        }
      });
    },

    softmax(x, out, logarithm) {
      for (const row of rowsOf(x)) {
        const values = row.map((index) => get(x, ...index));
        const largest = reduceValues("amax", values);
        const sum = values.reduce((total, value) => total + Math.exp(value - largest), 0);
        row.forEach((index, i) => {
          const shifted = (values[i] ?? 0) - largest;
          set(out, index, logarithm ? shifted - Math.log(sum) : Math.exp(shifted) / sum);
        });
      }
    },
    softmaxGrad(outGrad, y, xGrad, logarithm) {
      // The whole Jacobian: ∂yᵢ/∂xⱼ = yᵢ·(δᵢⱼ − yⱼ), or δᵢⱼ − exp(yⱼ) for the logarithm.
      for (const row of rowsOf(y)) {
        row.forEach((target, j) => {
          const terms = row.map((index, i) => {
            const [yi, yj, same] = [get(y, ...index), get(y, ...target), i === j ? 1 : 0];
            return get(outGrad, ...index) * (logarithm ? same - Math.exp(yj) : yi * (same - yj));
          });
          set(
            xGrad,
            target,
            terms.reduce((sum, term) => sum + term, 0),
          );
        });
      }
    },

    channelStats(x, mean, variance) {
      for (let c = 0; c < sizeOf(mean.shape); c += 1) {
        const values = channelIndices(x, c).map((index) => get(x, ...index));
        const average = reduceValues("sum", values) / values.length;
        set(mean, [c], average);
        set(
          variance,
          [c],
          reduceValues(
            "sum",
            values.map((value) => (value - average) ** 2),
          ) / values.length,
        );
      }
    },
    batchNorm(x, mean, variance, weight, bias, eps, out, relu = false) {
      for (const index of indicesOf(x.shape)) {
        const c = index[1] ?? 0;
        const normalised = (get(x, ...index) - get(mean, c)) / Math.sqrt(get(variance, c) + eps);
        const y = normalised * (weight === null ? 1 : get(weight, c)) + (bias === null ? 0 : get(bias, c));
        set(out, index, relu ? rectified(y) : y);
      }
    },
    batchNormGrad(outGrad, x, mean, variance, weight, eps, training, xGrad, weightGrad, biasGrad) {
      for (let c = 0; c < sizeOf(mean.shape); c += 1) {
        const indices = channelIndices(x, c);
        const deviation = Math.sqrt(get(variance, c) + eps);
        const normalised = (index: number[]) => (get(x, ...index) - get(mean, c)) / deviation;
        const gamma = weight === null ? 1 : get(weight, c);
        const sum = reduceValues(
          "sum",
          indices.map((index) => get(outGrad, ...index)),
        );
        const product = reduceValues(
          "sum",
          indices.map((index) => get(outGrad, ...index) * normalised(index)),
        );
        set(weightGrad, [c], product);
        set(biasGrad, [c], sum);
        for (const index of indices) {
          // Ioffe and Szegedy (2015): through the mean and through the variance, each of which depends on every element.
          const throughStats = training ? (sum + normalised(index) * product) / indices.length : 0;
          set(xGrad, index, (gamma / deviation) * (get(outGrad, ...index) - throughStats));
        }
      }
    },

    groupNorm(x, groups, weight, bias, eps, out, mean, variance) {
      forEachGroup(x, groups, (n, group, indices) => {
        const values = indices.map((index) => get(x, ...index));
        const average = reduceValues("sum", values) / values.length;
        const squares = values.map((value) => (value - average) ** 2);
        const spread = reduceValues("sum", squares) / values.length;
        set(mean, [n, group], average);
        set(variance, [n, group], spread);
        for (const index of indices) {
          const [, c = 0] = index;
          const normalised = (get(x, ...index) - average) / Math.sqrt(spread + eps);
          set(out, index, normalised * (weight === null ? 1 : get(weight, c)) + (bias === null ? 0 : get(bias, c)));
        }
      });
    },
    groupNormGrad(outGrad, x, mean, variance, groups, weight, eps, xGrad, weightGrad, biasGrad) {
      const [products, sums] = [0, 1].map(() => new Array<number>(sizeOf(weightGrad.shape)).fill(0)) as [
        number[],
        number[],
      ];
      forEachGroup(x, groups, (n, group, indices) => {
        const deviation = Math.sqrt(get(variance, n, group) + eps);
        const terms = indices.map((index) => {
          const [, c = 0] = index;
          const g = get(outGrad, ...index);
          const normalised = (get(x, ...index) - get(mean, n, group)) / deviation;
          products[c] = (products[c] ?? 0) + g * normalised;
          sums[c] = (sums[c] ?? 0) + g;
          return { index, slope: g * (weight === null ? 1 : get(weight, c)), normalised };
        });
        const shift = reduceValues(
          "sum",
          terms.map(({ slope }) => slope),
        );
        const along = reduceValues(
          "sum",
          terms.map(({ slope, normalised }) => slope * normalised),
        );
        for (const { index, slope, normalised } of terms) {
          set(xGrad, index, (slope - (shift + normalised * along) / terms.length) / deviation);
        }
      });
      products.forEach((product, c) => {
        set(weightGrad, [c], product);
        set(biasGrad, [c], sums[c] ?? 0);
      });
    },

    sgdStep(parameter, grad, momentumBuffer, hyper) {
      for (const index of indicesOf(parameter.shape)) {
        const w = get(parameter, ...index);
        let g = hyper.maximize ? -get(grad, ...index) : get(grad, ...index);
        if (hyper.l1Mode === "subgradient") g += hyper.l1 * Math.sign(w);
        g += hyper.weightDecay * w;
        if (momentumBuffer !== null) {
          let velocity = g;
          if (!hyper.firstStep) velocity = hyper.momentum * get(momentumBuffer, ...index) + (1 - hyper.dampening) * g;
          set(momentumBuffer, index, velocity);
          g = hyper.nesterov ? g + hyper.momentum * velocity : velocity;
        }
        set(parameter, index, afterStep(w - hyper.lr * g, hyper.lr, hyper.l1, hyper.l1Mode));
      }
    },
    adamStep(parameter, grad, m, v, vMax, hyper) {
      for (const index of indicesOf(parameter.shape)) {
        let w = get(parameter, ...index);
        let g = hyper.maximize ? -get(grad, ...index) : get(grad, ...index);
        if (hyper.l1Mode === "subgradient") g += hyper.l1 * Math.sign(w);
        if (hyper.decoupled) w -= hyper.lr * hyper.weightDecay * w;
        else g += hyper.weightDecay * w;
        const mean = hyper.beta1 * get(m, ...index) + (1 - hyper.beta1) * g;
        const square = hyper.beta2 * get(v, ...index) + (1 - hyper.beta2) * g ** 2;
        set(m, index, mean);
        set(v, index, square);
        if (vMax !== null) set(vMax, index, Math.max(get(vMax, ...index), square));
        const unbiasedMean = mean / (1 - hyper.beta1 ** hyper.step);
        const unbiasedSquare = (vMax === null ? square : get(vMax, ...index)) / (1 - hyper.beta2 ** hyper.step);
        w -= (hyper.lr * unbiasedMean) / (Math.sqrt(unbiasedSquare) + hyper.eps);
        set(parameter, index, afterStep(w, hyper.lr, hyper.l1, hyper.l1Mode));
      }
    },
  };
}
