/**
 * A copy of 32-bit words whose innermost axis in `out` is not the innermost one in x: tiles of 4x4 words are turned in
 * registers, so that both sides are read and written a vector at a time.
 *
 * @module
 */
import { argument, pointer } from "./environment";
import { rowOffset } from "./strided";
import { TRANSPOSE_BLOCK } from "./kernelIds";

/**
 * Arguments: 3 out, 5 x; 12 extent of the axis that is dense in out, 13 its stride in x; 14 extent of the axis that is dense
 * in x, 15 its stride in out; outer axes as in the elementwise kernels, out in slot 0 and x in slot 1. Unit: a block of the
 * axis that is dense in x, at one place of the outer axes.
 */
export function transpose(begin: i32, end: i32): void {
  const rows = argument(12);
  const xStep = <isize>argument(13) << 2;
  const columns = argument(14);
  const outStep = <isize>argument(15) << 2;
  const blocks = (columns + TRANSPOSE_BLOCK - 1) / TRANSPOSE_BLOCK;
  for (let unit = begin; unit < end; unit++) {
    const outer = unit / blocks;
    const first = (unit - outer * blocks) * TRANSPOSE_BLOCK;
    const last = min(first + TRANSPOSE_BLOCK, columns);
    const out = pointer(3) + (rowOffset(0, outer) << 2);
    const x = pointer(5) + (rowOffset(1, outer) << 2);
    let row = 0;
    for (; row + 4 <= rows; row += 4) {
      let from = x + <isize>row * xStep + (<isize>first << 2);
      let to = out + (<isize>row << 2) + <isize>first * outStep;
      let column = first;
      for (; column + 4 <= last; column += 4, from += 16, to += 4 * outStep) turn4(from, xStep, to, outStep);
      for (; column < last; column++, from += 4, to += outStep) {
        for (let i: isize = 0; i < 4; i++) store<i32>(to + (i << 2), load<i32>(from + i * xStep));
      }
    }
    for (; row < rows; row++) {
      let from = x + <isize>row * xStep + (<isize>first << 2);
      let to = out + (<isize>row << 2) + <isize>first * outStep;
      for (let column = first; column < last; column++, from += 4, to += outStep) store<i32>(to, load<i32>(from));
    }
  }
}

/** One tile: rows that lie `fromStep` bytes apart become columns of rows that lie `toStep` apart. */
@inline
function turn4(from: usize, fromStep: isize, to: usize, toStep: isize): void {
  const a = v128.load(from);
  const b = v128.load(from + fromStep);
  const c = v128.load(from + 2 * fromStep);
  const d = v128.load(from + 3 * fromStep);
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(to, i64x2.shuffle(ab, cd, 0, 2));
  v128.store(to + toStep, i64x2.shuffle(ab, cd, 1, 3));
  v128.store(to + 2 * toStep, i64x2.shuffle(abHigh, cdHigh, 0, 2));
  v128.store(to + 3 * toStep, i64x2.shuffle(abHigh, cdHigh, 1, 3));
}
