/**
 * The transpose of the input's transform: from the thirty-six points of up to eight tiles side by side to their 6x6 places in the
 * planes, where tiles overlap by two and what they give is added up. The lanes are four channels.
 *
 * @module
 */
import { argument, fma, pointer } from "./environment";
import { closeGate } from "./vector";
import { run } from "./winogradBlocks";
import { minus, pointA, pointB, squareA, squareB, squareProduct, squareSum } from "./winogradLines";
import { firstHalves, high, low, rowAt, secondHalves } from "./winogradStrips";
import { SCATTER_OVER, STRIP_BYTES, STRIP_CHANNEL, STRIP_ROW, TILE, ZERO_ROW_BYTES } from "./winogradSizes";

/** Stores four places of each of four channels into a strip: the lanes of the arguments are channels. */
@inline
function storeTurned(to: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  const low01 = low(x0, x1), low23 = low(x2, x3), high01 = high(x0, x1), high23 = high(x2, x3);
  v128.store(to, firstHalves(low01, low23));
  v128.store(to, secondHalves(low01, low23), STRIP_CHANNEL);
  v128.store(to, firstHalves(high01, high23), 2 * STRIP_CHANNEL);
  v128.store(to, secondHalves(high01, high23), 3 * STRIP_CHANNEL);
}

/**
 * Transforms the rows of tiles into a strip: six rows of 4·tiles + 2 places of each channel. What the last tile gives to the next
 * one is kept at `over`, from where the next strip in the row of tiles begins, if it `goesOn`.
 */
@inline
function transformRows(from: usize, fromTile: usize, fromPoint: usize, tiles: i32, strip: usize, over: usize, goesOn: bool): void {
  const a = pointA(), b = pointB(), a2 = squareA(), b2 = squareB(), product = squareProduct(), sum = squareSum();
  const aTimesB2 = f32x4.mul(a, b2), bTimesA2 = f32x4.mul(b, a2), nothing = f32x4.splat(0);
  for (let row = 0; row < 6; row++) {
    let at = from;
    let to = strip;
    let over0 = goesOn ? v128.load(over) : nothing, over1 = goesOn ? v128.load(over, 16) : nothing;
    for (let i = 0; i < tiles; i++) {
      const m0 = v128.load(at), m1 = v128.load(at + fromPoint), m2 = v128.load(at + 2 * fromPoint);
      const m3 = v128.load(at + 3 * fromPoint), m4 = v128.load(at + 4 * fromPoint), m5 = v128.load(at + 5 * fromPoint);
      const evenA = f32x4.add(m1, m2), oddA = f32x4.sub(m1, m2), evenB = f32x4.add(m3, m4), oddB = f32x4.sub(m3, m4);
      const x0 = fma(product, m0, over0);
      const x1 = minus(aTimesB2, oddA, minus(bTimesA2, oddB, fma(product, m5, over1)));
      over0 = f32x4.add(m0, f32x4.add(evenA, evenB));
      over1 = m5;
      const x2 = minus(sum, m0, minus(b2, evenA, minus(a2, evenB, nothing)));
      const x3 = fma(a, oddA, minus(sum, m5, f32x4.mul(b, oddB)));
      storeTurned(to, x0, x1, x2, x3);
      at += fromTile;
      to += 16;
    }
    storeTurned(to, over0, over1, nothing, nothing);
    v128.store(over, over0);
    v128.store(over, over1, 16);
    from += 6 * fromPoint;
    strip += STRIP_ROW;
    over += 32;
  }
}

/** Stores the first `count` of four numbers, added to what is there if `isAdded`. */
@inline
function put(isAdded: bool, to: usize, numbers: v128, count: i32): void {
  if (count >= 4) {
    v128.store(to, isAdded ? f32x4.add(v128.load(to), numbers) : numbers);
  } else if (count == 1) {
    v128.store32_lane(to, isAdded ? f32x4.add(v128.load32_zero(to), numbers) : numbers, 0);
  } else {
    v128.store64_lane(to, isAdded ? f32x4.add(v128.load64_zero(to), numbers) : numbers, 0);
    if (count == 3) v128.store32_lane(to, isAdded ? f32x4.add(v128.load32_splat(to, 8), numbers) : numbers, 2, 8);
  }
}

/** Transforms four columns of a strip: six rows of the plane, of which the first two got something from the tiles above. */
@inline
function transformColumn(
  isTop: bool, count: i32, from: usize, r0: usize, r1: usize, r2: usize, r3: usize, r4: usize, r5: usize,
  a: v128, b: v128, a2: v128, b2: v128, product: v128, sum: v128, aTimesB2: v128, bTimesA2: v128,
): void {
  const m0 = v128.load(from), m1 = v128.load(from, STRIP_ROW), m2 = v128.load(from, 2 * STRIP_ROW);
  const m3 = v128.load(from, 3 * STRIP_ROW), m4 = v128.load(from, 4 * STRIP_ROW), m5 = v128.load(from, 5 * STRIP_ROW);
  const evenA = f32x4.add(m1, m2), oddA = f32x4.sub(m1, m2), evenB = f32x4.add(m3, m4), oddB = f32x4.sub(m3, m4);
  put(!isTop, r0, f32x4.mul(product, m0), count);
  put(!isTop, r1, minus(aTimesB2, oddA, minus(bTimesA2, oddB, f32x4.mul(product, m5))), count);
  put(false, r2, minus(sum, m0, minus(b2, evenA, minus(a2, evenB, f32x4.splat(0)))), count);
  put(false, r3, fma(a, oddA, minus(sum, m5, f32x4.mul(b, oddB))), count);
  put(false, r4, f32x4.add(m0, f32x4.add(evenA, evenB)), count);
  put(false, r5, m5, count);
}

