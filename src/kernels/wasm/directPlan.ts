/** Tables and arguments of direct convolutions, made once for each geometry. */
import type { ConvGeometry } from "../kernelSet.js";
import { at } from "../strides.js";
import * as slot from "./assembly/convolutionArguments.js";
import { writeGeometry } from "./convolutionColumns.js";
import {
  backwardFiltering,
  type Filtering,
  flattened,
  forwardFiltering,
  LANES,
  type Phase,
  rowVectors,
  tapOffset,
} from "./directAxes.js";

/** Most filters in a tile. */
const TILE_FILTERS = 6;
/** Taps in a tile of the weight gradient of 1 to 6 filters, as in scripts/generateDirectTiles.mjs. */
export const TILE_TAPS = [8, 4, 3, 2, 2, 2];
/** Taps are filled up with so many, so that whole tiles can be read. */
export const SPARE_TAPS = 7;
/** Bytes behind a copy that are written to. */
const COPY_SLACK = 12;
/** Bytes of output gradients that stay in the first-level cache. */
const NEAR_BYTES = 3 * 2 ** 13;
/** Units for each thread, so that the last ones weigh little. */
const UNITS_PER_THREAD = 4;
/** Most images in one part of a weight gradient: longer sums lose digits. */
const PART_IMAGES = 16;
/** Most bytes that the partial sums of a weight gradient may take up. */
const PARTS_BYTES = 2 ** 25;

/** What a launch needs beside the arrays' addresses. */
export interface Plan {
  /** Tables, which hold offsets from their own beginning. */
  readonly tables: Int32Array;
  /** The arguments that are always the same. */
  readonly words: Int32Array;
  /** Bytes of packed weights, or of partial sums. */
  readonly packedBytes: number;
  readonly bytesPerThread: number;
  /** Units of the launch, and of the packing before it, or parts that are added up after it. */
  readonly units: number;
  readonly packUnits: number;
}

const WORDS = 69;

export class Tables {
  private readonly values: number[] = [];

  /** Adds a table and tells its offset in bytes, a multiple of 16. */
  add(table: readonly number[]): number {
    while (this.values.length % 4 !== 0) this.values.push(0);
    const offset = this.values.length * 4;
    for (const value of table) this.values.push(value);
    return offset;
  }

  toArray(): Int32Array {
    return Int32Array.from(this.values);
  }
}

/** Blocks of filters, as equal as can be: the large ones have one more than the others. */
export interface FilterBlocks {
  readonly count: number;
  readonly filters: number;
  readonly large: number;
}

export function filterBlocks(filters: number): FilterBlocks {
  const count = Math.ceil(filters / TILE_FILTERS);
  const size = Math.ceil(filters / count);
  return { count, filters: size, large: filters - (size - 1) * count };
}

function commonWords(g: ConvGeometry, f: Filtering, blocks: FilterBlocks): Int32Array {
  const words = new Int32Array(WORDS);
  writeGeometry(words, g);
  words[slot.SOURCE_PLANES] = f.sourcePlanes;
  words[slot.SOURCE_HEIGHT] = f.vertical.sourceSize;
  words[slot.SOURCE_WIDTH] = f.horizontal.sourceSize;
  words[slot.TARGET_PLANES] = f.targetPlanes;
  const joinedPlane = 4 * f.vertical.targetSize * f.horizontal.targetSize;
  words[slot.JOINED_PLANE] = joinedPlane;
  words[slot.TARGET_PLANE] = f.parts === null ? joinedPlane : 4 * f.parts.plane;
  words[slot.TARGET_ROW] = 4 * f.vertical.targetStep * f.horizontal.targetSize;
  words[slot.PARTS] = f.parts?.count ?? 1;
  words[slot.PART_BYTES] = 4 * (f.parts?.row ?? 0);
  words[slot.BLOCK_ROWS] = f.blockRows;
  words[slot.ROW_BLOCKS] = Math.ceil(f.vertical.places / f.blockRows);
  words[slot.SOURCE_ROW_STEP] = f.vertical.sourceStep;
  words[slot.COPY_ROWS] = f.copy?.rows ?? 0;
  words[slot.COPY_FIRST_ROW] = f.vertical.first;
  words[slot.COPY_ROW_STEP] = f.copy?.rowStep ?? 1;
  words[slot.COPY_FIRST_COLUMN] = f.horizontal.first;
  words[slot.COPY_COLUMNS] = f.copy?.columns ?? 0;
  words[slot.COPY_PARTS] = f.horizontal.sourceStep;
  words[slot.COPY_STEP] = f.horizontal.sourceStep * (f.copy?.columnStep ?? 1);
  words[slot.COPY_ROW] = 4 * f.row;
  words[slot.COPY_PLANE] = 4 * f.plane;
  words[slot.BLOCKS] = blocks.count;
  words[slot.BLOCK_FILTERS] = blocks.filters;
  words[slot.LARGE_BLOCKS] = blocks.large;
  return words;
}

