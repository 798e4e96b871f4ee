/**
 * The innermost loops of the direct convolutions. Made by scripts/generateDirectTiles.mjs: do not edit.
 *
 * @module
 */
import { fma } from "./environment";
import { ZEROS } from "./gemm";

/** Vectors of places in a tile of so many filters, or taps in a tile of the weight gradient. */
export function widthOf(filters: i32): i32 {
  switch (filters) {
    case 1: return 8;
    case 2: return 4;
    case 3: return 3;
    case 4: return 2;
    case 5: return 2;
    case 6: return 2;
  }
  return 1;
}

/**
 * The convolution of a tile. At `at` lie, sixteen bytes each, offsets of vectors of places: in the image and in the output.
 * `weights` has a record for each tap: its offset in the image, and the filters' weights.
 */
// @ts-ignore: decorators of functions are AssemblyScript's
@inline
export function tile(
  filters: i32, image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,
): void {
  unchecked(TILES[filters - 1])(image, weights, weightsEnd, bias, at, out, plane);
}

// Calls by way of tables are not inlined: in one large function, engines would order the sums in another way.
type Tile = (
  image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,
) => void;
const TILES: StaticArray<Tile> = [tile1, tile2, tile3, tile4, tile5, tile6];

function tile1(
  image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,
): void {
  const x0 = load<u32>(at);
  const x1 = load<u32>(at, 16);
  const x2 = load<u32>(at, 32);
  const x3 = load<u32>(at, 48);
  const x4 = load<u32>(at, 64);
  const x5 = load<u32>(at, 80);
  const x6 = load<u32>(at, 96);
  const x7 = load<u32>(at, 112);
  let s00 = v128.load32_splat(bias), s01 = v128.load32_splat(bias), s02 = v128.load32_splat(bias), s03 = v128.load32_splat(bias), s04 = v128.load32_splat(bias), s05 = v128.load32_splat(bias), s06 = v128.load32_splat(bias), s07 = v128.load32_splat(bias);
  for (; weights < weightsEnd; weights += 8) {
    const offset = image + load<u32>(weights);
    const v0 = v128.load(x0 + offset);
    const v1 = v128.load(x1 + offset);
    const v2 = v128.load(x2 + offset);
    const v3 = v128.load(x3 + offset);
    const v4 = v128.load(x4 + offset);
    const v5 = v128.load(x5 + offset);
    const v6 = v128.load(x6 + offset);
    const v7 = v128.load(x7 + offset);
    const w0 = v128.load32_splat(weights, 4);
    s00 = fma(w0, v0, s00);
    s01 = fma(w0, v1, s01);
    s02 = fma(w0, v2, s02);
    s03 = fma(w0, v3, s03);
    s04 = fma(w0, v4, s04);
    s05 = fma(w0, v5, s05);
    s06 = fma(w0, v6, s06);
    s07 = fma(w0, v7, s07);
  }
  let to0 = out + load<u32>(at, 4);
  let to1 = out + load<u32>(at, 20);
  let to2 = out + load<u32>(at, 36);
  let to3 = out + load<u32>(at, 52);
  let to4 = out + load<u32>(at, 68);
  let to5 = out + load<u32>(at, 84);
  let to6 = out + load<u32>(at, 100);
  let to7 = out + load<u32>(at, 116);
  v128.store(to0, s00);
  v128.store(to1, s01);
  v128.store(to2, s02);
  v128.store(to3, s03);
  v128.store(to4, s04);
  v128.store(to5, s05);
  v128.store(to6, s06);
  v128.store(to7, s07);
}

function tile2(
  image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,
): void {
  const x0 = load<u32>(at);
  const x1 = load<u32>(at, 16);
  const x2 = load<u32>(at, 32);
  const x3 = load<u32>(at, 48);
  let s00 = v128.load32_splat(bias), s01 = v128.load32_splat(bias), s02 = v128.load32_splat(bias), s03 = v128.load32_splat(bias);
  let s10 = v128.load32_splat(bias, 4), s11 = v128.load32_splat(bias, 4), s12 = v128.load32_splat(bias, 4), s13 = v128.load32_splat(bias, 4);
  for (; weights < weightsEnd; weights += 12) {
    const offset = image + load<u32>(weights);
    const v0 = v128.load(x0 + offset);
    const v1 = v128.load(x1 + offset);
    const v2 = v128.load(x2 + offset);
    const v3 = v128.load(x3 + offset);
    const w0 = v128.load32_splat(weights, 4);
    s00 = fma(w0, v0, s00);
    s01 = fma(w0, v1, s01);
    s02 = fma(w0, v2, s02);
    s03 = fma(w0, v3, s03);
    const w1 = v128.load32_splat(weights, 8);
    s10 = fma(w1, v0, s10);
    s11 = fma(w1, v1, s11);
    s12 = fma(w1, v2, s12);
    s13 = fma(w1, v3, s13);
  }
  let to0 = out + load<u32>(at, 4);
  let to1 = out + load<u32>(at, 20);
  let to2 = out + load<u32>(at, 36);
  let to3 = out + load<u32>(at, 52);
  v128.store(to0, s00);
  v128.store(to1, s01);
  v128.store(to2, s02);
  v128.store(to3, s03);
  to0 += plane;
  to1 += plane;
  to2 += plane;
  to3 += plane;
  v128.store(to0, s10);
  v128.store(to1, s11);
  v128.store(to2, s12);
  v128.store(to3, s13);
}

