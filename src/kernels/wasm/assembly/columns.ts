/**
 * Convolution as a matrix product with columns (im2col, col2im), for any geometry. A few output rows are done at a time,
 * so that their columns stay in the cache.
 *
 * Arguments of all three kernels: 0 to 3 the arrays, 4 scratch memory, 5 its bytes for each thread, the geometry from 6
 * on (see `convolutionArguments.ts`), 22 output rows done at a time.
 *
 * @module
 */
import { ADD_BLOCK, BATCH, CHANNELS, DILATION_HEIGHT, DILATION_WIDTH, GROUPS, IN_HEIGHT, IN_WIDTH, KERNEL_HEIGHT, KERNEL_WIDTH, OUT_CHANNELS, OUT_HEIGHT, OUT_WIDTH, PAD_LEFT, PAD_TOP, ROWS_AT_ONCE, SPLIT, STRIDE_HEIGHT, STRIDE_WIDTH } from "./convolutionArguments";
import { argument, pointer, threadIndex } from "./environment";
import { gemm, gemmFrom, ZEROS } from "./gemm";
import { GEMM_SCRATCH_BYTES } from "./gemmSizes";

/** Whether the columns are the image itself. */
@inline
function isPointwise(): bool {
  return (
    argument(KERNEL_HEIGHT) == 1 && argument(KERNEL_WIDTH) == 1 && argument(STRIDE_HEIGHT) == 1 && argument(STRIDE_WIDTH) == 1 &&
    argument(PAD_TOP) == 0 && argument(PAD_LEFT) == 0 &&
    argument(OUT_HEIGHT) == argument(IN_HEIGHT) && argument(OUT_WIDTH) == argument(IN_WIDTH)
  );
}

/** The first place along an axis whose tap lies at or behind `start` of the input. */
@inline
function firstInside(shift: i32, stride: i32, places: i32): i32 {
  return shift >= 0 ? 0 : min((stride - 1 - shift) / stride, places);
}

/** The place behind the last one whose tap lies before the end of the input. */
@inline
function endInside(shift: i32, stride: i32, places: i32, size: i32): i32 {
  return size <= shift ? 0 : min((size - 1 - shift) / stride + 1, places);
}

/** Writes the columns of output rows fromY to toY: one row for each tap of each channel. */
export function imageToColumns(x: usize, channels: i32, fromY: i32, toY: i32, columns: usize): void {
  const inHeight = argument(IN_HEIGHT), inWidth = argument(IN_WIDTH), outWidth = argument(OUT_WIDTH);
  const strideHeight = argument(STRIDE_HEIGHT), strideWidth = argument(STRIDE_WIDTH);
  const rowBytes = <usize>outWidth << 2;
  const step = <usize>strideWidth << 2;
  for (let channel = 0; channel < channels; channel++) {
    for (let ky = 0; ky < argument(KERNEL_HEIGHT); ky++) {
      const shiftY = ky * argument(DILATION_HEIGHT) - argument(PAD_TOP);
      for (let kx = 0; kx < argument(KERNEL_WIDTH); kx++) {
        const shiftX = kx * argument(DILATION_WIDTH) - argument(PAD_LEFT);
        const last = endInside(shiftX, strideWidth, outWidth, inWidth);
        const first = min(firstInside(shiftX, strideWidth, outWidth), last);
        for (let y = fromY; y < toY; y++) {
          const row = y * strideHeight + shiftY;
          if (row < 0 || row >= inHeight) {
            zeros(columns, outWidth);
          } else {
            zeros(columns, first);
            const to = columns + (<usize>first << 2);
            const from = x + (<usize>(row * inWidth + first * strideWidth + shiftX) << 2);
            if (strideWidth == 1) copyRun(from, last - first, to);
            else copySpread(from, step, last - first, to);
            zeros(columns + (<usize>last << 2), outWidth - last);
          }
          columns += rowBytes;
        }
      }
    }
    x += <usize>(inHeight * inWidth) << 2;
  }
}

/** Adds the columns of output rows fromY to toY to the image that they would have come from. */
export function addColumnsToImage(columns: usize, channels: i32, fromY: i32, toY: i32, x: usize): void {
  const inHeight = argument(IN_HEIGHT), inWidth = argument(IN_WIDTH), outWidth = argument(OUT_WIDTH);
  const strideHeight = argument(STRIDE_HEIGHT), strideWidth = argument(STRIDE_WIDTH);
  const rowBytes = <usize>outWidth << 2;
  const step = <usize>strideWidth << 2;
  for (let channel = 0; channel < channels; channel++) {
    for (let ky = 0; ky < argument(KERNEL_HEIGHT); ky++) {
      const shiftY = ky * argument(DILATION_HEIGHT) - argument(PAD_TOP);
      for (let kx = 0; kx < argument(KERNEL_WIDTH); kx++) {
        const shiftX = kx * argument(DILATION_WIDTH) - argument(PAD_LEFT);
        const last = endInside(shiftX, strideWidth, outWidth, inWidth);
        const first = min(firstInside(shiftX, strideWidth, outWidth), last);
        for (let y = fromY; y < toY; y++) {
          const row = y * strideHeight + shiftY;
          if (row >= 0 && row < inHeight) {
            const to = x + (<usize>(row * inWidth + first * strideWidth + shiftX) << 2);
            const from = columns + (<usize>first << 2);
            if (strideWidth == 1) addRun(from, last - first, to);
            else addSpread(from, last - first, to, step);
          }
          columns += rowBytes;
        }
      }
    }
    x += <usize>(inHeight * inWidth) << 2;
  }
}