/** Bytes from filter to filter, from group to group and from source plane to source plane in the weight. */
interface WeightLayout {
  readonly filterStep: number;
  readonly groupStep: number;
  readonly planeStep: number;
}

/** Blocks of rows to cut an image into so that all threads find work. */
function rowBlocks(g: ConvGeometry, threads: number): number {
  return threads === 1 ? 1 : Math.ceil((threads * UNITS_PER_THREAD) / (g.batch * g.groups));
}

export function planForward(geometry: ConvGeometry, threads: number): Plan {
  const g = flattened(geometry);
  const f = forwardFiltering(g, Math.ceil(g.outHeight / rowBlocks(g, threads)));
  const planeStep = 4 * g.kernelHeight * g.kernelWidth;
  const filterStep = planeStep * f.sourcePlanes;
  return planFiltering(g, f, { filterStep, groupStep: filterStep * f.targetPlanes, planeStep });
}

export function planInputGrad(geometry: ConvGeometry, threads: number): Plan {
  const g = flattened(geometry);
  const f = backwardFiltering(g, rowBlocks(g, threads));
  const filterStep = 4 * g.kernelHeight * g.kernelWidth;
  const planeStep = filterStep * f.targetPlanes;
  return planFiltering(g, f, { filterStep, groupStep: planeStep * f.sourcePlanes, planeStep });
}

function planFiltering(g: ConvGeometry, f: Filtering, layout: WeightLayout): Plan {
  const blocks = filterBlocks(f.targetPlanes);
  const tables = new Tables();
  const phases: number[] = [];
  let packedBytes = 0;
  for (const vertical of f.vertical.phases) {
    for (const horizontal of f.horizontal.phases) {
      const taps: number[] = [];
      const sources: number[] = [];
      // Rows of the kernel come first, so that the taps that read inside the source lie side by side for each row of places.
      for (const down of vertical.taps) {
        for (let plane = 0; plane < f.sourcePlanes; plane++) {
          for (const across of horizontal.taps) {
            taps.push(4 * tapOffset(f, plane, down, across));
            sources.push(plane * layout.planeStep + 4 * (down.tap * g.kernelWidth + across.tap));
          }
        }
      }
      const vectors = placesOf(f, vertical, horizontal);
      phases.push(tables.add(taps), taps.length, packedBytes, tables.add(vectors));
      const lanes = f.parts === null ? Math.min(LANES, horizontal.count) : LANES;
      phases.push(Math.ceil(horizontal.count / LANES), vertical.count, lanes);
      phases.push(tables.add(sources), tables.add(tapsOfRows(f, vertical, f.sourcePlanes * horizontal.taps.length)));
      packedBytes += 4 * g.groups * taps.length * (f.targetPlanes + blocks.count);
    }
  }
  const phaseCount = f.vertical.phases.length * f.horizontal.phases.length;
  const words = commonWords(g, f, blocks);
  words[slot.PHASES] = tables.add(phases);
  words[slot.PHASE_COUNT] = phaseCount;
  words[slot.FILTER_STEP] = layout.filterStep;
  words[slot.WEIGHT_GROUP] = layout.groupStep;
  return {
    tables: tables.toArray(),
    words,
    packedBytes,
    bytesPerThread:
      slot.SPARE_BYTES +
      4 * f.targetPlanes * (f.parts?.plane ?? 0) +
      (f.copy === null ? 0 : 4 * f.sourcePlanes * f.plane + COPY_SLACK),
    units: g.batch * g.groups * Math.ceil(f.vertical.places / f.blockRows),
    packUnits: phaseCount * g.groups,
  };
}

/** For each vector of places in a block of rows: its offsets in what is read and in the target, and its row's in {@link tapsOfRows}. */
function placesOf(f: Filtering, vertical: Phase, horizontal: Phase): number[] {
  const starts = rowVectors(horizontal.count);
  const { parts } = f;
  const rowLength = parts === null ? f.horizontal.targetSize : parts.count * parts.row;
  const inRow = horizontal.index * (parts?.row ?? 0);
  const vectors: number[] = [];
  for (let row = 0; row < Math.min(f.blockRows, vertical.count); row++) {
    const toRow = (row * f.vertical.targetStep + vertical.index) * rowLength + inRow;
    for (const start of starts) {
      const from = row * f.vertical.sourceStep * f.row + start;
      vectors.push(4 * from, 4 * (toRow + start), 8 * row, 0);
    }
  }
  return vectors;
}

/** For each row of places: the taps that read above the source, and those that read above its end. Between lie those inside. */
function tapsOfRows(f: Filtering, { count, taps }: Phase, each: number): number[] {
  const { sourceStep, sourceSize } = f.vertical;
  return Array.from({ length: count }, (_, row) => {
    const at = row * sourceStep * (f.copy?.rowStep ?? 1);
    const above = (end: number) => each * taps.filter(({ shift }) => at + shift < end).length;
    return [above(0), above(sourceSize)];
  }).flat();
}