function tile3(
  image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,
): void {
  const x0 = load<u32>(at);
  const x1 = load<u32>(at, 16);
  const x2 = load<u32>(at, 32);
  let s00 = v128.load32_splat(bias), s01 = v128.load32_splat(bias), s02 = v128.load32_splat(bias);
  let s10 = v128.load32_splat(bias, 4), s11 = v128.load32_splat(bias, 4), s12 = v128.load32_splat(bias, 4);
  let s20 = v128.load32_splat(bias, 8), s21 = v128.load32_splat(bias, 8), s22 = v128.load32_splat(bias, 8);
  for (; weights < weightsEnd; weights += 16) {
    const offset = image + load<u32>(weights);
    const v0 = v128.load(x0 + offset);
    const v1 = v128.load(x1 + offset);
    const v2 = v128.load(x2 + offset);
    const w0 = v128.load32_splat(weights, 4);
    s00 = fma(w0, v0, s00);
    s01 = fma(w0, v1, s01);
    s02 = fma(w0, v2, s02);
    const w1 = v128.load32_splat(weights, 8);
    s10 = fma(w1, v0, s10);
    s11 = fma(w1, v1, s11);
    s12 = fma(w1, v2, s12);
    const w2 = v128.load32_splat(weights, 12);
    s20 = fma(w2, v0, s20);
    s21 = fma(w2, v1, s21);
    s22 = fma(w2, v2, s22);
  }
  let to0 = out + load<u32>(at, 4);
  let to1 = out + load<u32>(at, 20);
  let to2 = out + load<u32>(at, 36);
  v128.store(to0, s00);
  v128.store(to1, s01);
  v128.store(to2, s02);
  to0 += plane;
  to1 += plane;
  to2 += plane;
  v128.store(to0, s10);
  v128.store(to1, s11);
  v128.store(to2, s12);
  to0 += plane;
  to1 += plane;
  to2 += plane;
  v128.store(to0, s20);
  v128.store(to1, s21);
  v128.store(to2, s22);
}

function tile4(
  image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,
): void {
  const x0 = load<u32>(at);
  const x1 = load<u32>(at, 16);
  let s00 = v128.load32_splat(bias), s01 = v128.load32_splat(bias);
  let s10 = v128.load32_splat(bias, 4), s11 = v128.load32_splat(bias, 4);
  let s20 = v128.load32_splat(bias, 8), s21 = v128.load32_splat(bias, 8);
  let s30 = v128.load32_splat(bias, 12), s31 = v128.load32_splat(bias, 12);
  for (; weights < weightsEnd; weights += 20) {
    const offset = image + load<u32>(weights);
    const v0 = v128.load(x0 + offset);
    const v1 = v128.load(x1 + offset);
    const w0 = v128.load32_splat(weights, 4);
    s00 = fma(w0, v0, s00);
    s01 = fma(w0, v1, s01);
    const w1 = v128.load32_splat(weights, 8);
    s10 = fma(w1, v0, s10);
    s11 = fma(w1, v1, s11);
    const w2 = v128.load32_splat(weights, 12);
    s20 = fma(w2, v0, s20);
    s21 = fma(w2, v1, s21);
    const w3 = v128.load32_splat(weights, 16);
    s30 = fma(w3, v0, s30);
    s31 = fma(w3, v1, s31);
  }
  let to0 = out + load<u32>(at, 4);
  let to1 = out + load<u32>(at, 20);
  v128.store(to0, s00);
  v128.store(to1, s01);
  to0 += plane;
  to1 += plane;
  v128.store(to0, s10);
  v128.store(to1, s11);
  to0 += plane;
  to1 += plane;
  v128.store(to0, s20);
  v128.store(to1, s21);
  to0 += plane;
  to1 += plane;
  v128.store(to0, s30);
  v128.store(to1, s31);
}

