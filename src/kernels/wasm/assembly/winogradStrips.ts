/** Strips of up to eight tiles: from planes to the thirty-six points of each tile, and back. The lanes are four channels. */
import { gradLine, inputLine, output1, output2, output3, pointA, pointB, squareA, squareB, squareProduct, squareSum } from "./winogradLines";
import { STRIP_BYTES, STRIP_CHANNEL, STRIP_ROW, ZERO_ROW_BYTES } from "./winogradSizes";

/** Four numbers of each of four channels → four channels of each number. */
@inline
export function low(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 4, 1, 5);
}

@inline
export function high(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 2, 6, 3, 7);
}

@inline
export function firstHalves(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 0, 2);
}

@inline
export function secondHalves(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 1, 3);
}

/** Four numbers, or one and three zeros. */
@inline
function load(isOne: bool, at: usize): v128 {
  return isOne ? v128.load32_zero(at) : v128.load(at);
}

/** Clears the columns from `from` to `to` of the six rows of a strip's channel. */
@inline
function clear(from: usize, to: usize): void {
  for (; from < to; from += 16) {
    for (let row: usize = 0; row < 6; row++) v128.store(from + row * STRIP_ROW, f32x4.splat(0));
  }
}

/** Place `first` of row `y` of a plane, or `outside` where there is no such row. */
@inline
export function rowAt(plane: usize, rowBytes: usize, y: i32, height: i32, first: i32, outside: usize): usize {
  return <u32>y < <u32>height ? plane + <usize>y * rowBytes + (<usize>first << 2) : outside;
}

/** Transforms the columns of one channel of a strip. The rows are `height` and `width` long and begin at `plane`. */
@inline
function transformColumns(
  isInput: bool, plane: usize, height: i32, width: i32, y: i32, x: i32, tiles: i32, strip: usize, zeros: usize,
): void {
  const wanted = isInput ? 4 * tiles + 2 : 4 * tiles;
  const first = max(x, 0);
  const count = min(x + 4 * tiles + (isInput ? 4 : 0), width) - first;
  if (first > x) clear(strip, strip + (<usize>min(first - x + 3, 4 * tiles + 4) >> 2 << 4));
  if (first + count < x + wanted) clear(strip + (<usize>max(first + count - x, 0) >> 2 << 4), strip + (<usize>(tiles + 1) << 4));
  if (count <= 0) return;
  const rowBytes = <usize>width << 2;
  let r0 = rowAt(plane, rowBytes, y, height, first, zeros);
  let r1 = rowAt(plane, rowBytes, y + 1, height, first, zeros);
  let r2 = rowAt(plane, rowBytes, y + 2, height, first, zeros);
  let r3 = rowAt(plane, rowBytes, y + 3, height, first, zeros);
  let r4: usize = 0, r5: usize = 0;
  if (isInput) {
    r4 = rowAt(plane, rowBytes, y + 4, height, first, zeros);
    r5 = rowAt(plane, rowBytes, y + 5, height, first, zeros);
  }
  const to = strip + (<usize>(first - x) << 2);
  const a = pointA(), b = pointB(), a2 = squareA(), b2 = squareB(), product = squareProduct(), sum = squareSum();
  if (count < 4) {
    // Lanes beyond the first are zeros on top of zeros.
    for (let i: usize = 0; i < <usize>count << 2; i += 4) {
      transformColumn(
        isInput, true, r0 + i, r1 + i, r2 + i, r3 + i, r4 + i, r5 + i, to + i, a, b, a2, b2, product, sum,
      );
    }
    return;
  }
  const last = <usize>(count - 4) << 2;
  for (let i: usize = 0; i < last; i += 16) {
    transformColumn(
      isInput, false, r0 + i, r1 + i, r2 + i, r3 + i, r4 + i, r5 + i, to + i, a, b, a2, b2, product, sum,
    );
  }
  transformColumn(
    isInput, false, r0 + last, r1 + last, r2 + last, r3 + last, r4 + last, r5 + last, to + last, a, b, a2, b2, product, sum,
  );
}

