/** Copies of images with their padding, in which every tap of every place lies at a fixed distance from the place. */
import { argument, pointer } from "./environment";
import { COPY_COLUMNS, COPY_FIRST_COLUMN, COPY_FIRST_ROW, COPY_PARTS, COPY_PLANE, COPY_ROW, COPY_ROW_STEP, COPY_STEP, SOURCE_HEIGHT, SOURCE_WIDTH } from "./convolutionArguments";

/**
 * Copies `rows` rows of each plane, from row `first` of the padded image on. Columns that a tap reads one after the other lie
 * side by side: first all that are 0 modulo the parts, then those that are 1, and so on.
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
        memory.fill(row, 0, rowBytes);
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

/** Copies `count` elements of a line, from column `first` on, `step` apart; zeros stand for those outside the line. */
function copyLine(line: usize, width: i32, first: i32, step: i32, count: i32, to: usize): void {
  const before = first >= 0 ? 0 : min((step - 1 - first) / step, count);
  const inside = first >= width ? before : max(before, min((width - 1 - first) / step + 1, count));
  let i = 0;
  for (; i < before; i++) store<f32>(to + (<usize>i << 2), 0);
  let from = line + (<usize>(first + before * step) << 2);
  if (step == 1) {
    for (; i + 4 <= inside; i += 4) {
      v128.store(to + (<usize>i << 2), v128.load(from));
      from += 16;
    }
  } else if (step == 2) {
    // The fifth element is there too, so that both vectors lie within the line.
    for (; i + 4 < inside; i += 4) {
      v128.store(to + (<usize>i << 2), v128.shuffle<i32>(v128.load(from), v128.load(from, 16), 0, 2, 4, 6));
      from += 32;
    }
  }
  for (; i < inside; i++) {
    store<f32>(to + (<usize>i << 2), load<f32>(from));
    from += <usize>step << 2;
  }
  for (; i < count; i++) store<f32>(to + (<usize>i << 2), 0);
}
