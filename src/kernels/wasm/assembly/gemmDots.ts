/**
 * Matrix product by dot products, for a and b that both lie along the depth: nothing is packed. A tile is six rows of a
 * and two columns of b; its sums are vectors, added up at the end.
 */
import { fma } from "./environment";
import { DOT_DEPTH } from "./gemmSizes";

/** Bytes of one sum: two vectors where the engine joins them. */
const SUM: usize = WIDE ? 32 : 16;

/**
 * c = init + a · b, where the elements of a row of a, and of a column of b, lie side by side. Steps are in bytes. `init` may
 * be c. `scratch` has room for the sums of a tile.
 */
export function gemmDots(
  a: usize, aRow: usize, b: usize, bColumn: usize, init: usize, initRow: usize, initColumn: usize,
  c: usize, cRow: usize, cColumn: usize, m: i32, n: i32, k: i32, scratch: usize,
): void {
  for (let at = 0; at == 0 || at < k; at += DOT_DEPTH) {
    const depth = min(DOT_DEPTH, k - at);
    const from = at == 0 ? init : c;
    const fromRow = at == 0 ? initRow : cRow;
    const fromColumn = at == 0 ? initColumn : cColumn;
    for (let i = 0; i < m; i += 6) {
      const rows = min(6, m - i);
      const fromA = a + <usize>i * aRow + (<usize>at << 2);
      let fromB = b + (<usize>at << 2);
      for (let j = 0; j < n; j += 2) {
        const columns = min(2, n - j);
        dots(rows, columns, fromA, aRow, fromB, bColumn, depth, scratch);
        finish(
          rows, columns, scratch, fromA, aRow, fromB, bColumn, depth, from + <usize>i * fromRow + <usize>j * fromColumn,
          fromRow, fromColumn, c + <usize>i * cRow + <usize>j * cColumn, cRow, cColumn,
        );
        fromB += 2 * bColumn;
      }
    }
  }
}

/** Adds up each sum, init, and what is left of the depth behind the last whole vector. */
function finish(
  rows: i32, columns: i32, sums: usize, a: usize, aRow: usize, b: usize, bColumn: usize, depth: i32,
  init: usize, initRow: usize, initColumn: usize, c: usize, cRow: usize, cColumn: usize,
): void {
  const isPair = columns > 1;
  for (let i = 0, from = init, to = c; i < rows; i += 2) {
    const totals = addUp(sums);
    store<f32>(to, f32x4.extract_lane(totals, 0) + load<f32>(from));
    if (isPair) store<f32>(to + cColumn, f32x4.extract_lane(totals, 1) + load<f32>(from + initColumn));
    from += initRow;
    to += cRow;
    if (i + 1 < rows) {
      store<f32>(to, f32x4.extract_lane(totals, 2) + load<f32>(from));
      if (isPair) store<f32>(to + cColumn, f32x4.extract_lane(totals, 3) + load<f32>(from + initColumn));
      from += initRow;
      to += cRow;
    }
    sums += 4 * SUM;
  }
  const left = depth & (WIDE ? 7 : 3);
  if (left == 0) return;
  const done = <usize>(depth - left) << 2;
  for (let i = 0; i < rows; i++) {
    for (let j: usize = 0; j < <usize>columns; j++) {
      let sum = load<f32>(c + j * cColumn);
      for (let at = done; at < <usize>depth << 2; at += 4) sum += load<f32>(a + at) * load<f32>(b + j * bColumn + at);
      store<f32>(c + j * cColumn, sum);
    }
    a += aRow;
    c += cRow;
  }
}

