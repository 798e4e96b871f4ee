/** Matrix products in float32. */
import type { KernelSet, Strided } from "../kernelSet.js";
import type { Loops } from "../reference/index.js";
import { forEachRow, type Lane, lane } from "../reference/rows.js";
import { at, denseStrides } from "../strides.js";
import {
  GEMM_SCRATCH_BYTES,
  GROUP_COLUMNS,
  PACK_FROM_COLUMNS,
  PACK_FROM_DEPTH,
  TILE_ROWS,
} from "./assembly/gemmSizes.js";
import { MULTIPLY_BATCH, MULTIPLY_BLOCKS, PACK_ROWS } from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";

/** One operand: where it is, and the bytes from row to row, from column to column and from product to product. */
interface Matrix {
  readonly address: number;
  readonly row: number;
  readonly column: number;
  readonly step: number;
}

/** out = a · b + bias, `batch` times. The columns of out lie side by side. */
interface Product {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly batch: number;
  readonly a: Matrix;
  readonly b: Matrix;
  readonly bias: Matrix;
  readonly out: Matrix;
}

/** The bias where there is none: kernels know it by its address. */
const NOTHING: Matrix = { address: 0, row: 0, column: 0, step: 0 };
/** What a walk over addresses walks over. */
const NO_ARRAY = new Float32Array(0);

/** Multiplications in one of the steps that `Engine.launch` counts in. */
const PER_STEP = 16;
/** Products below this many multiplications are not worth sharing one by one: a batch of them is. */
const SMALL = 2 ** 20;
/** Most bytes of a that are packed at a time. */
const PACKED_BYTES = 2 ** 23;
/**
 * Blocks for each thread, so that the last ones weigh little: twice as many where each would take some tenths of a millisecond. And
 * the least rows of a block, for which b is packed anew.
 */
const BLOCKS_PER_THREAD = 8;
const LONG_BLOCK = 400_000;
const LEAST_ROWS = 2 * TILE_ROWS;

export function matmulKernels(engine: Engine, fallback: Loops): Pick<KernelSet, "matmul"> {
  /** The road, by shape alone: a batch shares its products among the threads, a large product its blocks. */
  function multiply(product: Product): void {
    const { rows, columns, depth, batch } = product;
    const isSmall = rows * columns * depth < SMALL;
    if (batch > 1 ? isSmall || batch >= 4 * engine.threads : isSmall || engine.threads === 1) multiplyBatch(product);
    else for (let i = 0; i < batch; i++) multiplyOne(product, i);
  }

  /** Each product on one thread. */
  function multiplyBatch({ rows, columns, depth, batch, a, b, bias, out }: Product): void {
    engine.withScratch(engine.threads * GEMM_SCRATCH_BYTES, (scratch) => {
      engine.put(0, [a.address, a.step, a.row, a.column, b.address, b.step, b.row, b.column]);
      engine.put(8, [bias.address, bias.step, bias.row, bias.column, out.address, out.step, out.row]);
      engine.put(15, [rows, columns, depth, scratch]);
      engine.launch(MULTIPLY_BATCH, batch, cost(batch * rows, columns, depth));
    });
  }

  /** Product number `index`, all threads on it. */
  function multiplyOne({ rows, columns, depth, a, b, bias, out }: Product, index: number): void {
    const isPacked = a.column !== 4 && columns > PACK_FROM_COLUMNS && depth > PACK_FROM_DEPTH;
    const panel = isPacked ? 4 * TILE_ROWS * depth : 0;
    const mostRows = isPacked ? Math.max(Math.floor(PACKED_BYTES / panel), 1) * TILE_ROWS : rows;
    const left = Math.min(mostRows, rows);
    const scratchBytes = engine.threads * GEMM_SCRATCH_BYTES;
    engine.withScratch(scratchBytes + Math.ceil(left / TILE_ROWS) * panel, (scratch) => {
      const packed = scratch + scratchBytes;
      for (let row = 0; row < rows; row += mostRows) {
        const height = Math.min(mostRows, rows - row);
        const from = a.address + index * a.step + row * a.row;
        if (isPacked) {
          engine.put(0, [from, a.row, a.column, height, depth, packed]);
          engine.launch(PACK_ROWS, Math.ceil(height / TILE_ROWS), height * depth, 4);
        }
        const [down, across] = blocks(height, columns, depth);
        engine.put(0, [isPacked ? packed : from, panel, a.row, a.column]);
        engine.put(4, [b.address + index * b.step, b.row, b.column]);
        engine.put(7, [bias.address + index * bias.step + row * bias.row, bias.row, bias.column]);
        engine.put(10, [out.address + index * out.step + row * out.row, out.row]);
        engine.put(12, [height, columns, depth, down, across, scratch]);
        const units = Math.ceil(height / down) * Math.ceil(columns / across);
        engine.launch(MULTIPLY_BLOCKS, units, cost(height, columns, depth));
      }
    });
  }

  /** Rows and columns of the blocks that threads claim. Columns are cut first: each of their groups is packed once. */
  function blocks(rows: number, columns: number, depth: number): [number, number] {
    const few = engine.threads * BLOCKS_PER_THREAD;
    const wanted = cost(rows, columns, depth) > few * LONG_BLOCK ? 2 * few : few;
    const across = roundUp(columns / wanted, GROUP_COLUMNS);
    const missing = Math.max(1, wanted / Math.ceil(columns / across) / 2);
    return [roundUp(Math.max(rows / missing, LEAST_ROWS), TILE_ROWS), across];
  }

  return {
    matmul(a, b, bias, out) {
      if (out.dtype !== "float32") return fallback.matmul(a, b, bias, out);
      const rank = out.shape.length;
      const rows = at(out.shape, rank - 2);
      const columns = at(out.shape, rank - 1);
      const depth = at(a.shape, rank - 1);
      if (rows === 0 || columns === 0) return;
      const one: Product = {
        rows,
        columns,
        depth,
        batch: 1,
        a: matrixOf(a, a.strides),
        b: matrixOf(b, b.strides),
        bias: bias === null ? NOTHING : matrixOf(bias, bias.strides),
        out: { address: addressOf(out), row: 4 * columns, column: 4, step: 0 },
      };
      if (rank === 2) multiply(one);
      else forEachBatch(one, a, b, bias, out, multiply);
    },
  };
}