function tile5(
  image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,
): void {
  const x0 = load<u32>(at);
  const x1 = load<u32>(at, 16);
  let s00 = v128.load32_splat(bias), s01 = v128.load32_splat(bias);
  let s10 = v128.load32_splat(bias, 4), s11 = v128.load32_splat(bias, 4);
  let s20 = v128.load32_splat(bias, 8), s21 = v128.load32_splat(bias, 8);
  let s30 = v128.load32_splat(bias, 12), s31 = v128.load32_splat(bias, 12);
  let s40 = v128.load32_splat(bias, 16), s41 = v128.load32_splat(bias, 16);
  for (; weights < weightsEnd; weights += 24) {
    const offset = image + load<u32>(weights);
    const v0 = v128.load(x0 + offset);
    const v1 = v128.load(x1 + offset);
    const w0 = v128.load32_splat(weights, 4);
    s00 = fma(w0, v0, s00);
    s01 = fma(w0, v1, s01);
    const w1 = v128.load32_splat(weights, 8);
    s10 = fma(w1, v0, s10);
    s11 = fma(w1, v1, s11);
    const w2 = v128.load32_splat(weights, 12);
    s20 = fma(w2, v0, s20);
    s21 = fma(w2, v1, s21);
    const w3 = v128.load32_splat(weights, 16);
    s30 = fma(w3, v0, s30);
    s31 = fma(w3, v1, s31);
    const w4 = v128.load32_splat(weights, 20);
    s40 = fma(w4, v0, s40);
    s41 = fma(w4, v1, s41);
  }
  let to0 = out + load<u32>(at, 4);
  let to1 = out + load<u32>(at, 20);
  v128.store(to0, s00);
  v128.store(to1, s01);
  to0 += plane;
  to1 += plane;
  v128.store(to0, s10);
  v128.store(to1, s11);
  to0 += plane;
  to1 += plane;
  v128.store(to0, s20);
  v128.store(to1, s21);
  to0 += plane;
  to1 += plane;
  v128.store(to0, s30);
  v128.store(to1, s31);
  to0 += plane;
  to1 += plane;
  v128.store(to0, s40);
  v128.store(to1, s41);
}

function tile6(
  image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,
): void {
  const x0 = load<u32>(at);
  const x1 = load<u32>(at, 16);
  let s00 = v128.load32_splat(bias), s01 = v128.load32_splat(bias);
  let s10 = v128.load32_splat(bias, 4), s11 = v128.load32_splat(bias, 4);
  let s20 = v128.load32_splat(bias, 8), s21 = v128.load32_splat(bias, 8);
  let s30 = v128.load32_splat(bias, 12), s31 = v128.load32_splat(bias, 12);
  let s40 = v128.load32_splat(bias, 16), s41 = v128.load32_splat(bias, 16);
  let s50 = v128.load32_splat(bias, 20), s51 = v128.load32_splat(bias, 20);
  for (; weights < weightsEnd; weights += 28) {
    const offset = image + load<u32>(weights);
    const v0 = v128.load(x0 + offset);
    const v1 = v128.load(x1 + offset);
    const w0 = v128.load32_splat(weights, 4);
    s00 = fma(w0, v0, s00);
    s01 = fma(w0, v1, s01);
    const w1 = v128.load32_splat(weights, 8);
    s10 = fma(w1, v0, s10);
    s11 = fma(w1, v1, s11);
    const w2 = v128.load32_splat(weights, 12);
    s20 = fma(w2, v0, s20);
    s21 = fma(w2, v1, s21);
    const w3 = v128.load32_splat(weights, 16);
    s30 = fma(w3, v0, s30);
    s31 = fma(w3, v1, s31);
    const w4 = v128.load32_splat(weights, 20);
    s40 = fma(w4, v0, s40);
    s41 = fma(w4, v1, s41);
    const w5 = v128.load32_splat(weights, 24);
    s50 = fma(w5, v0, s50);
    s51 = fma(w5, v1, s51);
  }
  let to0 = out + load<u32>(at, 4);
  let to1 = out + load<u32>(at, 20);
  v128.store(to0, s00);
  v128.store(to1, s01);
  to0 += plane;
  to1 += plane;
  v128.store(to0, s10);
  v128.store(to1, s11);
  to0 += plane;
  to1 += plane;
  v128.store(to0, s20);
  v128.store(to1, s21);
  to0 += plane;
  to1 += plane;
  v128.store(to0, s30);
  v128.store(to1, s31);
  to0 += plane;
  to1 += plane;
  v128.store(to0, s40);
  v128.store(to1, s41);
  to0 += plane;
  to1 += plane;
  v128.store(to0, s50);
  v128.store(to1, s51);
}

