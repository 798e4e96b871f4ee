/** Copies of images with their padding, in which every tap of every place lies at a fixed distance from the place. */
import { argument, pointer } from "./environment";
import { COPY_COLUMNS, COPY_FIRST_COLUMN, COPY_FIRST_ROW, COPY_PLANE, COPY_ROW, COPY_STEP, SOURCE_HEIGHT, SOURCE_WIDTH } from "./convolutionArguments";

/**
 * Copies `rows` rows of each plane, from row `first` of the padded image on. Columns that lie `step` apart in the image
 * lie side by side: first all that are 0 modulo the step, then those that are 1, and so on.
 */
export function copyPlanes(source: usize, planes: i32, first: i32, rows: i32, to: usize): void {
  const height = argument(SOURCE_HEIGHT), width = argument(SOURCE_WIDTH);
  const columns = argument(COPY_COLUMNS), step = argument(COPY_STEP);
  const rowBytes = pointer(COPY_ROW);
  const partBytes = rowBytes / <usize>step;
  const top = first + argument(COPY_FIRST_ROW);
  const left = argument(COPY_FIRST_COLUMN);
  for (let plane = 0; plane < planes; plane++) {
    let row = to;
    for (let y = top; y < top + rows; y++) {
      if (y < 0 || y >= height) {
        memory.fill(row, 0, rowBytes);
      } else {
        const line = source + (<usize>(y * width) << 2);
        for (let part = 0; part < step; part++) {
          const count = step == 1 ? columns : (columns - part + step - 1) / step;
          copyLine(line, width, left + part, step, count, row + <usize>part * partBytes);
        }
      }
      row += rowBytes;
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
  }
  for (; i < inside; i++) {
    store<f32>(to + (<usize>i << 2), load<f32>(from));
    from += <usize>step << 2;
  }
  for (; i < count; i++) store<f32>(to + (<usize>i << 2), 0);
}
