/** Tables and arguments of convolutions with samples in the lanes, made once for each geometry. */
import type { ConvGeometry } from "../kernelSet.js";
import { at } from "../strides.js";
import * as slot from "./assembly/convolutionArguments.js";
import { type Axis, backwardAxis, forwardAxis, oddLines } from "./directAxes.js";
import {
  biasSumsOffset,
  type FilterBlocks,
  filterBlocks,
  type Plan,
  SPARE_TAPS,
  sumsLength,
  Tables,
  TILE_TAPS,
} from "./directPlan.js";

/** Samples in a vector, and bytes of one. */
export const SAMPLES = 4;
const VECTOR = 16;
/** Most columns or taps in a tile. */
const WIDEST_TILE = 8;
/** Bytes of results, and of records of the output gradient, that stay in the first-level cache beside what else is read. */
const RESULT_BYTES = 2 ** 13;
const RECORD_BYTES = 3 * 2 ** 13;
/** Parts of a weight gradient for each thread, most groups of samples in one (longer sums lose digits), and bytes of all. */
const PARTS_PER_THREAD = 4;
const PART_GROUPS = 4;
const PARTS_BYTES = 2 ** 25;

const WORDS = 88;

/** Planes whose numbers are vectors, one lane for each of four samples, with zeros around them. Lengths in vectors. */
interface Spread {
  readonly planes: number;
  /** Zeros between two rows, and before the first. */
  readonly gap: number;
  /** Rows of zeros above. */
  readonly above: number;
  readonly row: number;
  readonly plane: number;
}

function spreadOf(planes: number, height: number, width: number, gap: number, above: number, below: number): Spread {
  const row = width + gap;
  return { planes, gap, above, row, plane: oddLines(4 * ((above + height + below) * row + gap)) / 4 };
}

/** Writes how the source is spread from byte `start` of a thread's memory on, and tells where it ends. */
function writeSpread(words: Int32Array, s: Spread, start: number): number {
  const bytes = VECTOR * (s.planes * s.plane);
  words[slot.LANES_SOURCE] = start;
  words[slot.LANES_SOURCE_BYTES] = bytes;
  words[slot.LANES_FIRST] = VECTOR * (s.above * s.row + s.gap);
  words[slot.LANES_PLANE] = VECTOR * s.plane;
  words[slot.LANES_ROW] = VECTOR * s.row;
  return start + bytes;
}

function newWords(g: ConvGeometry, blocks: FilterBlocks, height: number, width: number): Int32Array {
  const words = new Int32Array(WORDS);
  words[slot.BATCH] = g.batch;
  words[slot.GROUPS] = 1;
  words[slot.OUT_HEIGHT] = height;
  words[slot.OUT_WIDTH] = width;
  words[slot.BLOCKS] = blocks.count;
  words[slot.BLOCK_FILTERS] = blocks.filters;
  words[slot.LARGE_BLOCKS] = blocks.large;
  return words;
}

/** What goes through the filters, and bytes in the weight from filter to filter and from source plane to source plane. */
interface Job {
  readonly sourcePlanes: number;
  readonly targetPlanes: number;
  readonly vertical: Axis;
  readonly horizontal: Axis;
  readonly filterStep: number;
  readonly planeStep: number;
}

export function planLanesForward(g: ConvGeometry): Plan {
  const planeStep = 4 * g.kernelHeight * g.kernelWidth;
  return planJob(g, {
    sourcePlanes: g.channels,
    targetPlanes: g.outChannels,
    vertical: forwardAxis(g.inHeight, g.outHeight, g.kernelHeight, g.strideHeight, g.padTop, g.dilationHeight),
    horizontal: forwardAxis(g.inWidth, g.outWidth, g.kernelWidth, g.strideWidth, g.padLeft, g.dilationWidth),
    filterStep: planeStep * g.channels,
    planeStep,
  });
}

/** Of a stride of 1. */
export function planLanesInputGrad(g: ConvGeometry): Plan {
  const filterStep = 4 * g.kernelHeight * g.kernelWidth;
  return planJob(g, {
    sourcePlanes: g.outChannels,
    targetPlanes: g.channels,
    vertical: backwardAxis(g.inHeight, g.outHeight, g.kernelHeight, 1, g.padTop, g.dilationHeight),
    horizontal: backwardAxis(g.inWidth, g.outWidth, g.kernelWidth, 1, g.padLeft, g.dilationWidth),
    filterStep,
    planeStep: filterStep * g.channels,
  });
}