/**
 * The weight gradient of a tile of filters and taps, four lanes for each: the taps of one filter after those of another.
 * Each record has the offset of a vector of places in x, and, from its byte 16 on, the filters' output gradients there.
 * Where `mask` is not 0, only the lanes of x count that are set there.
 */
// @ts-ignore: decorators of functions are AssemblyScript's
@inline
export function gradTile(
  filters: i32, x: usize, taps: usize, records: usize, end: usize, mask: usize, results: usize,
): void {
  if (mask == 0) unchecked(GRAD_TILES[filters - 1])(x, taps, records, end, results);
  else unchecked(MASKED_GRAD_TILES[filters - 1])(x, taps, records, end, mask, results);
}

type GradTile = (x: usize, taps: usize, records: usize, end: usize, results: usize) => void;
type MaskedGradTile = (x: usize, taps: usize, records: usize, end: usize, mask: usize, results: usize) => void;
const GRAD_TILES: StaticArray<GradTile> = [gradTile1, gradTile2, gradTile3, gradTile4, gradTile5, gradTile6];
const MASKED_GRAD_TILES: StaticArray<MaskedGradTile> = [
  gradTile1Masked, gradTile2Masked, gradTile3Masked, gradTile4Masked, gradTile5Masked, gradTile6Masked,
];

function gradTile1(
  x: usize, taps: usize, records: usize, end: usize, results: usize,
): void {
  const x0 = load<u32>(taps);
  const x1 = load<u32>(taps, 4);
  const x2 = load<u32>(taps, 8);
  const x3 = load<u32>(taps, 12);
  const x4 = load<u32>(taps, 16);
  const x5 = load<u32>(taps, 20);
  const x6 = load<u32>(taps, 24);
  const x7 = load<u32>(taps, 28);
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS), s02 = v128.load(ZEROS), s03 = v128.load(ZEROS), s04 = v128.load(ZEROS), s05 = v128.load(ZEROS), s06 = v128.load(ZEROS), s07 = v128.load(ZEROS);
  for (; records < end; records += 32) {
    const from = x + load<u32>(records);
    const v0 = v128.load(x0 + from);
    const v1 = v128.load(x1 + from);
    const v2 = v128.load(x2 + from);
    const v3 = v128.load(x3 + from);
    const v4 = v128.load(x4 + from);
    const v5 = v128.load(x5 + from);
    const v6 = v128.load(x6 + from);
    const v7 = v128.load(x7 + from);
    const d0 = v128.load(records, 16);
    s00 = fma(d0, v0, s00);
    s01 = fma(d0, v1, s01);
    s02 = fma(d0, v2, s02);
    s03 = fma(d0, v3, s03);
    s04 = fma(d0, v4, s04);
    s05 = fma(d0, v5, s05);
    s06 = fma(d0, v6, s06);
    s07 = fma(d0, v7, s07);
  }
  v128.store(results, s00);
  v128.store(results, s01, 16);
  v128.store(results, s02, 32);
  v128.store(results, s03, 48);
  v128.store(results, s04, 64);
  v128.store(results, s05, 80);
  v128.store(results, s06, 96);
  v128.store(results, s07, 112);
}

function gradTile1Masked(
  x: usize, taps: usize, records: usize, end: usize, mask: usize, results: usize,
): void {
  const kept = v128.load(mask);
  const x0 = load<u32>(taps);
  const x1 = load<u32>(taps, 4);
  const x2 = load<u32>(taps, 8);
  const x3 = load<u32>(taps, 12);
  const x4 = load<u32>(taps, 16);
  const x5 = load<u32>(taps, 20);
  const x6 = load<u32>(taps, 24);
  const x7 = load<u32>(taps, 28);
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS), s02 = v128.load(ZEROS), s03 = v128.load(ZEROS), s04 = v128.load(ZEROS), s05 = v128.load(ZEROS), s06 = v128.load(ZEROS), s07 = v128.load(ZEROS);
  for (; records < end; records += 32) {
    const from = x + load<u32>(records);
    const v0 = v128.and(v128.load(x0 + from), kept);
    const v1 = v128.and(v128.load(x1 + from), kept);
    const v2 = v128.and(v128.load(x2 + from), kept);
    const v3 = v128.and(v128.load(x3 + from), kept);
    const v4 = v128.and(v128.load(x4 + from), kept);
    const v5 = v128.and(v128.load(x5 + from), kept);
    const v6 = v128.and(v128.load(x6 + from), kept);
    const v7 = v128.and(v128.load(x7 + from), kept);
    const d0 = v128.load(records, 16);
    s00 = fma(d0, v0, s00);
    s01 = fma(d0, v1, s01);
    s02 = fma(d0, v2, s02);
    s03 = fma(d0, v3, s03);
    s04 = fma(d0, v4, s04);
    s05 = fma(d0, v5, s05);
    s06 = fma(d0, v6, s06);
    s07 = fma(d0, v7, s07);
  }
  v128.store(results, s00);
  v128.store(results, s01, 16);
  v128.store(results, s02, 32);
  v128.store(results, s03, 48);
  v128.store(results, s04, 64);
  v128.store(results, s05, 80);
  v128.store(results, s06, 96);
  v128.store(results, s07, 112);
}