@inline
function transformColumn(
  isInput: bool, isOne: bool, r0: usize, r1: usize, r2: usize, r3: usize, r4: usize, r5: usize, to: usize,
  a: v128, b: v128, a2: v128, b2: v128, product: v128, sum: v128,
): void {
  const x0 = load(isOne, r0), x1 = load(isOne, r1);
  const x2 = load(isOne, r2), x3 = load(isOne, r3);
  if (isInput) {
    inputLine(true, x0, x1, x2, x3, load(isOne, r4), load(isOne, r5), to, 0, a, b, a2, b2, product, sum);
  } else {
    gradLine(true, x0, x1, x2, x3, to, 0, a, b, a2, b2);
  }
}

/** Transforms the rows of a strip whose columns are transformed. Point (i, j) of a tile goes to plane 6·i + j of `to`. */
@inline
function transformRows(isInput: bool, tiles: i32, strip: usize, to: usize, toTile: usize, toPoint: usize): void {
  const pA = pointA(), pB = pointB(), a2 = squareA(), b2 = squareB(), product = squareProduct(), sum = squareSum();
  for (let row = 0; row < 6; row++) {
    let from = strip + <usize>row * STRIP_ROW;
    let at = to;
    let a = v128.load(from), b = v128.load(from, STRIP_CHANNEL);
    let c = v128.load(from, 2 * STRIP_CHANNEL), d = v128.load(from, 3 * STRIP_CHANNEL);
    let ab = low(a, b), cd = low(c, d);
    let x0 = firstHalves(ab, cd), x1 = secondHalves(ab, cd);
    ab = high(a, b);
    cd = high(c, d);
    let x2 = firstHalves(ab, cd), x3 = secondHalves(ab, cd);
    for (let i = 0; i < tiles; i++) {
      from += 16;
      a = v128.load(from);
      b = v128.load(from, STRIP_CHANNEL);
      c = v128.load(from, 2 * STRIP_CHANNEL);
      d = v128.load(from, 3 * STRIP_CHANNEL);
      ab = low(a, b);
      cd = low(c, d);
      const x4 = firstHalves(ab, cd), x5 = secondHalves(ab, cd);
      if (isInput) inputLine(false, x0, x1, x2, x3, x4, x5, at, toPoint, pA, pB, a2, b2, product, sum);
      else gradLine(false, x0, x1, x2, x3, at, toPoint, pA, pB, a2, b2);
      x0 = x4;
      x1 = x5;
      ab = high(a, b);
      cd = high(c, d);
      x2 = firstHalves(ab, cd);
      x3 = secondHalves(ab, cd);
      at += toTile;
    }
    to += 6 * toPoint;
  }
}

/** The points of `tiles` tiles side by side from place (y, x) on, of up to four channels whose planes begin at `plane`. */
export function transformInput(
  plane: usize, planeBytes: usize, channels: i32, height: i32, width: i32, y: i32, x: i32, tiles: i32,
  to: usize, toTile: usize, toPoint: usize, bench: usize,
): void {
  for (let channel = 0; channel < min(channels, 4); channel++) {
    transformColumns(true, plane, height, width, y, x, tiles, bench + <usize>channel * STRIP_CHANNEL, bench + STRIP_BYTES);
    plane += planeBytes;
  }
  transformRows(true, tiles, bench, to, toTile, toPoint);
}

/** The same for tiles of 4x4 places of the output gradient. */
export function transformGrad(
  plane: usize, planeBytes: usize, channels: i32, height: i32, width: i32, y: i32, x: i32, tiles: i32,
  to: usize, toTile: usize, toPoint: usize, bench: usize,
): void {
  for (let channel = 0; channel < min(channels, 4); channel++) {
    transformColumns(false, plane, height, width, y, x, tiles, bench + <usize>channel * STRIP_CHANNEL, bench + STRIP_BYTES);
    plane += planeBytes;
  }
  transformRows(false, tiles, bench, to, toTile, toPoint);
}

