/**
 * Sums, products and extremes. The result's axes count outputs (kept), the others are run through for each output (reduced). The
 * launching side merges axes, so that the innermost one in memory is either kept or reduced.
 *
 * Arguments: 0 op, 1 x, 2 out, 3 count of kept axes, 4 count of reduced axes, 5 number of outputs, 6 elements for one
 * output, 7 scratch; 16… extents and 24… strides of kept axes, 32… extents and 40… strides of reduced axes, innermost last.
 *
 * @module
 */
import { argument, fma, pointer } from "./environment";
import * as id from "./kernelIds";

/** Elements that are added up in float32 before the sum is carried on in float64. */
const RUN = 4096;

@inline
function start4(op: i32): v128 {
  if (op == id.SUM || op == id.SUM_SQUARES) return f32x4.splat(0);
  if (op == id.PROD) return f32x4.splat(1);
  return f32x4.splat(op == id.AMAX ? <f32>-Infinity : <f32>Infinity);
}

@inline
function combine4(op: i32, a: v128, b: v128): v128 {
  if (op == id.SUM || op == id.SUM_SQUARES) return f32x4.add(a, b);
  if (op == id.PROD) return f32x4.mul(a, b);
  return op == id.AMAX ? f32x4.pmax(a, b) : f32x4.pmin(a, b);
}

/** What came together so far, and one more element. */
@inline
function take4(op: i32, total: v128, value: v128): v128 {
  return op == id.SUM_SQUARES ? fma(value, value, total) : combine4(op, total, value);
}

@inline
function take(op: i32, total: f64, value: f64): f64 {
  return combine(op, total, op == id.SUM_SQUARES ? value * value : value);
}

/**
 * Where a new number is NaN, added to what `seen` says of those before. `combine4` loses NaN, as it is one instruction then;
 * sums and products keep it by themselves.
 */
@inline
function noteNaN(op: i32, seen: v128, value: v128): v128 {
  return keepsNaN(op) ? seen : v128.or(seen, f32x4.ne(value, value));
}

@inline
function keepsNaN(op: i32): bool {
  return op == id.SUM || op == id.SUM_SQUARES || op == id.PROD;
}

@inline
function combine(op: i32, a: f64, b: f64): f64 {
  if (op == id.SUM || op == id.SUM_SQUARES) return a + b;
  if (op == id.PROD) return a * b;
  return op == id.AMAX ? max(a, b) : min(a, b);
}

@inline
function start(op: i32): f64 {
  if (op == id.SUM || op == id.SUM_SQUARES) return 0;
  if (op == id.PROD) return 1;
  return op == id.AMAX ? -Infinity : Infinity;
}

@inline
function lanes(op: i32, x: v128): f64 {
  const a = combine(op, f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1));
  const b = combine(op, f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3));
  return combine(op, a, b);
}

/**
 * RUN elements added up, in four streams, each a quarter of them (RUN bytes) behind the one before: memory brings four at once faster
 * than one, and eight sums do not wait for one another.
 */
@inline
function wholeRun(op: i32, x: usize): f64 {
  let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
  for (const end = x + RUN; x < end; x += 32) {
    a = take4(op, a, v128.load(x));
    b = take4(op, b, v128.load(x, 16));
    c = take4(op, c, v128.load(x, RUN));
    d = take4(op, d, v128.load(x, RUN + 16));
    e = take4(op, e, v128.load(x, 2 * RUN));
    f = take4(op, f, v128.load(x, 2 * RUN + 16));
    g = take4(op, g, v128.load(x, 3 * RUN));
    h = take4(op, h, v128.load(x, 3 * RUN + 16));
  }
  const low = f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), high = f32x4.add(f32x4.add(e, f), f32x4.add(g, h));
  return lanes(op, f32x4.add(low, high));
}