function gradTile2(
  x: usize, taps: usize, records: usize, end: usize, results: usize,
): void {
  const x0 = load<u32>(taps);
  const x1 = load<u32>(taps, 4);
  const x2 = load<u32>(taps, 8);
  const x3 = load<u32>(taps, 12);
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS), s02 = v128.load(ZEROS), s03 = v128.load(ZEROS);
  let s10 = v128.load(ZEROS), s11 = v128.load(ZEROS), s12 = v128.load(ZEROS), s13 = v128.load(ZEROS);
  for (; records < end; records += 48) {
    const from = x + load<u32>(records);
    const v0 = v128.load(x0 + from);
    const v1 = v128.load(x1 + from);
    const v2 = v128.load(x2 + from);
    const v3 = v128.load(x3 + from);
    const d0 = v128.load(records, 16);
    s00 = fma(d0, v0, s00);
    s01 = fma(d0, v1, s01);
    s02 = fma(d0, v2, s02);
    s03 = fma(d0, v3, s03);
    const d1 = v128.load(records, 32);
    s10 = fma(d1, v0, s10);
    s11 = fma(d1, v1, s11);
    s12 = fma(d1, v2, s12);
    s13 = fma(d1, v3, s13);
  }
  v128.store(results, s00);
  v128.store(results, s01, 16);
  v128.store(results, s02, 32);
  v128.store(results, s03, 48);
  v128.store(results, s10, 64);
  v128.store(results, s11, 80);
  v128.store(results, s12, 96);
  v128.store(results, s13, 112);
}

function gradTile2Masked(
  x: usize, taps: usize, records: usize, end: usize, mask: usize, results: usize,
): void {
  const kept = v128.load(mask);
  const x0 = load<u32>(taps);
  const x1 = load<u32>(taps, 4);
  const x2 = load<u32>(taps, 8);
  const x3 = load<u32>(taps, 12);
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS), s02 = v128.load(ZEROS), s03 = v128.load(ZEROS);
  let s10 = v128.load(ZEROS), s11 = v128.load(ZEROS), s12 = v128.load(ZEROS), s13 = v128.load(ZEROS);
  for (; records < end; records += 48) {
    const from = x + load<u32>(records);
    const v0 = v128.and(v128.load(x0 + from), kept);
    const v1 = v128.and(v128.load(x1 + from), kept);
    const v2 = v128.and(v128.load(x2 + from), kept);
    const v3 = v128.and(v128.load(x3 + from), kept);
    const d0 = v128.load(records, 16);
    s00 = fma(d0, v0, s00);
    s01 = fma(d0, v1, s01);
    s02 = fma(d0, v2, s02);
    s03 = fma(d0, v3, s03);
    const d1 = v128.load(records, 32);
    s10 = fma(d1, v0, s10);
    s11 = fma(d1, v1, s11);
    s12 = fma(d1, v2, s12);
    s13 = fma(d1, v3, s13);
  }
  v128.store(results, s00);
  v128.store(results, s01, 16);
  v128.store(results, s02, 32);
  v128.store(results, s03, 48);
  v128.store(results, s10, 64);
  v128.store(results, s11, 80);
  v128.store(results, s12, 96);
  v128.store(results, s13, 112);
}