/** The totals of four sums that lie behind one another. */
// @ts-ignore: decorators of functions are AssemblyScript's
@inline
function addUp(sums: usize): v128 {
  let p = v128.load(sums), q = v128.load(sums + SUM), r = v128.load(sums + 2 * SUM), s = v128.load(sums + 3 * SUM);
  if (WIDE) {
    p = f32x4.add(p, v128.load(sums, 16));
    q = f32x4.add(q, v128.load(sums + SUM, 16));
    r = f32x4.add(r, v128.load(sums + 2 * SUM, 16));
    s = f32x4.add(s, v128.load(sums + 3 * SUM, 16));
  }
  const pq = f32x4.add(v128.shuffle<i32>(p, q, 0, 4, 1, 5), v128.shuffle<i32>(p, q, 2, 6, 3, 7));
  const rs = f32x4.add(v128.shuffle<i32>(r, s, 0, 4, 1, 5), v128.shuffle<i32>(r, s, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<i64>(pq, rs, 0, 2), v128.shuffle<i64>(pq, rs, 1, 3));
}

/** The sums of a tile. Where the rows are odd in number, the last one is taken twice. */
function dots(rows: i32, columns: i32, a: usize, aRow: usize, b: usize, bColumn: usize, depth: i32, to: usize): void {
  if (columns == 2) {
    if (rows > 4) dots6x2(rows, a, aRow, b, bColumn, depth, to);
    else if (rows > 2) dots4x2(rows, a, aRow, b, bColumn, depth, to);
    else dots2x2(rows, a, aRow, b, bColumn, depth, to);
  } else {
    if (rows > 4) dots6x1(rows, a, aRow, b, bColumn, depth, to);
    else if (rows > 2) dots4x1(rows, a, aRow, b, bColumn, depth, to);
    else dots2x1(rows, a, aRow, b, bColumn, depth, to);
  }
}

function dots6x2(rows: i32, a: usize, aRow: usize, b: usize, bColumn: usize, depth: i32, to: usize): void {
  body(6, 2, rows, a, aRow, b, bColumn, depth, to);
}

function dots4x2(rows: i32, a: usize, aRow: usize, b: usize, bColumn: usize, depth: i32, to: usize): void {
  body(4, 2, rows, a, aRow, b, bColumn, depth, to);
}

function dots2x2(rows: i32, a: usize, aRow: usize, b: usize, bColumn: usize, depth: i32, to: usize): void {
  body(2, 2, rows, a, aRow, b, bColumn, depth, to);
}

function dots6x1(rows: i32, a: usize, aRow: usize, b: usize, bColumn: usize, depth: i32, to: usize): void {
  body(6, 1, rows, a, aRow, b, bColumn, depth, to);
}

function dots4x1(rows: i32, a: usize, aRow: usize, b: usize, bColumn: usize, depth: i32, to: usize): void {
  body(4, 1, rows, a, aRow, b, bColumn, depth, to);
}

function dots2x1(rows: i32, a: usize, aRow: usize, b: usize, bColumn: usize, depth: i32, to: usize): void {
  body(2, 1, rows, a, aRow, b, bColumn, depth, to);
}

/** All tiles: `height` and `width` are constants, and what they exclude is compiled away. */
// @ts-ignore: decorators of functions are AssemblyScript's
@inline
function body(
  height: i32, width: i32, rows: i32, a: usize, aRow: usize, b: usize, bColumn: usize, depth: i32, to: usize,
): void {
  const last = a + <usize>(rows - 1) * aRow;
  let a1 = height == 2 ? last : a + aRow;
  let a2 = a + 2 * aRow;
  let a3 = height == 4 ? last : a2 + aRow;
  let a4 = a + 4 * aRow;
  let a5 = last;
  let b1 = b + bColumn;
  let s00 = f32x4.splat(0), s01 = s00, s02 = s00, s03 = s00;
  let s10 = f32x4.splat(0), s11 = s10, s12 = s10, s13 = s10;
  let s20 = f32x4.splat(0), s21 = s20, s22 = s20, s23 = s20;
  let s30 = f32x4.splat(0), s31 = s30, s32 = s30, s33 = s30;
  let s40 = f32x4.splat(0), s41 = s40, s42 = s40, s43 = s40;
  let s50 = f32x4.splat(0), s51 = s50, s52 = s50, s53 = s50;
  for (; depth >= (WIDE ? 8 : 4); depth -= WIDE ? 8 : 4) {
    const x0 = v128.load(b), x1 = WIDE ? v128.load(b, 16) : x0;
    const y0 = width > 1 ? v128.load(b1) : x0, y1 = WIDE && width > 1 ? v128.load(b1, 16) : x0;
    const u0 = v128.load(a), v0 = WIDE ? v128.load(a, 16) : u0;
    s00 = fma(u0, x0, s00);
    if (WIDE) s01 = fma(v0, x1, s01);
    if (width > 1) s02 = fma(u0, y0, s02);
    if (WIDE && width > 1) s03 = fma(v0, y1, s03);
    a += SUM;
    const u1 = v128.load(a1), v1 = WIDE ? v128.load(a1, 16) : u1;
    s10 = fma(u1, x0, s10);
    if (WIDE) s11 = fma(v1, x1, s11);
    if (width > 1) s12 = fma(u1, y0, s12);
    if (WIDE && width > 1) s13 = fma(v1, y1, s13);
    a1 += SUM;
    if (height > 2) {
      const u2 = v128.load(a2), v2 = WIDE ? v128.load(a2, 16) : u2;
      s20 = fma(u2, x0, s20);
      if (WIDE) s21 = fma(v2, x1, s21);
      if (width > 1) s22 = fma(u2, y0, s22);
      if (WIDE && width > 1) s23 = fma(v2, y1, s23);
      a2 += SUM;
      const u3 = v128.load(a3), v3 = WIDE ? v128.load(a3, 16) : u3;
      s30 = fma(u3, x0, s30);
      if (WIDE) s31 = fma(v3, x1, s31);
      if (width > 1) s32 = fma(u3, y0, s32);
      if (WIDE && width > 1) s33 = fma(v3, y1, s33);
      a3 += SUM;
    }
    if (height > 4) {
      const u4 = v128.load(a4), v4 = WIDE ? v128.load(a4, 16) : u4;
      s40 = fma(u4, x0, s40);
      if (WIDE) s41 = fma(v4, x1, s41);
      if (width > 1) s42 = fma(u4, y0, s42);
      if (WIDE && width > 1) s43 = fma(v4, y1, s43);
      a4 += SUM;
      const u5 = v128.load(a5), v5 = WIDE ? v128.load(a5, 16) : u5;
      s50 = fma(u5, x0, s50);
      if (WIDE) s51 = fma(v5, x1, s51);
      if (width > 1) s52 = fma(u5, y0, s52);
      if (WIDE && width > 1) s53 = fma(v5, y1, s53);
      a5 += SUM;
    }
    b += SUM;
    if (width > 1) b1 += SUM;
  }
  storeSums(width, to + 0 * SUM, s00, s01, s02, s03);
  storeSums(width, to + 2 * SUM, s10, s11, s12, s13);
  if (height > 2) {
    storeSums(width, to + 4 * SUM, s20, s21, s22, s23);
    storeSums(width, to + 6 * SUM, s30, s31, s32, s33);
  }
  if (height > 4) {
    storeSums(width, to + 8 * SUM, s40, s41, s42, s43);
    storeSums(width, to + 10 * SUM, s50, s51, s52, s53);
  }
}

// @ts-ignore: decorators of functions are AssemblyScript's
@inline
function storeSums(width: i32, to: usize, s0: v128, s1: v128, s2: v128, s3: v128): void {
  v128.store(to, s0);
  if (WIDE) v128.store(to, s1, 16);
  if (width > 1) v128.store(to, s2, SUM);
  if (WIDE && width > 1) v128.store(to, s3, 48);
}
