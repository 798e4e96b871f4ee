/**
 * Sums and extremes. The result's axes count outputs (kept), the others are run through for each output (reduced). The
 * launching side merges axes, so that the innermost one in memory is either kept or reduced.
 *
 * Arguments: 0 op, 1 x, 2 out, 3 count of kept axes, 4 count of reduced axes, 5 number of outputs, 6 elements for one
 * output, 7 scratch; 16… extents and 24… strides of kept axes, 32… extents and 40… strides of reduced axes, innermost last.
 *
 * @module
 */
import { argument, pointer } from "./environment";
import * as id from "./kernelIds";

/** Elements that are added up in float32 before the sum is carried on in float64. */
const RUN: i32 = 4096;

@inline
function start4(op: i32): v128 {
  if (op == id.SUM) return f32x4.splat(0);
  return f32x4.splat(op == id.AMAX ? <f32>-Infinity : <f32>Infinity);
}

@inline
function combine4(op: i32, a: v128, b: v128): v128 {
  if (op == id.SUM) return f32x4.add(a, b);
  return op == id.AMAX ? f32x4.max(a, b) : f32x4.min(a, b);
}

@inline
function combine(op: i32, a: f64, b: f64): f64 {
  if (op == id.SUM) return a + b;
  return op == id.AMAX ? max(a, b) : min(a, b);
}

@inline
function start(op: i32): f64 {
  if (op == id.SUM) return 0;
  return op == id.AMAX ? -Infinity : Infinity;
}

@inline
function lanes(op: i32, x: v128): f64 {
  const a = combine(op, f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1));
  const b = combine(op, f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3));
  return combine(op, a, b);
}

/** `n` elements that lie `step` elements apart. */
@inline
function runOf(op: i32, x: usize, step: i32, n: i32): f64 {
  let total = start(op);
  let i = 0;
  if (step == 1) {
    while (n - i >= 16) {
      const stop = min(n, i + RUN) - 15;
      let a = start4(op);
      let b = start4(op);
      let c = start4(op);
      let d = start4(op);
      for (; i < stop; i += 16, x += 64) {
        a = combine4(op, a, v128.load(x));
        b = combine4(op, b, v128.load(x, 16));
        c = combine4(op, c, v128.load(x, 32));
        d = combine4(op, d, v128.load(x, 48));
      }
      total = combine(op, total, lanes(op, combine4(op, combine4(op, a, b), combine4(op, c, d))));
    }
  }
  const bytes = <isize>step << 2;
  for (; i < n; i++, x += bytes) total = combine(op, total, <f64>load<f32>(x));
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
    default:
      return alongRuns(id.AMIN, begin, end);
  }
}

/**
 * Where the innermost axis is kept and dense: a unit is a block of 16 outputs along it. Rows are added up 256 at a time,
 * and then those sums, so that rounding grows with neither alone.
 */
@inline
function acrossRows(op: i32, begin: i32, end: i32): void {
  const keptRank = argument(3);
  const length = argument(16 + keptRank - 1);
  const blocks = (length + 15) / 16;
  const reducedRank = argument(4);
  const rows = argument(6);
  for (let unit = begin; unit < end; unit++) {
    const outer = unit / blocks;
    const first = (unit - outer * blocks) * 16;
    const x = pointer(1) + ((offsetOf(outer, keptRank - 1, 16, 24) + first) << 2);
    const out = pointer(2) + ((<usize>outer * length + first) << 2);
    if (first + 16 <= length) block16(op, x, out, rows, reducedRank);
    else {
      for (let i = 0; first + i < length; i++) {
        let total = start(op);
        for (let r = 0; r < rows; r++) {
          total = combine(op, total, load<f32>(x + (<usize>i << 2) + (offsetOf(r, reducedRank, 32, 40) << 2)));
        }
        store<f32>(out + (<usize>i << 2), <f32>total);
      }
    }
  }
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
    for (let r = from; r < stop; r++) {
      const at = x + (simple ? <isize>r * step : offsetOf(r, rank, 32, 40) << 2);
      a = combine4(op, a, v128.load(at));
      b = combine4(op, b, v128.load(at, 16));
      c = combine4(op, c, v128.load(at, 32));
      d = combine4(op, d, v128.load(at, 48));
    }
    if (!first) {
      a = combine4(op, a, v128.load(out));
      b = combine4(op, b, v128.load(out, 16));
      c = combine4(op, c, v128.load(out, 32));
      d = combine4(op, d, v128.load(out, 48));
    }
    first = false;
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
  }
}

export function reduceRows(begin: i32, end: i32): void {
  switch (argument(0)) {
    case id.SUM:
      return acrossRows(id.SUM, begin, end);
    case id.AMAX:
      return acrossRows(id.AMAX, begin, end);
    default:
      return acrossRows(id.AMIN, begin, end);
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
    const value = op == id.SUM ? runOf(id.SUM, x, 1, n) : op == id.AMAX ? runOf(id.AMAX, x, 1, n) : runOf(id.AMIN, x, 1, n);
    store<f64>(pointer(7) + (<usize>block << 3), value);
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
  const greatest = argument(0) == id.AMAX;
  const extent = argument(3);
  const step = <isize>argument(4) << 2;
  const inner = argument(5);
  const outerStep = <isize>argument(6);
  for (let o = begin; o < end; o++) {
    const outer = o / inner;
    let x = pointer(1) + ((<isize>outer * outerStep + (o - outer * inner)) << 2);
    let best = load<f32>(x);
    let place = 0;
    for (let i = 1; i < extent; i++) {
      x += step;
      const value = load<f32>(x);
      // The first NaN wins over everything.
      const wins = greatest ? !(value <= best) : !(value >= best);
      if (wins && best == best) {
        best = value;
        place = i;
      }
    }
    store<i32>(pointer(2) + (<usize>o << 2), place);
  }
}
