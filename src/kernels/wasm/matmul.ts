/** Matrix products in float32. */
import type { KernelSet, Strided } from "../kernelSet.js";
import type { Loops } from "../reference/index.js";
import { forEachRow, type Lane, lane } from "../reference/rows.js";
import { at, denseStrides } from "../strides.js";
import { EDGE_BYTES, GEMM_SCRATCH_BYTES, TILE_COLUMNS, TILE_ROWS, WIDE_TILE_COLUMNS } from "./assembly/gemmSizes.js";
import { MULTIPLY_BATCH, MULTIPLY_BLOCKS, PACK_PANELS } from "./assembly/kernelIds.js";
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
/** Tiles below (or beside) one another up to which packing b (or a) costs more than it saves. */
const FEW_TILES = { down: 2, across: 4 };
/** Most bytes of a packed operand: larger ones are packed in parts. */
const PACKED_BYTES = 2 ** 23;
/** The largest blocks that threads claim, and how many there should be for each, so that the last ones weigh little. */
const BLOCK = { rows: 96, columns: 128 };
const BLOCKS_PER_THREAD = 8;

export function matmulKernels(engine: Engine, fallback: Loops): Pick<KernelSet, "matmul"> {
  const tileColumns = engine.build === "revectorized" ? WIDE_TILE_COLUMNS : TILE_COLUMNS;

  /** The road, by shape alone: a batch shares its products among the threads, a large product its blocks. */
  function multiply(product: Product): void {
    const { rows, columns, depth, batch } = product;
    const isSmall = rows * columns * depth < SMALL;
    if (batch > 1 && (isSmall || batch >= 4 * engine.threads)) multiplyBatch(product);
    else for (let i = 0; i < batch; i++) multiplyOne(moved(product, (matrix) => i * matrix.step));
  }

  function multiplyBatch({ rows, columns, depth, batch, a, b, bias, out }: Product): void {
    engine.withScratch(engine.threads * GEMM_SCRATCH_BYTES, (scratch) => {
      engine.words.set([
        ...[a.address, a.step, a.row, a.column, b.address, b.step, b.row, b.column],
        ...[bias.address, bias.row, bias.column, out.address, out.row, rows, columns, depth],
        ...[bias.step, out.step, scratch],
      ]);
      engine.launch(MULTIPLY_BATCH, batch, (batch * rows * columns * (depth + 4)) / PER_STEP);
    });
  }

  /** One product, cut up where a packed operand would be too large. */
  function multiplyOne(product: Product): void {
    const { rows, columns, depth } = product;
    const most = (width: number) => Math.max(Math.floor(PACKED_BYTES / (4 * width * Math.max(depth, 1))), 1) * width;
    const [mostRows, mostColumns] = [most(TILE_ROWS), most(tileColumns)];
    for (let column = 0; column < columns; column += mostColumns) {
      for (let row = 0; row < rows; row += mostRows) {
        multiplyPart({
          ...moved(product, ({ row: rowStep, column: columnStep }, name) =>
            name === "a" ? row * rowStep : (name === "b" ? 0 : row * rowStep) + column * columnStep,
          ),
          rows: Math.min(mostRows, rows - row),
          columns: Math.min(mostColumns, columns - column),
        });
      }
    }
  }

  /** Two jobs: all threads pack what has to be packed, then all threads multiply. */
  function multiplyPart({ rows, columns, depth, a, b, bias, out }: Product): void {
    const down = Math.ceil(rows / TILE_ROWS);
    const across = Math.ceil(columns / tileColumns);
    const packA = a.column !== 4 && across > FEW_TILES.across;
    const packB = b.column !== 4 || down > FEW_TILES.down;
    // The last columns, where they do not fill a tile, are packed in any case.
    const unpacked = packB ? 0 : Math.floor(columns / tileColumns);
    const panelA = 4 * TILE_ROWS * depth;
    const panelB = 4 * tileColumns * depth;
    const bytesA = packA ? down * panelA : 0;
    const bytesB = (across - unpacked) * panelB;
    engine.withScratch(bytesA + bytesB + engine.threads * EDGE_BYTES, (packedA) => {
      const packedB = packedA + bytesA;
      const columnsLeft = columns - unpacked * tileColumns;
      engine.words.set([
        ...[a.address, a.row, a.column, rows, packedA],
        ...[b.address + unpacked * tileColumns * b.column, b.column, b.row, columnsLeft, packedB],
        ...[depth, packA ? down : 0],
      ]);
      const toPack = ((packA ? rows : 0) + columnsLeft) * depth;
      engine.launch(PACK_PANELS, (packA ? down : 0) + across - unpacked, toPack, 4);

      const [blockRows, blockColumns] = blocks(rows, columns);
      engine.words.set([
        ...(packA ? [packedA, panelA, 4, 4 * TILE_ROWS] : [a.address, TILE_ROWS * a.row, a.row, a.column]),
        ...(packB ? [packedB, panelB, 4 * tileColumns] : [b.address, 4 * tileColumns, b.row]),
        packedB + bytesB - panelB,
        ...[bias.address, bias.row, bias.column, out.address, out.row, rows, columns, depth, blockRows, blockColumns],
        packedB + bytesB,
      ]);
      const units = Math.ceil(rows / blockRows) * Math.ceil(columns / blockColumns);
      engine.launch(MULTIPLY_BLOCKS, units, (rows * columns * (depth + 4)) / PER_STEP);
    });
  }

  /** Rows and columns of the blocks that threads claim: whole tiles. */
  function blocks(rows: number, columns: number): [number, number] {
    let down = evenly(rows, BLOCK.rows, TILE_ROWS);
    let across = evenly(columns, BLOCK.columns, tileColumns);
    if (engine.threads === 1) return [down, across];
    while (Math.ceil(rows / down) * Math.ceil(columns / across) < engine.threads * BLOCKS_PER_THREAD) {
      if (across >= down && across > tileColumns) across = evenly(columns, across / 2, tileColumns);
      else if (down > TILE_ROWS) down = evenly(rows, down / 2, TILE_ROWS);
      else break;
    }
    return [down, across];
  }

  return {
    matmul(a, b, bias, out) {
      if (out.dtype !== "float32") return fallback.matmul(a, b, bias, out);
      const rank = out.shape.length;
      const rows = at(out.shape, rank - 2);
      const columns = at(out.shape, rank - 1);
      const depth = at(a.shape, rank - 1);
      if (rows === 0 || columns === 0) return;
      const outStrides = denseStrides(out.shape);
      const target = walkOf(out, outStrides);
      const left = walkOf(a, a.strides);
      const right = walkOf(b, b.strides);
      const added = bias === null ? null : walkOf(bias, bias.strides);
      const lanes = added === null ? [left, right, target] : [left, right, target, added];
      forEachRow(out.shape.slice(0, -2), lanes, (batch) => {
        multiply(
          asOneMatrix({
            ...{ rows, columns, depth, batch },
            a: matrixOf(left, a.strides),
            b: matrixOf(right, b.strides),
            bias: added === null || bias === null ? NOTHING : matrixOf(added, bias.strides),
            out: matrixOf(target, outStrides),
          }),
        );
      });
    },
  };
}

/** The way over the batch axes, counted in words of memory. */
function walkOf(x: Strided, strides: readonly number[]): Lane {
  return lane(NO_ARRAY, addressOf(x) / 4, strides.slice(0, -2));
}

function matrixOf(walk: Lane, strides: readonly number[]): Matrix {
  const rank = strides.length;
  return {
    address: 4 * walk.start,
    row: 4 * at(strides, rank - 2),
    column: 4 * at(strides, rank - 1),
    step: 4 * walk.step,
  };
}

/** The product with its operands' addresses moved. */
function moved(product: Product, bytes: (matrix: Matrix, name: "a" | "b" | "bias" | "out") => number): Product {
  const { a, b, bias, out } = product;
  return {
    ...product,
    a: { ...a, address: a.address + bytes(a, "a") },
    b: { ...b, address: b.address + bytes(b, "b") },
    bias: { ...bias, address: bias.address + bytes(bias, "bias") },
    out: { ...out, address: out.address + bytes(out, "out") },
  };
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

/** The size of parts, multiples of `unit` and at most about `limit`, that cut `total` evenly. */
function evenly(total: number, limit: number, unit: number): number {
  const parts = Math.ceil(total / Math.max(limit, unit));
  return Math.ceil(total / parts / unit) * unit;
}
