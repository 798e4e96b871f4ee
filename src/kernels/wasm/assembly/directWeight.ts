/** The weight gradient without columns: products of the output gradient with the image, shifted by each tap. */
import * as slot from "./convolutionArguments";
import { copyPlanes } from "./directCopy";
import { gradTile } from "./directTiles";
import { argument, pointer, threadIndex } from "./environment";

/** Taps in a tile. */
const TAPS = 3;

/** Numbers that a tile adds to: its filters' taps, filled up to whole vectors. */
@inline
function tileLength(filters: i32): i32 {
  return (filters * TAPS + 3) & ~3;
}

/** A unit is one group of one part of the batch. Each has sums of its own. */
export function directWeightGrad(begin: i32, end: i32): void {
  const groups = argument(slot.GROUPS);
  const batch = argument(slot.BATCH);
  const parts = argument(slot.SPLIT);
  const filters = argument(slot.TARGET_PLANES);
  const taps = argument(slot.TAP_COUNT);
  const tapBlocks = (taps + TAPS - 1) / TAPS;
  const scratch = pointer(slot.SCRATCH) + <usize>threadIndex() * pointer(slot.SCRATCH_BYTES);
  const sumsBytes = <usize>sumsLength(tapBlocks) << 2;
  const copy = scratch + sumsBytes;
  for (let unit = begin; unit < end; unit++) {
    const part = unit / groups;
    const group = unit % groups;
    const first = <i32>(<i64>batch * part / parts);
    const last = <i32>(<i64>batch * (part + 1) / parts);
    memory.fill(scratch, 0, sumsBytes);
    for (let n = first; n < last; n += argument(slot.IMAGES_AT_ONCE)) {
      addImages(group, n, min(argument(slot.IMAGES_AT_ONCE), last - n), scratch, copy);
    }
    writeSums(scratch, taps, pointer(slot.TARGET) + (<usize>unit * filters * taps << 2));
  }
}

/** Filters in a block; the first ones may have one more than the others. */
@inline
function filtersOf(block: i32): i32 {
  return argument(slot.BLOCK_FILTERS) - (block < argument(slot.LARGE_BLOCKS) ? 0 : 1);
}

function sumsLength(tapBlocks: i32): i32 {
  let length = 0;
  for (let block = 0; block < argument(slot.BLOCKS); block++) length += tileLength(filtersOf(block));
  return length * tapBlocks;
}

function addImages(group: i32, n: i32, images: i32, sums: usize, copy: usize): void {
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
    addTiles(
      x, copied != 0 ? copyBytes : <usize>groups * sourceBytes, gradient, <usize>groups * gradientBytes, images, rows, sums,
    );
  }
}

function addTiles(x: usize, xImage: usize, gradient: usize, gradientImage: usize, images: i32, rows: i32, sums: usize): void {
  const plane = pointer(slot.TARGET_PLANE);
  const blocks = argument(slot.BLOCKS);
  const whole = pointer(slot.WHOLE_VECTORS);
  const wholeEnd = whole + <usize>(rows * argument(slot.WHOLE_PER_ROW)) * 8;
  const rest = pointer(slot.REST_VECTORS);
  const restEnd = rest + <usize>(rows * argument(slot.REST_PER_ROW)) * 8;
  const mask = pointer(slot.REST_MASK);
  const tapsEnd = pointer(slot.TAPS) + (<usize>argument(slot.TAP_COUNT) << 2);
  for (let taps = pointer(slot.TAPS); taps < tapsEnd; taps += TAPS << 2) {
    let g = gradient;
    for (let block = 0; block < blocks; block++) {
      const filters = filtersOf(block);
      gradTile(filters, x, taps, g, plane, whole, wholeEnd, rest, restEnd, mask, images, xImage, gradientImage, sums);
      g += <usize>filters * plane;
      sums += <usize>tileLength(filters) << 2;
    }
  }
}

/** Puts the sums, which lie as the tiles come, into the order of the weights. */
function writeSums(sums: usize, taps: i32, out: usize): void {
  const blocks = argument(slot.BLOCKS);
  for (let tap = 0; tap < taps; tap += TAPS) {
    const here = min(TAPS, taps - tap);
    let to = out + (<usize>tap << 2);
    for (let block = 0; block < blocks; block++) {
      const filters = filtersOf(block);
      for (let filter = 0; filter < filters; filter++) {
        for (let i = 0; i < here; i++) {
          store<f32>(to + (<usize>i << 2), load<f32>(sums + (<usize>(filter * TAPS + i) << 2)));
        }
        to += <usize>taps << 2;
      }
      sums += <usize>tileLength(filters) << 2;
    }
  }
}
