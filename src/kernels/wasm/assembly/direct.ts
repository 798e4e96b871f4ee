/**
 * Direct convolution: filters over the image itself, or over a copy of it that has the padding, with sums in registers. No
 * columns are made. The input gradient is the same job: filters over the output gradient, one set for each phase of the
 * stride.
 *
 * @module
 */
import * as slot from "./convolutionArguments";
import { copyPlanes } from "./directCopy";
import { tile, widthOf } from "./directTiles";
import { argument, pointer, threadIndex } from "./environment";
import { ZEROS } from "./gemm";
import { closeGate } from "./vector";

/** Pairs of offsets that are done for all filters before the next ones: what they read of the image stays in the cache. */
const CHUNK = 24 * 16;

/** A phase says which places it computes, and with which taps. */
@inline
function phaseWord(phase: i32, word: i32): usize {
  return <usize>load<u32>(pointer(slot.TABLES) + pointer(slot.PHASES) + (<usize>(phase * slot.PHASE_WORDS + word) << 2));
}

@inline
function phaseTable(phase: i32, word: i32): usize {
  return pointer(slot.TABLES) + phaseWord(phase, word);
}

/** Filters in a block; the first ones may have one more than the others. */
@inline
function filtersOf(block: i32): i32 {
  return argument(slot.BLOCK_FILTERS) - (block < argument(slot.LARGE_BLOCKS) ? 0 : 1);
}

/** Puts the weights of a block of filters side by side, tap by tap, each tap's offset before them. A unit is a phase of a group. */
export function packFilters(begin: i32, end: i32): void {
  const groups = argument(slot.GROUPS);
  const blocks = argument(slot.BLOCKS);
  const step = pointer(slot.FILTER_STEP);
  for (let unit = begin; unit < end; unit++) {
    const phase = unit / groups;
    const group = unit % groups;
    const taps = <i32>phaseWord(phase, 1);
    const sources = phaseTable(phase, 7);
    let from = pointer(slot.WEIGHT) + <usize>group * pointer(slot.WEIGHT_GROUP);
    const offsets = phaseTable(phase, 0);
    let to = pointer(slot.PACKED) + phaseWord(phase, 2) + (<usize>(group * taps * (argument(slot.TARGET_PLANES) + blocks)) << 2);
    for (let block = 0; block < blocks; block++) {
      const filters = filtersOf(block);
      for (let tap = 0; tap < taps; tap++) {
        store<u32>(to, load<u32>(offsets + (<usize>tap << 2)));
        to += 4;
        let weight = from + load<u32>(sources + (<usize>tap << 2));
        for (let filter = 0; filter < filters; filter++) {
          store<f32>(to, load<f32>(weight));
          weight += step;
          to += 4;
        }
      }
      from += <usize>filters * step;
    }
  }
}

