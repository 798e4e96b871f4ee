/** The direct road: filters over the image itself, or over a copy of it with its padding. It makes no columns. */
import type { ConvGeometry, Dense } from "../kernelSet.js";
import { at } from "../strides.js";
import * as slot from "./assembly/convolutionArguments.js";
import { DIRECT, DIRECT_WEIGHT_GRAD, PACK_FILTERS } from "./assembly/kernelIds.js";
import { addParts, multiplications, writeGeometry } from "./convolutionColumns.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";

const LANES = 4;
/** Most filters in a tile. */
const TILE_FILTERS = 6;
/** Taps in a tile of the weight gradient of 1 to 6 filters, as in scripts/generateDirectTiles.mjs. */
const TILE_TAPS = [8, 4, 3, 2, 2, 2];
/** Taps are filled up with so many, so that whole tiles can be read. */
const SPARE_TAPS = 7;
/** Most phases of a stride: beyond, each has too few places. */
const MOST_PHASES = 16;
/** Bytes of an image's copy that stay in the second-level cache, and bytes of output gradients that stay in the first. */
const COPY_BYTES = 2 ** 18;
const NEAR_BYTES = 3 * 2 ** 13;
/** Units for each thread, so that the last ones weigh little. */
const UNITS_PER_THREAD = 4;
/** Most images in one part of a weight gradient: longer sums lose digits. */
const PART_IMAGES = 16;
/** Most bytes that the partial sums of a weight gradient may take up. */
const PARTS_BYTES = 2 ** 25;
/** Multiplications in one of the steps that `Engine.launch` counts in. */
const PER_STEP = 16;

/** One axis of the taps: which tap of the kernel, and how far its element lies from the place. */
interface Tap {
  readonly tap: number;
  readonly shift: number;
}

/** The places of one phase along one axis: index + step·i for i from 0 to count − 1. */
interface Phase {
  readonly index: number;
  readonly count: number;
  readonly taps: readonly Tap[];
}

/** One axis of a filtering: what it reads of the source for place i of a phase is i·sourceStep + shift. */
interface Axis {
  readonly phases: readonly Phase[];
  readonly sourceStep: number;
  readonly targetStep: number;
  readonly sourceSize: number;
  readonly targetSize: number;
  /** The least shift, and the elements from it to the greatest one. */
  readonly first: number;
  readonly extent: number;
  /** Most places in a phase. */
  readonly places: number;
}

function axis(
  phases: readonly Phase[],
  sourceStep: number,
  targetStep: number,
  sourceSize: number,
  targetSize: number,
): Axis {
  const shifts = phases.flatMap(({ taps }) => taps.map(({ shift }) => shift));
  const first = shifts.length === 0 ? 0 : Math.min(...shifts);
  const extent = shifts.length === 0 ? 1 : Math.max(...shifts) - first + 1;
  const places = Math.max(...phases.map(({ count }) => count));
  return { phases, sourceStep, targetStep, sourceSize, targetSize, first, extent, places };
}

function forwardAxis(inSize: number, outSize: number, kernel: number, stride: number, pad: number, dilation: number) {
  const taps = Array.from({ length: kernel }, (_, tap) => ({ tap, shift: tap * dilation - pad }));
  return axis([{ index: 0, count: outSize, taps }], stride, 1, inSize, outSize);
}

/** The input gradient: element index + stride·i of the input was read by output i + shift, for the taps that fit the phase. */
function backwardAxis(inSize: number, outSize: number, kernel: number, stride: number, pad: number, dilation: number) {
  const phases = Array.from({ length: Math.min(stride, inSize) }, (_, index) => ({
    index,
    count: Math.ceil((inSize - index) / stride),
    taps: Array.from({ length: kernel }, (_, tap) => ({ tap, shift: (index + pad - tap * dilation) / stride })).filter(
      ({ shift }) => Number.isInteger(shift),
    ),
  }));
  return axis(phases, 1, stride, outSize, inSize);
}

/** Everything about a direct convolution that follows from its geometry. */
interface Filtering {
  readonly vertical: Axis;
  readonly horizontal: Axis;
  readonly sourcePlanes: number;
  readonly targetPlanes: number;
  /** Rows of places in a block. */
  readonly blockRows: number;
  readonly copied: Copied | null;
  /** Elements from plane to plane and from row to row of what is read: the copy, or the source itself. */
  readonly plane: number;
  readonly row: number;
}

/** The copy of one block of rows. */
interface Copied {
  readonly rows: number;
  readonly columns: number;
}