function zeros(to: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(to, f32x4.splat(0));
    to += 16;
  }
  for (; count > 0; count--) {
    store<f32>(to, 0);
    to += 4;
  }
}

function copyRun(from: usize, count: i32, to: usize): void {
  for (; count >= 4; count -= 4) {
    v128.store(to, v128.load(from));
    from += 16;
    to += 16;
  }
  for (; count > 0; count--) {
    store<f32>(to, load<f32>(from));
    from += 4;
    to += 4;
  }
}

function copySpread(from: usize, step: usize, count: i32, to: usize): void {
  for (; count > 0; count--) {
    store<f32>(to, load<f32>(from));
    from += step;
    to += 4;
  }
}

function addRun(from: usize, count: i32, to: usize): void {
  for (; count >= 4; count -= 4) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    from += 16;
    to += 16;
  }
  for (; count > 0; count--) {
    store<f32>(to, load<f32>(to) + load<f32>(from));
    from += 4;
    to += 4;
  }
}

function addSpread(from: usize, count: i32, to: usize, step: usize): void {
  for (; count > 0; count--) {
    store<f32>(to, load<f32>(to) + load<f32>(from));
    from += 4;
    to += step;
  }
}

/** Arrays: x, weight, bias or 0, out. A unit is a block of output rows of one group of one image. */
export function columnsForward(begin: i32, end: i32): void {
  const groups = argument(GROUPS);
  const channels = argument(CHANNELS) / groups;
  const filters = argument(OUT_CHANNELS) / groups;
  const taps = channels * argument(KERNEL_HEIGHT) * argument(KERNEL_WIDTH);
  const outHeight = argument(OUT_HEIGHT), outWidth = argument(OUT_WIDTH);
  const places = outHeight * outWidth;
  const imageBytes = <usize>(channels * argument(IN_HEIGHT) * argument(IN_WIDTH)) << 2;
  const rows = argument(ROWS_AT_ONCE);
  const blocks = (outHeight + rows - 1) / rows;
  const scratch = pointer(4) + <usize>threadIndex() * pointer(5);
  const columns = scratch + GEMM_SCRATCH_BYTES;
  const pointwise = isPointwise();
  for (let unit = begin; unit < end; unit++) {
    const image = unit / blocks;
    const group = image % groups;
    const fromY = (unit % blocks) * rows;
    const toY = min(fromY + rows, outHeight);
    const width = (toY - fromY) * outWidth;
    const x = pointer(0) + <usize>image * imageBytes;
    if (!pointwise) imageToColumns(x, channels, fromY, toY, columns);
    const weight = pointer(1) + (<usize>(group * filters * taps) << 2);
    const init = pointer(2) == 0 ? ZEROS : pointer(2) + (<usize>(group * filters) << 2);
    const out = pointer(3) + ((<usize>image * filters * places + fromY * outWidth) << 2);
    gemmFrom(
      weight, <usize>taps << 2, 4, pointwise ? x + (<usize>(fromY * outWidth) << 2) : columns, <usize>(pointwise ? places : width) << 2, 4,
      init, pointer(2) == 0 ? 0 : 4, 0, out, <usize>places << 2, filters, width, taps, scratch,
    );
  }
}

/**
 * Arrays: output gradient, weight, bias or 0, input gradient. 23: blocks that the channels of a group are cut into. A
 * unit is a block of channels of one group of one image.
 */
