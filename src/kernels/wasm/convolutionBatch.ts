/**
 * The road for wide layers on small images: the columns of the whole batch in one matrix product, so that the weights are
 * read once, and not for each image. It is put together from other kernels.
 *
 * @module
 */
import type { ConvGeometry, Dense, KernelSet } from "../kernelSet.js";
import { denseStrides } from "../strides.js";
import type { Engine } from "./engine.js";
import type { Block } from "./heap.js";

/** What it is put together from. */
export type Parts = Pick<KernelSet, "unfold" | "fold" | "copy" | "binary" | "matmul" | "reduce" | "unary">;

/** Most elements of columns: two arrays of them are in memory at a time. */
const MOST_COLUMNS = 2 ** 23;
/** Least weights that are worth reading once alone. */
const LEAST_WEIGHTS = 2 ** 18;
/** Most places of an image, and of the whole batch where Winograd is the other way. */
const MOST_PLACES = 16;
const MOST_BESIDE_WINOGRAD = 64;

/** Whether there is one group, and not too many columns. */
export function canBatch(g: ConvGeometry): boolean {
  const { batch, places, taps } = sizes(g);
  return g.groups === 1 && batch * places * taps <= MOST_COLUMNS;
}

/**
 * Whether it is the fastest. Measured on one thread, 512 channels to 512, 3x3: on four images of 4x4 it takes 0.7 of the time of
 * Winograd forward and 0.5 and 0.8 backward, on sixteen of 2x2 half; on eight of 4x4 Winograd is faster. With a stride of 2
 * to 4x4 the gradients take 0.5 to 0.8 of the time of other roads.
 */
export function batchWins(g: ConvGeometry, besideWinograd: boolean): boolean {
  const { batch, places, taps, filters } = sizes(g);
  if (filters * taps < LEAST_WEIGHTS) return false;
  return besideWinograd ? batch * places <= MOST_BESIDE_WINOGRAD : places <= MOST_PLACES;
}

export function batchForward(
  engine: Engine,
  x: Dense,
  weight: Dense,
  bias: Dense | null,
  out: Dense,
  g: ConvGeometry,
  parts: Parts,
): void {
  const { batch, places, taps, filters } = sizes(g);
  withTwo(engine, batch * places * Math.max(taps, filters), (one, two) => {
    parts.unfold(x, view(one, [batch, taps, places]), g);
    parts.copy(view(one, [taps, batch, places], [places, taps * places, 1]), view(two, [taps, batch, places]));
    const flat = [filters, batch * places];
    const perFilter = bias === null ? null : view(bias, flat, [1, 0]);
    parts.matmul(view(weight, [filters, taps]), view(two, [taps, batch * places]), perFilter, view(one, flat));
    const shape = [batch, filters, places];
    parts.copy(view(one, shape, [places, batch * places, 1]), view(out, shape));
  });
}

export function batchInputGrad(
  engine: Engine,
  outGrad: Dense,
  weight: Dense,
  bias: Dense | null,
  xGrad: Dense,
  g: ConvGeometry,
  parts: Parts,
): void {
  const { batch, places, taps, filters } = sizes(g);
  withTwo(engine, batch * places * Math.max(taps, filters), (one, two) => {
    // Places are rows here, so that the weights are read as they lie.
    const perPlace = [batch, places, filters];
    parts.copy(view(outGrad, perPlace, [filters * places, 1, places]), view(one, perPlace));
    const rows = batch * places;
    parts.matmul(view(one, [rows, filters]), view(weight, [filters, taps]), null, view(two, [rows, taps]));
    const columns = view(one, [batch, taps, places]);
    parts.copy(view(two, columns.shape, [taps * places, 1, taps]), columns);
    parts.fold(columns, xGrad, g);
    if (bias !== null) parts.binary("add", xGrad, view(bias, xGrad.shape, [0, 1, 0, 0]), xGrad);
  });
}

export function batchWeightGrad(
  engine: Engine,
  outGrad: Dense,
  x: Dense,
  weightGrad: Dense,
  g: ConvGeometry,
  parts: Parts,
): void {
  const { batch, places, taps, filters } = sizes(g);
  withTwo(engine, batch * places * Math.max(taps, filters), (one, two) => {
    parts.unfold(x, view(one, [batch, taps, places]), g);
    const perPlace = [batch, places, taps];
    parts.copy(view(one, perPlace, [taps * places, 1, places]), view(two, perPlace));
    const perFilter = [filters, batch, places];
    parts.copy(view(outGrad, perFilter, [places, filters * places, 1]), view(one, perFilter));
    const rows = batch * places;
    parts.matmul(view(one, [filters, rows]), view(two, [rows, taps]), null, view(weightGrad, [filters, taps]));
  });
}

function sizes(g: ConvGeometry) {
  return {
    batch: g.batch,
    places: g.outHeight * g.outWidth,
    taps: g.channels * g.kernelHeight * g.kernelWidth,
    filters: g.outChannels,
  };
}

/** The same elements in another order, or some of them more than once. */
function view(x: Dense, shape: readonly number[], strides = denseStrides(shape)): Dense {
  const { buffer, dtype, offset } = x;
  return { buffer, dtype, offset, shape, strides };
}

/** Runs `use` with two arrays of so many elements that are its own for the time of the call. */
function withTwo(engine: Engine, length: number, use: (one: Dense, two: Dense) => void): void {
  const array = (buffer: Block, offset: number): Dense => ({
    ...{ buffer, offset, dtype: "float32", shape: [length], strides: [1] },
  });
  engine.withBlock(8 * length, (block) => use(array(block, 0), array(block, length)));
}
