/** What convolutions and pools tell TensorFlow.js about their windows. */
import type { WindowGeometry } from "../kernelSet.js";

/** Padding before and after, vertical and horizontal; below zero after where windows leave a rest over. */
export function padding(g: WindowGeometry): readonly [readonly [number, number], readonly [number, number]] {
  const after = (out: number, stride: number, taps: number, extent: number, before: number): number =>
    (out - 1) * stride + taps - extent - before;
  return [
    [g.padTop, after(g.outHeight, g.strideHeight, g.kernelHeight, g.inHeight, g.padTop)],
    [g.padLeft, after(g.outWidth, g.strideWidth, g.kernelWidth, g.inWidth, g.padLeft)],
  ];
}

/**
 * Whether TensorFlow.js finds the windows that hold a place: it divides by the stride in float32 and asks for a whole number,
 * and a GPU's division is exact to the bit by powers of two only.
 */
export function isExactStride({ strideHeight, strideWidth }: WindowGeometry): boolean {
  return [strideHeight, strideWidth].every((stride) => (stride & (stride - 1)) === 0);
}
