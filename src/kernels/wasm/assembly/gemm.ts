/** Matrix product on one thread: blocks that fit the caches, packed where that pays, cut into tiles. */
import { gemmDots } from "./gemmDots";
import {
  BLOCK_DEPTH, BLOCK_ROWS, EDGE_BYTES, GROUP_BYTES, GROUP_COLUMNS, PACK_FROM_COLUMNS, PACK_FROM_DEPTH, TILE_COLUMNS,
  TILE_ROWS, WIDE_TILE_COLUMNS,
} from "./gemmSizes";
import { tile } from "./gemmTile";
import { rowTimesMatrix } from "./gemmVector";
import { pack, packPanel } from "./pack";

/** Columns of a tile in this build. */
export const COLUMNS: i32 = WIDE ? WIDE_TILE_COLUMNS : TILE_COLUMNS;

/** Where dot products win: deep ones, with few rows or few columns, for which packing would not pay. */
const DOTS_FROM_DEPTH = WIDE ? 128 : 64;
const DOTS_TO_ROWS = 12;
const DOTS_TO_COLUMNS = 12;
/** Rows up to which packing b costs more than it saves. */
const PACK_B_ROWS = 12;

/** A row of zeros, for sums that begin with nothing. Never written to. */
export const ZEROS: usize = memory.data(64, 64);

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
 * ZEROS with steps of 0 makes it nothing. The road is chosen here, by shape and strides.
 */
export function gemmFrom(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, bColumn: usize,
  init: usize, initRow: usize, initColumn: usize, c: usize, cRow: usize, m: i32, n: i32, k: i32, scratch: usize,
): void {
  if (n == 1 && m > 1 && cRow == 4) {
    // A column is a row of the transposed product.
    gemmFrom(b, bColumn, bStep, a, aStep, aRow, init, initColumn, initRow, c, 4, 1, m, k, scratch);
  } else if (aStep == 4 && bStep == 4 && k >= DOTS_FROM_DEPTH && (m <= DOTS_TO_ROWS || n <= DOTS_TO_COLUMNS)) {
    if (m < TILE_ROWS && m < n) gemmDots(b, bColumn, a, aRow, init, initColumn, initRow, c, 4, cRow, n, m, k, scratch);
    else gemmDots(a, aRow, b, bColumn, init, initRow, initColumn, c, cRow, 4, m, n, k, scratch);
  } else if (m == 1 && bColumn == 4) {
    rowTimesMatrix(a, aStep, b, bStep, init, initColumn, c, n, k);
  } else if (aStep != 4 && n > PACK_FROM_COLUMNS && k > PACK_FROM_DEPTH) {
    gemmPacked(a, aRow, aStep, b, bStep, bColumn, init, initRow, initColumn, c, cRow, m, n, k, scratch);
  } else {
    gemmPanels(a, TILE_ROWS * aRow, aRow, aStep, b, bStep, bColumn, init, initRow, initColumn, c, cRow, m, n, k, scratch);
  }
}

/** c = init + a · b, by way of packed blocks of a. */
function gemmPacked(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, bColumn: usize,
  init: usize, initRow: usize, initColumn: usize, c: usize, cRow: usize, m: i32, n: i32, k: i32, scratch: usize,
): void {
  const packed = scratch + EDGE_BYTES + GROUP_BYTES;
  for (let row = 0; row < m; row += BLOCK_ROWS) {
    const rows = min(BLOCK_ROWS, m - row);
    const toC = c + <usize>row * cRow;
    for (let at = 0; at < k; at += BLOCK_DEPTH) {
      const depth = min(BLOCK_DEPTH, k - at);
      pack(a + <usize>row * aRow + <usize>at * aStep, aRow, aStep, rows, depth, packed, TILE_ROWS);
      gemmPanels(
        packed, <usize>depth * (TILE_ROWS << 2), 4, TILE_ROWS << 2, b + <usize>at * bStep, bStep, bColumn,
        at == 0 ? init + <usize>row * initRow : toC, at == 0 ? initRow : cRow, at == 0 ? initColumn : 4, toC, cRow,
        rows, n, depth, scratch,
      );
    }
  }
}