/** `n` elements that lie `step` elements apart. */
@inline
function runOf(op: i32, x: usize, step: i32, n: i32): f64 {
  let total = start(op);
  let seen = i32x4.splat(0);
  let i = 0;
  if (step == 1) {
    if (op == id.SUM || op == id.SUM_SQUARES) {
      for (; n - i >= RUN; i += RUN, x += RUN << 2) total += wholeRun(op, x);
    }
    while (n - i >= 16) {
      const stop = min(n, i + RUN) - 15;
      let a = start4(op);
      let b = start4(op);
      let c = start4(op);
      let d = start4(op);
      for (; i < stop; i += 16, x += 64) {
        const e = v128.load(x);
        const f = v128.load(x, 16);
        const g = v128.load(x, 32);
        const h = v128.load(x, 48);
        seen = noteNaN(op, noteNaN(op, noteNaN(op, noteNaN(op, seen, e), f), g), h);
        a = take4(op, a, e);
        b = take4(op, b, f);
        c = take4(op, c, g);
        d = take4(op, d, h);
      }
      total = combine(op, total, lanes(op, combine4(op, combine4(op, a, b), combine4(op, c, d))));
    }
    if (!keepsNaN(op) && v128.any_true(seen)) return NaN;
  }
  const bytes = <isize>step << 2;
  for (; i < n; i++, x += bytes) total = take(op, total, <f64>load<f32>(x));
  return total;
}

/** Where element `index` of the axes at `extents` lies, in elements. */
@inline
function offsetOf(index: i32, rank: i32, extents: i32, strides: i32): isize {
  let offset: isize = 0;
  for (let axis = rank - 1; axis >= 0; axis--) {
    const extent = argument(extents + axis);
    const next = index / extent;
    offset += <isize>(index - next * extent) * <isize>argument(strides + axis);
    index = next;
  }
  return offset;
}

/** Outputs [begin, end), each from runs along the innermost reduced axis. */
@inline
function alongRuns(op: i32, begin: i32, end: i32): void {
  const keptRank = argument(3);
  const outer = argument(4) - 1;
  const length = argument(32 + outer);
  const step = argument(40 + outer);
  const runs = length == 0 ? 0 : argument(6) / length;
  for (let o = begin; o < end; o++) {
    const base = pointer(1) + (offsetOf(o, keptRank, 16, 24) << 2);
    let total = start(op);
    for (let r = 0; r < runs; r++) {
      total = combine(op, total, runOf(op, base + (offsetOf(r, outer, 32, 40) << 2), step, length));
    }
    store<f32>(pointer(2) + (<usize>o << 2), <f32>total);
  }
}

export function reduceRuns(begin: i32, end: i32): void {
  switch (argument(0)) {
    case id.SUM:
      return alongRuns(id.SUM, begin, end);
    case id.AMAX:
      return alongRuns(id.AMAX, begin, end);
    case id.PROD:
      return alongRuns(id.PROD, begin, end);
    case id.SUM_SQUARES:
      return alongRuns(id.SUM_SQUARES, begin, end);
    default:
      return alongRuns(id.AMIN, begin, end);
  }
}

/**
 * Where the innermost axis is kept and dense: a unit is a block of REDUCE_WIDTH outputs along it. Rows are added up 256 at a time,
 * and then those sums, so that rounding grows with neither alone.
 */
@inline
function acrossRows(op: i32, begin: i32, end: i32): void {
  const keptRank = argument(3);
  const length = argument(16 + keptRank - 1);
  const blocks = (length + id.REDUCE_WIDTH - 1) / id.REDUCE_WIDTH;
  const reducedRank = argument(4);
  const rows = argument(6);
  for (let unit = begin; unit < end; unit++) {
    const outer = unit / blocks;
    const first = (unit - outer * blocks) * id.REDUCE_WIDTH;
    const x = pointer(1) + ((offsetOf(outer, keptRank - 1, 16, 24) + first) << 2);
    const out = pointer(2) + ((<usize>outer * length + first) << 2);
    const width = min(id.REDUCE_WIDTH, length - first);
    if (op == id.SUM && width == 32) {
      sumOf32(x, out, rows, reducedRank);
      continue;
    }
    let i = 0;
    for (; i + 16 <= width; i += 16) block16(op, x + (<usize>i << 2), out + (<usize>i << 2), rows, reducedRank);
    if (width < 4) {
      for (; i < width; i++) {
        let total = start(op);
        for (let r = 0; r < rows; r++) {
          total = take(op, total, load<f32>(x + (<usize>i << 2) + (offsetOf(r, reducedRank, 32, 40) << 2)));
        }
        store<f32>(out + (<usize>i << 2), <f32>total);
      }
    } else {
      // The last four may overlap those before.
      for (; i < width; i += 4) {
        const at = <usize>min(i, width - 4) << 2;
        block4(op, x + at, out + at, rows, reducedRank);
      }
    }
  }
}