export function columnsInputGrad(begin: i32, end: i32): void {
  const groups = argument(GROUPS);
  const channels = argument(CHANNELS) / groups;
  const filters = argument(OUT_CHANNELS) / groups;
  const window = argument(KERNEL_HEIGHT) * argument(KERNEL_WIDTH);
  const taps = channels * window;
  const outHeight = argument(OUT_HEIGHT), outWidth = argument(OUT_WIDTH);
  const places = outHeight * outWidth;
  const plane = argument(IN_HEIGHT) * argument(IN_WIDTH);
  const rows = argument(ROWS_AT_ONCE);
  const blocks = argument(SPLIT);
  const atOnce = (channels + blocks - 1) / blocks;
  const scratch = pointer(4) + <usize>threadIndex() * pointer(5);
  const columns = scratch + GEMM_SCRATCH_BYTES;
  const pointwise = isPointwise();
  const bias = pointer(2);
  for (let unit = begin; unit < end; unit++) {
    const image = unit / blocks;
    const group = image % groups;
    const first = min((unit % blocks) * atOnce, channels);
    const count = min(atOnce, channels - first);
    const weight = pointer(1) + (<usize>(group * filters * taps + first * window) << 2);
    const gradient = pointer(0) + (<usize>image * filters * places << 2);
    const x = pointer(3) + ((<usize>image * channels + first) * plane << 2);
    const toBias = bias + (<usize>(group * channels + first) << 2);
    if (pointwise) {
      gemmFrom(
        weight, 4, <usize>taps << 2, gradient, <usize>places << 2, 4,
        bias == 0 ? ZEROS : toBias, bias == 0 ? 0 : 4, 0, x, <usize>places << 2, count, places, filters, scratch,
      );
      continue;
    }
    for (let channel = 0; channel < count; channel++) {
      const value: f32 = bias == 0 ? 0 : load<f32>(toBias + (channel << 2));
      fillRun(x + (<usize>(channel * plane) << 2), plane, value);
    }
    for (let fromY = 0; fromY < outHeight; fromY += rows) {
      const toY = min(fromY + rows, outHeight);
      const width = (toY - fromY) * outWidth;
      gemm(
        weight, 1, taps, gradient + (<usize>(fromY * outWidth) << 2), places, 1,
        columns, width, count * window, width, filters, scratch, false,
      );
      addColumnsToImage(columns, count, fromY, toY, x);
    }
  }
}

function fillRun(to: usize, count: i32, value: f32): void {
  const values = f32x4.splat(value);
  for (; count >= 4; count -= 4) {
    v128.store(to, values);
    to += 16;
  }
  for (; count > 0; count--) {
    store<f32>(to, value);
    to += 4;
  }
}

/**
 * Arrays: output gradient, x, –, sums. 23: parts that the batch is cut into, each with sums of its own. A unit is one
 * group of one part.
 */
export function columnsWeightGrad(begin: i32, end: i32): void {
  const groups = argument(GROUPS);
  const batch = argument(BATCH);
  const channels = argument(CHANNELS) / groups;
  const filters = argument(OUT_CHANNELS) / groups;
  const taps = channels * argument(KERNEL_HEIGHT) * argument(KERNEL_WIDTH);
  const outHeight = argument(OUT_HEIGHT), outWidth = argument(OUT_WIDTH);
  const places = outHeight * outWidth;
  const imageBytes = <usize>(channels * argument(IN_HEIGHT) * argument(IN_WIDTH)) << 2;
  const rows = argument(ROWS_AT_ONCE);
  const parts = argument(SPLIT);
  const scratch = pointer(4) + <usize>threadIndex() * pointer(5);
  const columns = scratch + GEMM_SCRATCH_BYTES;
  const pointwise = isPointwise();
  for (let unit = begin; unit < end; unit++) {
    const part = unit / groups;
    const group = unit % groups;
    const firstImage = <i32>(<i64>batch * part / parts);
    const endImage = <i32>(<i64>batch * (part + 1) / parts);
    const sums = pointer(3) + (<usize>unit * filters * taps << 2);
    let accumulate = false;
    for (let n = firstImage; n < endImage; n++) {
      const image = n * groups + group;
      const x = pointer(1) + <usize>image * imageBytes;
      for (let fromY = 0; fromY < outHeight; fromY += rows) {
        const toY = min(fromY + rows, outHeight);
        const width = (toY - fromY) * outWidth;
        if (!pointwise) imageToColumns(x, channels, fromY, toY, columns);
        const from = <usize>(fromY * outWidth) << 2;
        gemm(
          pointer(0) + (<usize>image * filters * places << 2) + from, places, 1,
          pointwise ? x + from : columns, 1, pointwise ? places : width,
          sums, taps, filters, taps, width, scratch, accumulate,
        );
        accumulate = true;
      }
    }
  }
}

/** Adds up partial sums in their order. Arguments: 0 sums, 1 out, 2 parts, 3 elements of one part. A unit is a block of elements. */
export function addParts(begin: i32, end: i32): void {
  const parts = argument(2);
  const length = argument(3);
  for (let i = begin * ADD_BLOCK; i < min(end * ADD_BLOCK, length); ) {
    let from = pointer(0) + (<usize>i << 2);
    const to = pointer(1) + (<usize>i << 2);
    if (i + 4 <= length) {
      let sum = v128.load(from);
      for (let part = 1; part < parts; part++) {
        from += <usize>length << 2;
        sum = f32x4.add(sum, v128.load(from));
      }
      v128.store(to, sum);
      i += 4;
    } else {
      let sum = load<f32>(from);
      for (let part = 1; part < parts; part++) {
        from += <usize>length << 2;
        sum += load<f32>(from);
      }
      store<f32>(to, sum);
      i++;
    }
  }
}
