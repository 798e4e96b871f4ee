/** The weight gradient without columns: products of the output gradient with the image, shifted by each tap. */
import * as slot from "./convolutionArguments";
import { copyPlanes } from "./directCopy";
import { gradTile, widthOf } from "./directTiles";
import { argument, pointer, threadIndex } from "./environment";

/** Numbers that a tile adds to: its filters' taps, in whole vectors. */
// @ts-ignore: decorators of functions are AssemblyScript's
@inline
export function tileLength(filters: i32): i32 {
  return (filters * widthOf(filters) + 3) & ~3;
}

/** A unit is one group of one part of the batch. Each has sums of its own. */
export function directWeightGrad(begin: i32, end: i32): void {
  const groups = argument(slot.GROUPS);
  const batch = argument(slot.BATCH);
  const parts = argument(slot.SPLIT);
  const filters = argument(slot.TARGET_PLANES);
  const taps = argument(slot.TAP_COUNT);
  const atOnce = argument(slot.IMAGES_AT_ONCE);
  const scratch = pointer(slot.SCRATCH) + <usize>threadIndex() * pointer(slot.SCRATCH_BYTES);
  const sumsBytes = pointer(slot.SUMS_BYTES);
  const sums = scratch + slot.SPARE_BYTES;
  const biasBytes = <usize>filters << 3;
  for (let unit = begin; unit < end; unit++) {
    const part = unit / groups;
    const group = unit % groups;
    const first = <i32>(<i64>batch * part / parts);
    const last = <i32>(<i64>batch * (part + 1) / parts);
    memory.fill(sums, 0, sumsBytes);
    let biasSums = pointer(slot.BIAS_SUMS);
    if (biasSums != 0) {
      biasSums += <usize>unit * biasBytes;
      memory.fill(biasSums, 0, biasBytes);
    }
    for (let n = first; n < last; n += atOnce) {
      addImages(group, n, min(atOnce, last - n), scratch, sums, biasSums);
    }
    writeSums(sums, taps, pointer(slot.TARGET) + (<usize>unit * filters * taps << 2));
  }
}

@inline
function table(place: i32): usize {
  return pointer(slot.TABLES) + pointer(place);
}

/** Filters in a block; the first ones may have one more than the others. */
// @ts-ignore: decorators of functions are AssemblyScript's
@inline
export function filtersOf(block: i32): i32 {
  return argument(slot.BLOCK_FILTERS) - (block < argument(slot.LARGE_BLOCKS) ? 0 : 1);
}

function addImages(group: i32, n: i32, images: i32, results: usize, sums: usize, biasSums: usize): void {
  const groups = argument(slot.GROUPS);
  const sourcePlanes = argument(slot.SOURCE_PLANES);
  const sourceBytes = <usize>(sourcePlanes * argument(slot.SOURCE_HEIGHT) * argument(slot.SOURCE_WIDTH)) << 2;
  const gradientPlane = pointer(slot.TARGET_PLANE);
  const gradientBytes = <usize>argument(slot.TARGET_PLANES) * gradientPlane;
  const places = argument(slot.OUT_HEIGHT);
  const blockRows = argument(slot.BLOCK_ROWS);
  const rowStep = argument(slot.SOURCE_ROW_STEP);
  const copied = argument(slot.COPY_ROWS);
  const copyBytes = <usize>sourcePlanes * pointer(slot.COPY_PLANE);
  const records = sums + pointer(slot.SUMS_BYTES);
  const copy = records + pointer(slot.RECORDS_BYTES);
  const image = n * groups + group;
  for (let row = 0; row < places; row += blockRows) {
    const rows = min(blockRows, places - row);
    let x = pointer(slot.SOURCE) + <usize>image * sourceBytes;
    if (copied != 0) {
      for (let i = 0; i < images; i++) {
        copyPlanes(x, sourcePlanes, row * rowStep, copied, copy + <usize>i * copyBytes);
        x += <usize>groups * sourceBytes;
      }
      x = copy;
    } else {
      x += <usize>(row * rowStep * argument(slot.SOURCE_WIDTH)) << 2;
    }
    const gradient = pointer(slot.GRADIENT) + <usize>image * gradientBytes + <usize>row * pointer(slot.TARGET_ROW);
    addTiles(x, gradient, images, rows, results, sums, records, biasSums);
  }
}

function addTiles(
  x: usize, gradient: usize, images: i32, rows: i32, results: usize, sums: usize, records: usize, biasSums: usize,
): void {
  const plane = pointer(slot.TARGET_PLANE);
  const whole = table(slot.WHOLE_VECTORS);
  const wholeEnd = whole + <usize>(images * rows * argument(slot.WHOLE_PER_ROW)) * 8;
  const rest = table(slot.REST_VECTORS);
  const restEnd = rest + <usize>(images * rows * argument(slot.REST_PER_ROW)) * 8;
  const mask = table(slot.REST_MASK);
  const taps = table(slot.TAPS);
  const tapsEnd = taps + (<usize>argument(slot.TAP_COUNT) << 2);
  for (let block = 0; block < argument(slot.BLOCKS); block++) {
    const filters = filtersOf(block);
    const step = <usize>widthOf(filters) << 2;
    const middle = packGradient(filters, gradient, plane, whole, wholeEnd, i32x4.splat(-1), records, biasSums);
    const end = packGradient(filters, gradient, plane, rest, restEnd, v128.load(mask), middle, biasSums);
    for (let tap = taps; tap < tapsEnd; tap += step) {
      const length = tileLength(filters);
      gradTile(filters, x, tap, records, middle, 0, results);
      addLanes(results, length, sums);
      if (middle < end) {
        gradTile(filters, x, tap, middle, end, mask, results);
        addLanes(results, length, sums);
      }
      sums += <usize>length << 2;
    }
    gradient += <usize>filters * plane;
    if (biasSums != 0) biasSums += <usize>filters << 3;
  }
}

