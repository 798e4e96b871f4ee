/**
 * Packing: copies a matrix into panels of `width` lines (rows of a, columns of b) in which the lines' elements of one
 * depth lie side by side. The last panel is filled up with zeros. Steps are in bytes.
 */

/** Packs `lines` lines into as many panels as they need. */
export function pack(
  from: usize, lineStep: usize, depthStep: usize, lines: i32, depth: i32, to: usize, width: i32,
): void {
  const panelBytes = <usize>(depth * width) << 2;
  let line = 0;
  if (lineStep == 4 && (width == 8 || width == 16)) {
    line = lines - lines % width;
    copyPanels(from, depthStep, depth, to, panelBytes, line / width, <usize>width << 2);
    from += <usize>line << 2;
    to += <usize>(line / width) * panelBytes;
  }
  for (; line < lines; line += width) {
    packPanel(from, lineStep, depthStep, min(width, lines - line), depth, to, width);
    from += <usize>width * lineStep;
    to += panelBytes;
  }
}

/** Copies whole panels, all of one depth before the next: rows far apart are read once, and from end to end. */
function copyPanels(
  from: usize, depthStep: usize, depth: i32, to: usize, panelBytes: usize, panels: i32, width: usize,
): void {
  for (; depth > 0; depth--) {
    let at = from;
    let panel = to;
    for (let i = 0; i < panels; i++) {
      v128.store(panel, v128.load(at));
      v128.store(panel, v128.load(at, 16), 16);
      if (width == 64) {
        v128.store(panel, v128.load(at, 32), 32);
        v128.store(panel, v128.load(at, 48), 48);
      }
      at += width;
      panel += panelBytes;
    }
    from += depthStep;
    to += width;
  }
}

/** Packs up to `width` lines into one panel. */
export function packPanel(
  from: usize, lineStep: usize, depthStep: usize, lines: i32, depth: i32, to: usize, width: i32,
): void {
  const toStep = <usize>width << 2;
  if (lines < width) memory.fill(to, 0, <usize>depth * toStep);
  let line = 0;
  if (lineStep == 4) {
    for (; line + 8 <= lines; line += 8) copyEight(from + (line << 2), depthStep, depth, to + (line << 2), toStep);
  }
  for (; line + 4 <= lines; line += 4) {
    packFour(from + <usize>line * lineStep, lineStep, depthStep, depth, to + (line << 2), toStep);
  }
  if (line + 2 <= lines) {
    packTwo(from + <usize>line * lineStep, lineStep, depthStep, depth, to + (line << 2), toStep);
    line += 2;
  }
  if (line < lines) packOne(from + <usize>line * lineStep, depthStep, depth, to + (line << 2), toStep);
}

function copyEight(from: usize, depthStep: usize, depth: i32, to: usize, toStep: usize): void {
  for (; depth > 0; depth--) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    from += depthStep;
    to += toStep;
  }
}

function packFour(from: usize, lineStep: usize, depthStep: usize, depth: i32, to: usize, toStep: usize): void {
  if (lineStep == 4) {
    for (; depth > 0; depth--) {
      v128.store(to, v128.load(from));
      from += depthStep;
      to += toStep;
    }
    return;
  }
  let from1 = from + lineStep;
  let from2 = from1 + lineStep;
  let from3 = from2 + lineStep;
  if (depthStep == 4) {
    for (; depth >= 4; depth -= 4) {
      const a = v128.load(from);
      const b = v128.load(from1);
      const c = v128.load(from2);
      const d = v128.load(from3);
      const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
      const ab2 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const cd2 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
      v128.store(to + toStep, v128.shuffle<i64>(ab, cd, 1, 3));
      v128.store(to + 2 * toStep, v128.shuffle<i64>(ab2, cd2, 0, 2));
      v128.store(to + 3 * toStep, v128.shuffle<i64>(ab2, cd2, 1, 3));
      from += 16;
      from1 += 16;
      from2 += 16;
      from3 += 16;
      to += 4 * toStep;
    }
  }
  for (; depth > 0; depth--) {
    store<f32>(to, load<f32>(from));
    store<f32>(to, load<f32>(from1), 4);
    store<f32>(to, load<f32>(from2), 8);
    store<f32>(to, load<f32>(from3), 12);
    from += depthStep;
    from1 += depthStep;
    from2 += depthStep;
    from3 += depthStep;
    to += toStep;
  }
}

function packTwo(from: usize, lineStep: usize, depthStep: usize, depth: i32, to: usize, toStep: usize): void {
  let from1 = from + lineStep;
  if (depthStep == 4) {
    for (; depth >= 4; depth -= 4) {
      const a = v128.load(from);
      const b = v128.load(from1);
      const low = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const high = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      v128.store64_lane(to, low, 0);
      v128.store64_lane(to + toStep, low, 1);
      v128.store64_lane(to + 2 * toStep, high, 0);
      v128.store64_lane(to + 3 * toStep, high, 1);
      from += 16;
      from1 += 16;
      to += 4 * toStep;
    }
  }
  for (; depth > 0; depth--) {
    store<f32>(to, load<f32>(from));
    store<f32>(to, load<f32>(from1), 4);
    from += depthStep;
    from1 += depthStep;
    to += toStep;
  }
}

function packOne(from: usize, depthStep: usize, depth: i32, to: usize, toStep: usize): void {
  for (; depth > 0; depth--) {
    store<f32>(to, load<f32>(from));
    from += depthStep;
    to += toStep;
  }
}
