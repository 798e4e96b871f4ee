/** Copies of images with their padding, in which every tap of every place lies at a fixed distance from the place. */
import { argument, pointer } from "./environment";
import { COPY_COLUMNS, COPY_FIRST_COLUMN, COPY_FIRST_ROW, COPY_PARTS, COPY_PLANE, COPY_ROW, COPY_ROW_STEP, COPY_STEP, SOURCE_HEIGHT, SOURCE_WIDTH } from "./convolutionArguments";

/**
 * Copies `rows` rows of each plane, from row `first` of the padded image on. Columns that a tap reads one after the other lie
 * side by side: first all that are 0 modulo the parts, then those that are 1, and so on. Up to twelve bytes behind the copy
 * are written to as well.
 */
export function copyPlanes(source: usize, planes: i32, first: i32, rows: i32, to: usize): void {
  const height = argument(SOURCE_HEIGHT), width = argument(SOURCE_WIDTH);
  const columns = argument(COPY_COLUMNS), parts = argument(COPY_PARTS), step = argument(COPY_STEP);
  const rowBytes = pointer(COPY_ROW);
  const partBytes = rowBytes / <usize>parts;
  const rowStep = argument(COPY_ROW_STEP);
  const top = first * rowStep + argument(COPY_FIRST_ROW);
  const left = argument(COPY_FIRST_COLUMN);
  for (let plane = 0; plane < planes; plane++) {
    let row = to;
    let y = top;
    for (let i = 0; i < rows; i++) {
      if (y < 0 || y >= height) {
        zeros(row, argument(COPY_ROW) >> 2);
      } else {
        const line = source + (<usize>(y * width) << 2);
        for (let part = 0; part < parts; part++) {
          copyLine(line, width, left + part, step, (columns - part + parts - 1) / parts, row + <usize>part * partBytes);
        }
      }
      row += rowBytes;
      y += rowStep;
    }
    source += <usize>(height * width) << 2;
    to += pointer(COPY_PLANE);
  }
}

/**
 * Copies `count` elements of a line, from column `first` on, `step` apart; zeros stand for those outside the line. The zeros
 * behind may reach into what is written next.
 */
function copyLine(line: usize, width: i32, first: i32, step: i32, count: i32, to: usize): void {
  const before = first >= 0 ? 0 : min((step - 1 - first) / step, count);
  const inside = first >= width ? before : max(before, min((width - 1 - first) / step + 1, count));
  zeros(to, before);
  let from = line + (<usize>(first + before * step) << 2);
  let left = inside - before;
  let at = to + (<usize>before << 2);
  if (step == 1) {
    if (left >= 4) {
      const last = from + (<usize>(left - 4) << 2);
      const lastAt = at + (<usize>(left - 4) << 2);
      for (; from < last; from += 16) {
        v128.store(at, v128.load(from));
        at += 16;
      }
      v128.store(lastAt, v128.load(last));
      left = 0;
    }
  } else if (step == 2) {
    // The fifth element is there too, so that both vectors lie within the line.
    for (; left > 4; left -= 4) {
      v128.store(at, v128.shuffle<i32>(v128.load(from), v128.load(from, 16), 0, 2, 4, 6));
      from += 32;
      at += 16;
    }
  }
  for (; left > 0; left--) {
    store<f32>(at, load<f32>(from));
    from += <usize>step << 2;
    at += 4;
  }
  zeros(to + (<usize>inside << 2), count - inside);
}

/** Writes zeros, in whole vectors. */
@inline
function zeros(to: usize, count: i32): void {
  for (; count > 0; count -= 4) {
    v128.store(to, f32x4.splat(0));
    to += 16;
  }
}
