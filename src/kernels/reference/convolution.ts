/** Convolution as im2col and matrix products, and its two gradients. */
import type { ConvGeometry, Dense, KernelSet, TypedArray } from "../kernelSet.js";
import { type ArrayOf, closeGate, dropNegatives } from "./arrays.js";
import { type Matrix, multiply } from "./gemm.js";
import { Scratch } from "./scratch.js";
import { addColumnsToImage, imageToColumns } from "./windows.js";

/** Elements that the columns of one image may take up (8 MiB); larger images are done a few output rows at a time. */
const columnsLength = 2 ** 20;

const columnsScratch = new Scratch();
const imageScratch = new Scratch();
const weightScratch = new Scratch();

/** Sizes that all three kernels need, for one group of one image. */
interface GroupSizes {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly inSize: number;
  readonly outSize: number;
  /** Rows of the matrix of columns: taps of one filter. */
  readonly taps: number;
  readonly places: number;
  /** Output rows whose columns fit into the scratch memory. */
  readonly rowsAtOnce: number;
}

function groupSizes(g: ConvGeometry): GroupSizes {
  const inChannels = g.channels / g.groups;
  const outChannels = g.outChannels / g.groups;
  const taps = inChannels * g.kernelHeight * g.kernelWidth;
  const places = g.outHeight * g.outWidth;
  return {
    inChannels,
    outChannels,
    inSize: inChannels * g.inHeight * g.inWidth,
    outSize: outChannels * places,
    taps,
    places,
    rowsAtOnce: Math.max(1, Math.floor(columnsLength / Math.max(1, taps * g.outWidth))),
  };
}

function matrix(array: TypedArray, offset: number, rowStride: number, columnStride: number): Matrix {
  return { array, offset, rowStride, columnStride };
}

export function convolutionKernels(
  arrayOf: ArrayOf,
): Pick<KernelSet, "conv2d" | "conv2dInputGrad" | "conv2dWeightGrad"> {
  return {
    conv2d(x, weight, bias, out, g, relu = false) {
      const source = arrayOf(x);
      const filters = arrayOf(weight);
      const added = bias === null ? null : arrayOf(bias);
      const target = arrayOf(out);
      const { outChannels, inChannels, inSize, outSize, taps, places, rowsAtOnce } = groupSizes(g);
      const columns = columnsScratch.take(taps * Math.min(rowsAtOnce, g.outHeight) * g.outWidth);
      for (let n = 0; n < g.batch; n += 1) {
        for (let group = 0; group < g.groups; group += 1) {
          const image = n * g.groups + group;
          for (let y = 0; y < g.outHeight; y += rowsAtOnce) {
            const endY = Math.min(g.outHeight, y + rowsAtOnce);
            const width = (endY - y) * g.outWidth;
            imageToColumns(source, x.offset + image * inSize, inChannels, g, y, endY, columns, 0, width);
            multiply(
              outChannels,
              width,
              taps,
              matrix(filters, weight.offset + group * outChannels * taps, taps, 1),
              matrix(columns, 0, width, 1),
              added && matrix(added, (bias?.offset ?? 0) + group * outChannels, 1, 0),
              matrix(target, out.offset + image * outSize + y * g.outWidth, places, 1),
            );
          }
        }
      }
      if (relu) dropNegatives(target, out.offset, g.batch * g.outChannels * places);
    },

    conv2dInputGrad(outGrad, weight, bias, xGrad, g, gate = null) {
      const gradient = arrayOf(outGrad);
      const filters = arrayOf(weight);
      const target = arrayOf(xGrad);
      const { outChannels, inChannels, inSize, outSize, taps, places, rowsAtOnce } = groupSizes(g);
      const columns = columnsScratch.take(taps * Math.min(rowsAtOnce, g.outHeight) * g.outWidth);
      const sums = imageScratch.take(inSize);
      for (let n = 0; n < g.batch; n += 1) {
        for (let group = 0; group < g.groups; group += 1) {
          const image = n * g.groups + group;
          fillPlanes(sums, bias, arrayOf, group * inChannels, inChannels, g.inHeight * g.inWidth);
          for (let y = 0; y < g.outHeight; y += rowsAtOnce) {
            const endY = Math.min(g.outHeight, y + rowsAtOnce);
            const width = (endY - y) * g.outWidth;
            multiply(
              taps,
              width,
              outChannels,
              matrix(filters, weight.offset + group * outChannels * taps, 1, taps),
              matrix(gradient, outGrad.offset + image * outSize + y * g.outWidth, places, 1),
              null,
              matrix(columns, 0, width, 1),
            );
            addColumnsToImage(columns, 0, width, inChannels, g, y, endY, sums, 0);
          }
          const start = xGrad.offset + image * inSize;
          for (let i = 0; i < inSize; i += 1) target[start + i] = sums[i] as number;
        }
      }
      if (gate !== null) closeGate(target, xGrad, arrayOf(gate), gate.offset);
    },

    conv2dWeightGrad(outGrad, x, weightGrad, g, biasGrad = null) {
      const gradient = arrayOf(outGrad);
      const source = arrayOf(x);
      const target = arrayOf(weightGrad);
      const { outChannels, inChannels, inSize, outSize, taps, places, rowsAtOnce } = groupSizes(g);
      const columns = columnsScratch.take(taps * Math.min(rowsAtOnce, g.outHeight) * g.outWidth);
      const weightSize = g.outChannels * taps;
      const sums = weightScratch.take(weightSize);
      sums.fill(0, 0, weightSize);
      for (let n = 0; n < g.batch; n += 1) {
        for (let group = 0; group < g.groups; group += 1) {
          const image = n * g.groups + group;
          const sum = matrix(sums, group * outChannels * taps, taps, 1);
          for (let y = 0; y < g.outHeight; y += rowsAtOnce) {
            const endY = Math.min(g.outHeight, y + rowsAtOnce);
            const width = (endY - y) * g.outWidth;
            imageToColumns(source, x.offset + image * inSize, inChannels, g, y, endY, columns, 0, width);
            multiply(
              outChannels,
              taps,
              width,
              matrix(gradient, outGrad.offset + image * outSize + y * g.outWidth, places, 1),
              matrix(columns, 0, 1, width),
              sum,
              sum,
            );
          }
        }
      }
      for (let i = 0; i < weightSize; i += 1) target[weightGrad.offset + i] = sums[i] as number;
      if (biasGrad !== null) sumPlanes(gradient, outGrad.offset, g, arrayOf(biasGrad), biasGrad.offset);
    },
  };
}

/** Fills each plane with its channel's bias, or with zeros. */
function fillPlanes(
  planes: Float64Array,
  bias: Dense | null,
  arrayOf: ArrayOf,
  firstChannel: number,
  channels: number,
  planeSize: number,
): void {
  const added = bias === null ? null : arrayOf(bias);
  for (let channel = 0; channel < channels; channel += 1) {
    const value = added === null ? 0 : (added[(bias?.offset ?? 0) + firstChannel + channel] as number);
    planes.fill(value, channel * planeSize, (channel + 1) * planeSize);
  }
}

/** The sum of all planes of each output channel. */
function sumPlanes(from: TypedArray, offset: number, g: ConvGeometry, to: TypedArray, toOffset: number): void {
  const places = g.outHeight * g.outWidth;
  for (let channel = 0; channel < g.outChannels; channel += 1) {
    let sum = 0;
    for (let n = 0; n < g.batch; n += 1) {
      const start = offset + (n * g.outChannels + channel) * places;
      for (let i = start; i < start + places; i += 1) sum += from[i] as number;
    }
    to[toOffset + channel] = sum;
  }
}