function gradTile3(
  x: usize, taps: usize, records: usize, end: usize, results: usize,
): void {
  const x0 = load<u32>(taps);
  const x1 = load<u32>(taps, 4);
  const x2 = load<u32>(taps, 8);
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS), s02 = v128.load(ZEROS);
  let s10 = v128.load(ZEROS), s11 = v128.load(ZEROS), s12 = v128.load(ZEROS);
  let s20 = v128.load(ZEROS), s21 = v128.load(ZEROS), s22 = v128.load(ZEROS);
  for (; records < end; records += 64) {
    const from = x + load<u32>(records);
    const v0 = v128.load(x0 + from);
    const v1 = v128.load(x1 + from);
    const v2 = v128.load(x2 + from);
    const d0 = v128.load(records, 16);
    s00 = fma(d0, v0, s00);
    s01 = fma(d0, v1, s01);
    s02 = fma(d0, v2, s02);
    const d1 = v128.load(records, 32);
    s10 = fma(d1, v0, s10);
    s11 = fma(d1, v1, s11);
    s12 = fma(d1, v2, s12);
    const d2 = v128.load(records, 48);
    s20 = fma(d2, v0, s20);
    s21 = fma(d2, v1, s21);
    s22 = fma(d2, v2, s22);
  }
  v128.store(results, s00);
  v128.store(results, s01, 16);
  v128.store(results, s02, 32);
  v128.store(results, s10, 48);
  v128.store(results, s11, 64);
  v128.store(results, s12, 80);
  v128.store(results, s20, 96);
  v128.store(results, s21, 112);
  v128.store(results, s22, 128);
}

function gradTile3Masked(
  x: usize, taps: usize, records: usize, end: usize, mask: usize, results: usize,
): void {
  const kept = v128.load(mask);
  const x0 = load<u32>(taps);
  const x1 = load<u32>(taps, 4);
  const x2 = load<u32>(taps, 8);
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS), s02 = v128.load(ZEROS);
  let s10 = v128.load(ZEROS), s11 = v128.load(ZEROS), s12 = v128.load(ZEROS);
  let s20 = v128.load(ZEROS), s21 = v128.load(ZEROS), s22 = v128.load(ZEROS);
  for (; records < end; records += 64) {
    const from = x + load<u32>(records);
    const v0 = v128.and(v128.load(x0 + from), kept);
    const v1 = v128.and(v128.load(x1 + from), kept);
    const v2 = v128.and(v128.load(x2 + from), kept);
    const d0 = v128.load(records, 16);
    s00 = fma(d0, v0, s00);
    s01 = fma(d0, v1, s01);
    s02 = fma(d0, v2, s02);
    const d1 = v128.load(records, 32);
    s10 = fma(d1, v0, s10);
    s11 = fma(d1, v1, s11);
    s12 = fma(d1, v2, s12);
    const d2 = v128.load(records, 48);
    s20 = fma(d2, v0, s20);
    s21 = fma(d2, v1, s21);
    s22 = fma(d2, v2, s22);
  }
  v128.store(results, s00);
  v128.store(results, s01, 16);
  v128.store(results, s02, 32);
  v128.store(results, s10, 48);
  v128.store(results, s11, 64);
  v128.store(results, s12, 80);
  v128.store(results, s20, 96);
  v128.store(results, s21, 112);
  v128.store(results, s22, 128);
}

function gradTile4(
  x: usize, taps: usize, records: usize, end: usize, results: usize,
): void {
  const x0 = load<u32>(taps);
  const x1 = load<u32>(taps, 4);
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS);
  let s10 = v128.load(ZEROS), s11 = v128.load(ZEROS);
  let s20 = v128.load(ZEROS), s21 = v128.load(ZEROS);
  let s30 = v128.load(ZEROS), s31 = v128.load(ZEROS);
  for (; records < end; records += 80) {
    const from = x + load<u32>(records);
    const v0 = v128.load(x0 + from);
    const v1 = v128.load(x1 + from);
    const d0 = v128.load(records, 16);
    s00 = fma(d0, v0, s00);
    s01 = fma(d0, v1, s01);
    const d1 = v128.load(records, 32);
    s10 = fma(d1, v0, s10);
    s11 = fma(d1, v1, s11);
    const d2 = v128.load(records, 48);
    s20 = fma(d2, v0, s20);
    s21 = fma(d2, v1, s21);
    const d3 = v128.load(records, 64);
    s30 = fma(d3, v0, s30);
    s31 = fma(d3, v1, s31);
  }
  v128.store(results, s00);
  v128.store(results, s01, 16);
  v128.store(results, s10, 32);
  v128.store(results, s11, 48);
  v128.store(results, s20, 64);
  v128.store(results, s21, 80);
  v128.store(results, s30, 96);
  v128.store(results, s31, 112);
}