/** A plane and a stride of the window in whole rows: 1x1 over the image as it is needs no rows at all. */
function flattened(g: ConvGeometry): ConvGeometry {
  const isPointwise =
    g.kernelHeight === 1 &&
    g.kernelWidth === 1 &&
    g.strideHeight === 1 &&
    g.strideWidth === 1 &&
    g.padTop === 0 &&
    g.padLeft === 0 &&
    g.inHeight === g.outHeight &&
    g.inWidth === g.outWidth;
  if (!isPointwise || g.outWidth % LANES === 0) return g;
  const size = g.inHeight * g.inWidth;
  return { ...g, inHeight: 1, inWidth: size, outHeight: 1, outWidth: size };
}

function filtering(
  vertical: Axis,
  horizontal: Axis,
  sourcePlanes: number,
  targetPlanes: number,
  blocks: number,
): Filtering {
  const places = Math.max(horizontal.places, LANES);
  const fits = (axis: Axis, places: number) =>
    axis.first >= 0 && axis.first + (places - 1) * axis.sourceStep + axis.extent <= axis.sourceSize;
  const inPlace =
    horizontal.sourceStep === 1 &&
    vertical.phases.length * horizontal.phases.length === 1 &&
    fits(vertical, vertical.places) &&
    fits(horizontal, places);
  const wanted = Math.max(1, Math.ceil(vertical.places / blocks));
  if (inPlace) {
    const { sourceSize } = horizontal;
    return {
      ...{ vertical, horizontal, sourcePlanes, targetPlanes, blockRows: wanted, copied: null },
      ...{ plane: vertical.sourceSize * sourceSize, row: sourceSize },
    };
  }
  const columns = (places - 1) * horizontal.sourceStep + horizontal.extent;
  const row = Math.ceil(columns / horizontal.sourceStep) * horizontal.sourceStep;
  const rowsOf = (count: number) => (count - 1) * vertical.sourceStep + vertical.extent;
  const mostRows = COPY_BYTES / (4 * row * sourcePlanes);
  const blockRows = Math.max(1, Math.min(wanted, Math.floor((mostRows - vertical.extent) / vertical.sourceStep) + 1));
  const rows = rowsOf(blockRows);
  return {
    ...{ vertical, horizontal, sourcePlanes, targetPlanes, blockRows, copied: { rows, columns }, row },
    plane: oddLines(rows * row),
  };
}

/** At least `length` elements, as an odd number of cache lines: planes that are powers of two apart evict each other. */
function oddLines(length: number): number {
  const lines = Math.ceil(length / 16);
  return 16 * (lines + ((lines + 1) % 2));
}

/** Offset, in elements, of an element of a row's copy: elements one stride apart lie side by side. */
function columnOffset(column: number, f: Filtering): number {
  const { sourceStep } = f.horizontal;
  if (sourceStep === 1) return column;
  return (column % sourceStep) * (f.row / sourceStep) + Math.floor(column / sourceStep);
}

/** Where the tap's element lies, seen from the place. */
function tapOffset(f: Filtering, plane: number, vertical: Tap, horizontal: Tap): number {
  const [top, left] = f.copied === null ? [0, 0] : [f.vertical.first, f.horizontal.first];
  return 4 * (plane * f.plane + (vertical.shift - top) * f.row + columnOffset(horizontal.shift - left, f));
}

/** The first places of the vectors that cover a row; the last vector overlaps the one before. */
function rowVectors(places: number): number[] {
  const count = Math.ceil(places / LANES);
  return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(i * LANES, places - LANES)));
}

/** Blocks of filters, as equal as can be. */
function filterBlocks(filters: number, most: number): { count: number; filters: number; large: number } {
  const count = Math.ceil(filters / most);
  const size = Math.ceil(filters / count);
  return { count, filters: size, large: filters - (size - 1) * count };
}

/** A place in scratch memory for tables of whole numbers. */
class Tables {
  private readonly values: number[] = [];

  /** Writes a table and tells its offset in bytes, a multiple of 16. */
  add(table: readonly number[]): number {
    while (this.values.length % 4 !== 0) this.values.push(0);
    const offset = this.values.length * 4;
    for (const value of table) this.values.push(value);
    return offset;
  }

  get bytes(): number {
    return Math.ceil(this.values.length / 16) * 64;
  }

  write(engine: Engine, address: number): void {
    new Int32Array(engine.buffer, address, this.values.length).set(this.values);
  }
}

