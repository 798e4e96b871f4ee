/** The road that serves every convolution: columns (im2col, col2im) and matrix products, some output rows at a time. */
import type { ConvGeometry, Dense } from "../kernelSet.js";
import * as slot from "./assembly/convolutionArguments.js";
import { GEMM_SCRATCH_BYTES } from "./assembly/gemmSizes.js";
import { ADD_PARTS, COLUMNS_FORWARD, COLUMNS_INPUT_GRAD, COLUMNS_WEIGHT_GRAD } from "./assembly/kernelIds.js";
import type { Engine } from "./engine.js";
import { addressOf } from "./memory.js";

/** Bytes of columns at a time: a part of the second-level cache. */
const COLUMNS_BYTES = 2 ** 18;
/** Units for each thread, so that the last ones weigh little. */
const UNITS_PER_THREAD = 4;
/** Most bytes that the partial sums of a weight gradient may take up. */
const PARTS_BYTES = 2 ** 25;
/** Multiplications in one of the steps that `Engine.launch` counts in. */
const PER_STEP = 16;

/** Multiplications of one pass. */
export function multiplications(g: ConvGeometry): number {
  const taps = (g.channels / g.groups) * g.kernelHeight * g.kernelWidth;
  return g.batch * g.outChannels * taps * g.outHeight * g.outWidth;
}

export function writeGeometry(words: Int32Array, g: ConvGeometry): void {
  words[slot.BATCH] = g.batch;
  words[slot.CHANNELS] = g.channels;
  words[slot.IN_HEIGHT] = g.inHeight;
  words[slot.IN_WIDTH] = g.inWidth;
  words[slot.OUT_HEIGHT] = g.outHeight;
  words[slot.OUT_WIDTH] = g.outWidth;
  words[slot.KERNEL_HEIGHT] = g.kernelHeight;
  words[slot.KERNEL_WIDTH] = g.kernelWidth;
  words[slot.STRIDE_HEIGHT] = g.strideHeight;
  words[slot.STRIDE_WIDTH] = g.strideWidth;
  words[slot.PAD_TOP] = g.padTop;
  words[slot.PAD_LEFT] = g.padLeft;
  words[slot.DILATION_HEIGHT] = g.dilationHeight;
  words[slot.DILATION_WIDTH] = g.dilationWidth;
  words[slot.OUT_CHANNELS] = g.outChannels;
  words[slot.GROUPS] = g.groups;
}

/** Output rows whose columns, of `taps` taps, are made at a time; no more than `most`. */
function rowsAtOnce(taps: number, g: ConvGeometry, most = g.outHeight): number {
  return Math.max(1, Math.min(most, Math.floor(COLUMNS_BYTES / (4 * taps * g.outWidth))));
}

function scratchPerThread(taps: number, rows: number, g: ConvGeometry): number {
  return GEMM_SCRATCH_BYTES + Math.ceil((taps * rows * g.outWidth) / 16) * 64;
}

export function columnsForward(
  engine: Engine,
  x: Dense,
  weight: Dense,
  bias: Dense | null,
  out: Dense,
  g: ConvGeometry,
): void {
  const taps = (g.channels / g.groups) * g.kernelHeight * g.kernelWidth;
  const units = engine.threads * UNITS_PER_THREAD;
  const rows = rowsAtOnce(taps, g, Math.ceil((g.outHeight * g.batch * g.groups) / units));
  const bytes = scratchPerThread(taps, rows, g);
  engine.withScratch(engine.threads * bytes, (scratch) => {
    const { words } = engine;
    words.set([addressOf(x), addressOf(weight), bias === null ? 0 : addressOf(bias), addressOf(out), scratch, bytes]);
    writeGeometry(words, g);
    words[slot.ROWS_AT_ONCE] = rows;
    const blocks = Math.ceil(g.outHeight / rows);
    engine.launch(COLUMNS_FORWARD, g.batch * g.groups * blocks, multiplications(g) / PER_STEP);
  });
}

export function columnsInputGrad(
  engine: Engine,
  outGrad: Dense,
  weight: Dense,
  bias: Dense | null,
  xGrad: Dense,
  g: ConvGeometry,
): void {
  const channels = g.channels / g.groups;
  const units = engine.threads * UNITS_PER_THREAD;
  const wanted = Math.max(1, Math.min(channels, Math.floor(units / (g.batch * g.groups))));
  const channelsAtOnce = Math.ceil(channels / wanted);
  const blocks = Math.ceil(channels / channelsAtOnce);
  const taps = channelsAtOnce * g.kernelHeight * g.kernelWidth;
  const rows = rowsAtOnce(taps, g);
  const bytes = scratchPerThread(taps, rows, g);
  engine.withScratch(engine.threads * bytes, (scratch) => {
    const { words } = engine;
    words.set([addressOf(outGrad), addressOf(weight), bias === null ? 0 : addressOf(bias), addressOf(xGrad)]);
    words.set([scratch, bytes], 4);
    writeGeometry(words, g);
    words[slot.ROWS_AT_ONCE] = rows;
    words[slot.SPLIT] = blocks;
    engine.launch(COLUMNS_INPUT_GRAD, g.batch * g.groups * blocks, multiplications(g) / PER_STEP);
  });
}

export function columnsWeightGrad(engine: Engine, outGrad: Dense, x: Dense, weightGrad: Dense, g: ConvGeometry): void {
  const taps = (g.channels / g.groups) * g.kernelHeight * g.kernelWidth;
  const length = g.outChannels * taps;
  const parts = Math.max(
    1,
    Math.min(g.batch, engine.threads * UNITS_PER_THREAD, Math.floor(PARTS_BYTES / (4 * length))),
  );
  const rows = rowsAtOnce(taps, g);
  const bytes = scratchPerThread(taps, rows, g);
  engine.withScratch(engine.threads * bytes + parts * length * 4, (scratch) => {
    const sums = scratch + engine.threads * bytes;
    const { words } = engine;
    words.set([addressOf(outGrad), addressOf(x), 0, sums, scratch, bytes]);
    writeGeometry(words, g);
    words[slot.ROWS_AT_ONCE] = rows;
    words[slot.SPLIT] = parts;
    engine.launch(COLUMNS_WEIGHT_GRAD, parts * g.groups, multiplications(g) / PER_STEP);
    addParts(engine, sums, weightGrad, parts, length);
  });
}

/** out = the sum of `parts` arrays that lie one behind the other. */
export function addParts(engine: Engine, sums: number, out: Dense, parts: number, length: number): void {
  engine.words.set([sums, addressOf(out), parts, length]);
  engine.launch(ADD_PARTS, Math.ceil(length / slot.ADD_BLOCK), (parts * length) / 4);
}