function gradTile4Masked(
  x: usize, taps: usize, records: usize, end: usize, mask: usize, results: usize,
): void {
  const kept = v128.load(mask);
  const x0 = load<u32>(taps);
  const x1 = load<u32>(taps, 4);
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS);
  let s10 = v128.load(ZEROS), s11 = v128.load(ZEROS);
  let s20 = v128.load(ZEROS), s21 = v128.load(ZEROS);
  let s30 = v128.load(ZEROS), s31 = v128.load(ZEROS);
  for (; records < end; records += 80) {
    const from = x + load<u32>(records);
    const v0 = v128.and(v128.load(x0 + from), kept);
    const v1 = v128.and(v128.load(x1 + from), kept);
    const d0 = v128.load(records, 16);
    s00 = fma(d0, v0, s00);
    s01 = fma(d0, v1, s01);
    const d1 = v128.load(records, 32);
    s10 = fma(d1, v0, s10);
    s11 = fma(d1, v1, s11);
    const d2 = v128.load(records, 48);
    s20 = fma(d2, v0, s20);
    s21 = fma(d2, v1, s21);
    const d3 = v128.load(records, 64);
    s30 = fma(d3, v0, s30);
    s31 = fma(d3, v1, s31);
  }
  v128.store(results, s00);
  v128.store(results, s01, 16);
  v128.store(results, s10, 32);
  v128.store(results, s11, 48);
  v128.store(results, s20, 64);
  v128.store(results, s21, 80);
  v128.store(results, s30, 96);
  v128.store(results, s31, 112);
}

function gradTile5(
  x: usize, taps: usize, records: usize, end: usize, results: usize,
): void {
  const x0 = load<u32>(taps);
  const x1 = load<u32>(taps, 4);
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS);
  let s10 = v128.load(ZEROS), s11 = v128.load(ZEROS);
  let s20 = v128.load(ZEROS), s21 = v128.load(ZEROS);
  let s30 = v128.load(ZEROS), s31 = v128.load(ZEROS);
  let s40 = v128.load(ZEROS), s41 = v128.load(ZEROS);
  for (; records < end; records += 96) {
    const from = x + load<u32>(records);
    const v0 = v128.load(x0 + from);
    const v1 = v128.load(x1 + from);
    const d0 = v128.load(records, 16);
    s00 = fma(d0, v0, s00);
    s01 = fma(d0, v1, s01);
    const d1 = v128.load(records, 32);
    s10 = fma(d1, v0, s10);
    s11 = fma(d1, v1, s11);
    const d2 = v128.load(records, 48);
    s20 = fma(d2, v0, s20);
    s21 = fma(d2, v1, s21);
    const d3 = v128.load(records, 64);
    s30 = fma(d3, v0, s30);
    s31 = fma(d3, v1, s31);
    const d4 = v128.load(records, 80);
    s40 = fma(d4, v0, s40);
    s41 = fma(d4, v1, s41);
  }
  v128.store(results, s00);
  v128.store(results, s01, 16);
  v128.store(results, s10, 32);
  v128.store(results, s11, 48);
  v128.store(results, s20, 64);
  v128.store(results, s21, 80);
  v128.store(results, s30, 96);
  v128.store(results, s31, 112);
  v128.store(results, s40, 128);
  v128.store(results, s41, 144);
}

function gradTile5Masked(
  x: usize, taps: usize, records: usize, end: usize, mask: usize, results: usize,
): void {
  const kept = v128.load(mask);
  const x0 = load<u32>(taps);
  const x1 = load<u32>(taps, 4);
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS);
  let s10 = v128.load(ZEROS), s11 = v128.load(ZEROS);
  let s20 = v128.load(ZEROS), s21 = v128.load(ZEROS);
  let s30 = v128.load(ZEROS), s31 = v128.load(ZEROS);
  let s40 = v128.load(ZEROS), s41 = v128.load(ZEROS);
  for (; records < end; records += 96) {
    const from = x + load<u32>(records);
    const v0 = v128.and(v128.load(x0 + from), kept);
    const v1 = v128.and(v128.load(x1 + from), kept);
    const d0 = v128.load(records, 16);
    s00 = fma(d0, v0, s00);
    s01 = fma(d0, v1, s01);
    const d1 = v128.load(records, 32);
    s10 = fma(d1, v0, s10);
    s11 = fma(d1, v1, s11);
    const d2 = v128.load(records, 48);
    s20 = fma(d2, v0, s20);
    s21 = fma(d2, v1, s21);
    const d3 = v128.load(records, 64);
    s30 = fma(d3, v0, s30);
    s31 = fma(d3, v1, s31);
    const d4 = v128.load(records, 80);
    s40 = fma(d4, v0, s40);
    s41 = fma(d4, v1, s41);
  }
  v128.store(results, s00);
  v128.store(results, s01, 16);
  v128.store(results, s10, 32);
  v128.store(results, s11, 48);
  v128.store(results, s20, 64);
  v128.store(results, s21, 80);
  v128.store(results, s30, 96);
  v128.store(results, s31, 112);
  v128.store(results, s40, 128);
  v128.store(results, s41, 144);
}

