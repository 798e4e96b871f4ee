/** The road for 3x3 convolutions of stride 1 with many channels: Winograd's F(4x4, 3x3), with a quarter of the products. */
import type { ConvGeometry, Dense } from "../kernelSet.js";
import { TILE_COLUMNS, TILE_ROWS, WIDE_TILE_COLUMNS } from "./assembly/gemmSizes.js";
import {
  WINOGRAD_FILTER_GRAD,
  WINOGRAD_FILTER_GRAD_SUM,
  WINOGRAD_FILTERS,
  WINOGRAD_FORWARD,
} from "./assembly/kernelIds.js";
import { POINTS, TILE, WORKBENCH_BYTES } from "./assembly/winogradSizes.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";

/** Tiles of a block, where there are enough: whole tiles of the matrix product. */
const BLOCK_TILES = 48;
/** Blocks for each thread, where tiles are few. */
const BLOCKS_PER_THREAD = 4;
/** Parts that a filter's gradient is summed in, for each thread. */
const PARTS_PER_THREAD = 4;
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

/** out = convolution of x with the filters + bias. */
export function winogradForward(
  engine: Engine,
  x: Dense,
  weight: Dense,
  bias: Dense | null,
  out: Dense,
  g: ConvGeometry,
): void {
  convolve(engine, x, weight, bias, out, g, false);
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
  convolve(engine, outGrad, weight, bias, xGrad, swapped, true);
}

/** `flipped`: the filters are to be read back to front, and their first axis is that of the channels. */
function convolve(
  engine: Engine,
  x: Dense,
  weight: Dense,
  bias: Dense | null,
  out: Dense,
  g: ConvGeometry,
  flipped: boolean,
): void {
  const { words, threads } = engine;
  const columns = columnsOf(engine);
  const { tiles, blockTiles, blocks } = blocksOf(engine, g);
  if (tiles === 0 || g.outChannels === 0) return;
  const width = roundUp(g.outChannels, columns);
  const filterPoint = pointBytes(g.channels * width);
  const inputPoint = pointBytes(blockTiles * roundUp(g.channels, 4));
  const productPoint = pointBytes(blockTiles * width);
  const bytes = WORKBENCH_BYTES + POINTS * (inputPoint + productPoint);
  engine.withScratch(POINTS * filterPoint + threads * bytes, (filters) => {
    const scratch = filters + POINTS * filterPoint;
    const steps = [36 * g.channels, 36];
    words.set([addressOf(weight), filters, g.outChannels, g.channels]);
    words.set(flipped ? [36, 36 * g.outChannels, 32, -4] : [...steps, 0, 4], 4);
    words.set([filterPoint, scratch], 8);
    const units = (width / columns) * g.channels;
    engine.launch(WINOGRAD_FILTERS, units, units * columns * 10);

    words.set([addressOf(x), filters, bias === null ? 0 : addressOf(bias), addressOf(out), scratch, bytes]);
    writeShape(words, g, tiles, blockTiles);
    words.set([inputPoint, productPoint, filterPoint], 16);
    engine.launch(WINOGRAD_FORWARD, blocks, products(g, tiles) / PER_STEP);
  });
}

/** weightGrad = the gradient of the filters, summed over the batch. */
export function winogradWeightGrad(engine: Engine, outGrad: Dense, x: Dense, weightGrad: Dense, g: ConvGeometry): void {
  const { words, threads } = engine;
  const { tiles, blockTiles, blocks } = blocksOf(engine, g);
  const width = roundUp(g.channels, columnsOf(engine));
  const parts = Math.min(blocks, threads === 1 ? 1 : threads * PARTS_PER_THREAD);
  const sumPoint = pointBytes(g.outChannels * width);
  const inputPoint = pointBytes(blockTiles * width);
  const gradPoint = pointBytes(blockTiles * roundUp(g.outChannels, 4));
  const bytes = WORKBENCH_BYTES + POINTS * (inputPoint + gradPoint);
  engine.withScratch(parts * POINTS * sumPoint + threads * bytes, (sums) => {
    const scratch = sums + parts * POINTS * sumPoint;
    words.set([addressOf(x), addressOf(outGrad), sums, POINTS * sumPoint, scratch, bytes]);
    writeShape(words, g, tiles, blockTiles);
    words.set([inputPoint, gradPoint, sumPoint, parts], 16);
    engine.launch(WINOGRAD_FILTER_GRAD, parts, products(g, tiles) / PER_STEP);

    words.set([sums, addressOf(weightGrad), parts, POINTS * sumPoint, sumPoint, 4 * width, g.channels, scratch]);
    engine.launch(WINOGRAD_FILTER_GRAD_SUM, g.outChannels, g.outChannels * width * (parts + 2) * 10);
  });
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
  const wanted = Math.max(Math.ceil(tiles / BLOCK_TILES), engine.threads === 1 ? 1 : engine.threads * BLOCKS_PER_THREAD);
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