/** Stores what the rows of a stage gave, together with what the stages before left at `out`. */
@inline
function storeStage(op: i32, out: usize, value: v128, seen: v128, first: bool): void {
  if (!first) {
    const before = v128.load(out);
    seen = noteNaN(op, seen, before);
    value = combine4(op, value, before);
  }
  v128.store(out, keepsNaN(op) ? value : v128.bitselect(f32x4.splat(NaN), value, seen));
}

@inline
function block16(op: i32, x: usize, out: usize, rows: i32, rank: i32): void {
  const simple = rank == 1;
  const step = <isize>argument(40) << 2;
  let first = true;
  for (let from = 0; from < rows || first; from += 256) {
    const stop = min(rows, from + 256);
    let a = start4(op);
    let b = start4(op);
    let c = start4(op);
    let d = start4(op);
    let aSeen = i32x4.splat(0);
    let bSeen = i32x4.splat(0);
    let cSeen = i32x4.splat(0);
    let dSeen = i32x4.splat(0);
    for (let r = from; r < stop; r++) {
      const at = x + (simple ? <isize>r * step : offsetOf(r, rank, 32, 40) << 2);
      const e = v128.load(at);
      const f = v128.load(at, 16);
      const g = v128.load(at, 32);
      const h = v128.load(at, 48);
      aSeen = noteNaN(op, aSeen, e);
      bSeen = noteNaN(op, bSeen, f);
      cSeen = noteNaN(op, cSeen, g);
      dSeen = noteNaN(op, dSeen, h);
      a = take4(op, a, e);
      b = take4(op, b, f);
      c = take4(op, c, g);
      d = take4(op, d, h);
    }
    storeStage(op, out, a, aSeen, first);
    storeStage(op, out + 16, b, bSeen, first);
    storeStage(op, out + 32, c, cSeen, first);
    storeStage(op, out + 48, d, dSeen, first);
    first = false;
  }
}

@inline
function block4(op: i32, x: usize, out: usize, rows: i32, rank: i32): void {
  const simple = rank == 1;
  const step = <isize>argument(40) << 2;
  let first = true;
  for (let from = 0; from < rows || first; from += 256) {
    const stop = min(rows, from + 256);
    let values = start4(op);
    let seen = i32x4.splat(0);
    for (let r = from; r < stop; r++) {
      const value = v128.load(x + (simple ? <isize>r * step : offsetOf(r, rank, 32, 40) << 2));
      seen = noteNaN(op, seen, value);
      values = take4(op, values, value);
    }
    storeStage(op, out, values, seen, first);
    first = false;
  }
}

/** Twice as wide for sums, which need fewer registers: rows that lie far apart are better read in longer pieces. */
function sumOf32(x: usize, out: usize, rows: i32, rank: i32): void {
  const simple = rank == 1;
  const step = <isize>argument(40) << 2;
  let first = true;
  for (let from = 0; from < rows || first; from += 256) {
    const stop = min(rows, from + 256);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    let e = f32x4.splat(0);
    let f = f32x4.splat(0);
    let g = f32x4.splat(0);
    let h = f32x4.splat(0);
    for (let r = from; r < stop; r++) {
      const at = x + (simple ? <isize>r * step : offsetOf(r, rank, 32, 40) << 2);
      a = f32x4.add(a, v128.load(at));
      b = f32x4.add(b, v128.load(at, 16));
      c = f32x4.add(c, v128.load(at, 32));
      d = f32x4.add(d, v128.load(at, 48));
      e = f32x4.add(e, v128.load(at, 64));
      f = f32x4.add(f, v128.load(at, 80));
      g = f32x4.add(g, v128.load(at, 96));
      h = f32x4.add(h, v128.load(at, 112));
    }
    const none = i32x4.splat(0);
    storeStage(id.SUM, out, a, none, first);
    storeStage(id.SUM, out + 16, b, none, first);
    storeStage(id.SUM, out + 32, c, none, first);
    storeStage(id.SUM, out + 48, d, none, first);
    storeStage(id.SUM, out + 64, e, none, first);
    storeStage(id.SUM, out + 80, f, none, first);
    storeStage(id.SUM, out + 96, g, none, first);
    storeStage(id.SUM, out + 112, h, none, first);
    first = false;
  }
}

