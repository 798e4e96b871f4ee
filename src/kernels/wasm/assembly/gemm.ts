/** Matrix product on one thread: blocks that fit the caches, packed where that pays, cut into tiles. */
import { BLOCK_COLUMNS, BLOCK_DEPTH, BLOCK_ROWS, EDGE_BYTES, TILE_COLUMNS, TILE_ROWS, WIDE_TILE_COLUMNS } from "./gemmSizes";
import { tile } from "./gemmTile";
import { pack, packPanel } from "./pack";

/** Columns of a tile in this build. */
export const COLUMNS: i32 = WIDE ? WIDE_TILE_COLUMNS : TILE_COLUMNS;

/** A row of zeros, for sums that begin with nothing. Never written to. */
export const ZEROS: usize = memory.data(64, 64);

/** Below so many columns, packing a costs more than it saves. */
const PACK_A_COLUMNS = 48;
/** Up to so many rows, packing b costs more than it saves. */
const PACK_B_ROWS = 12;

/**
 * c = a · b, or c += a · b with `accumulate`, where a is [m, k], b is [k, n] and c is [m, n]. Strides are in elements; the
 * columns of c lie side by side. `scratch` is the address of GEMM_SCRATCH_BYTES bytes that no other thread uses.
 */
export function gemm(
  a: usize, aRowStride: i32, aColumnStride: i32, b: usize, bRowStride: i32, bColumnStride: i32,
  c: usize, cRowStride: i32, m: i32, n: i32, k: i32, scratch: usize, accumulate: bool,
): void {
  const cRow = <usize>cRowStride << 2;
  gemmFrom(
    a, aRowStride << 2, aColumnStride << 2, b, bRowStride << 2, bColumnStride << 2,
    accumulate ? c : ZEROS, accumulate ? cRow : 0, accumulate ? 4 : 0, c, cRow, m, n, k, scratch,
  );
}

/**
 * c = init + a · b. Steps are in bytes. Element (i, j) of init lies at init + i·initRow + j·initColumn; it may be c, and
 * ZEROS with steps of 0 makes it nothing.
 */
export function gemmFrom(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, bColumn: usize,
  init: usize, initRow: usize, initColumn: usize, c: usize, cRow: usize, m: i32, n: i32, k: i32, scratch: usize,
): void {
  const packedA = scratch + EDGE_BYTES;
  const packedB = packedA + 4 * BLOCK_DEPTH * BLOCK_ROWS;
  const packB = bColumn != 4 || m > PACK_B_ROWS;
  for (let column = 0; column < n; column += BLOCK_COLUMNS) {
    const columns = min(BLOCK_COLUMNS, n - column);
    // Without any depth there is still init to be written.
    for (let at = 0; at == 0 || at < k; at += BLOCK_DEPTH) {
      const depth = min(BLOCK_DEPTH, k - at);
      const fromB = b + <usize>at * bStep + <usize>column * bColumn;
      const toC = c + (<usize>column << 2);
      const from = at == 0 ? init + <usize>column * initColumn : toC;
      const fromRow = at == 0 ? initRow : cRow;
      const fromColumn: usize = at == 0 ? initColumn : 4;
      if (packB) pack(fromB, bColumn, bStep, columns, depth, packedB, COLUMNS);
      multiplyRows(
        a + <usize>at * aStep, aRow, aStep, packB ? packedB : fromB, packB, bStep, from, fromRow, fromColumn, toC, cRow,
        m, columns, depth, packedA, packedB, scratch,
      );
    }
  }
}

/**
 * c = init + a · b for a block of b, packed or with its columns side by side. `packedA` has room for a block of a,
 * `spareB` for a panel of b, and `edge` for a tile.
 */
function multiplyRows(
  a: usize, aRow: usize, aStep: usize, b: usize, packedB: bool, bStep: usize,
  init: usize, initRow: usize, initColumn: usize, c: usize, cRow: usize,
  m: i32, n: i32, depth: i32, packedA: usize, spareB: usize, edge: usize,
): void {
  const packA = n > PACK_A_COLUMNS;
  for (let row = 0; row < m; row += BLOCK_ROWS) {
    const rows = min(BLOCK_ROWS, m - row);
    if (packA) pack(a, aRow, aStep, rows, depth, packedA, TILE_ROWS);
    for (let column = 0; column < n; column += COLUMNS) {
      const columns = min(COLUMNS, n - column);
      let panel = b + (<usize>column << 2) * (packedB ? <usize>depth : 1);
      let panelStep: usize = packedB ? COLUMNS << 2 : bStep;
      if (!packedB && columns < COLUMNS) {
        // Reading whole vectors of the last columns would read what lies behind b.
        packPanel(panel, 4, bStep, columns, depth, spareB, COLUMNS);
        panel = spareB;
        panelStep = COLUMNS << 2;
      }
      for (let i = 0; i < rows; i += TILE_ROWS) {
        const from = packA ? packedA + <usize>depth * (<usize>i << 2) : a + <usize>i * aRow;
        const at = <usize>(row + i);
        placeTile(
          min(TILE_ROWS, rows - i), columns, from, packA ? 4 : aRow, packA ? TILE_ROWS << 2 : aStep, panel, panelStep, depth,
          init + at * initRow + <usize>column * initColumn, initRow, initColumn, c + at * cRow + (<usize>column << 2), cRow, edge,
        );
      }
    }
    a += <usize>BLOCK_ROWS * aRow;
  }
}

/** One tile; by way of `edge` where it is not whole or init does not lie as the tile wants it. */
// @ts-ignore: decorators of functions are AssemblyScript's
@inline
export function placeTile(
  rows: i32, columns: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, depth: i32,
  init: usize, initRow: usize, initColumn: usize, c: usize, cRow: usize, edge: usize,
): void {
  if (columns == COLUMNS && (initColumn == 4 || init == ZEROS)) {
    tile(rows, a, aRow, aStep, b, bStep, depth, init, initRow, c, cRow);
    return;
  }
  const edgeRow: usize = COLUMNS << 2;
  if (init != ZEROS) copyTile(rows, columns, init, initRow, initColumn, edge, edgeRow);
  const from = init == ZEROS ? ZEROS : edge;
  tile(rows, a, aRow, aStep, b, bStep, depth, from, init == ZEROS ? 0 : edgeRow, edge, edgeRow);
  copyTile(rows, columns, edge, edgeRow, 4, c, cRow);
}

function copyTile(rows: i32, columns: i32, from: usize, fromRow: usize, fromColumn: usize, to: usize, toRow: usize): void {
  for (let i = 0; i < rows; i++) {
    let at = from;
    let j = 0;
    if (fromColumn == 4) {
      for (; j + 4 <= columns; j += 4) {
        v128.store(to + (j << 2), v128.load(at));
        at += 16;
      }
    }
    for (; j < columns; j++) {
      store<f32>(to + (j << 2), load<f32>(at));
      at += fromColumn;
    }
    from += fromRow;
    to += toRow;
  }
}
