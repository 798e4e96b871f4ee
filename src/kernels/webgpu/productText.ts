/**
 * What all kernels of matrix products have in common. Where a product's factors come from and where its results go is up to a few
 * functions in WGSL, so that convolutions are products whose columns are never stored.
 *
 * @module
 */
import type { KernelText, UniformType } from "./kernel.js";

/** A kind of product: out[m, n] = Σ_k a[m, k] · b[k, n], for each member of a batch. */
export interface ProductText {
  /** For messages, and the key of the kernel. */
  readonly name: string;
  readonly type: "f32" | "i32";
  readonly inputs: readonly string[];
  readonly uniforms: Readonly<Record<string, UniformType>>;
  /**
   * What finds elements; T is the type:
   * - `struct Place` with a field `depth: u32`, and `placeOf(batch: u32) -> Place`: what holds for one member of the batch;
   * - `struct Row`, `rowOf(p: Place, m: u32) -> Row`, and `struct Column`, `columnOf(p: Place, n: u32) -> Column`;
   * - `struct Depth`, `depthOf(p: Place, k: u32) -> Depth`, and `next(p: Place, d: Depth) -> Depth`, that of k + 1;
   * - `loadA(p: Place, row: Row, d: Depth) -> T` and `loadB(p: Place, column: Column, d: Depth) -> T`; what they give for rows
   *   and columns past the last one does not matter;
   * - with `absent` also `isAbsent(p: Place, column: Column, d: Depth) -> bool` and `mayMiss(p: Place, column: Column) -> bool`;
   * - `resultAt(p: Place, n: u32) -> i32`, the place of (0, n) in `out` (−1: the column has none), `resultStep(p: Place) -> i32`,
   *   how far it is from row to row, and `added(p: Place, m: u32, n: u32) -> T`, what is added to the sum.
   *
   * Loads go without branches: something is read in any case, and not used where there is nothing.
   */
  readonly declarations: string;
  /**
   * Whether some terms do not exist: `loadB` gives 0 for them, which a factor without bounds makes NaN of, so that sums that
   * are NaN in columns that `mayMiss` some are worked out again without them. Default false.
   */
  readonly absent?: boolean;
  /** Terms that a block adds in one turn of its loop: two are faster, and take twice as long to compile. Default 1. */
  readonly termsInTurn?: number;
}

/** What one workgroup computes, or one invocation where they work alone. */
export interface Tile {
  /** Block of one invocation. */
  readonly high: number;
  readonly wide: number;
  /** Invocations down and across. */
  readonly down: number;
  readonly across: number;
}

/** A way to compute a product, and what it costs. */
export interface ProductForm {
  readonly name: string;
  readonly tiles: readonly Tile[];
  /** Rows from which on a convolution is better a product than computed straight from its definition. */
  readonly leastRows: number;
  /** Tiles that keep all of the GPU busy. */
  readonly busy: number;
  /** What it takes to read an element of a factor, in multiplications. */
  readonly read: number;
  text(product: ProductText, tile: Tile): KernelText;
}

/** The numbers from 0 on. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Uniforms of every product; those of the text follow. */
export const productUniforms = {
  rows: "u32",
  columns: "u32",
  rowTiles: "u32",
  columnTiles: "u32",
  splits: "u32",
  share: "u32",
  tiles: "u32",
  resultStart: "i32",
  resultCount: "i32",
} as const;

/** Names of an invocation's sums. */
export function sumNames({ high, wide }: Tile): string[][] {
  return range(high).map((i) => range(wide).map((j) => `s${i}_${j}`));
}

/** Finds the tile that `flat` counts out: its `tileRow` and `tileColumn`, `p`, and its share of the depth from `first` to `end`. */
export const findTileText = `
  if (flat >= u.tiles) { return; }
  let tileColumn = flat % u.columnTiles;
  let tileRow = flat / u.columnTiles % u.rowTiles;
  let split = flat / (u.columnTiles * u.rowTiles) % u.splits;
  let p = placeOf(flat / (u.columnTiles * u.rowTiles * u.splits));
  let first = split * u.share;
  let end = min(p.depth, first + u.share);`;

/**
 * Writes the sums of an invocation.
 *
 * @param y Its place down in the tile.
 * @param x Its place across.
 */
export function storeText({ type, absent = false }: ProductText, tile: Tile, y: string, x: string): string {
  const { high, wide, down, across } = tile;
  return `
  var sums = array<${type}, ${high * wide}>(${sumNames(tile).flat().join(", ")});
  let step = resultStep(p);
  for (var j = 0u; j < ${wide}u; j++) {
    let n = tileColumn * ${wide * across}u + j * ${across}u + ${x};
    if (n >= u.columns) { break; }
    let top = resultAt(p, n);
    if (top < 0) { continue; }
    let at = top + i32(split) * u.resultCount;
    for (var i = 0u; i < ${high}u; i++) {
      let m = tileRow * ${high * down}u + i * ${down}u + ${y};
      if (m >= u.rows) { break; }
      var sum = sums[i * ${wide}u + j];
      ${absent ? "if (isNan(sum)) { sum = sumOfPresent(p, m, n, first, end, sum); }" : ""}
      if (split == 0u) { sum += added(p, m, n); }
      outArray[at + i32(m) * step] = sum;
    }
  }`;
}

/** Goes with {@link storeText} where terms may be absent. */
export const sumOfPresentText = `
fn sumOfPresent(p: Place, m: u32, n: u32, first: u32, end: u32, ofAll: f32) -> f32 {
  let column = columnOf(p, n);
  if (!mayMiss(p, column)) { return ofAll; }
  let row = rowOf(p, m);
  var d = depthOf(p, first);
  var sum = 0.0;
  for (var k = first; k < end; k++) {
    if (!isAbsent(p, column, d)) { sum += loadA(p, row, d) * loadB(p, column, d); }
    d = next(p, d);
  }
  return sum;
}`;
