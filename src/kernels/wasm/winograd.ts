/** The road for 3x3 convolutions of stride 1 with many channels: Winograd's F(4x4, 3x3), with a quarter of the products. */
import type { ConvGeometry, Dense } from "../kernelSet.js";
import { TILE_COLUMNS, TILE_ROWS, WIDE_TILE_COLUMNS } from "./assembly/gemmSizes.js";
import {
  WINOGRAD_FILTER_GRAD,
  WINOGRAD_FILTER_GRAD_SUM,
  WINOGRAD_FILTERS,
  WINOGRAD_FORWARD,
} from "./assembly/kernelIds.js";
import { POINTS, SCATTER_OVER, SUMMED_BLOCKS, TILE, WORKBENCH_BYTES } from "./assembly/winogradSizes.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";

/** Tiles of a block, where there are enough: whole tiles of the matrix product. */
const BLOCK_TILES = 36;
/** Blocks for each thread, where tiles are few. */
const BLOCKS_PER_THREAD = 4;
/**
 * Parts that the filters' gradient is summed in, for each thread: enough that one that was held up leaves the rest to the others.
 * Fewer where they would take up more bytes than this, or have so few tiles that to add up their sums weighs.
 */
const PARTS_PER_THREAD = 8;
const PARTS_BYTES = 2 ** 25;
const LEAST_TILES_OF_PART = 64;
/** Multiplications in one of the steps that `Engine.launch` counts in. */
const PER_STEP = 16;

/** Whether {@link winogradForward} and the two gradients serve this shape. */
export function canWinograd(g: ConvGeometry): boolean {
  return (
    g.kernelHeight === 3 &&
    g.kernelWidth === 3 &&
    g.strideHeight === 1 &&
    g.strideWidth === 1 &&
    g.dilationHeight === 1 &&
    g.dilationWidth === 1 &&
    g.groups === 1
  );
}

/** From where on the transforms pay: least channels (and filters), least products of both per place, and least tiles. */
interface Threshold {
  readonly channels: number;
  readonly products: number;
  readonly tiles: number;
}

/**
 * Measured on one thread, relaxed SIMD, against the faster of the other two roads. To an image: even at 4 channels and 4
 * filters, 1.1 times as fast at 3 and 16 and at 6 and 6, 1.5 times at 4 and 8, 1.7 times at 8 and 8, 2 times at 16 and
 * 16, 2.4 times at 32 and 32, 3 times at 64 and 64; slower at 3 channels and fewer filters, and with one to three tiles
 * of hundreds of channels, where it is the filters that cost. To the filters' gradient: 1.25 times at 3 and 6, 1.5 times
 * at 4 and 4, 2 times at 8 and 8, 2.9 times at 32 and 32; slower below eight tiles.
 */
const IMAGE_PAYS: Threshold = { channels: 4, products: 32, tiles: 4 };
const FILTERS_PAY: Threshold = { channels: 3, products: 16, tiles: 8 };

/** Channels from which on both gradients at once do not pay, and how much more a thread may get than its share. */
const FEW_CHANNELS = 128;
const MOST_UNEVEN = 1.2;

/** Whether this is the fastest road for an image of `height` x `width`: places of tiles beyond it are work for nothing. */
function pays(g: ConvGeometry, height: number, width: number, least: Threshold): boolean {
  const tilesOfImage = Math.ceil(height / TILE) * Math.ceil(width / TILE);
  const used = (height * width) / (tilesOfImage * TILE * TILE);
  return (
    Math.min(g.channels, g.outChannels) >= least.channels &&
    g.channels * g.outChannels * used >= least.products &&
    g.batch * tilesOfImage >= least.tiles
  );
}

export function winogradForwardWins(g: ConvGeometry): boolean {
  return pays(g, g.outHeight, g.outWidth, IMAGE_PAYS);
}

export function winogradInputGradWins(g: ConvGeometry): boolean {
  return pays(g, g.inHeight, g.inWidth, IMAGE_PAYS);
}

export function winogradWeightGradWins(g: ConvGeometry): boolean {
  return pays(g, g.outHeight, g.outWidth, FILTERS_PAY);
}

/**
 * Whether both gradients at once beat one after the other. Measured on one thread: 1.1 to 1.5 times as fast with as many filters as
 * channels or more, most with few channels; as fast with 128 channels; slower with more, and with fewer filters than channels. Without
 * padding 1.1 to 1.6 times as fast with any, since it has fewer tiles to work on. Threads share it by images.
 */
