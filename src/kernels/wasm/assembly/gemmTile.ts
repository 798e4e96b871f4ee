/**
 * The innermost loop of the matrix product: one tile of the output, all of it in registers. The loop over the depth is
 * not unrolled (but in gemmWide.ts): twelve sums, two vectors of b and one of a are all the registers that there are.
 */
import { fma } from "./environment";
import { TILE_ROWS, WIDE_TILE_COLUMNS } from "./gemmSizes";
import { wideTiles6 } from "./gemmWide";

/**
 * c = init + a · b for a tile of `rows` (1 to 6) rows and 8 columns (16 where WIDE). Steps are in bytes. Element (i, k) of
 * a lies at a + i·aRow + k·aStep; the columns of b, init and c lie side by side. `init` may be c.
 */
export function tile(
  rows: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, depth: i32,
  init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  if (aRow == 4) {
    switch (rows) {
      case 6: return tiles6Packed(1, a, aStep, b, bStep, depth, init, initRow, c, cRow);
      case 5: return tile5Packed(a, aStep, b, bStep, depth, init, initRow, c, cRow);
      case 4: return tile4Packed(a, aStep, b, bStep, depth, init, initRow, c, cRow);
      case 3: return tile3Packed(a, aStep, b, bStep, depth, init, initRow, c, cRow);
      case 2: return tile2Packed(a, aStep, b, bStep, depth, init, initRow, c, cRow);
      case 1: return tile1Packed(a, aStep, b, bStep, depth, init, initRow, c, cRow);
    }
  }
  switch (rows) {
    case 6: return tiles6Rows(1, a, aRow, aStep, b, bStep, depth, init, initRow, c, cRow);
    case 5: return tile5Rows(a, aRow, aStep, b, bStep, depth, init, initRow, c, cRow);
    case 4: return tile4Rows(a, aRow, aStep, b, bStep, depth, init, initRow, c, cRow);
    case 3: return tile3Rows(a, aRow, aStep, b, bStep, depth, init, initRow, c, cRow);
    case 2: return tile2Rows(a, aRow, aStep, b, bStep, depth, init, initRow, c, cRow);
    case 1: return tile1Rows(a, aRow, aStep, b, bStep, depth, init, initRow, c, cRow);
  }
}

/**
 * The same for any number of rows, six at a time: tiles below one another. A call for each tile would cost up to a tenth more where
 * the depth is little.
 */
export function tileColumn(
  rows: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, depth: i32,
  init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  const whole = rows / TILE_ROWS;
  // Two functions: one loop around both bodies keeps its sums in memory, and takes a fifth longer.
  if (aRow == 4) tiles6Packed(whole, a, aStep, b, bStep, depth, init, initRow, c, cRow);
  else tiles6Rows(whole, a, aRow, aStep, b, bStep, depth, init, initRow, c, cRow);
  const done = whole * TILE_ROWS;
  if (done < rows) {
    tile(rows - done, a + done * aRow, aRow, aStep, b, bStep, depth, init + done * initRow, initRow, c + done * cRow, cRow);
  }
}

function tiles6Packed(
  count: i32, a: usize, aStep: usize, b: usize, bStep: usize, depth: i32, init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  for (; count > 0; count--) {
    body(TILE_ROWS, true, a, 4, aStep, b, bStep, depth, init, initRow, c, cRow);
    a += TILE_ROWS * 4;
    init += TILE_ROWS * initRow;
    c += TILE_ROWS * cRow;
  }
}

function tiles6Rows(
  count: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, depth: i32, init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  if (WIDE && aStep == 4 && bStep == WIDE_TILE_COLUMNS << 2) return wideTiles6(count, a, aRow, b, depth, init, initRow, c, cRow);
  for (; count > 0; count--) {
    body(TILE_ROWS, false, a, aRow, aStep, b, bStep, depth, init, initRow, c, cRow);
    a += TILE_ROWS * aRow;
    init += TILE_ROWS * initRow;
    c += TILE_ROWS * cRow;
  }
}

