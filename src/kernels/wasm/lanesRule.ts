/**
 * When the road with samples in the lanes is the fastest: what each road has to do, counted in multiplications. Measured on one
 * thread, relaxed SIMD, over 1,650 random shapes of stride 1: where this rule takes the road, it takes 0.7 of the others' time in
 * the mean, and in one case of fifty 1.1 times as long or more.
 *
 * @module
 */
import type { ConvGeometry } from "../kernelSet.js";
import { TILE_COLUMNS } from "./assembly/gemmSizes.js";
import { POINTS, TILE } from "./assembly/winogradSizes.js";
import { multiplications } from "./convolutionColumns.js";
import { directWeightGradServes, directWeightGradWins } from "./convolutionDirect.js";
import { flattened, LANES } from "./directAxes.js";
import { SAMPLES } from "./lanesPlan.js";

/** To bring a number from its sample to its lane, and back: written to memory that is far, it takes longer. */
const TURNED = 3;
const TURNED_BACK = 4;
/** To copy a number of an image that the direct road pads. */
const COPIED = 6;
/** To transform a tile of a channel, to it or from it, in Winograd's road. */
const TRANSFORMED_IMAGE = 250;
const TRANSFORMED_GRADIENT = 200;
/** A multiplication in the road of columns, with their making. */
const IN_COLUMNS = 1.5;
/** Bytes of four spread samples, at most: a part of the second-level cache. */
const MOST_BYTES = 2 ** 19;

export function lanesForwardWins(g: ConvGeometry, threads: number, besideWinograd: boolean): boolean {
  const rival = besideWinograd
    ? winogradCost(g, g.outHeight, g.outWidth, g.channels * wholeTiles(g.outChannels), TRANSFORMED_IMAGE)
    : directCost(g, g.outWidth, sizes(g).x, isPadded(g));
  return beats(g, threads, sizes(g).x, sizes(g).out, rival);
}

export function lanesInputGradWins(g: ConvGeometry, threads: number, besideWinograd: boolean): boolean {
  const isCopied = g.kernelHeight - 1 > g.padTop || g.kernelWidth - 1 > g.padLeft;
  const rival = besideWinograd
    ? winogradCost(g, g.inHeight, g.inWidth, g.outChannels * wholeTiles(g.channels), TRANSFORMED_IMAGE)
    : directCost(g, g.inWidth, sizes(g).out, isCopied);
  return beats(g, threads, sizes(g).out, sizes(g).x, rival);
}

export function lanesWeightGradWins(g: ConvGeometry, threads: number, besideWinograd: boolean): boolean {
  const isDirect = directWeightGradServes(g) && directWeightGradWins(g);
  const rival = besideWinograd
    ? winogradCost(g, g.outHeight, g.outWidth, g.outChannels * wholeTiles(g.channels), TRANSFORMED_GRADIENT)
    : isDirect
      ? directCost(g, g.outWidth, sizes(g).x, isPadded(g))
      : IN_COLUMNS * multiplications(g);
  return beats(g, threads, sizes(g).x + sizes(g).out, 0, rival);
}

/**
 * @param spread numbers of the whole batch that are turned before anything is multiplied with them
 * @param results numbers that are turned back
 */
function beats(g: ConvGeometry, threads: number, spread: number, results: number, rival: number): boolean {
  if ((4 * SAMPLES * spread) / g.batch > MOST_BYTES) return false;
  // Units are whole groups of samples: lanes without one, and threads that wait for the last unit, are lost.
  const turns = Math.ceil(Math.ceil(g.batch / SAMPLES) / threads);
  const lost = (turns * threads * SAMPLES) / g.batch;
  return lost * (multiplications(g) + TURNED * spread + TURNED_BACK * results) < rival;
}

function sizes(g: ConvGeometry): { readonly x: number; readonly out: number } {
  return {
    x: g.batch * g.channels * g.inHeight * g.inWidth,
    out: g.batch * g.outChannels * g.outHeight * g.outWidth,
  };
}

function isPadded(g: ConvGeometry): boolean {
  return g.padTop + g.padLeft > 0 || g.strideWidth > 1;
}

/** The direct road multiplies whole vectors of the `width` columns of each row that it writes to, or reads as gradients. */
function directCost(g: ConvGeometry, width: number, source: number, isCopied: boolean): number {
  const isFlat = flattened(g) !== g;
  const products = isFlat ? 1 : (LANES * Math.ceil(width / LANES)) / g.outWidth;
  return products * multiplications(g) + (isCopied ? COPIED * source : 0);
}

/** @param products multiplications of one point of a tile */
function winogradCost(g: ConvGeometry, height: number, width: number, products: number, transformed: number): number {
  const tiles = g.batch * Math.ceil(height / TILE) * Math.ceil(width / TILE);
  return tiles * (POINTS * products + transformed * (g.channels + g.outChannels));
}

/** Channels in whole tiles of a matrix product. */
function wholeTiles(channels: number): number {
  return TILE_COLUMNS * Math.ceil(channels / TILE_COLUMNS);
}
