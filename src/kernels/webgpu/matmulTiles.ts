/**
 * Matrix products in tiles: a workgroup of 64 computes a tile of the output, with the parts of both factors that it needs
 * in workgroup memory and a block of the tile in each invocation's registers. Where factors come from and where results go
 * is up to a few functions in WGSL, so that convolutions are products whose columns are never stored.
 *
 * @module
 */
import type { DeviceBuffer } from "../kernelSet.js";
import type { UniformType } from "./kernel.js";
import type { Runtime } from "./runtime.js";

/** A kind of product: out[m, n] = Σ_k a[m, k] · b[k, n], for each member of a batch. */
export interface ProductText {
  /** For messages, and the key of the kernel. */
  readonly name: string;
  readonly type: "f32" | "i32";
  readonly inputs: readonly string[];
  readonly uniforms: Readonly<Record<string, UniformType>>;
  /**
   * What finds elements; T is the type:
   * - `struct Place` with a field `depth: u32`, and `placeOf(batch: u32) -> Place`: what holds for one member of the batch;
   * - `struct Row`, `rowOf(p: Place, m: u32) -> Row`, and `struct Column`, `columnOf(p: Place, n: u32) -> Column`;
   * - `struct Depth`, `depthOf(p: Place, k: u32) -> Depth`, and `next(p: Place, d: Depth) -> Depth`, that of k + 1;
   * - `loadA(p: Place, row: Row, d: Depth) -> T` and `loadB(p: Place, column: Column, d: Depth) -> T`; what they give for rows
   *   and columns past the last one does not matter;
   * - with `absent` also `isAbsent(p: Place, column: Column, d: Depth) -> bool` and `mayMiss(p: Place, column: Column) -> bool`;
   * - `resultAt(p: Place, m: u32, n: u32) -> i32`, the place in `out` (−1: nowhere), and
   *   `added(p: Place, m: u32, n: u32) -> T`, what is added to the sum.
   */
  readonly declarations: string;
  /**
   * Whether some terms do not exist: `loadB` gives 0 for them, which a factor without bounds makes NaN of, so that sums that
   * are NaN in columns that `mayMiss` some are worked out again without them. Default false.
   */
  readonly absent?: boolean;
}

export interface ProductSizes {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  /** The largest depth of the batch. */
  readonly depth: number;
  /** Whether other products fill the rest of `out`. */
  readonly inParts?: boolean;
}

/** Depth of a tile, in elements and in vectors of four. */
const DEPTH = 16;
const QUADS = DEPTH / 4;
const INVOCATIONS = 64;

interface Tile {
  /** Block of one invocation. */
  readonly high: number;
  readonly wide: number;
  /** Invocations down and across. */
  readonly down: number;
  readonly across: number;
}

const tiles: readonly Tile[] = [
  { high: 8, wide: 8, down: 8, across: 8 },
  { high: 8, wide: 8, down: 4, across: 16 },
  { high: 8, wide: 8, down: 16, across: 4 },
  { high: 4, wide: 8, down: 4, across: 16 },
  { high: 4, wide: 4, down: 2, across: 32 },
  { high: 4, wide: 4, down: 8, across: 8 },
  { high: 2, wide: 2, down: 8, across: 8 },
  { high: 2, wide: 2, down: 4, across: 16 },
];

/** Workgroups that keep a GPU busy. */
const BUSY = 128;

/** What it takes to read an element of a factor, and one of a part that is added up, in multiplications. */
const READ = 8;
const PART = 4;

/** How a product is done: in which tiles, and in how many parts its depth is cut. */
interface Plan {
  readonly tile: Tile;
  /** Few results of many terms would leave most of the GPU idle. */
  readonly splits: number;
}

