/** Running sums along an axis, carried in float64. */
import { argument, pointer } from "./environment";
import { CUMSUM_WIDTH } from "./kernelIds";

/**
 * Arguments: 0 x, 1 out, 2 extent of the axis, 3 elements behind it, 4 whether the last place is the first to be added. Unit: a block of
 * CUMSUM_WIDTH lines that lie side by side.
 */
export function cumsum(begin: i32, end: i32): void {
  const extent = argument(2);
  const inner = argument(3);
  const backwards = argument(4) != 0;
  const blocks = (inner + CUMSUM_WIDTH - 1) / CUMSUM_WIDTH;
  const step = backwards ? -(<isize>inner << 2) : <isize>inner << 2;
  for (let unit = begin; unit < end; unit++) {
    const outer = unit / blocks;
    const first = (unit - outer * blocks) * CUMSUM_WIDTH;
    let start = <isize>outer * extent * inner + first;
    if (backwards) start += <isize>(extent - 1) * inner;
    const x = pointer(0) + (start << 2);
    const out = pointer(1) + (start << 2);
    const width = min(CUMSUM_WIDTH, inner - first);
    let i = 0;
    if (width == CUMSUM_WIDTH) lines16(x, out, step, extent);
    else for (; i + 4 <= width; i += 4) lines4(x + (<usize>i << 2), out + (<usize>i << 2), step, extent);
    if (width < CUMSUM_WIDTH) for (; i < width; i++) line(x + (<usize>i << 2), out + (<usize>i << 2), step, extent);
  }
}

function line(x: usize, out: usize, step: isize, count: i32): void {
  let sum: f64 = 0;
  for (let i = 0; i < count; i++, x += step, out += step) {
    sum += <f64>load<f32>(x);
    store<f32>(out, <f32>sum);
  }
}

@inline
function low2(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

@inline
function high2(x: v128): v128 {
  return f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 0));
}

@inline
function store4(out: usize, low: v128, high: v128): void {
  v128.store(out, i64x2.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2));
}

function lines4(x: usize, out: usize, step: isize, count: i32): void {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let i = 0; i < count; i++, x += step, out += step) {
    const value = v128.load(x);
    low = f64x2.add(low, low2(value));
    high = f64x2.add(high, high2(value));
    store4(out, low, high);
  }
}

/** A line of the cache at a time. */
function lines16(x: usize, out: usize, step: isize, count: i32): void {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let c = f64x2.splat(0);
  let d = f64x2.splat(0);
  let e = f64x2.splat(0);
  let f = f64x2.splat(0);
  let g = f64x2.splat(0);
  let h = f64x2.splat(0);
  for (let i = 0; i < count; i++, x += step, out += step) {
    let value = v128.load(x);
    a = f64x2.add(a, low2(value));
    b = f64x2.add(b, high2(value));
    store4(out, a, b);
    value = v128.load(x, 16);
    c = f64x2.add(c, low2(value));
    d = f64x2.add(d, high2(value));
    store4(out + 16, c, d);
    value = v128.load(x, 32);
    e = f64x2.add(e, low2(value));
    f = f64x2.add(f, high2(value));
    store4(out + 32, e, f);
    value = v128.load(x, 48);
    g = f64x2.add(g, low2(value));
    h = f64x2.add(h, high2(value));
    store4(out + 48, g, h);
  }
}