function tile5Packed(
  a: usize, aStep: usize, b: usize, bStep: usize, depth: i32, init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  body(5, true, a, 4, aStep, b, bStep, depth, init, initRow, c, cRow);
}

function tile4Packed(
  a: usize, aStep: usize, b: usize, bStep: usize, depth: i32, init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  body(4, true, a, 4, aStep, b, bStep, depth, init, initRow, c, cRow);
}

function tile3Packed(
  a: usize, aStep: usize, b: usize, bStep: usize, depth: i32, init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  body(3, true, a, 4, aStep, b, bStep, depth, init, initRow, c, cRow);
}

function tile2Packed(
  a: usize, aStep: usize, b: usize, bStep: usize, depth: i32, init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  body(2, true, a, 4, aStep, b, bStep, depth, init, initRow, c, cRow);
}

function tile1Packed(
  a: usize, aStep: usize, b: usize, bStep: usize, depth: i32, init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  body(1, true, a, 4, aStep, b, bStep, depth, init, initRow, c, cRow);
}

function tile5Rows(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, depth: i32, init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  body(5, false, a, aRow, aStep, b, bStep, depth, init, initRow, c, cRow);
}

function tile4Rows(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, depth: i32, init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  body(4, false, a, aRow, aStep, b, bStep, depth, init, initRow, c, cRow);
}

function tile3Rows(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, depth: i32, init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  body(3, false, a, aRow, aStep, b, bStep, depth, init, initRow, c, cRow);
}

function tile2Rows(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, depth: i32, init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  body(2, false, a, aRow, aStep, b, bStep, depth, init, initRow, c, cRow);
}

function tile1Rows(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, depth: i32, init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  body(1, false, a, aRow, aStep, b, bStep, depth, init, initRow, c, cRow);
}

