/** The matrix product as kernels: packing, tiles of one large product, and many small products. */
import { argument, pointer, threadIndex } from "./environment";
import { COLUMNS, gemmFrom, placeTile, ZEROS } from "./gemm";
import { BLOCK_DEPTH, EDGE_BYTES, GEMM_SCRATCH_BYTES, TILE_ROWS } from "./gemmSizes";
import { packPanel } from "./pack";

/** Packs panels of one or two matrices: units are the panels of the first (six lines each), then those of the second. */
export function packPanels(begin: i32, end: i32): void {
  const depth = argument(10);
  const panels = argument(11);
  for (let unit = begin; unit < end; unit++) {
    const second = unit >= panels;
    const panel = second ? unit - panels : unit;
    const at = second ? 5 : 0;
    const width = second ? COLUMNS : TILE_ROWS;
    const lineStep = pointer(at + 1);
    packPanel(
      pointer(at) + <usize>(panel * width) * lineStep, lineStep, pointer(at + 2), min(width, argument(at + 3) - panel * width),
      depth, pointer(at + 4) + <usize>panel * (<usize>(depth * width) << 2), width,
    );
  }
}

/** Units are blocks of one product's output. Element (i, k) of a lies in panel i / 6, and (k, j) of b in panel j / COLUMNS. */
export function multiplyBlocks(begin: i32, end: i32): void {
  const a = pointer(0);
  const aPanel = pointer(1);
  const aRow = pointer(2);
  const aStep = pointer(3);
  const b = pointer(4);
  const bPanel = pointer(5);
  const bStep = pointer(6);
  const bLast = pointer(7);
  const init = pointer(8) == 0 ? ZEROS : pointer(8);
  const initRow = pointer(9);
  const initColumn = pointer(10);
  const c = pointer(11);
  const cRow = pointer(12);
  const m = argument(13);
  const n = argument(14);
  const k = argument(15);
  const blockRows = argument(16);
  const blockColumns = argument(17);
  const edge = pointer(18) + <usize>threadIndex() * EDGE_BYTES;
  const across = (n + blockColumns - 1) / blockColumns;
  const depthSize = max(1, evenly(k, BLOCK_DEPTH));
  for (let unit = begin; unit < end; unit++) {
    const row = (unit / across) * blockRows;
    const column = (unit % across) * blockColumns;
    const lastRow = min(row + blockRows, m);
    const lastColumn = min(column + blockColumns, n);
    // Without any depth there is still init to be written.
    for (let at = 0; at == 0 || at < k; at += depthSize) {
      const depth = min(depthSize, k - at);
      const from = at == 0 ? init : c;
      const fromRow = at == 0 ? initRow : cRow;
      const fromColumn: usize = at == 0 ? initColumn : 4;
      for (let j = column; j < lastColumn; j += COLUMNS) {
        const columns = min(COLUMNS, lastColumn - j);
        const isLast = columns < COLUMNS;
        const step = isLast ? COLUMNS << 2 : bStep;
        const panel = (isLast ? bLast : b + <usize>(j / COLUMNS) * bPanel) + <usize>at * step;
        const cColumn = <usize>j << 2;
        for (let i = row; i < lastRow; i += TILE_ROWS) {
          placeTile(
            min(TILE_ROWS, lastRow - i), columns, a + <usize>(i / TILE_ROWS) * aPanel + <usize>at * aStep, aRow, aStep,
            panel, step, depth, from + <usize>i * fromRow + <usize>j * fromColumn, fromRow, fromColumn,
            c + <usize>i * cRow + cColumn, cRow, edge,
          );
        }
      }
    }
  }
}

/** The size of the parts, none above `limit`, that cut `total` into equal ones. */
function evenly(total: i32, limit: i32): i32 {
  const parts = (total + limit - 1) / limit;
  return parts == 0 ? 0 : (total + parts - 1) / parts;
}

/** Units are the products of a batch. */
export function multiplyBatch(begin: i32, end: i32): void {
  const init = pointer(8);
  const scratch = pointer(18) + <usize>threadIndex() * GEMM_SCRATCH_BYTES;
  for (let unit = <usize>begin; unit < <usize>end; unit++) {
    gemmFrom(
      pointer(0) + unit * pointer(1), pointer(2), pointer(3), pointer(4) + unit * pointer(5), pointer(6), pointer(7),
      init == 0 ? ZEROS : init + unit * pointer(16), pointer(9), pointer(10), pointer(11) + unit * pointer(17), pointer(12),
      argument(13), argument(14), argument(15), scratch,
    );
  }
}
