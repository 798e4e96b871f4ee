/**
 * Convolution whose lanes are four samples of the batch: no lane is lost at the end of a short row, and nothing is multiplied
 * with padding but in tiles at its edge. The input gradient is the same job, with the filters flipped.
 *
 * @module
 */
import * as slot from "./convolutionArguments";
import { tile, widthOf } from "./directTiles";
import { filtersOf } from "./directWeight";
import { argument, pointer, threadIndex } from "./environment";
import { ZEROS } from "./gemm";
import { closeGate } from "./vector";

/** From byte 16 − 4n on: ones in the first n lanes. */
const LANE_MASKS: usize = memory.data<i32>([-1, -1, -1, -1, 0, 0, 0, 0], 16);

/**
 * Puts up to four samples side by side: each number of a line becomes a vector, and lanes without a sample are 0. Steps are in
 * bytes: from sample to sample in `source`, and from plane to plane, line to line and number to number in `to`.
 */
export function spread(
  source: usize, sampleBytes: usize, samples: i32, planes: i32, rows: i32, width: i32,
  to: usize, planeBytes: usize, rowBytes: usize, step: usize,
): void {
  const mask = v128.load(LANE_MASKS + (<usize>(4 - samples) << 2));
  const second = samples > 1 ? sampleBytes : 0;
  const third = samples > 2 ? second + sampleBytes : second;
  const fourth = samples > 3 ? third + sampleBytes : third;
  const lineBytes = <usize>width << 2;
  for (let plane = 0; plane < planes; plane++) {
    let line = to;
    for (let row = 0; row < rows; row++) {
      let at = line;
      if (width >= 4) {
        const last = source + lineBytes - 16;
        for (let from = source; from < last; from += 16) {
          turn(from, from + second, from + third, from + fourth, mask, at, step);
          at += step << 2;
        }
        turn(last, last + second, last + third, last + fourth, mask, line + <usize>(width - 4) * step, step);
      } else {
        for (let from = source; from < source + lineBytes; from += 4) {
          const first = v128.load32_zero(from);
          const two = v128.load32_lane(from + second, first, 1);
          const four = v128.load32_lane(from + fourth, v128.load32_lane(from + third, two, 2), 3);
          v128.store(at, v128.and(four, mask));
          at += step;
        }
      }
      source += lineBytes;
      line += rowBytes;
    }
    to += planeBytes;
  }
}

/** Four numbers of each of four samples → four samples of each number. */
@inline
function turn(a: usize, b: usize, c: usize, d: usize, mask: v128, to: usize, step: usize): void {
  const v0 = v128.load(a), v1 = v128.load(b), v2 = v128.load(c), v3 = v128.load(d);
  const low01 = v128.shuffle<i32>(v0, v1, 0, 4, 1, 5), low23 = v128.shuffle<i32>(v2, v3, 0, 4, 1, 5);
  const high01 = v128.shuffle<i32>(v0, v1, 2, 6, 3, 7), high23 = v128.shuffle<i32>(v2, v3, 2, 6, 3, 7);
  v128.store(to, v128.and(v128.shuffle<i64>(low01, low23, 0, 2), mask));
  v128.store(to + step, v128.and(v128.shuffle<i64>(low01, low23, 1, 3), mask));
  to += step << 1;
  v128.store(to, v128.and(v128.shuffle<i64>(high01, high23, 0, 2), mask));
  v128.store(to + step, v128.and(v128.shuffle<i64>(high01, high23, 1, 3), mask));
}

/** The way back: `length` vectors that lie side by side become as many numbers of each sample, none below `floor`. */
function gather(from: usize, length: i32, floor: v128, to: usize, sampleBytes: usize, samples: i32): void {
  if (length < 4) {
    for (let i = 0; i < length; i++) {
      v128.store(from, f32x4.pmax(v128.load(from), floor));
      for (let sample = 0; sample < samples; sample++) {
        store<f32>(to + <usize>sample * sampleBytes, load<f32>(from + (<usize>sample << 2)));
      }
      from += 16;
      to += 4;
    }
    return;
  }
  const last = from + (<usize>(length - 4) << 4);
  const lastTo = to + (<usize>(length - 4) << 2);
  for (; from < last; from += 64) {
    turnBack(from, floor, to, sampleBytes, samples);
    to += 16;
  }
  turnBack(last, floor, lastTo, sampleBytes, samples);
}

