/**
 * Winograd's convolution F(4x4, 3x3), and the gradient of its filters. Each unit takes a block of tiles all the way: it
 * transforms them into thirty-six matrices [tiles x channels], multiplies these with the transformed filters (or, for the
 * filters' gradient, with the transformed output gradient), and transforms the products back. All of it stays in the
 * second-level cache.
 *
 * @module
 */
import { argument, fraction, pointer, threadIndex } from "./environment";
import { COLUMNS } from "./gemm";
import { addAll, addPoints, clearedBench, gradTiles, inputTiles, multiplyPoints, run } from "./winogradBlocks";
import { filterGradLine, filterLine } from "./winogradLines";
import { scatterTiles } from "./winogradScatter";
import { POINTS, SUMMED_BLOCKS, TILE, WORKBENCH_BYTES } from "./winogradSizes";
import { transformOutput } from "./winogradStrips";

/** Four numbers, of which the first `count` are read from `from` on, `step` bytes apart. */
function gather(from: usize, step: usize, count: i32): v128 {
  let lanes = f32x4.splat(0);
  if (count > 0) lanes = f32x4.replace_lane(lanes, 0, load<f32>(from));
  if (count > 1) lanes = f32x4.replace_lane(lanes, 1, load<f32>(from + step));
  if (count > 2) lanes = f32x4.replace_lane(lanes, 2, load<f32>(from + 2 * step));
  if (count > 3) lanes = f32x4.replace_lane(lanes, 3, load<f32>(from + 3 * step));
  return lanes;
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
    multiplyPoints(count, channels, filters, inputs, pointer(16), pointer(1), pointer(18), products, pointer(17));
    outputTiles(first, count, products, (filters + COLUMNS - 1) & ~(COLUMNS - 1), bench);
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
 * Partial sums of the transformed filters' gradient; and the gradient of the input, if it is wanted, from the same tiles. A unit is
 * one part of the pieces that tiles come in: blocks, or images where the input's gradient adds up what tiles of an image give. Arguments
 * 0 x, 1 output gradient, 2 partial sums, 3 bytes of one; 4 to 15 as `winogradForward`; 16 to 18 bytes from point to point of the
 * transformed input, gradient and sums; 19 parts, 20 tiles of a piece, 21 to 23 as `scatterTiles`; 24 and 25 the transformed
 * filters and their bytes from point to point.
 */
export function winogradFilterGrad(begin: i32, end: i32): void {
  const channels = argument(6), filters = argument(7);
  const tiles = argument(14), blockTiles = argument(15), parts = argument(19), piece = argument(20);
  const pieces = (tiles + piece - 1) / piece;
  const bench = clearedBench(pointer(4) + <usize>threadIndex() * pointer(5));
  const inputs = bench + WORKBENCH_BYTES;
  const grads = inputs + POINTS * pointer(16);
  const recent = grads + POINTS * pointer(17);
  const width = (channels + COLUMNS - 1) & ~(COLUMNS - 1);
  // Columns beyond the channels are multiplied too: what memory held before could be slow numbers.
  if (width != channels) memory.fill(inputs, 0, POINTS * pointer(16));
  for (let part = begin; part < end; part++) {
    const sums = pointer(2) + <usize>part * pointer(3);
    const endTile = min((part + 1) * pieces / parts * piece, tiles);
    let block = 0;
    for (let first = part * pieces / parts * piece; first < endTile; first += blockTiles) {
      const count = min(blockTiles, endTile - first);
      inputTiles(first, count, inputs, width, bench);
      gradTiles(first, count, grads, bench);
      // Long sums drown what is added to them: sums of a few blocks are added up apart.
      const place = block % SUMMED_BLOCKS;
      const isFirst = block < SUMMED_BLOCKS;
      addPoints(count, channels, filters, inputs, grads, isFirst ? sums : recent, place == 0);
      if (!isFirst && (place == SUMMED_BLOCKS - 1 || first + count == endTile)) addAll(recent, sums, pointer(3));
      block++;
      if (pointer(21) == 0) continue;
      // The input's tiles are done with: the products take their place.
      multiplyPoints(count, filters, channels, grads, pointer(17), pointer(24), pointer(25), inputs, pointer(16));
      scatterTiles(first, count, inputs, width, bench);
    }
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
