/**
 * Matrix product of two matrices with any strides, in double precision.
 *
 * The output is cut into tiles. For each, the needed parts of both factors are packed into panels of four lines,
 * contiguous in the order in which the innermost loop reads them, and that loop adds up a 4 by 4 block of the tile in
 * local variables. Panels and tile are Float64Arrays whatever the dtype: the innermost loop then only ever meets one kind
 * of array, and needs no conversions. (Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.)
 */
import type { TypedArray } from "../kernelSet.js";

/** Element (i, j) lies at offset + i·rowStride + j·columnStride. */
export interface Matrix {
  readonly array: TypedArray;
  readonly offset: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** Lines per panel; the innermost loop is written out for this number. */
const panelLines = 4;

// Multiples of `panelLines`. The panels of `a` (256 KiB) stay in the second-level cache while `b` streams by.
const tileRows = 128;
const tileColumns = 512;
const tileDepth = 256;

const aPanels = new Float64Array(tileRows * tileDepth);
const bPanels = new Float64Array(tileColumns * tileDepth);
const tile = new Float64Array(tileRows * tileColumns);

/** out [rows, columns] = a [rows, depth] · b [depth, columns] + bias; `bias` may be `out` itself. */
export function multiply(
  rows: number,
  columns: number,
  depth: number,
  a: Matrix,
  b: Matrix,
  bias: Matrix | null,
  out: Matrix,
): void {
  for (let row = 0; row < rows; row += tileRows) {
    const height = Math.min(tileRows, rows - row);
    for (let column = 0; column < columns; column += tileColumns) {
      const width = Math.min(tileColumns, columns - column);
      tile.fill(0, 0, roundUp(height) * roundUp(width));
      for (let k = 0; k < depth; k += tileDepth) {
        const part = Math.min(tileDepth, depth - k);
        pack(
          a.array,
          a.offset + row * a.rowStride + k * a.columnStride,
          a.rowStride,
          a.columnStride,
          height,
          part,
          aPanels,
        );
        pack(
          b.array,
          b.offset + k * b.rowStride + column * b.columnStride,
          b.columnStride,
          b.rowStride,
          width,
          part,
          bPanels,
        );
        multiplyPanels(height, width, part);
      }
      storeTile(row, column, height, width, bias, out);
    }
  }
}

function roundUp(lines: number): number {
  return Math.ceil(lines / panelLines) * panelLines;
}

/** Copies `lines` lines of `depth` elements into panels: four lines side by side, the last panel filled up with zeros. */
function pack(
  source: TypedArray,
  start: number,
  lineStride: number,
  depthStride: number,
  lines: number,
  depth: number,
  panels: Float64Array,
): void {
  let target = 0;
  for (let line = 0; line < lines; line += panelLines) {
    const present = Math.min(panelLines, lines - line);
    let p0 = start + line * lineStride;
    if (present === panelLines) {
      let p1 = p0 + lineStride;
      let p2 = p1 + lineStride;
      let p3 = p2 + lineStride;
      for (let k = 0; k < depth; k += 1) {
        panels[target] = source[p0] as number;
        panels[target + 1] = source[p1] as number;
        panels[target + 2] = source[p2] as number;
        panels[target + 3] = source[p3] as number;
        target += panelLines;
        p0 += depthStride;
        p1 += depthStride;
        p2 += depthStride;
        p3 += depthStride;
      }
    } else {
      for (let k = 0; k < depth; k += 1, p0 += depthStride, target += panelLines) {
        for (let i = 0; i < panelLines; i += 1) {
          panels[target + i] = i < present ? (source[p0 + i * lineStride] as number) : 0;
        }
      }
    }
  }
}

/** tile += product of the packed panels. */
function multiplyPanels(height: number, width: number, depth: number): void {
  const tileStride = roundUp(width);
  for (let column = 0; column < width; column += panelLines) {
    for (let row = 0; row < height; row += panelLines) {
      multiplyBlock(row * depth, column * depth, depth, row * tileStride + column, tileStride);
    }
  }
}

/** The innermost loop: a 4 by 4 block of the tile += panel of `a` · panel of `b`. */
function multiplyBlock(aStart: number, bStart: number, depth: number, target: number, tileStride: number): void {
  let c00 = 0;
  let c01 = 0;
  let c02 = 0;
  let c03 = 0;
  let c10 = 0;
  let c11 = 0;
  let c12 = 0;
  let c13 = 0;
  let c20 = 0;
  let c21 = 0;
  let c22 = 0;
  let c23 = 0;
  let c30 = 0;
  let c31 = 0;
  let c32 = 0;
  let c33 = 0;
  const end = aStart + depth * panelLines;
  for (let p = aStart, q = bStart; p < end; p += panelLines, q += panelLines) {
    const b0 = bPanels[q] as number;
    const b1 = bPanels[q + 1] as number;
    const b2 = bPanels[q + 2] as number;
    const b3 = bPanels[q + 3] as number;
    const a0 = aPanels[p] as number;
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c03 += a0 * b3;
    const a1 = aPanels[p + 1] as number;
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
    c13 += a1 * b3;
    const a2 = aPanels[p + 2] as number;
    c20 += a2 * b0;
    c21 += a2 * b1;
    c22 += a2 * b2;
    c23 += a2 * b3;
    const a3 = aPanels[p + 3] as number;
    c30 += a3 * b0;
    c31 += a3 * b1;
    c32 += a3 * b2;
    c33 += a3 * b3;
  }
  addToTile(target, c00, c01, c02, c03);
  addToTile(target + tileStride, c10, c11, c12, c13);
  addToTile(target + 2 * tileStride, c20, c21, c22, c23);
  addToTile(target + 3 * tileStride, c30, c31, c32, c33);
}

function addToTile(target: number, c0: number, c1: number, c2: number, c3: number): void {
  tile[target] = (tile[target] as number) + c0;
  tile[target + 1] = (tile[target + 1] as number) + c1;
  tile[target + 2] = (tile[target + 2] as number) + c2;
  tile[target + 3] = (tile[target + 3] as number) + c3;
}

function storeTile(row: number, column: number, height: number, width: number, bias: Matrix | null, out: Matrix): void {
  const target = out.array;
  const tileStride = roundUp(width);
  for (let i = 0; i < height; i += 1) {
    let t = out.offset + (row + i) * out.rowStride + column * out.columnStride;
    const first = i * tileStride;
    if (bias === null) {
      for (let p = first; p < first + width; p += 1, t += out.columnStride) target[t] = tile[p] as number;
    } else {
      const added = bias.array;
      let q = bias.offset + (row + i) * bias.rowStride + column * bias.columnStride;
      for (let p = first; p < first + width; p += 1, t += out.columnStride, q += bias.columnStride) {
        target[t] = (tile[p] as number) + (added[q] as number);
      }
    }
  }
}