function writeFiltering(engine: Engine, g: ConvGeometry, f: Filtering): void {
  const { words } = engine;
  writeGeometry(words, g);
  words[slot.SOURCE_PLANES] = f.sourcePlanes;
  words[slot.SOURCE_HEIGHT] = f.vertical.sourceSize;
  words[slot.SOURCE_WIDTH] = f.horizontal.sourceSize;
  words[slot.TARGET_PLANES] = f.targetPlanes;
  words[slot.TARGET_PLANE] = 4 * f.vertical.targetSize * f.horizontal.targetSize;
  words[slot.TARGET_ROW] = 4 * f.vertical.targetStep * f.horizontal.targetSize;
  words[slot.TARGET_STEP] = 4 * f.horizontal.targetStep;
  words[slot.BLOCK_ROWS] = f.blockRows;
  words[slot.ROW_BLOCKS] = Math.ceil(f.vertical.places / f.blockRows);
  words[slot.SOURCE_ROW_STEP] = f.vertical.sourceStep;
  words[slot.COPY_ROWS] = f.copied?.rows ?? 0;
  words[slot.COPY_FIRST_ROW] = f.vertical.first;
  words[slot.COPY_FIRST_COLUMN] = f.horizontal.first;
  words[slot.COPY_COLUMNS] = f.copied?.columns ?? 0;
  words[slot.COPY_STEP] = f.horizontal.sourceStep;
  words[slot.COPY_ROW] = 4 * f.row;
  words[slot.COPY_PLANE] = 4 * f.plane;
}

function writeBlocks(words: Int32Array, blocks: ReturnType<typeof filterBlocks>): void {
  words[slot.BLOCKS] = blocks.count;
  words[slot.BLOCK_FILTERS] = blocks.filters;
  words[slot.LARGE_BLOCKS] = blocks.large;
}

/** How the weight lies as seen by the job: bytes from filter to filter, group to group, and of a tap of a source plane. */
interface WeightLayout {
  readonly filterStep: number;
  readonly groupStep: number;
  readonly planeStep: number;
}

function filter(
  engine: Engine,
  source: Dense,
  weight: Dense,
  bias: Dense | null,
  target: Dense,
  g: ConvGeometry,
  f: Filtering,
  layout: WeightLayout,
): void {
  const blocks = filterBlocks(f.targetPlanes, TILE_FILTERS);
  const tables = new Tables();
  const phases: number[] = [];
  let weights = 0;
  for (const vertical of f.vertical.phases) {
    for (const horizontal of f.horizontal.phases) {
      const taps: number[] = [];
      const sources: number[] = [];
      for (let plane = 0; plane < f.sourcePlanes; plane++) {
        for (const down of vertical.taps) {
          for (const across of horizontal.taps) {
            taps.push(tapOffset(f, plane, down, across));
            sources.push(plane * layout.planeStep + 4 * (down.tap * g.kernelWidth + across.tap));
          }
        }
      }
      const { targetStep, targetSize } = f.horizontal;
      const starts = rowVectors(horizontal.count);
      const vectors: number[] = [];
      for (let row = 0; row < Math.min(f.blockRows, vertical.count); row++) {
        const toRow = (row * f.vertical.targetStep + vertical.index) * targetSize + horizontal.index;
        for (const start of starts) {
          vectors.push(4 * (row * f.vertical.sourceStep * f.row + start), 4 * (toRow + start * targetStep));
        }
      }
      phases.push(tables.add(taps), taps.length, weights, tables.add(vectors), starts.length, vertical.count);
      phases.push(Math.min(LANES, horizontal.count), tables.add(sources));
      weights += 4 * g.groups * taps.length * (f.targetPlanes + blocks.count);
    }
  }
  const phaseCount = phases.length / 8;
  const inTables = tables.add(phases);
  const copyBytes = f.copied === null ? 0 : 4 * f.sourcePlanes * f.plane;
  const perThread = slot.SPARE_BYTES + copyBytes;
  const bytes = tables.bytes + Math.ceil(weights / 64) * 64 + engine.threads * perThread;
  engine.withScratch(bytes, (scratch) => {
    const packed = scratch + tables.bytes;
    tables.write(engine, scratch);
    const records = new Int32Array(engine.buffer, scratch + inTables, phases.length);
    for (let i = 0; i < records.length; i += 8) {
      for (const word of [0, 3, 7]) records[i + word] = at(phases, i + word) + scratch;
      records[i + 2] = at(phases, i + 2) + packed;
    }
    const { words } = engine;
    words[slot.SOURCE] = addressOf(source);
    words[slot.WEIGHT] = addressOf(weight);
    words[slot.BIAS] = bias === null ? 0 : addressOf(bias);
    words[slot.TARGET] = addressOf(target);
    words[slot.SCRATCH] = packed + Math.ceil(weights / 64) * 64;
    words[slot.SCRATCH_BYTES] = perThread;
    writeFiltering(engine, g, f);
    writeBlocks(words, blocks);
    words[slot.PHASES] = scratch + inTables;
    words[slot.PHASE_COUNT] = phaseCount;
    words[slot.FILTER_STEP] = layout.filterStep;
    words[slot.WEIGHT_GROUP] = layout.groupStep;
    engine.launch(PACK_FILTERS, phaseCount * g.groups, weights / 4);
    const rowBlocks = Math.ceil(f.vertical.places / f.blockRows);
    engine.launch(DIRECT, g.batch * g.groups * rowBlocks, multiplications(g) / PER_STEP);
  });
}

