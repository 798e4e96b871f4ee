/** The weight gradient whose lanes are four samples of the batch. */
import * as slot from "./convolutionArguments";
import { gradTile, widthOf } from "./directTiles";
import { addLanes, addLanesTo, filtersOf, tileLength, writeSums } from "./directWeight";
import { argument, pointer, threadIndex } from "./environment";
import { spread } from "./lanes";

/** A unit is one part of the batch. Each has sums of its own. */
export function lanesWeightGrad(begin: i32, end: i32): void {
  const batch = argument(slot.BATCH);
  const groups = (batch + 3) >> 2;
  const parts = argument(slot.SPLIT);
  const filters = argument(slot.TARGET_PLANES);
  const taps = argument(slot.TAP_COUNT);
  const planes = argument(slot.SOURCE_PLANES);
  const height = argument(slot.SOURCE_HEIGHT), width = argument(slot.SOURCE_WIDTH);
  const xBytes = <usize>(planes * height * width) << 2;
  const scratch = pointer(slot.SCRATCH) + <usize>threadIndex() * pointer(slot.SCRATCH_BYTES);
  const sumsBytes = pointer(slot.SUMS_BYTES);
  const sums = scratch + slot.SPARE_BYTES;
  const x = scratch + pointer(slot.LANES_SOURCE);
  const first = x + pointer(slot.LANES_FIRST);
  memory.fill(x, 0, pointer(slot.LANES_SOURCE_BYTES));
  for (let part = begin; part < end; part++) {
    const last = <i32>(<i64>groups * (part + 1) / parts);
    memory.fill(sums, 0, sumsBytes);
    let biasSums = pointer(slot.BIAS_SUMS);
    if (biasSums != 0) {
      biasSums += <usize>(part * filters) << 3;
      memory.fill(biasSums, 0, <usize>filters << 3);
    }
    for (let group = <i32>(<i64>groups * part / parts); group < last; group++) {
      const n = 4 * group;
      const samples = min(4, batch - n);
      spread(
        pointer(slot.SOURCE) + <usize>n * xBytes, xBytes, samples, planes, height, width,
        first, pointer(slot.LANES_PLANE), pointer(slot.LANES_ROW), 16,
      );
      addSamples(n, samples, first, scratch, sums, sums + sumsBytes, biasSums);
    }
    writeSums(sums, taps, pointer(slot.TARGET) + (<usize>part * filters * taps << 2));
  }
}

/** Adds what up to four samples give. Rows whose records stay in the cache are done for all taps before the next ones. */
function addSamples(
  n: i32, samples: i32, x: usize, results: usize, sums: usize, records: usize, biasSums: usize,
): void {
  const outHeight = argument(slot.OUT_HEIGHT), outWidth = argument(slot.OUT_WIDTH);
  const blockRows = argument(slot.BLOCK_ROWS);
  const plane = <usize>(outHeight * outWidth) << 2;
  const gradientBytes = <usize>argument(slot.TARGET_PLANES) * plane;
  const gradient = pointer(slot.GRADIENT) + <usize>n * gradientBytes;
  const taps = pointer(slot.TABLES) + pointer(slot.TAPS);
  const tapsEnd = taps + (<usize>argument(slot.TAP_COUNT) << 2);
  for (let row = 0; row < outHeight; row += blockRows) {
    const places = min(blockRows, outHeight - row) * outWidth;
    let from = gradient + (<usize>(row * outWidth) << 2);
    let to = sums;
    let biasTo = biasSums;
    for (let block = 0; block < argument(slot.BLOCKS); block++) {
      const filters = filtersOf(block);
      const end = packRecords(filters, from, gradientBytes, samples, row, places, records);
      if (biasSums != 0) {
        addGradients(filters, records, end, biasTo);
        biasTo += <usize>filters << 3;
      }
      const length = tileLength(filters);
      const step = <usize>widthOf(filters) << 2;
      for (let tap = taps; tap < tapsEnd; tap += step) {
        gradTile(filters, x, tap, records, end, 0, results);
        addLanes(results, length, to);
        to += <usize>length << 2;
      }
      from += <usize>filters * plane;
    }
  }
}

/** Writes a record for each place: its offset in x, and the filters' output gradients of four samples. Tells where they end. */
function packRecords(
  filters: i32, gradient: usize, gradientBytes: usize, samples: i32, row: i32, places: i32, records: usize,
): usize {
  const recordBytes = <usize>(filters + 1) << 4;
  const end = records + <usize>places * recordBytes;
  let offset = pointer(slot.TABLES) + pointer(slot.LANES_COLUMNS) + (<usize>(row * argument(slot.OUT_WIDTH)) << 2);
  for (let record = records; record < end; record += recordBytes) {
    store<u32>(record, load<u32>(offset));
    offset += 4;
  }
  const plane = <usize>(argument(slot.OUT_HEIGHT) * argument(slot.OUT_WIDTH)) << 2;
  for (let filter = 0; filter < filters; filter++) {
    records += 16;
    spread(gradient, gradientBytes, samples, 1, 1, places, records, 0, 0, recordBytes);
    gradient += plane;
  }
  return end;
}

/** Adds each filter's output gradients to its number at `biasSums`. */
function addGradients(filters: i32, records: usize, end: usize, biasSums: usize): void {
  const recordBytes = <usize>(filters + 1) << 4;
  for (let filter = 0; filter < filters; filter++) {
    records += 16;
    let sum = f32x4.splat(0);
    for (let at = records; at < end; at += recordBytes) sum = f32x4.add(sum, v128.load(at));
    addLanesTo(biasSums, sum);
    biasSums += 8;
  }
}