/** Some columns of a row, and the taps of the horizontal axis that reach into the source from any of them. */
interface Tile {
  readonly first: number;
  readonly last: number;
  readonly from: number;
  readonly to: number;
}

function tilesOf(axis: Axis, filters: number): Tile[] {
  const taps = axis.phases[0]?.taps ?? [];
  const width = at(TILE_TAPS, filters - 1);
  return Array.from({ length: Math.ceil(axis.targetSize / width) }, (_, i) => {
    const first = i * width;
    const last = Math.min(first + width, axis.targetSize) - 1;
    const reaches = taps.map(
      ({ shift }) => last * axis.sourceStep + shift >= 0 && first * axis.sourceStep + shift < axis.sourceSize,
    );
    const from = Math.max(0, reaches.indexOf(true));
    return { first, last, from, to: reaches.lastIndexOf(true) + 1 };
  });
}

/** Most columns that a tile reads to the left of the source, or to the right. */
function overhang(axis: Axis, tiles: readonly Tile[]): number {
  const taps = axis.phases[0]?.taps ?? [];
  const most = tiles.map(({ first, last, from, to }) => {
    const shifts = taps.slice(from, to).map(({ shift }) => shift);
    const left = -Math.min(...shifts) - first * axis.sourceStep;
    const right = last * axis.sourceStep + Math.max(...shifts) - axis.sourceSize + 1;
    return shifts.length === 0 ? 0 : Math.max(left, right);
  });
  return Math.max(0, ...most);
}

function planJob(g: ConvGeometry, job: Job): Plan {
  const { sourcePlanes, targetPlanes, vertical, horizontal } = job;
  const blocks = filterBlocks(targetPlanes);
  const [height, width] = [vertical.targetSize, horizontal.targetSize];
  const tiles = tilesOf(horizontal, blocks.filters);
  const smallTiles = blocks.large === blocks.count ? tiles : tilesOf(horizontal, blocks.filters - 1);
  const gap = overhang(horizontal, [...tiles, ...smallTiles]);
  const spread = spreadOf(sourcePlanes, vertical.sourceSize, horizontal.sourceSize, gap, 0, 0);

  const tables = new Tables();
  const phases: number[] = [];
  const known = new Map<string, readonly number[]>();
  let packedBytes = 0;
  /** What a tile's entry says: where its weights lie, their number for each filter in bytes, and the taps of each row. */
  function entryOf({ from, to }: Tile): readonly number[] {
    const key = `${from} ${to}`;
    const entry = known.get(key);
    if (entry !== undefined) return entry;
    const across = (horizontal.phases[0]?.taps ?? []).slice(from, to);
    const taps: number[] = [];
    const sources: number[] = [];
    // Rows of the kernel come first, so that the taps that read inside the source lie side by side for each row.
    for (const down of vertical.phases[0]?.taps ?? []) {
      for (let plane = 0; plane < sourcePlanes; plane++) {
        for (const { shift, tap } of across) {
          taps.push(VECTOR * (plane * spread.plane + down.shift * spread.row + shift));
          sources.push(plane * job.planeStep + 4 * (down.tap * g.kernelWidth + tap));
        }
      }
    }
    phases.push(tables.add(taps), taps.length, packedBytes, 0, 0, 0, 0, tables.add(sources), 0);
    const made = [packedBytes, 4 * taps.length, tables.add(tapsOfRows(vertical, sourcePlanes * across.length)), 0];
    packedBytes += 4 * taps.length * (targetPlanes + blocks.count);
    known.set(key, made);
    return made;
  }

  const words = newWords(g, blocks, height, width);
  words[slot.LANES_TILES] = tables.add(tiles.flatMap(entryOf));
  words[slot.LANES_SMALL_TILES] = tables.add(smallTiles.flatMap(entryOf));
  // The last tile of a row may have room for more columns than are left: it computes the last one again.
  const columns = Array.from({ length: width + WIDEST_TILE }, (_, i) => Math.min(i, width - 1));
  words[slot.LANES_COLUMNS] = tables.add(
    columns.flatMap((i) => [VECTOR * i * horizontal.sourceStep, VECTOR * i, 0, 0]),
  );
  words[slot.PHASES] = tables.add(phases);
  words[slot.FILTER_STEP] = job.filterStep;
  words[slot.SOURCE_PLANES] = sourcePlanes;
  words[slot.SOURCE_HEIGHT] = vertical.sourceSize;
  words[slot.SOURCE_WIDTH] = horizontal.sourceSize;
  words[slot.TARGET_PLANES] = targetPlanes;
  words[slot.SOURCE_ROW_STEP] = vertical.sourceStep;
  const blockRows = rowsIn(RESULT_BYTES, VECTOR * blocks.filters * width, height);
  words[slot.BLOCK_ROWS] = blockRows;
  return {
    tables: tables.toArray(),
    words,
    packedBytes,
    bytesPerThread: writeSpread(words, spread, VECTOR * blocks.filters * blockRows * width),
    units: Math.ceil(g.batch / SAMPLES),
    packUnits: known.size,
  };
}