/** Blocks of rows to cut an image into so that all threads find work. */
function rowBlocks(engine: Engine, g: ConvGeometry): number {
  return engine.threads === 1 ? 1 : Math.ceil((engine.threads * UNITS_PER_THREAD) / (g.batch * g.groups));
}

export function directForward(
  engine: Engine,
  x: Dense,
  weight: Dense,
  bias: Dense | null,
  out: Dense,
  geometry: ConvGeometry,
): void {
  const g = flattened(geometry);
  const f = forwardFiltering(g, rowBlocks(engine, g));
  const window = 4 * g.kernelHeight * g.kernelWidth;
  const filterStep = window * f.sourcePlanes;
  filter(engine, x, weight, bias, out, g, f, { filterStep, groupStep: filterStep * f.targetPlanes, planeStep: window });
}

function forwardFiltering(g: ConvGeometry, blocks: number): Filtering {
  return filtering(
    forwardAxis(g.inHeight, g.outHeight, g.kernelHeight, g.strideHeight, g.padTop, g.dilationHeight),
    forwardAxis(g.inWidth, g.outWidth, g.kernelWidth, g.strideWidth, g.padLeft, g.dilationWidth),
    g.channels / g.groups,
    g.outChannels / g.groups,
    blocks,
  );
}

export function directInputGrad(
  engine: Engine,
  outGrad: Dense,
  weight: Dense,
  bias: Dense | null,
  xGrad: Dense,
  geometry: ConvGeometry,
): void {
  const g = flattened(geometry);
  const f = filtering(
    backwardAxis(g.inHeight, g.outHeight, g.kernelHeight, g.strideHeight, g.padTop, g.dilationHeight),
    backwardAxis(g.inWidth, g.outWidth, g.kernelWidth, g.strideWidth, g.padLeft, g.dilationWidth),
    g.outChannels / g.groups,
    g.channels / g.groups,
    rowBlocks(engine, g),
  );
  const window = 4 * g.kernelHeight * g.kernelWidth;
  const planeStep = window * f.targetPlanes;
  filter(engine, outGrad, weight, bias, xGrad, g, f, {
    filterStep: window,
    groupStep: planeStep * f.sourcePlanes,
    planeStep,
  });
}

/** Whether the phases of the stride are few enough. */
export function directInputGradServes(g: ConvGeometry): boolean {
  return g.strideHeight * g.strideWidth <= MOST_PHASES;
}

/** Whether rows have room for a vector: the output gradient is read where it lies. */
export function directWeightGradServes(g: ConvGeometry): boolean {
  return flattened(g).outWidth >= LANES;
}

