/**
 * Winograd's convolution F(4x4, 3x3), and the gradient of its filters. Each unit takes a block of tiles all the way: it
 * transforms them into thirty-six matrices [tiles x channels], multiplies these with the transformed filters (or, for the
 * filters' gradient, with the transformed output gradient), and transforms the products back. All of it stays in the
 * second-level cache.
 *
 * @module
 */
import { argument, fraction, pointer, threadIndex } from "./environment";
import { COLUMNS, ZEROS } from "./gemm";
import { TILE_ROWS } from "./gemmSizes";
import { tile } from "./gemmTile";
import { filterGradLine, filterLine } from "./winogradLines";
import { POINTS, STRIP_BYTES, STRIP_TILES, SUMMED_BLOCKS, TILE, WORKBENCH_BYTES, ZERO_ROW_BYTES } from "./winogradSizes";
import { transformGrad, transformInput, transformOutput } from "./winogradStrips";

/** Four numbers, of which the first `count` are read from `from` on, `step` bytes apart. */
function gather(from: usize, step: usize, count: i32): v128 {
  let lanes = f32x4.splat(0);
  if (count > 0) lanes = f32x4.replace_lane(lanes, 0, load<f32>(from));
  if (count > 1) lanes = f32x4.replace_lane(lanes, 1, load<f32>(from + step));
  if (count > 2) lanes = f32x4.replace_lane(lanes, 2, load<f32>(from + 2 * step));
  if (count > 3) lanes = f32x4.replace_lane(lanes, 3, load<f32>(from + 3 * step));
  return lanes;
}

/** The thread's own workbench, cleared: there is a row of zeros in it, and channels that nobody asked for are computed too. */
function clearedBench(at: usize): usize {
  memory.fill(at, 0, STRIP_BYTES + ZERO_ROW_BYTES);
  return at;
}

/**
 * Transforms the filters to panels of COLUMNS filters side by side; lanes beyond the last filter are 0. A unit is one
 * channel of a panel. Arguments: 0 filters, 1 result, 2 filters in all, 3 channels, 4 and 5 bytes from filter to filter and
 * from channel to channel, 6 and 7 the first tap's place and the step from tap to tap (negative where flipped), 8 bytes
 * from point to point of the result, 9 workbenches.
 */
export function winogradFilters(begin: i32, end: i32): void {
  const filters = argument(2), channels = argument(3);
  const filterStep = pointer(4), channelStep = pointer(5);
  const firstTap = pointer(6), tapStep = pointer(7);
  const point = pointer(8);
  const half = pointer(9) + <usize>threadIndex() * WORKBENCH_BYTES;
  for (let unit = begin; unit < end; unit++) {
    const panel = unit / channels;
    const channel = unit - panel * channels;
    let to = pointer(1) + <usize>unit * (COLUMNS << 2);
    for (let lane = 0; lane < COLUMNS; lane += 4) {
      const filter = panel * COLUMNS + lane;
      const count = filters - filter;
      let from = pointer(0) + <usize>filter * filterStep + <usize>channel * channelStep + firstTap;
      for (let x = 0; x < 3; x++) {
        filterLine(
          gather(from, filterStep, count), gather(from + 3 * tapStep, filterStep, count),
          gather(from + 6 * tapStep, filterStep, count), half + (x << 4), 48,
        );
        from += tapStep;
      }
      for (let row: usize = 0; row < 6; row++) {
        const line = half + 48 * row;
        filterLine(v128.load(line), v128.load(line, 16), v128.load(line, 32), to + 6 * row * point, point);
      }
      to += 16;
    }
  }
}

/**
 * out = convolution of x + bias. A unit is a block of tiles. Arguments: 0 x, 1 transformed filters, 2 bias or 0, 3 out,
 * 4 scratch memory, 5 its bytes for each thread, 6 channels, 7 filters, 8 and 9 height and width of the input, 10 and 11 of
 * the output, 12 and 13 padding above and to the left, 14 tiles, 15 tiles of a block, 16 to 18 bytes from point to point of
 * the transformed tiles, products and filters; fraction 19 what numbers below it are raised to.
 */
