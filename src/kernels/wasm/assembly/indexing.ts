/**
 * Reading and writing along an axis at given places. Both walk the other axes as the elementwise kernels do, in rows of
 * `argument(1)` elements; a unit is an element of a row, so that a chunk may be a part of one.
 *
 * @module
 */
import { argument, pointer } from "./environment";
import { rowOffset } from "./strided";

/**
 * Rows of out (slot 0), of x without the axis (slot 1) and of index (slot 2). Argument 12: from place to place of x's axis,
 * in elements. Elements are words of 32 bits.
 */
export function gather(begin: i32, end: i32): void {
  const length = argument(1);
  const outStep = <isize>argument(4) << 2;
  const xStep = <isize>argument(6) << 2;
  const indexStep = <isize>argument(8) << 2;
  const along = <isize>argument(12) << 2;
  for (let unit = begin; unit < end; ) {
    const row = unit / length;
    const first = unit - row * length;
    const n = min(length - first, end - unit);
    let out = pointer(3) + (rowOffset(0, row) << 2) + <isize>first * outStep;
    let x = pointer(5) + (rowOffset(1, row) << 2) + <isize>first * xStep;
    let index = pointer(7) + (rowOffset(2, row) << 2) + <isize>first * indexStep;
    if (indexStep == 0 && xStep == 4 && outStep == 4) {
      copyWords(out, x + <isize>load<i32>(index) * along, n);
    } else {
      for (let i = 0; i < n; i++, out += outStep, x += xStep, index += indexStep) {
        store<i32>(out, load<i32>(x + <isize>load<i32>(index) * along));
      }
    }
    unit += n;
  }
}

@inline
function copyWords(to: usize, from: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(to + (<usize>i << 2), v128.load(from + (<usize>i << 2)));
  for (; i < n; i++) store<i32>(to + (<usize>i << 2), load<i32>(from + (<usize>i << 2)));
}

/**
 * Rows of out (slot 0), x (slot 1) and index (slot 2), all without the axis. 12: places of x along the axis; 13 and 14: from
 * place to place of x and of index there, 15: of out, in elements. Only one thread comes to any element of out, and it comes
 * in the order of the axis. Elements are floats to be added, or words of 32 bits to be put in their places.
 */
@inline
function scatterRows(adds: bool, begin: i32, end: i32): void {
  const length = argument(1);
  const outStep = <isize>argument(4) << 2;
  const xStep = <isize>argument(6) << 2;
  const indexStep = <isize>argument(8) << 2;
  const places = argument(12);
  const xAlong = <isize>argument(13) << 2;
  const indexAlong = <isize>argument(14) << 2;
  const along = <isize>argument(15) << 2;
  const whole = indexStep == 0 && xStep == 4 && outStep == 4;
  for (let unit = begin; unit < end; ) {
    const row = unit / length;
    const first = unit - row * length;
    const n = min(length - first, end - unit);
    const out = pointer(3) + (rowOffset(0, row) << 2) + <isize>first * outStep;
    let x = pointer(5) + (rowOffset(1, row) << 2) + <isize>first * xStep;
    let index = pointer(7) + (rowOffset(2, row) << 2) + <isize>first * indexStep;
    if (whole) {
      for (let place = 0; place < places; place++, x += xAlong, index += indexAlong) {
        const to = out + <isize>load<i32>(index) * along;
        if (adds) addWords(to, x, n);
        else copyWords(to, x, n);
      }
    } else if (abs(indexAlong) <= abs(indexStep)) {
      for (let i = 0; i < n; i++) {
        scatterRun(adds, out + i * outStep, along, x + i * xStep, xAlong, index + i * indexStep, indexAlong, places);
      }
    } else {
      // Elements of a row go to different places, so that a row may be a run of its own.
      for (let place = 0; place < places; place++, x += xAlong, index += indexAlong) {
        for (let i = 0; i < n; i++) {
          scatterRun(adds, out + i * outStep, along, x + i * xStep, 0, index + i * indexStep, 0, 1);
        }
      }
    }
    unit += n;
  }
}

export function scatterAdd(begin: i32, end: i32): void {
  scatterRows(true, begin, end);
}

export function scatter(begin: i32, end: i32): void {
  scatterRows(false, begin, end);
}

/** Adds or puts `count` elements of x, one after another, to the places that the index names. Steps are in bytes. */
@inline
function scatterRun(
  adds: bool, out: usize, along: isize, x: usize, xStep: isize, index: usize, indexStep: isize, count: i32,
): void {
  for (let i = 0; i < count; i++, x += xStep, index += indexStep) {
    const target = out + <isize>load<i32>(index) * along;
    if (adds) store<f32>(target, load<f32>(target) + load<f32>(x));
    else store<i32>(target, load<i32>(x));
  }
}

@inline
function addWords(to: usize, from: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const at = <usize>i << 2;
    v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(from + at)));
  }
  for (; i < n; i++) {
    const at = <usize>i << 2;
    store<f32>(to + at, load<f32>(to + at) + load<f32>(from + at));
  }
}