export function directWeightGrad(
  engine: Engine,
  outGrad: Dense,
  x: Dense,
  weightGrad: Dense,
  geometry: ConvGeometry,
): void {
  const g = flattened(geometry);
  const blocks = filterBlocks(g.outChannels / g.groups, TILE_FILTERS);
  const vectorsPerRow = Math.ceil(g.outWidth / LANES);
  const recordBytes = 16 * (blocks.filters + 1);
  const blockRows = Math.max(1, Math.floor(NEAR_BYTES / (recordBytes * vectorsPerRow)));
  const f = forwardFiltering(g, Math.ceil(g.outHeight / blockRows));
  const tables = new Tables();
  const taps: number[] = [];
  for (let plane = 0; plane < f.sourcePlanes; plane++) {
    for (const down of at1(f.vertical.phases).taps) {
      for (const across of at1(f.horizontal.phases).taps) taps.push(tapOffset(f, plane, down, across));
    }
  }
  const tapCount = taps.length;
  for (let i = 0; i < SPARE_TAPS; i++) taps.push(at(taps, tapCount - 1));
  const length = g.outChannels * tapCount;
  const mostParts = Math.max(1, Math.floor(PARTS_BYTES / (4 * length)));
  const wantedParts = Math.max(engine.threads * UNITS_PER_THREAD, Math.ceil(g.batch / PART_IMAGES));
  const parts = Math.min(g.batch, mostParts, wantedParts);
  const wholePerRow = Math.floor(g.outWidth / LANES);
  const restLanes = g.outWidth % LANES;
  const images = f.blockRows < g.outHeight ? 1 : imagesAtOnce(g, recordBytes, Math.ceil(g.batch / parts));
  const copyBytes = f.copied === null ? 0 : 4 * f.sourcePlanes * f.plane;
  const xStep = f.copied === null ? 4 * g.channels * g.inHeight * g.inWidth : copyBytes;
  const gradientStep = 4 * g.outChannels * g.outHeight * g.outWidth;
  const whole: number[] = [];
  const rest: number[] = [];
  for (let image = 0; image < images; image++) {
    for (let row = 0; row < f.blockRows; row++) {
      const inX = image * xStep + 4 * row * g.strideHeight * f.row;
      const inGradient = image * gradientStep + 4 * row * g.outWidth;
      for (let i = 0; i < wholePerRow; i++) whole.push(inX + 4 * i * LANES, inGradient + 4 * i * LANES);
      const last = 4 * (g.outWidth - LANES);
      if (restLanes > 0) rest.push(inX + last, inGradient + last);
    }
  }
  const inTables = {
    taps: tables.add(taps),
    whole: tables.add(whole),
    rest: tables.add(rest),
    mask: tables.add(Array.from({ length: LANES }, (_, lane) => (lane < LANES - restLanes ? 0 : -1))),
  };
  const sumsBytes =
    4 *
    (blocks.large * sumsLength(blocks.filters, tapCount) +
      (blocks.count - blocks.large) * sumsLength(blocks.filters - 1, tapCount));
  const recordsBytes = recordBytes * vectorsPerRow * f.blockRows * images;
  const perThread = Math.ceil((slot.SPARE_BYTES + sumsBytes + recordsBytes + copyBytes * images) / 64) * 64;
  engine.withScratch(tables.bytes + engine.threads * perThread + 4 * parts * length, (scratch) => {
    tables.write(engine, scratch);
    const forThreads = scratch + tables.bytes;
    const sums = forThreads + engine.threads * perThread;
    const { words } = engine;
    words[slot.SOURCE] = addressOf(x);
    words[slot.GRADIENT] = addressOf(outGrad);
    words[slot.TARGET] = sums;
    words[slot.SCRATCH] = forThreads;
    words[slot.SCRATCH_BYTES] = perThread;
    writeFiltering(engine, g, f);
    writeBlocks(words, blocks);
    words[slot.SPLIT] = parts;
    words[slot.TAPS] = scratch + inTables.taps;
    words[slot.TAP_COUNT] = tapCount;
    words[slot.WHOLE_VECTORS] = scratch + inTables.whole;
    words[slot.WHOLE_PER_ROW] = wholePerRow;
    words[slot.REST_VECTORS] = scratch + inTables.rest;
    words[slot.REST_PER_ROW] = restLanes > 0 ? 1 : 0;
    words[slot.REST_MASK] = scratch + inTables.mask;
    words[slot.IMAGES_AT_ONCE] = images;
    words[slot.SUMS_BYTES] = sumsBytes;
    words[slot.RECORDS_BYTES] = recordsBytes;
    engine.launch(DIRECT_WEIGHT_GRAD, parts * g.groups, multiplications(g) / PER_STEP);
    addParts(engine, sums, weightGrad, parts, length);
  });
}

/** Images whose vectors make one run of a tile: few for the cache, many for runs that are worth their beginning and end. */
function imagesAtOnce(g: ConvGeometry, recordBytes: number, most: number): number {
  const bytes = recordBytes * g.outHeight * Math.ceil(g.outWidth / LANES);
  return Math.max(1, Math.min(most, Math.floor(NEAR_BYTES / bytes)));
}

/** Sums of a block of filters, tile by tile, each filled up to whole vectors. */
function sumsLength(filters: number, taps: number): number {
  if (filters === 0) return 0;
  const width = at(TILE_TAPS, filters - 1);
  return Math.ceil(taps / width) * Math.ceil((filters * width) / LANES) * LANES;
}

function at1<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined) throw new RangeError("an empty list");
  return first;
}