/** Adds the sums of the lanes of `length` vectors to as many numbers. */
export function addLanes(vectors: usize, length: i32, sums: usize): void {
  for (let i = 0; i < length; i += 4) {
    const a = v128.load(vectors), b = v128.load(vectors, 16), c = v128.load(vectors, 32), d = v128.load(vectors, 48);
    const ab = f32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
    const cd = f32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
    const sum = f32x4.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
    v128.store(sums, f32x4.add(v128.load(sums), sum));
    vectors += 64;
    sums += 16;
  }
}

/**
 * Writes a record for each pair of offsets: that in x, and the filters' output gradients side by side. Tells where they end.
 * Adds each filter's gradients to its number at `biasSums`, unless that is 0.
 */
function packGradient(
  filters: i32, gradient: usize, plane: usize, pairs: usize, pairsEnd: usize, kept: v128, to: usize, biasSums: usize,
): usize {
  switch (filters) {
    case 1: return packFilters(1, gradient, plane, pairs, pairsEnd, kept, to, biasSums);
    case 2: return packFilters(2, gradient, plane, pairs, pairsEnd, kept, to, biasSums);
    case 3: return packFilters(3, gradient, plane, pairs, pairsEnd, kept, to, biasSums);
    case 4: return packFilters(4, gradient, plane, pairs, pairsEnd, kept, to, biasSums);
    case 5: return packFilters(5, gradient, plane, pairs, pairsEnd, kept, to, biasSums);
  }
  return packFilters(6, gradient, plane, pairs, pairsEnd, kept, to, biasSums);
}

/** The same for a constant number of filters. */
@inline
function packFilters(
  filters: i32, gradient: usize, plane: usize, pairs: usize, pairsEnd: usize, kept: v128, to: usize, biasSums: usize,
): usize {
  const plane2 = plane << 1;
  const gradient3 = gradient + plane + plane2;
  let sum0 = f32x4.splat(0), sum1 = sum0, sum2 = sum0, sum3 = sum0, sum4 = sum0, sum5 = sum0;
  for (; pairs < pairsEnd; pairs += 8) {
    store<u32>(to, load<u32>(pairs));
    const offset = load<u32>(pairs, 4);
    const from = gradient + offset;
    sum0 = f32x4.add(sum0, put(from, kept, to + 16));
    if (filters > 1) sum1 = f32x4.add(sum1, put(from + plane, kept, to + 32));
    if (filters > 2) sum2 = f32x4.add(sum2, put(from + plane2, kept, to + 48));
    const from3 = gradient3 + offset;
    if (filters > 3) sum3 = f32x4.add(sum3, put(from3, kept, to + 64));
    if (filters > 4) sum4 = f32x4.add(sum4, put(from3 + plane, kept, to + 80));
    if (filters > 5) sum5 = f32x4.add(sum5, put(from3 + plane2, kept, to + 96));
    to += <usize>(filters + 1) << 4;
  }
  if (biasSums != 0) {
    addLanesTo(biasSums, sum0);
    if (filters > 1) addLanesTo(biasSums + 8, sum1);
    if (filters > 2) addLanesTo(biasSums + 16, sum2);
    if (filters > 3) addLanesTo(biasSums + 24, sum3);
    if (filters > 4) addLanesTo(biasSums + 32, sum4);
    if (filters > 5) addLanesTo(biasSums + 40, sum5);
  }
  return to;
}

@inline
function put(from: usize, kept: v128, to: usize): v128 {
  const vector = v128.and(v128.load(from), kept);
  v128.store(to, vector);
  return vector;
}

// @ts-ignore: decorators of functions are AssemblyScript's
@inline
export function addLanesTo(at: usize, vector: v128): void {
  const front = <f64>f32x4.extract_lane(vector, 0) + <f64>f32x4.extract_lane(vector, 1);
  const back = <f64>f32x4.extract_lane(vector, 2) + <f64>f32x4.extract_lane(vector, 3);
  store<f64>(at, load<f64>(at) + (front + back));
}

/** Adds up the parts' sums for the bias. Arguments: 0 sums, 1 out, 2 parts, 3 output channels. A unit is a channel. */
export function addBiasParts(begin: i32, end: i32): void {
  const channels = argument(3);
  for (let channel = begin; channel < end; channel++) {
    let sum: f64 = 0;
    for (let part = 0; part < argument(2); part++) {
      sum += load<f64>(pointer(0) + (<usize>(part * channels + channel) << 3));
    }
    store<f32>(pointer(1) + (<usize>channel << 2), <f32>sum);
  }
}

/** Puts the sums, which lie as the tiles come, into the order of the weights. */
export function writeSums(sums: usize, taps: i32, out: usize): void {
  for (let block = 0; block < argument(slot.BLOCKS); block++) {
    const filters = filtersOf(block);
    const width = widthOf(filters);
    for (let tap = 0; tap < taps; tap += width) {
      let to = out + (<usize>tap << 2);
      for (let filter = 0; filter < filters; filter++) {
        for (let i = 0; i < min(width, taps - tap); i++) {
          store<f32>(to + (<usize>i << 2), load<f32>(sums + (<usize>(filter * width + i) << 2)));
        }
        to += <usize>taps << 2;
      }
      sums += <usize>tileLength(filters) << 2;
    }
    out += <usize>(filters * taps) << 2;
  }
}