export function winogradGradsWin(g: ConvGeometry, threads: number): boolean {
  const tilesOf = (height: number, width: number): number => Math.ceil(height / TILE) * Math.ceil(width / TILE);
  const hasFewerTiles = tilesOf(g.outHeight, g.outWidth) < tilesOf(g.inHeight, g.inWidth);
  const isEven = Math.ceil(g.batch / threads) * threads <= MOST_UNEVEN * g.batch;
  return isEven && (hasFewerTiles || (g.outChannels >= g.channels && g.channels < FEW_CHANNELS));
}

/** out = convolution of x with the filters + bias, and then ReLU if wanted. */
export function winogradForward(
  engine: Engine,
  x: Dense,
  weight: Dense,
  bias: Dense | null,
  out: Dense,
  relu: boolean,
  g: ConvGeometry,
): void {
  convolve(engine, x, weight, bias, out, relu, g, false);
}

/** xGrad = transposed convolution of outGrad with the filters + bias: a convolution with flipped filters. */
export function winogradInputGrad(
  engine: Engine,
  outGrad: Dense,
  weight: Dense,
  bias: Dense | null,
  xGrad: Dense,
  g: ConvGeometry,
): void {
  const swapped = {
    ...g,
    channels: g.outChannels,
    outChannels: g.channels,
    inHeight: g.outHeight,
    inWidth: g.outWidth,
    outHeight: g.inHeight,
    outWidth: g.inWidth,
    padTop: 2 - g.padTop,
    padLeft: 2 - g.padLeft,
  };
  convolve(engine, outGrad, weight, bias, xGrad, false, swapped, true);
}

/** `flipped`: the filters are to be read back to front, and their first axis is that of the channels. */
function convolve(
  engine: Engine,
  x: Dense,
  weight: Dense,
  bias: Dense | null,
  out: Dense,
  relu: boolean,
  g: ConvGeometry,
  flipped: boolean,
): void {
  const { threads } = engine;
  const { tiles, blockTiles, blocks } = blocksOf(engine, g);
  if (tiles === 0 || g.outChannels === 0) return;
  const width = roundUp(g.outChannels, columnsOf(engine));
  const filterPoint = pointBytes(g.channels * width);
  const inputPoint = pointBytes(blockTiles * roundUp(g.channels, 4));
  const productPoint = pointBytes(blockTiles * width);
  const bytes = WORKBENCH_BYTES + POINTS * (inputPoint + productPoint);
  engine.withScratch(POINTS * filterPoint + threads * bytes, (filters) => {
    const { words } = engine;
    const scratch = filters + POINTS * filterPoint;
    const steps = flipped ? [36, 36 * g.outChannels, 32, -4] : [36 * g.channels, 36, 0, 4];
    transformFilters(engine, weight, filters, filterPoint, [g.outChannels, g.channels], steps, scratch);

    words.set([addressOf(x), filters, bias === null ? 0 : addressOf(bias), addressOf(out), scratch, bytes]);
    writeShape(words, g, tiles, blockTiles);
    words.set([inputPoint, productPoint, filterPoint], 16);
    engine.fractions[19] = relu ? 0 : Number.NEGATIVE_INFINITY;
    engine.launch(WINOGRAD_FORWARD, blocks, products(g, tiles) / PER_STEP);
  });
}

/**
 * The points of all filters: matrices of `extents[1]` rows and `extents[0]` columns. `steps` are the bytes in the weight from column to
 * column, from row to row, to the first tap and from tap to tap.
 */
function transformFilters(
  engine: Engine,
  weight: Dense,
  to: number,
  point: number,
  extents: readonly [number, number],
  steps: readonly number[],
  scratch: number,
): void {
  const columns = columnsOf(engine);
  engine.put(0, [addressOf(weight), to, ...extents, ...steps, point, scratch]);
  const units = Math.ceil(extents[0] / columns) * extents[1];
  engine.launch(WINOGRAD_FILTERS, units, units * columns * 10);
}

/** weightGrad = the gradient of the filters, summed over the batch. */
export function winogradWeightGrad(engine: Engine, outGrad: Dense, x: Dense, weightGrad: Dense, g: ConvGeometry): void {
  winogradGrads(engine, outGrad, x, weightGrad, g, null);
}

/** The gradient of the input, and what it is made of. */
interface Beside {
  readonly weight: Dense;
  readonly xGrad: Dense;
  readonly gate: Dense | null;
}

/**
 * {@link winogradWeightGrad}, and the gradient of the input if it is asked for: that takes the same transformed tiles of the output
 * gradient, and goes back by the transpose of the input's transform.
 */