@inline
function turnBack(from: usize, floor: v128, to: usize, step: usize, samples: i32): void {
  const v0 = v128.load(from), v1 = v128.load(from, 16), v2 = v128.load(from, 32), v3 = v128.load(from, 48);
  const low01 = v128.shuffle<i32>(v0, v1, 0, 4, 1, 5), low23 = v128.shuffle<i32>(v2, v3, 0, 4, 1, 5);
  const high01 = v128.shuffle<i32>(v0, v1, 2, 6, 3, 7), high23 = v128.shuffle<i32>(v2, v3, 2, 6, 3, 7);
  v128.store(to, f32x4.pmax(v128.shuffle<i64>(low01, low23, 0, 2), floor));
  if (samples > 1) v128.store(to + step, f32x4.pmax(v128.shuffle<i64>(low01, low23, 1, 3), floor));
  to += step << 1;
  if (samples > 2) v128.store(to, f32x4.pmax(v128.shuffle<i64>(high01, high23, 0, 2), floor));
  if (samples > 3) v128.store(to + step, f32x4.pmax(v128.shuffle<i64>(high01, high23, 1, 3), floor));
}

/** A unit is four samples. */
export function lanes(begin: i32, end: i32): void {
  const batch = argument(slot.BATCH);
  const planes = argument(slot.SOURCE_PLANES);
  const height = argument(slot.SOURCE_HEIGHT), width = argument(slot.SOURCE_WIDTH);
  const outHeight = argument(slot.OUT_HEIGHT), outWidth = argument(slot.OUT_WIDTH);
  const atOnce = argument(slot.BLOCK_ROWS);
  const sourceBytes = <usize>(planes * height * width) << 2;
  const targetPlane = <usize>(outHeight * outWidth) << 2;
  const targetBytes = <usize>argument(slot.TARGET_PLANES) * targetPlane;
  const results = pointer(slot.SCRATCH) + <usize>threadIndex() * pointer(slot.SCRATCH_BYTES);
  const resultPlane = <usize>(atOnce * outWidth) << 4;
  const source = results + pointer(slot.LANES_SOURCE);
  const first = source + pointer(slot.LANES_FIRST);
  const hasBias = pointer(slot.BIAS) != 0;
  const floor = f32x4.splat(argument(slot.RELU) != 0 ? 0 : -Infinity);
  memory.fill(source, 0, pointer(slot.LANES_SOURCE_BYTES));
  for (let unit = begin; unit < end; unit++) {
    const samples = min(4, batch - 4 * unit);
    spread(
      pointer(slot.SOURCE) + <usize>(4 * unit) * sourceBytes, sourceBytes, samples, planes, height, width,
      first, pointer(slot.LANES_PLANE), pointer(slot.LANES_ROW), 16,
    );
    let bias = hasBias ? pointer(slot.BIAS) : ZEROS;
    let target = pointer(slot.TARGET) + <usize>(4 * unit) * targetBytes;
    let before = 0;
    for (let block = 0; block < argument(slot.BLOCKS); block++) {
      const filters = filtersOf(block);
      for (let row = 0; row < outHeight; row += atOnce) {
        const rows = min(atOnce, outHeight - row);
        for (let i = 0; i < rows; i++) {
          convolveRow(filters, before, row + i, first, bias, results + (<usize>(i * outWidth) << 4), resultPlane);
        }
        let to = target + (<usize>(row * outWidth) << 2);
        for (let filter = 0; filter < filters; filter++) {
          gather(results + <usize>filter * resultPlane, rows * outWidth, floor, to, targetBytes, samples);
          to += targetPlane;
        }
      }
      // So many weights of each tap, and offsets of it, lie before the next block's.
      before += filters + 1;
      if (hasBias) bias += <usize>filters << 2;
      target += <usize>filters * targetPlane;
    }
    if (pointer(slot.GATE) != 0) {
      const from = <usize>(4 * unit) * targetBytes;
      closeGate(pointer(slot.TARGET) + from, pointer(slot.GATE) + from, <usize>samples * targetBytes);
    }
  }
}

/** One row of results, tile by tile. A tile has the taps that reach into the source from any of its columns. */
function convolveRow(filters: i32, before: i32, row: i32, source: usize, bias: usize, out: usize, plane: usize): void {
  const tables = pointer(slot.TABLES);
  const isLarge = filters == argument(slot.BLOCK_FILTERS);
  let at = tables + pointer(slot.LANES_COLUMNS);
  const end = at + (<usize>argument(slot.OUT_WIDTH) << 4);
  let tileAt = tables + pointer(isLarge ? slot.LANES_TILES : slot.LANES_SMALL_TILES);
  const image = source + <usize>(row * argument(slot.SOURCE_ROW_STEP)) * pointer(slot.LANES_ROW);
  const recordBytes = <usize>(filters + 1) << 2;
  const tileBytes = <usize>widthOf(filters) << 4;
  for (; at < end; at += tileBytes) {
    const rowTaps = tables + load<u32>(tileAt, 8) + (<usize>row << 3);
    const weights = pointer(slot.PACKED) + load<u32>(tileAt) + <usize>before * load<u32>(tileAt, 4);
    tile(
      filters, image, weights + recordBytes * load<u32>(rowTaps), weights + recordBytes * load<u32>(rowTaps, 4), bias,
      at, out, plane,
    );
    tileAt += 16;
  }
}