/** A unit is a block of rows of one group of one image. */
export function direct(begin: i32, end: i32): void {
  const groups = argument(slot.GROUPS);
  const rowBlocks = argument(slot.ROW_BLOCKS);
  const sourcePlanes = argument(slot.SOURCE_PLANES);
  const targetPlanes = argument(slot.TARGET_PLANES);
  const sourceBytes = <usize>(sourcePlanes * argument(slot.SOURCE_HEIGHT) * argument(slot.SOURCE_WIDTH)) << 2;
  const joinedPlane = pointer(slot.JOINED_PLANE);
  const blockRows = argument(slot.BLOCK_ROWS);
  const rowStep = argument(slot.SOURCE_ROW_STEP);
  const copied = argument(slot.COPY_ROWS);
  const spare = pointer(slot.SCRATCH) + <usize>threadIndex() * pointer(slot.SCRATCH_BYTES);
  const parts = argument(slot.PARTS);
  const joining = spare + slot.SPARE_BYTES;
  const copy = joining + (parts == 1 ? 0 : <usize>targetPlanes * pointer(slot.TARGET_PLANE));
  for (let unit = begin; unit < end; unit++) {
    const image = unit / rowBlocks;
    const row = (unit % rowBlocks) * blockRows;
    let source = pointer(slot.SOURCE) + <usize>image * sourceBytes;
    if (copied != 0) {
      copyPlanes(source, sourcePlanes, row * rowStep, copied, copy);
      source = copy;
    } else {
      source += <usize>(row * rowStep * argument(slot.SOURCE_WIDTH)) << 2;
    }
    const target = pointer(slot.TARGET) + <usize>(image * targetPlanes) * joinedPlane + <usize>row * pointer(slot.TARGET_ROW);
    for (let phase = 0; phase < argument(slot.PHASE_COUNT); phase++) {
      const rows = min(<i32>phaseWord(phase, 5) - row, blockRows);
      if (rows > 0) filterRows(phase, image % groups, source, row, rows, parts == 1 ? target : joining, spare);
    }
    if (parts > 1) {
      const down = argument(slot.STRIDE_HEIGHT);
      joinParts(joining, target, min(blockRows * down, argument(slot.IN_HEIGHT) - row * down));
    }
    const bytes = min(joinedPlane - <usize>row * pointer(slot.TARGET_ROW), <usize>blockRows * pointer(slot.TARGET_ROW));
    if (argument(slot.RELU) != 0) {
      for (let plane = 0; plane < targetPlanes; plane++) rectify(target + <usize>plane * joinedPlane, bytes);
    }
    if (pointer(slot.GATE) != 0) {
      const gate = pointer(slot.GATE) + (target - pointer(slot.TARGET));
      for (let plane = 0; plane < targetPlanes; plane++) {
        const from = <usize>plane * joinedPlane;
        closeGate(target + from, gate + from, bytes);
      }
    }
  }
}

function filterRows(phase: i32, group: i32, source: usize, row: i32, rows: i32, target: usize, spare: usize): void {
  const count = <usize>phaseWord(phase, 1);
  const targetPlanes = argument(slot.TARGET_PLANES);
  const blocks = argument(slot.BLOCKS);
  const plane = pointer(slot.TARGET_PLANE);
  const firstWeights = pointer(slot.PACKED) + phaseWord(phase, 2) + (<usize>group * count * <usize>(targetPlanes + blocks) << 2);
  const hasBias = pointer(slot.BIAS) != 0;
  const firstBias = hasBias ? pointer(slot.BIAS) + (<usize>(group * targetPlanes) << 2) : ZEROS;
  const vectors = phaseTable(phase, 3);
  const end = vectors + <usize>rows * (phaseWord(phase, 4) << 4);
  const rowTaps = phaseTable(phase, 8) + (<usize>row << 3);
  const lanes = <i32>phaseWord(phase, 6);
  if (count == 0) return fillPlaces(vectors, end, firstBias, hasBias ? 4 : 0, target, lanes);
  for (let chunk = vectors; chunk < end; chunk += CHUNK) {
    const chunkEnd = min(chunk + CHUNK, end);
    let weights = firstWeights;
    let bias = firstBias;
    let out = target;
    for (let block = 0; block < blocks; block++) {
      const filters = filtersOf(block);
      const recordBytes = <usize>(filters + 1) << 2;
      const tileBytes = <usize>widthOf(filters) << 4;
      for (let at = chunk; at < chunkEnd; at += tileBytes) {
        // Further down, taps begin and end earlier: the tile's taps are those from its last row's first to its first row's last.
        const here = min(at + tileBytes, chunkEnd);
        const from = weights + recordBytes * <usize>load<u32>(rowTaps + load<u32>(here - 16, 8));
        const to = weights + recordBytes * <usize>load<u32>(rowTaps + load<u32>(at, 8), 4);
        if (lanes == 4 && here == at + tileBytes) tile(filters, source, from, to, bias, at, out, plane);
        else partOfTile(filters, source, from, to, bias, at, here, out, plane, lanes, spare, tileBytes);
      }
      weights += count * recordBytes;
      if (hasBias) bias += <usize>filters << 2;
      out += <usize>filters * plane;
    }
  }
}

