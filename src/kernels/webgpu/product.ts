/** Chooses how a matrix product is computed, and launches it. */
import type { DeviceBuffer } from "../kernelSet.js";
import { blocks } from "./productBlocks.js";
import type { ProductForm, ProductText, Tile } from "./productText.js";
import { tiles } from "./productTiles.js";
import type { Runtime } from "./runtime.js";

export interface ProductSizes {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  /** The largest depth of the batch. */
  readonly depth: number;
  /** Whether other products fill the rest of `out`. */
  readonly inParts?: boolean;
}

/** What it takes to add up an element of a part, in multiplications. */
const PART = 4;
/** Terms that a part has at least. */
const LEAST_SHARE = 128;
/** Parts but the last have a multiple of so many terms: the depth of a tile. */
const SHARES = 16;

/** How a product is done: in which tiles, and in how many parts its depth is cut. */
interface Plan {
  readonly tile: Tile;
  /** Few results of many terms would leave most of the GPU idle. */
  readonly splits: number;
}

/** The plan that is cheapest by multiplications, reads of tiles and of factors, and what adding parts up takes. */
function planOf(form: ProductForm, { batch, rows, columns, depth, inParts }: ProductSizes): Plan {
  const { busy, read } = form;
  let best: Plan | undefined;
  let least = Infinity;
  for (const tile of form.tiles) {
    const [tileRows, tileColumns] = [tile.high * tile.down, tile.wide * tile.across];
    const count = batch * Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns);
    const most = inParts ? 1 : Math.min(Math.floor(depth / LEAST_SHARE), Math.floor(busy / count));
    const splits = Math.max(1, most);
    const area = tileRows * tileColumns;
    const cost = area * (1 + 1 / tile.high + 1 / tile.wide) + read * (tileRows + tileColumns);
    const sums = splits > 1 ? PART * (splits + 1) * batch * rows * columns : 0;
    const total = (Math.max(count * splits, busy) * cost * depth) / splits + sums;
    if (best === undefined || total < least) [best, least] = [{ tile, splits }, total];
  }
  return best as Plan;
}

/** The form for a device: in blocks where a CPU takes the place of a GPU. */
export function formFor(device: {
  readonly adapterInfo?: Pick<GPUAdapterInfo, "isFallbackAdapter"> | undefined;
}): ProductForm {
  return device.adapterInfo?.isFallbackAdapter ? blocks : tiles;
}

/**
 * Computes a product into `out`, a row-major array of `count` elements from `start` on. `resultAt` must count from
 * `u.resultStart`.
 *
 * @param numbers The uniforms of `text`.
 */
export function runProduct(
  runtime: Runtime,
  form: ProductForm,
  text: ProductText,
  sizes: ProductSizes,
  out: { readonly buffer: DeviceBuffer; readonly start: number; readonly count: number },
  inputs: readonly DeviceBuffer[],
  numbers: readonly number[],
): void {
  const { batch, rows, columns, depth } = sizes;
  if (batch * rows * columns === 0) return;
  const { tile, splits } = planOf(form, sizes);
  const kernel = runtime.kernel(`${form.name}/${text.name}/${text.type}/${Object.values(tile).join("x")}`, () =>
    form.text(text, tile),
  );
  const rowTiles = Math.ceil(rows / (tile.high * tile.down));
  const columnTiles = Math.ceil(columns / (tile.wide * tile.across));
  const share = Math.ceil(depth / splits / SHARES) * SHARES;
  const count = batch * splits * rowTiles * columnTiles;
  const launch = (target: DeviceBuffer, start: number): void => {
    const own = [rows, columns, rowTiles, columnTiles, splits, share, count, start, out.count];
    const buffers = [target, ...inputs];
    if (tile.down * tile.across === 1) runtime.launchEach(kernel, buffers, [...own, ...numbers], count);
    else runtime.launchFlat(kernel, buffers, [...own, ...numbers], count);
  };
  if (splits === 1) {
    launch(out.buffer, out.start);
    return;
  }
  addParts(runtime, text.type, out, splits, launch);
}

/** Adds up results of which `launch` writes `splits`, one behind the other, into the buffer that it is given, from a place on. */
export function addParts(
  runtime: Runtime,
  type: "f32" | "i32",
  out: { readonly buffer: DeviceBuffer; readonly start: number; readonly count: number },
  splits: number,
  launch: (target: DeviceBuffer, start: number) => void,
): void {
  runtime.scratch(splits * out.count * 4, (parts) => {
    launch(parts, 0);
    const sum = runtime.kernel(`sum of parts/${type}`, () => sumText(type));
    runtime.launchEach(sum, [out.buffer, parts], [out.count, splits, out.start], out.count);
  });
}

function sumText(type: "f32" | "i32") {
  return {
    name: "sum of parts",
    outputs: { result: type },
    inputs: { parts: type },
    uniforms: { count: "u32", splits: "u32", start: "u32" } as const,
    body: `
  if (index >= u.count) { return; }
  var sum = parts[index];
  for (var i = 1u; i < u.splits; i++) { sum += parts[i * u.count + index]; }
  result[u.start + index] = sum;`,
  };
}
