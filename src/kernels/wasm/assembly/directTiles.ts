/**
 * The innermost loops of the direct convolutions. Made by scripts/generateDirectTiles.mjs: do not edit.
 *
 * @module
 */
import { fma } from "./environment";
import { ZEROS } from "./gemm";

/** Vectors of places in a tile of so many filters. */
export function vectorsOf(filters: i32): i32 {
  switch (filters) {
    case 1: return 8;
    case 2: return 6;
    case 3: return 4;
    case 4: return 3;
    case 5: return 2;
    case 6: return 2;
  }
  return 1;
}

/**
 * The convolution of a tile. At `at` lie pairs of offsets: of a vector of places in the image, and in the output.
 * `weights` has a record for each tap: its offset in the image, and the filters' weights.
 */
export function tile(
  filters: i32, image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,
): void {
  switch (filters) {
    case 1: return tile1(image, weights, weightsEnd, bias, at, out, plane);
    case 2: return tile2(image, weights, weightsEnd, bias, at, out, plane);
    case 3: return tile3(image, weights, weightsEnd, bias, at, out, plane);
    case 4: return tile4(image, weights, weightsEnd, bias, at, out, plane);
    case 5: return tile5(image, weights, weightsEnd, bias, at, out, plane);
    case 6: return tile6(image, weights, weightsEnd, bias, at, out, plane);
  }
}