/** Writes rows of the target from their phases, which lie side by side. */
function joinParts(from: usize, to: usize, rows: i32): void {
  const parts = argument(slot.PARTS);
  const partBytes = pointer(slot.PART_BYTES);
  const width = argument(slot.IN_WIDTH);
  for (let plane = 0; plane < argument(slot.TARGET_PLANES); plane++) {
    let line = from;
    let place = to;
    for (let row = 0; row < rows; row++) {
      let column = 0;
      if (parts == 2) {
        for (; column + 8 <= width; column += 8) {
          const even = v128.load(line + (<usize>column << 1)), odd = v128.load(line + partBytes + (<usize>column << 1));
          v128.store(place + (<usize>column << 2), v128.shuffle<i32>(even, odd, 0, 4, 1, 5));
          v128.store(place + (<usize>column << 2), v128.shuffle<i32>(even, odd, 2, 6, 3, 7), 16);
        }
      }
      for (let part = 0; part < parts; part++) {
        let at = line + <usize>part * partBytes + (<usize>(column / parts) << 2);
        for (let i = column + part; i < width; i += parts) {
          store<f32>(place + (<usize>i << 2), load<f32>(at));
          at += 4;
        }
      }
      line += <usize>parts * partBytes;
      place += <usize>width << 2;
    }
    from += pointer(slot.TARGET_PLANE);
    to += pointer(slot.JOINED_PLANE);
  }
}

/** A tile with fewer vectors than it has room for, or with places for fewer than four numbers: by way of spare memory. */
function partOfTile(
  filters: i32, source: usize, weights: usize, weightsEnd: usize, bias: usize, at: usize, end: usize, out: usize, plane: usize,
  lanes: i32, spare: usize, tileBytes: usize,
): void {
  const results = spare + 128;
  const sparePlane = tileBytes;
  for (let i: usize = 0; i < tileBytes; i += 16) {
    store<u32>(spare + i, load<u32>(min(at + i, end - 16)));
    store<u32>(spare + i, <u32>i, 4);
  }
  tile(filters, source, weights, weightsEnd, bias, spare, results, sparePlane);
  for (let filter = 0; filter < filters; filter++) {
    let from = results + <usize>filter * sparePlane;
    for (let vector = at; vector < end; vector += 16) {
      let to = out + load<u32>(vector, 4);
      if (lanes == 4) {
        v128.store(to, v128.load(from));
      } else {
        for (let lane = 0; lane < lanes; lane++) {
          store<f32>(to, load<f32>(from + (<usize>lane << 2)));
          to += 4;
        }
      }
      from += 16;
    }
    out += plane;
  }
}

/** Places that no tap reaches: they get the bias alone. */
function fillPlaces(at: usize, end: usize, bias: usize, biasStep: usize, out: usize, lanes: i32): void {
  for (let plane = 0; plane < argument(slot.TARGET_PLANES); plane++) {
    const value = load<f32>(bias);
    for (let vector = at; vector < end; vector += 16) {
      let to = out + load<u32>(vector, 4);
      for (let lane = 0; lane < lanes; lane++) {
        store<f32>(to, value);
        to += 4;
      }
    }
    bias += biasStep;
    out += pointer(slot.TARGET_PLANE);
  }
}

/** x = max(x, 0), where NaN stays NaN. */
function rectify(x: usize, bytes: usize): void {
  const end = x + bytes;
  for (; x + 16 <= end; x += 16) v128.store(x, f32x4.pmax(v128.load(x), f32x4.splat(0)));
  for (; x < end; x += 4) if (load<f32>(x) < 0) store<f32>(x, 0);
}