/** For each row: the taps that read above the source, and those that read above its end. Between lie those inside. */
function tapsOfRows(vertical: Axis, each: number): number[] {
  const taps = vertical.phases[0]?.taps ?? [];
  return Array.from({ length: vertical.targetSize }, (_, row) => {
    const above = (end: number) => each * taps.filter(({ shift }) => row * vertical.sourceStep + shift < end).length;
    return [above(0), above(vertical.sourceSize)];
  }).flat();
}

function rowsIn(bytes: number, rowBytes: number, rows: number): number {
  return Math.max(1, Math.min(rows, Math.floor(bytes / rowBytes)));
}

export function planLanesWeightGrad(g: ConvGeometry, threads: number): Plan {
  const vertical = forwardAxis(g.inHeight, g.outHeight, g.kernelHeight, g.strideHeight, g.padTop, g.dilationHeight);
  const horizontal = forwardAxis(g.inWidth, g.outWidth, g.kernelWidth, g.strideWidth, g.padLeft, g.dilationWidth);
  const blocks = filterBlocks(g.outChannels);
  const below = endOf(vertical) - g.inHeight;
  const gap = Math.max(0, -horizontal.first, endOf(horizontal) - g.inWidth);
  const above = Math.max(0, -vertical.first);
  const spread = spreadOf(g.channels, g.inHeight, g.inWidth, gap, above, Math.max(0, below));
  const taps: number[] = [];
  for (let plane = 0; plane < g.channels; plane++) {
    for (const down of vertical.phases[0]?.taps ?? []) {
      for (const across of horizontal.phases[0]?.taps ?? []) {
        taps.push(VECTOR * (plane * spread.plane + down.shift * spread.row + across.shift));
      }
    }
  }
  const tapCount = taps.length;
  for (let i = 0; i < SPARE_TAPS; i++) taps.push(at(taps, tapCount - 1));
  const places = Array.from({ length: g.outHeight * g.outWidth }, (_, i) => {
    const row = Math.floor(i / g.outWidth);
    return VECTOR * (row * g.strideHeight * spread.row + (i % g.outWidth) * g.strideWidth);
  });

  const length = g.outChannels * tapCount;
  const groups = Math.ceil(g.batch / SAMPLES);
  const wanted = Math.max(threads * PARTS_PER_THREAD, Math.ceil(groups / PART_GROUPS));
  const parts = Math.min(groups, wanted, Math.max(1, Math.floor(PARTS_BYTES / (4 * length))));
  const sumsBytes =
    4 *
    (blocks.large * sumsLength(blocks.filters, tapCount) +
      (blocks.count - blocks.large) * sumsLength(blocks.filters - 1, tapCount));
  const rowBytes = VECTOR * (blocks.filters + 1) * g.outWidth;
  const blockRows = rowsIn(RECORD_BYTES, rowBytes, g.outHeight);
  const tables = new Tables();
  const words = newWords(g, blocks, g.outHeight, g.outWidth);
  words[slot.SOURCE_PLANES] = g.channels;
  words[slot.SOURCE_HEIGHT] = g.inHeight;
  words[slot.SOURCE_WIDTH] = g.inWidth;
  words[slot.TARGET_PLANES] = g.outChannels;
  words[slot.SPLIT] = parts;
  words[slot.TAPS] = tables.add(taps);
  words[slot.TAP_COUNT] = tapCount;
  words[slot.LANES_COLUMNS] = tables.add(places);
  words[slot.BLOCK_ROWS] = blockRows;
  words[slot.SUMS_BYTES] = sumsBytes;
  return {
    tables: tables.toArray(),
    words,
    packedBytes: biasSumsOffset(parts, length) + 8 * parts * g.outChannels,
    bytesPerThread: writeSpread(words, spread, slot.SPARE_BYTES + sumsBytes + blockRows * rowBytes),
    units: parts,
    packUnits: parts,
  };
}

/** Elements of the source, from its first one on, that the taps of all places reach to. */
function endOf(axis: Axis): number {
  return axis.first + (axis.targetSize - 1) * axis.sourceStep + axis.extent;
}