/** All tiles: `rows` and `packed` (the rows of a lie side by side) are constants, and what they exclude is compiled away. */
// @ts-ignore: decorators of functions are AssemblyScript's
@inline
function body(
  rows: i32, packed: bool, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, depth: i32,
  init: usize, initRow: usize, c: usize, cRow: usize,
): void {
  let a1: usize = 0, a2: usize = 0, a3: usize = 0, a4: usize = 0, a5: usize = 0;
  if (!packed) {
    a1 = a + aRow;
    a2 = a1 + aRow;
    a3 = a2 + aRow;
    a4 = a3 + aRow;
    a5 = a4 + aRow;
  }
  let s00 = f32x4.splat(0), s01 = s00, s02 = s00, s03 = s00;
  let s10 = f32x4.splat(0), s11 = s10, s12 = s10, s13 = s10;
  let s20 = f32x4.splat(0), s21 = s20, s22 = s20, s23 = s20;
  let s30 = f32x4.splat(0), s31 = s30, s32 = s30, s33 = s30;
  let s40 = f32x4.splat(0), s41 = s40, s42 = s40, s43 = s40;
  let s50 = f32x4.splat(0), s51 = s50, s52 = s50, s53 = s50;
  s00 = v128.load(init);
  s01 = v128.load(init, 16);
  if (WIDE) {
    s02 = v128.load(init, 32);
    s03 = v128.load(init, 48);
  }
  if (rows > 1) {
    init += initRow;
    s10 = v128.load(init);
    s11 = v128.load(init, 16);
    if (WIDE) {
      s12 = v128.load(init, 32);
      s13 = v128.load(init, 48);
    }
  }
  if (rows > 2) {
    init += initRow;
    s20 = v128.load(init);
    s21 = v128.load(init, 16);
    if (WIDE) {
      s22 = v128.load(init, 32);
      s23 = v128.load(init, 48);
    }
  }
  if (rows > 3) {
    init += initRow;
    s30 = v128.load(init);
    s31 = v128.load(init, 16);
    if (WIDE) {
      s32 = v128.load(init, 32);
      s33 = v128.load(init, 48);
    }
  }
  if (rows > 4) {
    init += initRow;
    s40 = v128.load(init);
    s41 = v128.load(init, 16);
    if (WIDE) {
      s42 = v128.load(init, 32);
      s43 = v128.load(init, 48);
    }
  }
  if (rows > 5) {
    init += initRow;
    s50 = v128.load(init);
    s51 = v128.load(init, 16);
    if (WIDE) {
      s52 = v128.load(init, 32);
      s53 = v128.load(init, 48);
    }
  }
  for (; depth > 0; depth--) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const b2 = WIDE ? v128.load(b, 32) : b0, b3 = WIDE ? v128.load(b, 48) : b1;
    const x0 = v128.load32_splat(a);
    s00 = fma(x0, b0, s00);
    s01 = fma(x0, b1, s01);
    if (WIDE) {
      s02 = fma(x0, b2, s02);
      s03 = fma(x0, b3, s03);
    }
    if (rows > 1) {
      const x = packed ? v128.load32_splat(a, 4) : v128.load32_splat(a1);
      s10 = fma(x, b0, s10);
      s11 = fma(x, b1, s11);
      if (WIDE) {
        s12 = fma(x, b2, s12);
        s13 = fma(x, b3, s13);
      }
      if (!packed) a1 += aStep;
    }
    if (rows > 2) {
      const x = packed ? v128.load32_splat(a, 8) : v128.load32_splat(a2);
      s20 = fma(x, b0, s20);
      s21 = fma(x, b1, s21);
      if (WIDE) {
        s22 = fma(x, b2, s22);
        s23 = fma(x, b3, s23);
      }
      if (!packed) a2 += aStep;
    }
    if (rows > 3) {
      const x = packed ? v128.load32_splat(a, 12) : v128.load32_splat(a3);
      s30 = fma(x, b0, s30);
      s31 = fma(x, b1, s31);
      if (WIDE) {
        s32 = fma(x, b2, s32);
        s33 = fma(x, b3, s33);
      }
      if (!packed) a3 += aStep;
    }
    if (rows > 4) {
      const x = packed ? v128.load32_splat(a, 16) : v128.load32_splat(a4);
      s40 = fma(x, b0, s40);
      s41 = fma(x, b1, s41);
      if (WIDE) {
        s42 = fma(x, b2, s42);
        s43 = fma(x, b3, s43);
      }
      if (!packed) a4 += aStep;
    }
    if (rows > 5) {
      const x = packed ? v128.load32_splat(a, 20) : v128.load32_splat(a5);
      s50 = fma(x, b0, s50);
      s51 = fma(x, b1, s51);
      if (WIDE) {
        s52 = fma(x, b2, s52);
        s53 = fma(x, b3, s53);
      }
      if (!packed) a5 += aStep;
    }
    a += aStep;
    b += bStep;
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  if (WIDE) {
    v128.store(c, s02, 32);
    v128.store(c, s03, 48);
  }
  if (rows > 1) {
    c += cRow;
    v128.store(c, s10);
    v128.store(c, s11, 16);
    if (WIDE) {
      v128.store(c, s12, 32);
      v128.store(c, s13, 48);
    }
  }
  if (rows > 2) {
    c += cRow;
    v128.store(c, s20);
    v128.store(c, s21, 16);
    if (WIDE) {
      v128.store(c, s22, 32);
      v128.store(c, s23, 48);
    }
  }
  if (rows > 3) {
    c += cRow;
    v128.store(c, s30);
    v128.store(c, s31, 16);
    if (WIDE) {
      v128.store(c, s32, 32);
      v128.store(c, s33, 48);
    }
  }
  if (rows > 4) {
    c += cRow;
    v128.store(c, s40);
    v128.store(c, s41, 16);
    if (WIDE) {
      v128.store(c, s42, 32);
      v128.store(c, s43, 48);
    }
  }
  if (rows > 5) {
    c += cRow;
    v128.store(c, s50);
    v128.store(c, s51, 16);
    if (WIDE) {
      v128.store(c, s52, 32);
      v128.store(c, s53, 48);
    }
  }
}