export function reduceRows(begin: i32, end: i32): void {
  switch (argument(0)) {
    case id.SUM:
      return acrossRows(id.SUM, begin, end);
    case id.AMAX:
      return acrossRows(id.AMAX, begin, end);
    case id.PROD:
      return acrossRows(id.PROD, begin, end);
    case id.SUM_SQUARES:
      return acrossRows(id.SUM_SQUARES, begin, end);
    default:
      return acrossRows(id.AMIN, begin, end);
  }
}

function denseRun(op: i32, x: usize, n: i32): f64 {
  switch (op) {
    case id.SUM:
      return runOf(id.SUM, x, 1, n);
    case id.AMAX:
      return runOf(id.AMAX, x, 1, n);
    case id.PROD:
      return runOf(id.PROD, x, 1, n);
    case id.SUM_SQUARES:
      return runOf(id.SUM_SQUARES, x, 1, n);
    default:
      return runOf(id.AMIN, x, 1, n);
  }
}

/** Blocks of one long dense run, each into a float64 of the scratch; unit = block of argument(6) / blocks elements. */
export function reduceBlocks(begin: i32, end: i32): void {
  const op = argument(0);
  const total = argument(6);
  for (let block = begin; block < end; block++) {
    const from = block * id.REDUCE_BLOCK;
    const n = min(id.REDUCE_BLOCK, total - from);
    const x = pointer(1) + (<usize>from << 2);
    store<f64>(pointer(7) + (<usize>block << 3), denseRun(op, x, n));
  }
}

/** The blocks' values into the one output; a single unit. Argument 5 counts the blocks. */
export function reduceFinish(_begin: i32, _end: i32): void {
  const op = argument(0);
  const blocks = argument(5);
  let total = start(op);
  for (let block = 0; block < blocks; block++) {
    total = combine(op, total, load<f64>(pointer(7) + (<usize>block << 3)));
  }
  store<f32>(pointer(2), <f32>total);
}

/**
 * The place of the extreme along one axis. Arguments: 0 op, 1 x, 2 out (int32), 3 extent of the axis, 4 its stride,
 * 5 elements behind the axis (a dense inner block of outputs), 6 stride of what lies before it, in elements. Unit: an output.
 */
export function argReduce(begin: i32, end: i32): void {
  const extent = argument(3);
  const inner = argument(5);
  const outerStep = <isize>argument(6);
  const dense = inner == 1 && extent >= 16;
  for (let o = begin; o < end; o++) {
    const outer = o / inner;
    const x = pointer(1) + ((<isize>outer * outerStep + (o - outer * inner)) << 2);
    let place: i32;
    if (argument(0) == id.AMAX) place = dense ? placeInRun(id.AMAX, x, extent) : placeOfExtreme(id.AMAX, x, extent);
    else place = dense ? placeInRun(id.AMIN, x, extent) : placeOfExtreme(id.AMIN, x, extent);
    store<i32>(pointer(2) + (<usize>o << 2), place);
  }
}

@inline
function placeOfExtreme(op: i32, x: usize, extent: i32): i32 {
  const step = <isize>argument(4) << 2;
  let best = load<f32>(x);
  let place = 0;
  for (let i = 1; i < extent && best == best; i++) {
    x += step;
    const value = load<f32>(x);
    // The first NaN wins over everything.
    if (op == id.AMAX ? !(value <= best) : !(value >= best)) {
      best = value;
      place = i;
    }
  }
  return place;
}

/** The same in a dense run: what the extreme is, then where it first is. */
@inline
function placeInRun(op: i32, x: usize, extent: i32): i32 {
  const best = <f32>runOf(op, x, 1, extent);
  const isNaN = best != best;
  const bests = f32x4.splat(best);
  let i = 0;
  for (; i + 4 <= extent; i += 4) {
    const value = v128.load(x + (<usize>i << 2));
    const found = i32x4.bitmask(isNaN ? f32x4.ne(value, value) : f32x4.eq(value, bests));
    if (found != 0) return i + ctz(found);
  }
  for (; i < extent; i++) {
    const value = load<f32>(x + (<usize>i << 2));
    if (isNaN ? value != value : value == best) return i;
  }
  return 0;
}
