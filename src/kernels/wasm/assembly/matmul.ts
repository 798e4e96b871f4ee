/** The matrix product as kernels: packing, blocks of one large product, and many small products. */
import { argument, pointer, threadIndex } from "./environment";
import { gemmFrom, gemmPanels, ZEROS } from "./gemm";
import { GEMM_SCRATCH_BYTES, TILE_ROWS } from "./gemmSizes";
import { packPanel } from "./pack";

/** Packs panels of six rows of a; a unit is a panel. */
export function packRows(begin: i32, end: i32): void {
  const rowStep = pointer(1);
  const rows = argument(3);
  const depth = argument(4);
  for (let panel = begin; panel < end; panel++) {
    const row = panel * TILE_ROWS;
    packPanel(
      pointer(0) + <usize>row * rowStep, rowStep, pointer(2), min(TILE_ROWS, rows - row), depth,
      pointer(5) + <usize>panel * (<usize>(depth * TILE_ROWS) << 2), TILE_ROWS,
    );
  }
}

/** Units are blocks of one product's output, row by row. Where a is not packed, the step from panel to panel is 0. */
export function multiplyBlocks(begin: i32, end: i32): void {
  const aPanel = pointer(1);
  const aRow = pointer(2);
  const bStep = pointer(5);
  const bColumn = pointer(6);
  const init = pointer(7);
  const initRow = pointer(8);
  const initColumn = pointer(9);
  const cRow = pointer(11);
  const m = argument(12);
  const n = argument(13);
  const k = argument(14);
  const blockRows = argument(15);
  const blockColumns = argument(16);
  const scratch = pointer(17) + <usize>threadIndex() * GEMM_SCRATCH_BYTES;
  const across = (n + blockColumns - 1) / blockColumns;
  for (let unit = begin; unit < end; unit++) {
    const row = (unit / across) * blockRows;
    const column = (unit % across) * blockColumns;
    const a = pointer(0) + (aPanel == 0 ? <usize>row * aRow : <usize>(row / TILE_ROWS) * aPanel);
    const b = pointer(4) + <usize>column * bColumn;
    const from = init == 0 ? ZEROS : init + <usize>row * initRow + <usize>column * initColumn;
    const c = pointer(10) + <usize>row * cRow + (<usize>column << 2);
    const rows = min(blockRows, m - row), columns = min(blockColumns, n - column);
    if (aPanel != 0) {
      gemmPanels(a, aPanel, 4, TILE_ROWS << 2, b, bStep, bColumn, from, initRow, initColumn, c, cRow, rows, columns, k, scratch);
    } else {
      gemmFrom(a, aRow, pointer(3), b, bStep, bColumn, from, initRow, initColumn, c, cRow, rows, columns, k, scratch);
    }
  }
}

/** Units are the products of a batch. */
export function multiplyBatch(begin: i32, end: i32): void {
  const init = pointer(8);
  const scratch = pointer(18) + <usize>threadIndex() * GEMM_SCRATCH_BYTES;
  for (let unit = <usize>begin; unit < <usize>end; unit++) {
    gemmFrom(
      pointer(0) + unit * pointer(1), pointer(2), pointer(3), pointer(4) + unit * pointer(5), pointer(6), pointer(7),
      init == 0 ? ZEROS : init + unit * pointer(9), pointer(10), pointer(11), pointer(12) + unit * pointer(13), pointer(14),
      argument(15), argument(16), argument(17), scratch,
    );
  }
}
