/** im2col and col2im: sliding windows laid out as the columns of a matrix, and their sum back into the plane. */
import type { KernelSet, TypedArray, WindowGeometry } from "../kernelSet.js";
import type { ArrayOf } from "./arrays.js";
import { Scratch } from "./scratch.js";

/** First output place for which tap `tap` lies behind the upper or left edge of the input. */
export function firstInside(tap: number, stride: number, pad: number, dilation: number, outExtent: number): number {
  return Math.min(outExtent, Math.max(0, Math.ceil((pad - tap * dilation) / stride)));
}

/** One past the last output place for which tap `tap` lies before the lower or right edge of the input. */
export function endInside(
  tap: number,
  stride: number,
  pad: number,
  dilation: number,
  outExtent: number,
  inExtent: number,
): number {
  return Math.min(outExtent, Math.max(0, Math.floor((inExtent - 1 + pad - tap * dilation) / stride) + 1));
}

/**
 * Lays the windows of output rows `firstRow` to `endRow` of `channels` planes out as a matrix with a row for each
 * (channel, ky, kx) and a column for each place (y, x). Rows of the matrix are `rowStride` apart.
 */
export function imageToColumns(
  x: TypedArray,
  xStart: number,
  channels: number,
  g: WindowGeometry,
  firstRow: number,
  endRow: number,
  columns: TypedArray,
  columnsStart: number,
  rowStride: number,
): void {
  let target = columnsStart;
  for (let channel = 0; channel < channels; channel += 1) {
    const plane = xStart + channel * g.inHeight * g.inWidth;
    for (let ky = 0; ky < g.kernelHeight; ky += 1) {
      for (let kx = 0; kx < g.kernelWidth; kx += 1) {
        const first = firstInside(kx, g.strideWidth, g.padLeft, g.dilationWidth, g.outWidth);
        const end = endInside(kx, g.strideWidth, g.padLeft, g.dilationWidth, g.outWidth, g.inWidth);
        let t = target;
        for (let y = firstRow; y < endRow; y += 1) {
          const inY = y * g.strideHeight + ky * g.dilationHeight - g.padTop;
          if (inY < 0 || inY >= g.inHeight || first >= end) {
            columns.fill(0, t, t + g.outWidth);
          } else {
            let p = plane + inY * g.inWidth + first * g.strideWidth + kx * g.dilationWidth - g.padLeft;
            for (let i = 0; i < first; i += 1) columns[t + i] = 0;
            for (let i = first; i < end; i += 1, p += g.strideWidth) columns[t + i] = x[p] as number;
            for (let i = end; i < g.outWidth; i += 1) columns[t + i] = 0;
          }
          t += g.outWidth;
        }
        target += rowStride;
      }
    }
  }
}

/** The transpose of `imageToColumns`: adds each column's elements to the places of `planes` that they were taken from. */
export function addColumnsToImage(
  columns: TypedArray,
  columnsStart: number,
  rowStride: number,
  channels: number,
  g: WindowGeometry,
  firstRow: number,
  endRow: number,
  planes: Float64Array,
  planesStart: number,
): void {
  let source = columnsStart;
  for (let channel = 0; channel < channels; channel += 1) {
    const plane = planesStart + channel * g.inHeight * g.inWidth;
    for (let ky = 0; ky < g.kernelHeight; ky += 1) {
      for (let kx = 0; kx < g.kernelWidth; kx += 1) {
        const first = firstInside(kx, g.strideWidth, g.padLeft, g.dilationWidth, g.outWidth);
        const end = endInside(kx, g.strideWidth, g.padLeft, g.dilationWidth, g.outWidth, g.inWidth);
        for (let y = firstRow; y < endRow; y += 1) {
          const inY = y * g.strideHeight + ky * g.dilationHeight - g.padTop;
          if (inY < 0 || inY >= g.inHeight) continue;
          const s = source + (y - firstRow) * g.outWidth;
          let t = plane + inY * g.inWidth + first * g.strideWidth + kx * g.dilationWidth - g.padLeft;
          for (let i = first; i < end; i += 1, t += g.strideWidth) {
            planes[t] = (planes[t] as number) + (columns[s + i] as number);
          }
        }
        source += rowStride;
      }
    }
  }
}

const planeSums = new Scratch();

export function windowKernels(arrayOf: ArrayOf): Pick<KernelSet, "unfold" | "fold"> {
  return {
    unfold(x, columns, g) {
      const source = arrayOf(x);
      const target = arrayOf(columns);
      const imageSize = g.channels * g.inHeight * g.inWidth;
      const places = g.outHeight * g.outWidth;
      const columnsSize = g.channels * g.kernelHeight * g.kernelWidth * places;
      for (let n = 0; n < g.batch; n += 1) {
        const start = x.offset + n * imageSize;
        imageToColumns(source, start, g.channels, g, 0, g.outHeight, target, columns.offset + n * columnsSize, places);
      }
    },

    fold(columns, out, g) {
      const source = arrayOf(columns);
      const target = arrayOf(out);
      const imageSize = g.channels * g.inHeight * g.inWidth;
      const places = g.outHeight * g.outWidth;
      const columnsSize = g.channels * g.kernelHeight * g.kernelWidth * places;
      const sums = planeSums.take(imageSize);
      for (let n = 0; n < g.batch; n += 1) {
        sums.fill(0, 0, imageSize);
        addColumnsToImage(source, columns.offset + n * columnsSize, places, g.channels, g, 0, g.outHeight, sums, 0);
        const start = out.offset + n * imageSize;
        for (let i = 0; i < imageSize; i += 1) target[start + i] = sums[i] as number;
      }
    },
  };
}