/** Where the sums for the bias lie, behind the partial sums of a weight gradient of so many elements. */
export function biasSumsOffset(parts: number, length: number): number {
  return Math.ceil((4 * parts * length) / 8) * 8;
}

export function planWeightGrad(geometry: ConvGeometry, threads: number): Plan {
  const g = flattened(geometry);
  const blocks = filterBlocks(g.outChannels / g.groups);
  const vectorsPerRow = Math.ceil(g.outWidth / LANES);
  const recordBytes = 16 * (blocks.filters + 1);
  const f = forwardFiltering(g, Math.floor(NEAR_BYTES / (recordBytes * vectorsPerRow)));
  const taps: number[] = [];
  for (let plane = 0; plane < f.sourcePlanes; plane++) {
    for (const down of f.vertical.phases[0]?.taps ?? []) {
      for (const across of f.horizontal.phases[0]?.taps ?? []) taps.push(4 * tapOffset(f, plane, down, across));
    }
  }
  const tapCount = taps.length;
  for (let i = 0; i < SPARE_TAPS; i++) taps.push(at(taps, tapCount - 1));
  const length = g.outChannels * tapCount;
  const mostParts = Math.max(1, Math.floor(PARTS_BYTES / (4 * length)));
  const parts = Math.min(g.batch, mostParts, Math.max(threads * UNITS_PER_THREAD, Math.ceil(g.batch / PART_IMAGES)));
  // Images whose records stay near make one run of a tile: longer runs are worth their beginning and end.
  const imageBytes = recordBytes * vectorsPerRow * g.outHeight;
  const wanted = f.blockRows < g.outHeight ? 1 : Math.floor(NEAR_BYTES / imageBytes);
  const images = Math.max(1, Math.min(wanted, Math.ceil(g.batch / parts)));
  const copyBytes = f.copy === null ? 0 : 4 * f.sourcePlanes * f.plane;
  const xStep = f.copy === null ? 4 * g.channels * g.inHeight * g.inWidth : copyBytes;
  const { whole, rest } = gradientVectors(g, f, images, xStep);
  const restLanes = g.outWidth % LANES;
  const tables = new Tables();
  const words = commonWords(g, f, blocks);
  words[slot.SPLIT] = parts;
  words[slot.TAPS] = tables.add(taps);
  words[slot.TAP_COUNT] = tapCount;
  words[slot.WHOLE_VECTORS] = tables.add(whole);
  words[slot.WHOLE_PER_ROW] = Math.floor(g.outWidth / LANES);
  words[slot.REST_VECTORS] = tables.add(rest);
  words[slot.REST_PER_ROW] = restLanes > 0 ? 1 : 0;
  words[slot.REST_MASK] = tables.add(Array.from({ length: LANES }, (_, lane) => (lane < LANES - restLanes ? 0 : -1)));
  words[slot.IMAGES_AT_ONCE] = images;
  const sumsBytes =
    4 *
    (blocks.large * sumsLength(blocks.filters, tapCount) +
      (blocks.count - blocks.large) * sumsLength(blocks.filters - 1, tapCount));
  const recordsBytes = recordBytes * vectorsPerRow * f.blockRows * images;
  words[slot.SUMS_BYTES] = sumsBytes;
  words[slot.RECORDS_BYTES] = recordsBytes;
  return {
    tables: tables.toArray(),
    words,
    packedBytes: biasSumsOffset(parts, length) + 8 * parts * g.outChannels,
    bytesPerThread:
      Math.ceil((slot.SPARE_BYTES + sumsBytes + recordsBytes + copyBytes * images + COPY_SLACK) / 64) * 64,
    units: parts * g.groups,
    packUnits: parts,
  };
}

/**
 * The vectors of some images' output gradients, as pairs of offsets in x and in the gradient: those of whole vectors, and
 * those at the ends of rows, which overlap the ones before them.
 */
function gradientVectors(g: ConvGeometry, f: Filtering, images: number, xStep: number) {
  const whole: number[] = [];
  const rest: number[] = [];
  for (let image = 0; image < images; image++) {
    for (let row = 0; row < f.blockRows; row++) {
      const inX = image * xStep + 4 * row * f.vertical.sourceStep * f.row;
      const inGradient = 4 * g.outWidth * (image * g.outChannels * g.outHeight + row);
      for (let column = 0; column + LANES <= g.outWidth; column += LANES) {
        whole.push(inX + 4 * column, inGradient + 4 * column);
      }
      const last = 4 * (g.outWidth - LANES);
      if (g.outWidth % LANES > 0) rest.push(inX + last, inGradient + last);
    }
  }
  return { whole, rest };
}

/** Sums of a block of filters, tile by tile, each filled up to whole vectors. */
export function sumsLength(filters: number, taps: number): number {
  if (filters === 0) return 0;
  const width = at(TILE_TAPS, filters - 1);
  return Math.ceil(taps / width) * Math.ceil((filters * width) / LANES) * LANES;
}