export function winogradGrads(
  engine: Engine,
  outGrad: Dense,
  x: Dense,
  weightGrad: Dense,
  g: ConvGeometry,
  beside: Beside | null,
): void {
  const { threads } = engine;
  const { tiles, blockTiles, blocks } = blocksOf(engine, g);
  const width = roundUp(g.channels, columnsOf(engine));
  const sumPoint = pointBytes(g.outChannels * width);
  // What the tiles of an image give to its places is added up by one thread.
  const piece = beside === null ? blockTiles : tiles / g.batch;
  const pieces = Math.ceil(tiles / piece);
  const parts = Math.min(pieces, threads === 1 ? 1 : partsOf(threads, POINTS * sumPoint, tiles));
  const blocksOfPart =
    beside === null ? Math.ceil(blocks / parts) : Math.ceil((Math.ceil(pieces / parts) * piece) / blockTiles);
  const inputPoint = pointBytes(blockTiles * width);
  const gradPoint = pointBytes(blockTiles * roundUp(g.outChannels, 4));
  const recentPoint = blocksOfPart > SUMMED_BLOCKS ? sumPoint : 0;
  const overAt = WORKBENCH_BYTES + POINTS * (inputPoint + gradPoint + recentPoint);
  const bytes = overAt + roundUp(SCATTER_OVER * roundUp(g.channels, 4), 64);
  const filtersBytes = beside === null ? 0 : POINTS * sumPoint;
  engine.withScratch(filtersBytes + parts * POINTS * sumPoint + threads * bytes, (filters) => {
    const { words } = engine;
    const sums = filters + filtersBytes;
    const scratch = sums + parts * POINTS * sumPoint;
    if (beside !== null) {
      const steps = [36, 36 * g.channels, 0, 4];
      transformFilters(engine, beside.weight, filters, sumPoint, [g.channels, g.outChannels], steps, scratch);
    }
    words.set([addressOf(x), addressOf(outGrad), sums, POINTS * sumPoint, scratch, bytes]);
    writeShape(words, g, tiles, blockTiles);
    const xGrad = beside === null ? 0 : addressOf(beside.xGrad);
    const gate = beside === null || beside.gate === null ? 0 : addressOf(beside.gate);
    words.set([inputPoint, gradPoint, sumPoint, parts, piece, xGrad, gate, overAt, filters, sumPoint], 16);
    engine.launch(WINOGRAD_FILTER_GRAD, parts, ((beside === null ? 1 : 2) * products(g, tiles)) / PER_STEP);

    words.set([sums, addressOf(weightGrad), parts, POINTS * sumPoint, sumPoint, 4 * width, g.channels, scratch]);
    engine.launch(WINOGRAD_FILTER_GRAD_SUM, g.outChannels, g.outChannels * width * (parts + 2) * 10);
  });
}

function partsOf(threads: number, bytes: number, tiles: number): number {
  const most = Math.min(PARTS_BYTES / bytes, tiles / LEAST_TILES_OF_PART);
  return Math.max(threads, Math.min(threads * PARTS_PER_THREAD, Math.floor(most)));
}

function writeShape(words: Int32Array, g: ConvGeometry, tiles: number, blockTiles: number): void {
  words.set([g.channels, g.outChannels, g.inHeight, g.inWidth, g.outHeight, g.outWidth, g.padTop, g.padLeft], 6);
  words.set([tiles, blockTiles], 14);
}

/** Multiplications of the matrix products. */
function products(g: ConvGeometry, tiles: number): number {
  return tiles * POINTS * g.channels * g.outChannels;
}

function columnsOf(engine: Engine): number {
  return engine.build === "revectorized" ? WIDE_TILE_COLUMNS : TILE_COLUMNS;
}

function blocksOf(engine: Engine, g: ConvGeometry): { tiles: number; blockTiles: number; blocks: number } {
  const tiles = g.batch * Math.ceil(g.outHeight / TILE) * Math.ceil(g.outWidth / TILE);
  const wanted = Math.max(
    Math.ceil(tiles / BLOCK_TILES),
    engine.threads === 1 ? 1 : engine.threads * BLOCKS_PER_THREAD,
  );
  const blockTiles = roundUp(Math.max(Math.ceil(tiles / wanted), 1), TILE_ROWS);
  return { tiles, blockTiles, blocks: Math.ceil(tiles / blockTiles) };
}

/** Bytes from one point's matrix to the next: an odd number of cache lines, since powers of two compete for few places. */
function pointBytes(elements: number): number {
  return (Math.ceil(elements / 16) | 1) * 64;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