function cost(rows: number, columns: number, depth: number): number {
  return (rows * columns * (depth + 4)) / PER_STEP;
}

function matrixOf(x: Strided, strides: readonly number[]): Matrix {
  const rank = strides.length;
  return { address: addressOf(x), row: 4 * at(strides, rank - 2), column: 4 * at(strides, rank - 1), step: 0 };
}

/** Calls `multiply` for each run of products whose operands lie at even distances. */
function forEachBatch(
  one: Product,
  a: Strided,
  b: Strided,
  bias: Strided | null,
  out: Strided,
  multiply: (product: Product) => void,
): void {
  const walk = (x: Strided, strides: readonly number[]): Lane => lane(NO_ARRAY, addressOf(x) / 4, strides.slice(0, -2));
  const left = walk(a, a.strides);
  const right = walk(b, b.strides);
  const target = walk(out, denseStrides(out.shape));
  const added = bias === null ? null : walk(bias, bias.strides);
  const lanes = added === null ? [left, right, target] : [left, right, target, added];
  const there = (matrix: Matrix, way: Lane): Matrix => ({ ...matrix, address: 4 * way.start, step: 4 * way.step });
  forEachRow(out.shape.slice(0, -2), lanes, (batch) => {
    multiply(
      asOneMatrix({
        ...one,
        batch,
        a: there(one.a, left),
        b: there(one.b, right),
        bias: added === null ? NOTHING : there(one.bias, added),
        out: there(one.out, target),
      }),
    );
  });
}

/** A batch that has b in common is one product of more rows, where its rows lie evenly behind one another. */
function asOneMatrix(product: Product): Product {
  const { rows, batch, a, b, bias, out } = product;
  if (batch === 1 || b.step !== 0) return product;
  const row = (x: Matrix): number => (rows === 1 ? x.step : x.row);
  if ([a, bias, out].some((x) => x.step !== rows * row(x))) return product;
  return {
    ...product,
    rows: rows * batch,
    batch: 1,
    a: { ...a, row: row(a) },
    bias: { ...bias, row: row(bias) },
    out: { ...out, row: row(out) },
  };
}

function roundUp(value: number, unit: number): number {
  return Math.max(Math.ceil(value / unit), 1) * unit;
}