/**
 * c = init + a · b, with the rows of a in panels of six that are `aPanel` bytes apart. Columns of b are packed in groups,
 * unless few rows use them. `scratch` has room for a tile and a group.
 */
export function gemmPanels(
  a: usize, aPanel: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, bColumn: usize,
  init: usize, initRow: usize, initColumn: usize, c: usize, cRow: usize, m: i32, n: i32, k: i32, scratch: usize,
): void {
  const isPacked = bColumn != 4 || m > PACK_B_ROWS;
  const group = scratch + EDGE_BYTES;
  const depthSize = evenly(k, BLOCK_DEPTH);
  const groupColumns = groupOf(depthSize);
  for (let row = 0; row < m; row += BLOCK_ROWS) {
    const rows = min(BLOCK_ROWS, m - row);
    const fromA = a + <usize>(row / TILE_ROWS) * aPanel;
    // Without any depth there is still init to be written.
    for (let at = 0; at == 0 || at < k; at += depthSize) {
      const depth = min(depthSize, k - at);
      const from = (at == 0 ? init : c) + <usize>row * (at == 0 ? initRow : cRow);
      const fromRow = at == 0 ? initRow : cRow;
      const fromColumn: usize = at == 0 ? initColumn : 4;
      for (let column = 0; column < n; column += groupColumns) {
        const columns = min(groupColumns, n - column);
        const fromB = b + <usize>at * bStep + <usize>column * bColumn;
        if (isPacked) pack(fromB, bColumn, bStep, columns, depth, group, COLUMNS);
        multiplyGroup(
          fromA + <usize>at * aStep, aPanel, aRow, aStep, isPacked ? group : fromB, isPacked, bStep, group,
          from + <usize>column * fromColumn, fromRow, fromColumn, c + <usize>row * cRow + (<usize>column << 2), cRow,
          rows, columns, depth, scratch,
        );
      }
    }
  }
}

/** All rows times a group of columns of b, packed or lying side by side. `spare` has room for a panel of b, `edge` for a tile. */
function multiplyGroup(
  a: usize, aPanel: usize, aRow: usize, aStep: usize, b: usize, isPacked: bool, bStep: usize, spare: usize,
  init: usize, initRow: usize, initColumn: usize, c: usize, cRow: usize, m: i32, n: i32, depth: i32, edge: usize,
): void {
  const width: usize = COLUMNS << 2;
  const panelBytes = isPacked ? <usize>depth * width : width;
  const step = isPacked ? width : bStep;
  const whole = isPacked ? n : n - n % COLUMNS;
  // Reading whole vectors of the last columns would read what lies behind b.
  if (whole < n) packPanel(b + <usize>(whole << 2), 4, bStep, n - whole, depth, spare, COLUMNS);
  for (let i = 0; i < m; i += TILE_ROWS) {
    const rows = min(TILE_ROWS, m - i);
    let panel = b;
    for (let j = 0; j < n; j += COLUMNS) {
      const isSpare = j >= whole;
      placeTile(
        rows, min(COLUMNS, n - j), a, aRow, aStep, isSpare ? spare : panel, isSpare ? width : step, depth,
        init + <usize>j * initColumn, initRow, initColumn, c + (<usize>j << 2), cRow, edge,
      );
      panel += panelBytes;
    }
    a += aPanel;
    init += TILE_ROWS * initRow;
    c += TILE_ROWS * cRow;
  }
}

/** Columns of b that are packed at a time: as many as fit into the room for a group of BLOCK_DEPTH. */
function groupOf(depth: i32): i32 {
  return max(GROUP_COLUMNS, BLOCK_DEPTH * GROUP_COLUMNS / depth / COLUMNS * COLUMNS);
}

/** The size of the parts, none above `limit`, that cut `total` into equal ones. */
function evenly(total: i32, limit: i32): i32 {
  const parts = max(1, (total + limit - 1) / limit);
  return max(1, (total + parts - 1) / parts);
}

/** One tile; by way of `edge` where it is not whole or init does not lie as the tile wants it. */
// @ts-ignore: decorators of functions are AssemblyScript's
@inline
function placeTile(
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
