/**
 * What Winograd's kernels do with a block of tiles: the transforms of tiles to thirty-six matrices, and the products of these. The
 * job's arguments 0 and 6 to 15 are those of `winogradForward`.
 *
 * @module
 */
import { argument, pointer } from "./environment";
import { COLUMNS, ZEROS } from "./gemm";
import { tileColumn } from "./gemmTile";
import { POINTS, STRIP_BYTES, STRIP_TILES, TILE, ZERO_ROW_BYTES } from "./winogradSizes";
import { transformGrad, transformInput } from "./winogradStrips";

/** The thread's own workbench, cleared: there is a row of zeros in it, and channels that nobody asked for are computed too. */
export function clearedBench(at: usize): usize {
  memory.fill(at, 0, STRIP_BYTES + ZERO_ROW_BYTES);
  return at;
}

/** How many tiles from `at` on lie side by side, in a row of `across`, before `end`. */
@inline
export function run(at: i32, across: i32, end: i32): i32 {
  return min(min(across - at % across, end - at), STRIP_TILES);
}

export function inputTiles(first: i32, count: i32, inputs: usize, width: i32, bench: usize): void {
  const channels = argument(6), inHeight = argument(8), inWidth = argument(9);
  const across = (argument(11) + TILE - 1) / TILE;
  const down = (argument(10) + TILE - 1) / TILE;
  const plane = <usize>(inHeight * inWidth) << 2;
  const row = <usize>width << 2;
  const end = first + count;
  for (let at = first; at < end; ) {
    const strip = at / across;
    const image = strip / down;
    const y = TILE * (strip - image * down) - argument(12);
    const x = TILE * (at - strip * across) - argument(13);
    const side = run(at, across, end);
    const from = pointer(0) + <usize>(image * channels) * plane;
    const to = inputs + <usize>(at - first) * row;
    for (let channel = 0; channel < channels; channel += 4) {
      transformInput(
        from + <usize>channel * plane, plane, channels - channel, inHeight, inWidth, y, x, side,
        to + (<usize>channel << 2), row, pointer(16), bench,
      );
    }
    at += side;
  }
}

/** For each point: products [tiles x filters] = inputs [tiles x channels] · filters [channels x filters]. */
export function multiplyPoints(
  tiles: i32, channels: i32, filters: i32, inputs: usize, inputPoint: usize, weights: usize, weightPoint: usize,
  products: usize, productPoint: usize,
): void {
  const inputRow = <usize>((channels + 3) & ~3) << 2;
  const productRow = <usize>((filters + COLUMNS - 1) & ~(COLUMNS - 1)) << 2;
  const panelBytes = <usize>channels * (COLUMNS << 2);
  for (let point = 0; point < POINTS; point++) {
    let panel = weights;
    for (let column = 0; column < filters; column += COLUMNS) {
      tileColumn(
        tiles, inputs, inputRow, 4, panel, COLUMNS << 2, channels, ZEROS, 0, products + (<usize>column << 2), productRow,
      );
      panel += panelBytes;
    }
    inputs += inputPoint;
    products += productPoint;
    weights += weightPoint;
  }
}

/** to += from, for so many bytes: whole cache lines. */
export function addAll(from: usize, to: usize, bytes: usize): void {
  for (const end = to + bytes; to < end; to += 32) {
    const a = f32x4.add(v128.load(to), v128.load(from)), b = f32x4.add(v128.load(to, 16), v128.load(from, 16));
    v128.store(to, a);
    v128.store(to, b, 16);
    from += 32;
  }
}

export function gradTiles(first: i32, count: i32, grads: usize, bench: usize): void {
  const filters = argument(7), outHeight = argument(10), outWidth = argument(11);
  const across = (outWidth + TILE - 1) / TILE;
  const down = (outHeight + TILE - 1) / TILE;
  const plane = <usize>(outHeight * outWidth) << 2;
  const row = <usize>((filters + 3) & ~3) << 2;
  const end = first + count;
  for (let at = first; at < end; ) {
    const strip = at / across;
    const image = strip / down;
    const side = run(at, across, end);
    const from = pointer(1) + <usize>(image * filters) * plane;
    const to = grads + <usize>(at - first) * row;
    for (let filter = 0; filter < filters; filter += 4) {
      transformGrad(
        from + <usize>filter * plane, plane, filters - filter, outHeight, outWidth, TILE * (strip - image * down),
        TILE * (at - strip * across), side, to + (<usize>filter << 2), row, pointer(17), bench,
      );
    }
    at += side;
  }
}

/** For each point: sums [filters x channels] (+)= grads [tiles x filters]ᵀ · inputs [tiles x channels]. */
export function addPoints(
  tiles: i32, channels: i32, filters: i32, inputs: usize, grads: usize, sums: usize, isFirst: bool,
): void {
  const row = <usize>((channels + COLUMNS - 1) & ~(COLUMNS - 1)) << 2;
  const gradRow = <usize>((filters + 3) & ~3) << 2;
  for (let point = 0; point < POINTS; point++) {
    for (let column: usize = 0; column < row; column += COLUMNS << 2) {
      const to = sums + column;
      tileColumn(filters, grads, 4, gradRow, inputs + column, row, tiles, isFirst ? ZEROS : to, isFirst ? 0 : row, to, row);
    }
    inputs += pointer(16);
    grads += pointer(17);
    sums += pointer(18);
  }
}