/** From the points of `tiles` tiles to their output places, from (y, x) on, of up to four channels; `bias` is added, and what is below `floor` raised to it. */
export function transformOutput(
  from: usize, fromTile: usize, fromPoint: usize, bias: v128, floor: v128, plane: usize, planeBytes: usize, channels: i32,
  height: i32, width: i32, y: i32, x: i32, tiles: i32, bench: usize,
): void {
  const half = bench + STRIP_BYTES + ZERO_ROW_BYTES;
  const rowBytes = <usize>width << 2;
  const rows = min(height - y, 4);
  const fromRow = 6 * fromPoint;
  const nothing = f32x4.splat(0);
  plane += (<usize>y * <usize>width + <usize>x) << 2;
  for (let tile = 0; tile < tiles; tile++) {
    let at = from;
    for (let to = half; to < half + 96; to += 16) {
      const m0 = v128.load(at), m1 = v128.load(at + fromRow), m2 = v128.load(at + 2 * fromRow);
      const m3 = v128.load(at + 3 * fromRow), m4 = v128.load(at + 4 * fromRow), m5 = v128.load(at + 5 * fromRow);
      const evenA = f32x4.add(m1, m2), oddA = f32x4.sub(m1, m2), evenB = f32x4.add(m3, m4), oddB = f32x4.sub(m3, m4);
      v128.store(to, f32x4.add(m0, f32x4.add(evenA, evenB)));
      v128.store(to, output1(oddA, oddB, nothing), 96);
      v128.store(to, output2(evenA, evenB, nothing), 192);
      v128.store(to, output3(oddA, oddB, m5), 288);
      at += fromPoint;
    }
    const columns = width - x;
    let to = plane;
    for (let row = 0; row < rows; row++) {
      const line = half + <usize>row * 96;
      const m0 = v128.load(line), m1 = v128.load(line, 16), m2 = v128.load(line, 32);
      const m3 = v128.load(line, 48), m4 = v128.load(line, 64), m5 = v128.load(line, 80);
      const evenA = f32x4.add(m1, m2), oddA = f32x4.sub(m1, m2), evenB = f32x4.add(m3, m4), oddB = f32x4.sub(m3, m4);
      const y0 = f32x4.add(f32x4.add(m0, bias), f32x4.add(evenA, evenB)), y1 = output1(oddA, oddB, bias);
      const y2 = output2(evenA, evenB, bias), y3 = output3(oddA, oddB, f32x4.add(m5, bias));
      const low01 = low(y0, y1), low23 = low(y2, y3), high01 = high(y0, y1), high23 = high(y2, y3);
      place(to, f32x4.pmax(firstHalves(low01, low23), floor), columns);
      if (channels > 1) place(to + planeBytes, f32x4.pmax(secondHalves(low01, low23), floor), columns);
      if (channels > 2) place(to + 2 * planeBytes, f32x4.pmax(firstHalves(high01, high23), floor), columns);
      if (channels > 3) place(to + 3 * planeBytes, f32x4.pmax(secondHalves(high01, high23), floor), columns);
      to += rowBytes;
    }
    from += fromTile;
    plane += 16;
    x += 4;
  }
}

/** Stores the first `count` of four numbers. */
@inline
function place(to: usize, numbers: v128, count: i32): void {
  if (count >= 4) {
    v128.store(to, numbers);
    return;
  }
  store<f32>(to, f32x4.extract_lane(numbers, 0));
  if (count > 1) store<f32>(to, f32x4.extract_lane(numbers, 1), 4);
  if (count > 2) store<f32>(to, f32x4.extract_lane(numbers, 2), 8);
}