export function winogradForward(begin: i32, end: i32): void {
  const channels = argument(6), filters = argument(7);
  const tiles = argument(14), blockTiles = argument(15);
  const bench = clearedBench(pointer(4) + <usize>threadIndex() * pointer(5));
  const inputs = bench + WORKBENCH_BYTES;
  const products = inputs + POINTS * pointer(16);
  for (let unit = begin; unit < end; unit++) {
    const first = unit * blockTiles;
    const count = min(blockTiles, tiles - first);
    inputTiles(first, count, inputs, (channels + 3) & ~3, bench);
    multiplyPoints(count, channels, filters, inputs, products);
    outputTiles(first, count, products, (filters + COLUMNS - 1) & ~(COLUMNS - 1), bench);
  }
}

/** How many tiles from `at` on lie side by side, in a row of `across`, before `end`. */
@inline
function run(at: i32, across: i32, end: i32): i32 {
  return min(min(across - at % across, end - at), STRIP_TILES);
}

function inputTiles(first: i32, count: i32, inputs: usize, width: i32, bench: usize): void {
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
function multiplyPoints(tiles: i32, channels: i32, filters: i32, inputs: usize, products: usize): void {
  const inputRow = <usize>((channels + 3) & ~3) << 2;
  const productRow = <usize>((filters + COLUMNS - 1) & ~(COLUMNS - 1)) << 2;
  const panelBytes = <usize>channels * (COLUMNS << 2);
  let weights = pointer(1);
  for (let point = 0; point < POINTS; point++) {
    let panel = weights;
    for (let column = 0; column < filters; column += COLUMNS) {
      for (let i = 0; i < tiles; i += TILE_ROWS) {
        tile(
          min(TILE_ROWS, tiles - i), inputs + <usize>i * inputRow, inputRow, 4, panel, COLUMNS << 2, channels, ZEROS, 0,
          products + <usize>i * productRow + (<usize>column << 2), productRow,
        );
      }
      panel += panelBytes;
    }
    inputs += pointer(16);
    products += pointer(17);
    weights += pointer(18);
  }
}

function outputTiles(first: i32, count: i32, products: usize, width: i32, bench: usize): void {
  const filters = argument(7), outHeight = argument(10), outWidth = argument(11);
  const across = (outWidth + TILE - 1) / TILE;
  const down = (outHeight + TILE - 1) / TILE;
  const plane = <usize>(outHeight * outWidth) << 2;
  const row = <usize>width << 2;
  const bias = pointer(2);
  const floor = f32x4.splat(fraction(19));
  const end = first + count;
  for (let at = first; at < end; ) {
    const strip = at / across;
    const image = strip / down;
    const side = run(at, across, end);
    const to = pointer(3) + <usize>(image * filters) * plane;
    const from = products + <usize>(at - first) * row;
    for (let filter = 0; filter < filters; filter += 4) {
      const added = gather(bias + (<usize>filter << 2), 4, bias == 0 ? 0 : filters - filter);
      transformOutput(
        from + (<usize>filter << 2), row, pointer(17), added, floor, to + <usize>filter * plane, plane, filters - filter,
        outHeight, outWidth, TILE * (strip - image * down), TILE * (at - strip * across), side, bench,
      );
    }
    at += side;
  }
}

/**
 * Partial sums of the transformed filters' gradient. A unit is one part of the blocks of tiles. Arguments 0 x, 1 output
 * gradient, 2 partial sums, 3 bytes of one; 4 to 15 as `winogradForward`; 16 to 18 bytes from point to point of the
 * transformed input, gradient and sums; 19 parts.
 */
export function winogradFilterGrad(begin: i32, end: i32): void {
  const channels = argument(6), filters = argument(7);
  const tiles = argument(14), blockTiles = argument(15), parts = argument(19);
  const blocks = (tiles + blockTiles - 1) / blockTiles;
  const bench = clearedBench(pointer(4) + <usize>threadIndex() * pointer(5));
  const inputs = bench + WORKBENCH_BYTES;
  const grads = inputs + POINTS * pointer(16);
  const recent = grads + POINTS * pointer(17);
  const width = (channels + COLUMNS - 1) & ~(COLUMNS - 1);
  // Columns beyond the channels are multiplied too: what memory held before could be slow numbers.
  if (width != channels) memory.fill(inputs, 0, POINTS * pointer(16));
  for (let part = begin; part < end; part++) {
    const sums = pointer(2) + <usize>part * pointer(3);
    const firstBlock = part * blocks / parts;
    const endBlock = (part + 1) * blocks / parts;
    for (let block = firstBlock; block < endBlock; block++) {
      const first = block * blockTiles;
      const count = min(blockTiles, tiles - first);
      inputTiles(first, count, inputs, width, bench);
      gradTiles(first, count, grads, bench);
      // Long sums drown what is added to them: sums of a few blocks are added up apart.
      const place = (block - firstBlock) % SUMMED_BLOCKS;
      const isFirst = block - firstBlock < SUMMED_BLOCKS;
      addPoints(count, channels, filters, inputs, grads, isFirst ? sums : recent, place == 0);
      if (!isFirst && (place == SUMMED_BLOCKS - 1 || block == endBlock - 1)) addAll(recent, sums, pointer(3));
    }
  }
}

/** to += from, for so many bytes: whole cache lines. */
function addAll(from: usize, to: usize, bytes: usize): void {
  for (const end = to + bytes; to < end; to += 32) {
    const a = f32x4.add(v128.load(to), v128.load(from)), b = f32x4.add(v128.load(to, 16), v128.load(from, 16));
    v128.store(to, a);
    v128.store(to, b, 16);
    from += 32;
  }
}

function gradTiles(first: i32, count: i32, grads: usize, bench: usize): void {
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
function addPoints(
  tiles: i32, channels: i32, filters: i32, inputs: usize, grads: usize, sums: usize, isFirst: bool,
): void {
  const row = <usize>((channels + COLUMNS - 1) & ~(COLUMNS - 1)) << 2;
  const gradRow = <usize>((filters + 3) & ~3) << 2;
  for (let point = 0; point < POINTS; point++) {
    for (let column: usize = 0; column < row; column += COLUMNS << 2) {
      for (let i = 0; i < filters; i += TILE_ROWS) {
        const to = sums + <usize>i * row + column;
        tile(
          min(TILE_ROWS, filters - i), grads + (<usize>i << 2), 4, gradRow, inputs + column, row, tiles,
          isFirst ? ZEROS : to, isFirst ? 0 : row, to, row,
        );
      }
    }
    inputs += pointer(16);
    grads += pointer(17);
    sums += pointer(18);
  }
}

/**
 * Adds the partial sums up and transforms them back. A unit is a filter. Arguments: 0 partial sums, 1 the filters'
 * gradient, 2 parts, 3 bytes of one, 4 bytes from point to point, 5 from filter to filter, 6 channels, 7 workbenches.
 */
export function winogradFilterGradSum(begin: i32, end: i32): void {
  const parts = argument(2), channels = argument(6);
  const partBytes = pointer(3), point = pointer(4);
  const bench = pointer(7) + <usize>threadIndex() * WORKBENCH_BYTES;
  const half = bench + 16 * POINTS, taps = half + 16 * 18;
  for (let filter = begin; filter < end; filter++) {
    for (let channel = 0; channel < channels; channel += 4) {
      let from = pointer(0) + <usize>filter * pointer(5) + (<usize>channel << 2);
      for (let to = bench; to < half; to += 16) {
        let sum = f32x4.splat(0);
        let at = from;
        for (let part = 0; part < parts; part++) {
          sum = f32x4.add(sum, v128.load(at));
          at += partBytes;
        }
        v128.store(to, sum);
        from += point;
      }
      for (let j: usize = 0; j < 96; j += 16) filterGradLine(bench + j, 96, half + j, 96);
      for (let i: usize = 0; i < 3; i++) filterGradLine(half + 96 * i, 16, taps + 48 * i, 16);
      const lanes = min(4, channels - channel);
      let to = pointer(1) + <usize>(filter * channels + channel) * 36;
      for (let lane = 0; lane < lanes; lane++) {
        for (let tap: usize = 0; tap < 9; tap++) {
          store<f32>(to + (tap << 2), load<f32>(taps + (tap << 4) + (<usize>lane << 2)));
        }
        to += 36;
      }
    }
  }
}