@inline
function transformColumns(
  isTop: bool, plane: usize, rowBytes: usize, height: i32, y: i32, first: i32, count: i32, strip: usize, spare: usize,
): void {
  const a = pointA(), b = pointB(), a2 = squareA(), b2 = squareB(), product = squareProduct(), sum = squareSum();
  const aTimesB2 = f32x4.mul(a, b2), bTimesA2 = f32x4.mul(b, a2);
  const r0 = rowAt(plane, rowBytes, y, height, first, spare), r1 = rowAt(plane, rowBytes, y + 1, height, first, spare);
  const r2 = rowAt(plane, rowBytes, y + 2, height, first, spare), r3 = rowAt(plane, rowBytes, y + 3, height, first, spare);
  const r4 = rowAt(plane, rowBytes, y + 4, height, first, spare), r5 = rowAt(plane, rowBytes, y + 5, height, first, spare);
  let i: usize = 0;
  for (const whole = <usize>(count & ~3) << 2; i < whole; i += 16) {
    transformColumn(isTop, 4, strip + i, r0 + i, r1 + i, r2 + i, r3 + i, r4 + i, r5 + i, a, b, a2, b2, product, sum, aTimesB2, bTimesA2);
  }
  const rest = count & 3;
  if (rest > 0) {
    transformColumn(isTop, rest, strip + i, r0 + i, r1 + i, r2 + i, r3 + i, r4 + i, r5 + i, a, b, a2, b2, product, sum, aTimesB2, bTimesA2);
  }
}

/**
 * Puts what `tiles` tiles give into up to four planes, from place (y, x) on. Strips come from left to right and from the top down;
 * `over` is a memory from strip to strip in a row of tiles, for these four channels.
 */
function scatterStrip(
  from: usize, fromTile: usize, fromPoint: usize, plane: usize, planeBytes: usize, channels: i32, height: i32, width: i32,
  y: i32, x: i32, tiles: i32, isTop: bool, isFirst: bool, isLast: bool, over: usize, bench: usize,
): void {
  transformRows(from, fromTile, fromPoint, tiles, bench, over, !isFirst);
  const first = max(x, 0);
  const count = min(x + 4 * tiles + (isLast ? 2 : 0), width) - first;
  if (count <= 0) return;
  const rowBytes = <usize>width << 2;
  // Rows outside the plane go where nobody reads.
  const spare = bench + STRIP_BYTES + ZERO_ROW_BYTES;
  let strip = bench + (<usize>(first - x) << 2);
  for (let channel = 0; channel < min(channels, 4); channel++) {
    if (isTop) transformColumns(true, plane, rowBytes, height, y, first, count, strip, spare);
    else transformColumns(false, plane, rowBytes, height, y, first, count, strip, spare);
    strip += STRIP_CHANNEL;
    plane += planeBytes;
  }
}

/**
 * The input's gradient from the products of `count` tiles, from tile `first` on. Tiles of an image come in their order. Arguments 6
 * to 15 as `winogradForward`; 16 bytes from point to point of the products, 21 the input's gradient, 22 its gate or 0, 23 where in
 * the thread's memory there are SCATTER_OVER bytes for each channel.
 */
export function scatterTiles(first: i32, count: i32, products: usize, width: i32, bench: usize): void {
  const channels = argument(6), inHeight = argument(8), inWidth = argument(9);
  const across = (argument(11) + TILE - 1) / TILE;
  const down = (argument(10) + TILE - 1) / TILE;
  const plane = <usize>(inHeight * inWidth) << 2;
  const row = <usize>width << 2;
  const over = bench + pointer(23);
  const end = first + count;
  for (let at = first; at < end; ) {
    const strip = at / across;
    const image = strip / down;
    const tileRow = strip - image * down, tileColumn = at - strip * across;
    const side = run(at, across, end);
    const isLast = tileColumn + side == across;
    const y = TILE * tileRow - argument(12);
    const imageAt = <usize>(image * channels) * plane;
    const from = products + <usize>(at - first) * row;
    for (let channel: usize = 0; channel < <usize>channels; channel += 4) {
      scatterStrip(
        from + (channel << 2), row, pointer(16), pointer(21) + imageAt + channel * plane, plane, channels - <i32>channel, inHeight,
        inWidth, y, TILE * tileColumn - argument(13), side, tileRow == 0, tileColumn == 0, isLast, over + channel * SCATTER_OVER,
        bench,
      );
    }
    if (isLast && pointer(22) != 0) closeRows(imageAt, plane, channels, y, tileRow == down - 1 ? inHeight : y + TILE);
    at += side;
  }
}

/** Closes the gate in rows that nothing is added to any more, from row `y` up to row `end`. */
function closeRows(imageAt: usize, plane: usize, channels: i32, y: i32, end: i32): void {
  const rowBytes = <usize>argument(9) << 2;
  const from = <usize>max(y, 0) * rowBytes;
  const to = <usize>min(max(end, 0), argument(8)) * rowBytes;
  if (to <= from) return;
  for (let at = imageAt + from; channels > 0; channels--, at += plane) {
    closeGate(pointer(21) + at, pointer(22) + at, to - from);
  }
}