function tile1(
  image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,
): void {
  const x0 = image + load<u32>(at);
  const x1 = image + load<u32>(at, 8);
  const x2 = image + load<u32>(at, 16);
  const x3 = image + load<u32>(at, 24);
  const x4 = image + load<u32>(at, 32);
  const x5 = image + load<u32>(at, 40);
  const x6 = image + load<u32>(at, 48);
  const x7 = image + load<u32>(at, 56);
  let s00 = v128.load32_splat(bias), s01 = v128.load32_splat(bias), s02 = v128.load32_splat(bias), s03 = v128.load32_splat(bias), s04 = v128.load32_splat(bias), s05 = v128.load32_splat(bias), s06 = v128.load32_splat(bias), s07 = v128.load32_splat(bias);
  for (; weights < weightsEnd; weights += 8) {
    const offset = load<u32>(weights);
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
  let to1 = out + load<u32>(at, 12);
  let to2 = out + load<u32>(at, 20);
  let to3 = out + load<u32>(at, 28);
  let to4 = out + load<u32>(at, 36);
  let to5 = out + load<u32>(at, 44);
  let to6 = out + load<u32>(at, 52);
  let to7 = out + load<u32>(at, 60);
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
  const x0 = image + load<u32>(at);
  const x1 = image + load<u32>(at, 8);
  const x2 = image + load<u32>(at, 16);
  const x3 = image + load<u32>(at, 24);
  const x4 = image + load<u32>(at, 32);
  const x5 = image + load<u32>(at, 40);
  let s00 = v128.load32_splat(bias), s01 = v128.load32_splat(bias), s02 = v128.load32_splat(bias), s03 = v128.load32_splat(bias), s04 = v128.load32_splat(bias), s05 = v128.load32_splat(bias);
  let s10 = v128.load32_splat(bias, 4), s11 = v128.load32_splat(bias, 4), s12 = v128.load32_splat(bias, 4), s13 = v128.load32_splat(bias, 4), s14 = v128.load32_splat(bias, 4), s15 = v128.load32_splat(bias, 4);
  for (; weights < weightsEnd; weights += 12) {
    const offset = load<u32>(weights);
    const v0 = v128.load(x0 + offset);
    const v1 = v128.load(x1 + offset);
    const v2 = v128.load(x2 + offset);
    const v3 = v128.load(x3 + offset);
    const v4 = v128.load(x4 + offset);
    const v5 = v128.load(x5 + offset);
    const w0 = v128.load32_splat(weights, 4);
    s00 = fma(w0, v0, s00);
    s01 = fma(w0, v1, s01);
    s02 = fma(w0, v2, s02);
    s03 = fma(w0, v3, s03);
    s04 = fma(w0, v4, s04);
    s05 = fma(w0, v5, s05);
    const w1 = v128.load32_splat(weights, 8);
    s10 = fma(w1, v0, s10);
    s11 = fma(w1, v1, s11);
    s12 = fma(w1, v2, s12);
    s13 = fma(w1, v3, s13);
    s14 = fma(w1, v4, s14);
    s15 = fma(w1, v5, s15);
  }
  let to0 = out + load<u32>(at, 4);
  let to1 = out + load<u32>(at, 12);
  let to2 = out + load<u32>(at, 20);
  let to3 = out + load<u32>(at, 28);
  let to4 = out + load<u32>(at, 36);
  let to5 = out + load<u32>(at, 44);
  v128.store(to0, s00);
  v128.store(to1, s01);
  v128.store(to2, s02);
  v128.store(to3, s03);
  v128.store(to4, s04);
  v128.store(to5, s05);
  to0 += plane;
  to1 += plane;
  to2 += plane;
  to3 += plane;
  to4 += plane;
  to5 += plane;
  v128.store(to0, s10);
  v128.store(to1, s11);
  v128.store(to2, s12);
  v128.store(to3, s13);
  v128.store(to4, s14);
  v128.store(to5, s15);
}

function tile3(
  image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,
): void {
  const x0 = image + load<u32>(at);
  const x1 = image + load<u32>(at, 8);
  const x2 = image + load<u32>(at, 16);
  const x3 = image + load<u32>(at, 24);
  let s00 = v128.load32_splat(bias), s01 = v128.load32_splat(bias), s02 = v128.load32_splat(bias), s03 = v128.load32_splat(bias);
  let s10 = v128.load32_splat(bias, 4), s11 = v128.load32_splat(bias, 4), s12 = v128.load32_splat(bias, 4), s13 = v128.load32_splat(bias, 4);
  let s20 = v128.load32_splat(bias, 8), s21 = v128.load32_splat(bias, 8), s22 = v128.load32_splat(bias, 8), s23 = v128.load32_splat(bias, 8);
  for (; weights < weightsEnd; weights += 16) {
    const offset = load<u32>(weights);
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
    const w2 = v128.load32_splat(weights, 12);
    s20 = fma(w2, v0, s20);
    s21 = fma(w2, v1, s21);
    s22 = fma(w2, v2, s22);
    s23 = fma(w2, v3, s23);
  }
  let to0 = out + load<u32>(at, 4);
  let to1 = out + load<u32>(at, 12);
  let to2 = out + load<u32>(at, 20);
  let to3 = out + load<u32>(at, 28);
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
  to0 += plane;
  to1 += plane;
  to2 += plane;
  to3 += plane;
  v128.store(to0, s20);
  v128.store(to1, s21);
  v128.store(to2, s22);
  v128.store(to3, s23);
}

function tile4(
  image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,
): void {
  const x0 = image + load<u32>(at);
  const x1 = image + load<u32>(at, 8);
  const x2 = image + load<u32>(at, 16);
  let s00 = v128.load32_splat(bias), s01 = v128.load32_splat(bias), s02 = v128.load32_splat(bias);
  let s10 = v128.load32_splat(bias, 4), s11 = v128.load32_splat(bias, 4), s12 = v128.load32_splat(bias, 4);
  let s20 = v128.load32_splat(bias, 8), s21 = v128.load32_splat(bias, 8), s22 = v128.load32_splat(bias, 8);
  let s30 = v128.load32_splat(bias, 12), s31 = v128.load32_splat(bias, 12), s32 = v128.load32_splat(bias, 12);
  for (; weights < weightsEnd; weights += 20) {
    const offset = load<u32>(weights);
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
    const w3 = v128.load32_splat(weights, 16);
    s30 = fma(w3, v0, s30);
    s31 = fma(w3, v1, s31);
    s32 = fma(w3, v2, s32);
  }
  let to0 = out + load<u32>(at, 4);
  let to1 = out + load<u32>(at, 12);
  let to2 = out + load<u32>(at, 20);
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
  to0 += plane;
  to1 += plane;
  to2 += plane;
  v128.store(to0, s30);
  v128.store(to1, s31);
  v128.store(to2, s32);
}

function tile5(
  image: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, out: usize, plane: usize,
): void {
  const x0 = image + load<u32>(at);
  const x1 = image + load<u32>(at, 8);
  let s00 = v128.load32_splat(bias), s01 = v128.load32_splat(bias);
  let s10 = v128.load32_splat(bias, 4), s11 = v128.load32_splat(bias, 4);
  let s20 = v128.load32_splat(bias, 8), s21 = v128.load32_splat(bias, 8);
  let s30 = v128.load32_splat(bias, 12), s31 = v128.load32_splat(bias, 12);
  let s40 = v128.load32_splat(bias, 16), s41 = v128.load32_splat(bias, 16);
  for (; weights < weightsEnd; weights += 24) {
    const offset = load<u32>(weights);
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
  let to1 = out + load<u32>(at, 12);
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
  const x0 = image + load<u32>(at);
  const x1 = image + load<u32>(at, 8);
  let s00 = v128.load32_splat(bias), s01 = v128.load32_splat(bias);
  let s10 = v128.load32_splat(bias, 4), s11 = v128.load32_splat(bias, 4);
  let s20 = v128.load32_splat(bias, 8), s21 = v128.load32_splat(bias, 8);
  let s30 = v128.load32_splat(bias, 12), s31 = v128.load32_splat(bias, 12);
  let s40 = v128.load32_splat(bias, 16), s41 = v128.load32_splat(bias, 16);
  let s50 = v128.load32_splat(bias, 20), s51 = v128.load32_splat(bias, 20);
  for (; weights < weightsEnd; weights += 28) {
    const offset = load<u32>(weights);
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
  let to1 = out + load<u32>(at, 12);
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
 * Adds the weight gradient of some filters and taps, over some images, to `sums`: the taps of one filter after those of
 * another. From `whole` to `wholeEnd` lie pairs of offsets, of a vector of places in x and in the output gradient; those
 * from `rest` to `restEnd` count only where the mask says so.
 */
export function gradTile(
  filters: i32, x: usize, taps: usize, gradient: usize, plane: usize, whole: usize, wholeEnd: usize, rest: usize,
  restEnd: usize, mask: usize, images: i32, xImage: usize, gradientImage: usize, sums: usize,
): void {
  switch (filters) {
    case 1:
      return gradTile1(
        x, taps, gradient, plane, whole, wholeEnd, rest, restEnd, mask, images, xImage, gradientImage, sums,
      );
    case 2:
      return gradTile2(
        x, taps, gradient, plane, whole, wholeEnd, rest, restEnd, mask, images, xImage, gradientImage, sums,
      );
    case 3:
      return gradTile3(
        x, taps, gradient, plane, whole, wholeEnd, rest, restEnd, mask, images, xImage, gradientImage, sums,
      );
    case 4:
      return gradTile4(
        x, taps, gradient, plane, whole, wholeEnd, rest, restEnd, mask, images, xImage, gradientImage, sums,
      );
  }
}

/** Adds the sums of the lanes of four vectors to four numbers. */
@inline
function add(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = f32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  const sum = f32x4.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
  v128.store(to, f32x4.add(v128.load(to), sum));
}

function gradTile1(
  x: usize, taps: usize, gradient: usize, plane: usize, whole: usize, wholeEnd: usize, rest: usize, restEnd: usize,
  mask: usize, images: i32, xImage: usize, gradientImage: usize, sums: usize,
): void {
  let x0 = x + load<u32>(taps);
  let x1 = x + load<u32>(taps, 4);
  let x2 = x + load<u32>(taps, 8);
  let g0 = gradient;
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS), s02 = v128.load(ZEROS);
  for (; images > 0; images--) {
    for (let at = whole; at < wholeEnd; at += 8) {
      const fromX = load<u32>(at), fromG = load<u32>(at, 4);
      const v0 = v128.load(x0 + fromX);
      const v1 = v128.load(x1 + fromX);
      const v2 = v128.load(x2 + fromX);
      const d0 = v128.load(g0 + fromG);
      s00 = fma(d0, v0, s00);
      s01 = fma(d0, v1, s01);
      s02 = fma(d0, v2, s02);
    }
    if (rest < restEnd) {
      const kept = v128.load(mask);
      for (let at = rest; at < restEnd; at += 8) {
        const fromX = load<u32>(at), fromG = load<u32>(at, 4);
        const v0 = v128.and(v128.load(x0 + fromX), kept);
        const v1 = v128.and(v128.load(x1 + fromX), kept);
        const v2 = v128.and(v128.load(x2 + fromX), kept);
        const d0 = v128.and(v128.load(g0 + fromG), kept);
        s00 = fma(d0, v0, s00);
        s01 = fma(d0, v1, s01);
        s02 = fma(d0, v2, s02);
      }
    }
    x0 += xImage;
    x1 += xImage;
    x2 += xImage;
    g0 += gradientImage;
  }
  add(sums, s00, s01, s02, f32x4.splat(0));
}

function gradTile2(
  x: usize, taps: usize, gradient: usize, plane: usize, whole: usize, wholeEnd: usize, rest: usize, restEnd: usize,
  mask: usize, images: i32, xImage: usize, gradientImage: usize, sums: usize,
): void {
  let x0 = x + load<u32>(taps);
  let x1 = x + load<u32>(taps, 4);
  let x2 = x + load<u32>(taps, 8);
  let g0 = gradient;
  let g1 = g0 + plane;
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS), s02 = v128.load(ZEROS), s10 = v128.load(ZEROS), s11 = v128.load(ZEROS), s12 = v128.load(ZEROS);
  for (; images > 0; images--) {
    for (let at = whole; at < wholeEnd; at += 8) {
      const fromX = load<u32>(at), fromG = load<u32>(at, 4);
      const v0 = v128.load(x0 + fromX);
      const v1 = v128.load(x1 + fromX);
      const v2 = v128.load(x2 + fromX);
      const d0 = v128.load(g0 + fromG);
      s00 = fma(d0, v0, s00);
      s01 = fma(d0, v1, s01);
      s02 = fma(d0, v2, s02);
      const d1 = v128.load(g1 + fromG);
      s10 = fma(d1, v0, s10);
      s11 = fma(d1, v1, s11);
      s12 = fma(d1, v2, s12);
    }
    if (rest < restEnd) {
      const kept = v128.load(mask);
      for (let at = rest; at < restEnd; at += 8) {
        const fromX = load<u32>(at), fromG = load<u32>(at, 4);
        const v0 = v128.and(v128.load(x0 + fromX), kept);
        const v1 = v128.and(v128.load(x1 + fromX), kept);
        const v2 = v128.and(v128.load(x2 + fromX), kept);
        const d0 = v128.and(v128.load(g0 + fromG), kept);
        s00 = fma(d0, v0, s00);
        s01 = fma(d0, v1, s01);
        s02 = fma(d0, v2, s02);
        const d1 = v128.and(v128.load(g1 + fromG), kept);
        s10 = fma(d1, v0, s10);
        s11 = fma(d1, v1, s11);
        s12 = fma(d1, v2, s12);
      }
    }
    x0 += xImage;
    x1 += xImage;
    x2 += xImage;
    g0 += gradientImage;
    g1 += gradientImage;
  }
  add(sums, s00, s01, s02, s10);
  add(sums + 16, s11, s12, f32x4.splat(0), f32x4.splat(0));
}

function gradTile3(
  x: usize, taps: usize, gradient: usize, plane: usize, whole: usize, wholeEnd: usize, rest: usize, restEnd: usize,
  mask: usize, images: i32, xImage: usize, gradientImage: usize, sums: usize,
): void {
  let x0 = x + load<u32>(taps);
  let x1 = x + load<u32>(taps, 4);
  let x2 = x + load<u32>(taps, 8);
  let g0 = gradient;
  let g1 = g0 + plane;
  let g2 = g1 + plane;
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS), s02 = v128.load(ZEROS), s10 = v128.load(ZEROS), s11 = v128.load(ZEROS), s12 = v128.load(ZEROS), s20 = v128.load(ZEROS), s21 = v128.load(ZEROS), s22 = v128.load(ZEROS);
  for (; images > 0; images--) {
    for (let at = whole; at < wholeEnd; at += 8) {
      const fromX = load<u32>(at), fromG = load<u32>(at, 4);
      const v0 = v128.load(x0 + fromX);
      const v1 = v128.load(x1 + fromX);
      const v2 = v128.load(x2 + fromX);
      const d0 = v128.load(g0 + fromG);
      s00 = fma(d0, v0, s00);
      s01 = fma(d0, v1, s01);
      s02 = fma(d0, v2, s02);
      const d1 = v128.load(g1 + fromG);
      s10 = fma(d1, v0, s10);
      s11 = fma(d1, v1, s11);
      s12 = fma(d1, v2, s12);
      const d2 = v128.load(g2 + fromG);
      s20 = fma(d2, v0, s20);
      s21 = fma(d2, v1, s21);
      s22 = fma(d2, v2, s22);
    }
    if (rest < restEnd) {
      const kept = v128.load(mask);
      for (let at = rest; at < restEnd; at += 8) {
        const fromX = load<u32>(at), fromG = load<u32>(at, 4);
        const v0 = v128.and(v128.load(x0 + fromX), kept);
        const v1 = v128.and(v128.load(x1 + fromX), kept);
        const v2 = v128.and(v128.load(x2 + fromX), kept);
        const d0 = v128.and(v128.load(g0 + fromG), kept);
        s00 = fma(d0, v0, s00);
        s01 = fma(d0, v1, s01);
        s02 = fma(d0, v2, s02);
        const d1 = v128.and(v128.load(g1 + fromG), kept);
        s10 = fma(d1, v0, s10);
        s11 = fma(d1, v1, s11);
        s12 = fma(d1, v2, s12);
        const d2 = v128.and(v128.load(g2 + fromG), kept);
        s20 = fma(d2, v0, s20);
        s21 = fma(d2, v1, s21);
        s22 = fma(d2, v2, s22);
      }
    }
    x0 += xImage;
    x1 += xImage;
    x2 += xImage;
    g0 += gradientImage;
    g1 += gradientImage;
    g2 += gradientImage;
  }
  add(sums, s00, s01, s02, s10);
  add(sums + 16, s11, s12, s20, s21);
  add(sums + 32, s22, f32x4.splat(0), f32x4.splat(0), f32x4.splat(0));
}

function gradTile4(
  x: usize, taps: usize, gradient: usize, plane: usize, whole: usize, wholeEnd: usize, rest: usize, restEnd: usize,
  mask: usize, images: i32, xImage: usize, gradientImage: usize, sums: usize,
): void {
  let x0 = x + load<u32>(taps);
  let x1 = x + load<u32>(taps, 4);
  let x2 = x + load<u32>(taps, 8);
  let g0 = gradient;
  let g1 = g0 + plane;
  let g2 = g1 + plane;
  let g3 = g2 + plane;
  let s00 = v128.load(ZEROS), s01 = v128.load(ZEROS), s02 = v128.load(ZEROS), s10 = v128.load(ZEROS), s11 = v128.load(ZEROS), s12 = v128.load(ZEROS), s20 = v128.load(ZEROS), s21 = v128.load(ZEROS), s22 = v128.load(ZEROS), s30 = v128.load(ZEROS), s31 = v128.load(ZEROS), s32 = v128.load(ZEROS);
  for (; images > 0; images--) {
    for (let at = whole; at < wholeEnd; at += 8) {
      const fromX = load<u32>(at), fromG = load<u32>(at, 4);
      const v0 = v128.load(x0 + fromX);
      const v1 = v128.load(x1 + fromX);
      const v2 = v128.load(x2 + fromX);
      const d0 = v128.load(g0 + fromG);
      s00 = fma(d0, v0, s00);
      s01 = fma(d0, v1, s01);
      s02 = fma(d0, v2, s02);
      const d1 = v128.load(g1 + fromG);
      s10 = fma(d1, v0, s10);
      s11 = fma(d1, v1, s11);
      s12 = fma(d1, v2, s12);
      const d2 = v128.load(g2 + fromG);
      s20 = fma(d2, v0, s20);
      s21 = fma(d2, v1, s21);
      s22 = fma(d2, v2, s22);
      const d3 = v128.load(g3 + fromG);
      s30 = fma(d3, v0, s30);
      s31 = fma(d3, v1, s31);
      s32 = fma(d3, v2, s32);
    }
    if (rest < restEnd) {
      const kept = v128.load(mask);
      for (let at = rest; at < restEnd; at += 8) {
        const fromX = load<u32>(at), fromG = load<u32>(at, 4);
        const v0 = v128.and(v128.load(x0 + fromX), kept);
        const v1 = v128.and(v128.load(x1 + fromX), kept);
        const v2 = v128.and(v128.load(x2 + fromX), kept);
        const d0 = v128.and(v128.load(g0 + fromG), kept);
        s00 = fma(d0, v0, s00);
        s01 = fma(d0, v1, s01);
        s02 = fma(d0, v2, s02);
        const d1 = v128.and(v128.load(g1 + fromG), kept);
        s10 = fma(d1, v0, s10);
        s11 = fma(d1, v1, s11);
        s12 = fma(d1, v2, s12);
        const d2 = v128.and(v128.load(g2 + fromG), kept);
        s20 = fma(d2, v0, s20);
        s21 = fma(d2, v1, s21);
        s22 = fma(d2, v2, s22);
        const d3 = v128.and(v128.load(g3 + fromG), kept);
        s30 = fma(d3, v0, s30);
        s31 = fma(d3, v1, s31);
        s32 = fma(d3, v2, s32);
      }
    }
    x0 += xImage;
    x1 += xImage;
    x2 += xImage;
    g0 += gradientImage;
    g1 += gradientImage;
    g2 += gradientImage;
    g3 += gradientImage;
  }
  add(sums, s00, s01, s02, s10);
  add(sums + 16, s11, s12, s20, s21);
  add(sums + 32, s22, s30, s31, s32);
}