function gradTile6(
  x: usize, taps: usize, records: usize, end: usize, results: usize,
): void {
  const x0 = load<u32>(taps);
  const x1 = load<u32>(taps, 4);
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS);
  let s10 = v128.load(ZEROS), s11 = v128.load(ZEROS);
  let s20 = v128.load(ZEROS), s21 = v128.load(ZEROS);
  let s30 = v128.load(ZEROS), s31 = v128.load(ZEROS);
  let s40 = v128.load(ZEROS), s41 = v128.load(ZEROS);
  let s50 = v128.load(ZEROS), s51 = v128.load(ZEROS);
  for (; records < end; records += 112) {
    const from = x + load<u32>(records);
    const v0 = v128.load(x0 + from);
    const v1 = v128.load(x1 + from);
    const d0 = v128.load(records, 16);
    s00 = fma(d0, v0, s00);
    s01 = fma(d0, v1, s01);
    const d1 = v128.load(records, 32);
    s10 = fma(d1, v0, s10);
    s11 = fma(d1, v1, s11);
    const d2 = v128.load(records, 48);
    s20 = fma(d2, v0, s20);
    s21 = fma(d2, v1, s21);
    const d3 = v128.load(records, 64);
    s30 = fma(d3, v0, s30);
    s31 = fma(d3, v1, s31);
    const d4 = v128.load(records, 80);
    s40 = fma(d4, v0, s40);
    s41 = fma(d4, v1, s41);
    const d5 = v128.load(records, 96);
    s50 = fma(d5, v0, s50);
    s51 = fma(d5, v1, s51);
  }
  v128.store(results, s00);
  v128.store(results, s01, 16);
  v128.store(results, s10, 32);
  v128.store(results, s11, 48);
  v128.store(results, s20, 64);
  v128.store(results, s21, 80);
  v128.store(results, s30, 96);
  v128.store(results, s31, 112);
  v128.store(results, s40, 128);
  v128.store(results, s41, 144);
  v128.store(results, s50, 160);
  v128.store(results, s51, 176);
}

function gradTile6Masked(
  x: usize, taps: usize, records: usize, end: usize, mask: usize, results: usize,
): void {
  const kept = v128.load(mask);
  const x0 = load<u32>(taps);
  const x1 = load<u32>(taps, 4);
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS);
  let s10 = v128.load(ZEROS), s11 = v128.load(ZEROS);
  let s20 = v128.load(ZEROS), s21 = v128.load(ZEROS);
  let s30 = v128.load(ZEROS), s31 = v128.load(ZEROS);
  let s40 = v128.load(ZEROS), s41 = v128.load(ZEROS);
  let s50 = v128.load(ZEROS), s51 = v128.load(ZEROS);
  for (; records < end; records += 112) {
    const from = x + load<u32>(records);
    const v0 = v128.and(v128.load(x0 + from), kept);
    const v1 = v128.and(v128.load(x1 + from), kept);
    const d0 = v128.load(records, 16);
    s00 = fma(d0, v0, s00);
    s01 = fma(d0, v1, s01);
    const d1 = v128.load(records, 32);
    s10 = fma(d1, v0, s10);
    s11 = fma(d1, v1, s11);
    const d2 = v128.load(records, 48);
    s20 = fma(d2, v0, s20);
    s21 = fma(d2, v1, s21);
    const d3 = v128.load(records, 64);
    s30 = fma(d3, v0, s30);
    s31 = fma(d3, v1, s31);
    const d4 = v128.load(records, 80);
    s40 = fma(d4, v0, s40);
    s41 = fma(d4, v1, s41);
    const d5 = v128.load(records, 96);
    s50 = fma(d5, v0, s50);
    s51 = fma(d5, v1, s51);
  }
  v128.store(results, s00);
  v128.store(results, s01, 16);
  v128.store(results, s10, 32);
  v128.store(results, s11, 48);
  v128.store(results, s20, 64);
  v128.store(results, s21, 80);
  v128.store(results, s30, 96);
  v128.store(results, s31, 112);
  v128.store(results, s40, 128);
  v128.store(results, s41, 144);
  v128.store(results, s50, 160);
  v128.store(results, s51, 176);
}