/** The plan that is cheapest by multiplications, reads of workgroup memory and of factors, and what adding parts up takes. */
function planOf({ batch, rows, columns, depth, inParts }: ProductSizes): Plan {
  let best: Plan | undefined;
  let least = Infinity;
  for (const tile of tiles) {
    const [tileRows, tileColumns] = [tile.high * tile.down, tile.wide * tile.across];
    const count = batch * Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns);
    const most = inParts ? 1 : Math.min(Math.floor(depth / 128), Math.floor(BUSY / count));
    const splits = Math.max(1, most);
    const area = tileRows * tileColumns;
    const cost = area * (1 + 1 / tile.high + 1 / tile.wide) + READ * (tileRows + tileColumns);
    const sums = splits > 1 ? PART * (splits + 1) * batch * rows * columns : 0;
    const total = (Math.max(count * splits, BUSY) * cost * depth) / splits + sums;
    if (best === undefined || total < least) [best, least] = [{ tile, splits }, total];
  }
  return best as Plan;
}

/**
 * Computes a product into `out`, a row-major array of `count` elements from `start` on. `resultAt` must count from
 * `u.resultStart`.
 *
 * @param numbers The uniforms of `text`.
 */
export function runProduct(
  runtime: Runtime,
  text: ProductText,
  sizes: ProductSizes,
  out: { readonly buffer: DeviceBuffer; readonly start: number; readonly count: number },
  inputs: readonly DeviceBuffer[],
  numbers: readonly number[],
): void {
  const { batch, rows, columns, depth } = sizes;
  if (batch * rows * columns === 0) return;
  const { tile, splits } = planOf(sizes);
  const kernel = runtime.kernel(`${text.name}/${text.type}/${Object.values(tile).join("x")}`, () =>
    tileText(text, tile),
  );
  const rowTiles = Math.ceil(rows / (tile.high * tile.down));
  const columnTiles = Math.ceil(columns / (tile.wide * tile.across));
  const share = Math.ceil(depth / splits / DEPTH) * DEPTH;
  const count = batch * splits * rowTiles * columnTiles;
  const launch = (target: DeviceBuffer, start: number): void => {
    const own = [rows, columns, rowTiles, columnTiles, splits, share, count, start, out.count];
    runtime.launchFlat(kernel, [target, ...inputs], [...own, ...numbers], count);
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

function tileText(text: ProductText, { high, wide, down, across }: Tile) {
  const { name, type, inputs, uniforms, declarations, absent = false } = text;
  const [tileRows, tileColumns] = [high * down, wide * across];
  const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const blocks = range(high).flatMap((i) => range(wide).map((j) => `s${i}_${j}`));
  const a = linesText(type, "a", tileRows, "rowOf", "loadA", `tileRow * ${tileRows}u`);
  const b = linesText(type, "b", tileColumns, "columnOf", "loadB", `tileColumn * ${tileColumns}u`);
  return {
    name,
    outputs: { outArray: type },
    inputs: Object.fromEntries(inputs.map((input) => [input, type])),
    uniforms: {
      rows: "u32",
      columns: "u32",
      rowTiles: "u32",
      columnTiles: "u32",
      splits: "u32",
      share: "u32",
      tiles: "u32",
      resultStart: "i32",
      resultCount: "i32",
      ...uniforms,
    } as const,
    workgroup: [across, down, 1] as const,
    declarations: `
${declarations}
${absent ? sumOfPresentText : ""}
var<workgroup> aTile: array<vec4<${type}>, ${QUADS * tileRows}>;
var<workgroup> bTile: array<vec4<${type}>, ${QUADS * tileColumns}>;`,
    body: `
  let flat = group.y * groups.x + group.x;
  if (flat >= u.tiles) { return; }
  let tileColumn = flat % u.columnTiles;
  let tileRow = flat / u.columnTiles % u.rowTiles;
  let split = flat / (u.columnTiles * u.rowTiles) % u.splits;
  let p = placeOf(flat / (u.columnTiles * u.rowTiles * u.splits));
  let first = split * u.share;
  let end = min(p.depth, first + u.share);
  ${a.lines}
  ${b.lines}
  ${blocks.map((block) => `var ${block} = ${type}();`).join(" ")}
  for (var start = first; start < end; start += ${DEPTH}u) {
    ${a.load}
    ${b.load}
    workgroupBarrier();
    for (var q = 0u; q < ${QUADS}u; q++) {
      ${range(wide)
        .map((j) => `let b${j} = bTile[q * ${tileColumns}u + ${j * across}u + local.x];`)
        .join("\n      ")}
      var a = vec4<${type}>();
      ${range(high)
        .map(
          (i) => `a = aTile[q * ${tileRows}u + ${i * down}u + local.y];
      ${range(wide)
        .map((j) => `s${i}_${j} += dot(a, b${j});`)
        .join(" ")}`,
        )
        .join("\n      ")}
    }
    workgroupBarrier();
  }
  var sums = array<${type}, ${high * wide}>(${blocks.join(", ")});
  for (var j = 0u; j < ${wide}u; j++) {
    let n = tileColumn * ${tileColumns}u + j * ${across}u + local.x;
    if (n >= u.columns) { break; }
    for (var i = 0u; i < ${high}u; i++) {
      let m = tileRow * ${tileRows}u + i * ${down}u + local.y;
      if (m >= u.rows) { break; }
      let at = resultAt(p, m, n);
      if (at < 0) { continue; }
      var sum = sums[i * ${wide}u + j];
      ${absent ? "if (isNan(sum)) { sum = sumOfPresent(p, m, n, first, end, sum); }" : ""}
      if (split == 0u) { sum += added(p, m, n); }
      outArray[at + i32(split) * u.resultCount] = sum;
    }
  }`,
  };
}

const sumOfPresentText = `
fn sumOfPresent(p: Place, m: u32, n: u32, first: u32, end: u32, ofAll: f32) -> f32 {
  let column = columnOf(p, n);
  if (!mayMiss(p, column)) { return ofAll; }
  let row = rowOf(p, m);
  var d = depthOf(p, first);
  var sum = 0.0;
  for (var k = first; k < end; k++) {
    if (!isAbsent(p, column, d)) { sum += loadA(p, row, d) * loadB(p, column, d); }
    d = next(p, d);
  }
  return sum;
}`;

/** How the workgroup fills the tile of one factor: each invocation takes lines, or a part of the depth of one. */
function linesText(type: string, name: string, lines: number, find: string, load: string, start: string) {
  const shares = Math.min(QUADS, Math.max(1, INVOCATIONS / lines));
  const quads = QUADS / shares;
  const each = Math.max(1, lines / INVOCATIONS);
  const own = Array.from({ length: each }, (_, e) =>
    lines < INVOCATIONS ? `lane % ${lines}u` : `lane + ${e * INVOCATIONS}u`,
  );
  const found = own.map((line, e) => `let ${name}Line${e} = ${find}(p, ${start} + ${line});`);
  // Who takes all of the depth goes on where it stopped.
  if (shares === 1) found.push(`var ${name}Depth = depthOf(p, first);`);
  const idle = lines * shares < INVOCATIONS ? `if (lane < ${lines * shares}u) ` : "";
  const elements = ["x", "y", "z", "w"].map(
    (component, i) => `if (k + ${i}u < end) {
          ${own.map((_, e) => `v${e}.${component} = ${load}(p, ${name}Line${e}, d);`).join(" ")}
        }
        d = next(p, d);`,
  );
  const loads = `${idle}{
      let q0 = ${shares > 1 ? `lane / ${lines}u * ${quads}u` : "0u"};
      var d = ${shares > 1 ? "depthOf(p, start + q0 * 4u)" : `${name}Depth`};
      for (var q = q0; q < q0 + ${quads}u; q++) {
        let k = start + q * 4u;
        ${own.map((_, e) => `var v${e} = vec4<${type}>();`).join(" ")}
        ${elements.join("\n        ")}
        ${own.map((line, e) => `${name}Tile[q * ${lines}u + ${line}] = v${e};`).join(" ")}
      }
      ${shares > 1 ? "" : `${name}Depth = d;`}
    }`;
  return { lines: found.join("\n  "), load: loads };
}
