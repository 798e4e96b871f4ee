/** Pooling kernels. */
import type { AvgPoolGeometry, KernelSet, TypedArray, WindowGeometry } from "../kernelSet.js";
import type { ArrayOf } from "./arrays.js";

/** First tap of a window starting at `start` that lies inside the input. */
function firstTap(start: number, dilation: number): number {
  return start < 0 ? Math.ceil(-start / dilation) : 0;
}

/** One past the last tap, of `taps`, that lies before `extent`. */
function endTap(start: number, dilation: number, taps: number, extent: number): number {
  if (start + (taps - 1) * dilation < extent) return taps; // most windows: spare them the division
  return Math.max(0, Math.ceil((extent - start) / dilation));
}

export function poolKernels(
  arrayOf: ArrayOf,
): Pick<KernelSet, "maxPool2d" | "maxPool2dGrad" | "avgPool2d" | "avgPool2dGrad"> {
  return {
    maxPool2d(x, out, indices, g) {
      const source = arrayOf(x);
      const maxima = arrayOf(out);
      const places = arrayOf(indices);
      const inSize = g.inHeight * g.inWidth;
      const outSize = g.outHeight * g.outWidth;
      for (let plane = 0; plane < g.batch * g.channels; plane += 1) {
        const start = plane * outSize;
        maxPoolPlane(source, x.offset + plane * inSize, maxima, out.offset + start, places, indices.offset + start, g);
      }
    },

    maxPool2dGrad(outGrad, indices, xGrad, g, gate = null) {
      const gradient = arrayOf(outGrad);
      const places = arrayOf(indices);
      const target = arrayOf(xGrad);
      const gates = gate === null ? null : arrayOf(gate);
      const inSize = g.inHeight * g.inWidth;
      const outSize = g.outHeight * g.outWidth;
      const planes = g.batch * g.channels;
      target.fill(0, xGrad.offset, xGrad.offset + planes * inSize);
      for (let plane = 0; plane < planes; plane += 1) {
        const first = xGrad.offset + plane * inSize;
        const p = outGrad.offset + plane * outSize;
        const q = indices.offset + plane * outSize;
        const r = (gate?.offset ?? 0) + plane * outSize;
        for (let i = 0; i < outSize; i += 1) {
          if (gates !== null && (gates[r + i] as number) <= 0) continue;
          const place = first + (places[q + i] as number);
          target[place] = (target[place] as number) + (gradient[p + i] as number);
        }
      }
    },

    avgPool2d(x, out, g) {
      const source = arrayOf(x);
      const target = arrayOf(out);
      let t = out.offset;
      for (let plane = 0; plane < g.batch * g.channels; plane += 1) {
        const first = x.offset + plane * g.inHeight * g.inWidth;
        for (let y = 0; y < g.outHeight; y += 1) {
          const top = y * g.strideHeight - g.padTop;
          const kyFirst = firstTap(top, g.dilationHeight);
          const kyEnd = endTap(top, g.dilationHeight, g.kernelHeight, g.inHeight);
          for (let xx = 0; xx < g.outWidth; xx += 1) {
            const left = xx * g.strideWidth - g.padLeft;
            const kxFirst = firstTap(left, g.dilationWidth);
            const kxEnd = endTap(left, g.dilationWidth, g.kernelWidth, g.inWidth);
            let sum = 0;
            for (let ky = kyFirst; ky < kyEnd; ky += 1) {
              let p = first + (top + ky * g.dilationHeight) * g.inWidth + left + kxFirst * g.dilationWidth;
              for (let kx = kxFirst; kx < kxEnd; kx += 1, p += g.dilationWidth) sum += source[p] as number;
            }
            target[t] = sum / divisor(g, top, left);
            t += 1;
          }
        }
      }
    },

    avgPool2dGrad(outGrad, xGrad, g) {
      const gradient = arrayOf(outGrad);
      const target = arrayOf(xGrad);
      const inSize = g.inHeight * g.inWidth;
      target.fill(0, xGrad.offset, xGrad.offset + g.batch * g.channels * inSize);
      let q = outGrad.offset;
      for (let plane = 0; plane < g.batch * g.channels; plane += 1) {
        const first = xGrad.offset + plane * inSize;
        for (let y = 0; y < g.outHeight; y += 1) {
          const top = y * g.strideHeight - g.padTop;
          const kyFirst = firstTap(top, g.dilationHeight);
          const kyEnd = endTap(top, g.dilationHeight, g.kernelHeight, g.inHeight);
          for (let xx = 0; xx < g.outWidth; xx += 1) {
            const left = xx * g.strideWidth - g.padLeft;
            const kxFirst = firstTap(left, g.dilationWidth);
            const kxEnd = endTap(left, g.dilationWidth, g.kernelWidth, g.inWidth);
            const share = (gradient[q] as number) / divisor(g, top, left);
            q += 1;
            for (let ky = kyFirst; ky < kyEnd; ky += 1) {
              let p = first + (top + ky * g.dilationHeight) * g.inWidth + left + kxFirst * g.dilationWidth;
              for (let kx = kxFirst; kx < kxEnd; kx += 1, p += g.dilationWidth) {
                target[p] = (target[p] as number) + share;
              }
            }
          }
        }
      }
    },
  };
}

function maxPoolPlane(
  x: TypedArray,
  xStart: number,
  maxima: TypedArray,
  maximaStart: number,
  indices: TypedArray,
  indicesStart: number,
  g: WindowGeometry,
): void {
  let t = 0;
  for (let y = 0; y < g.outHeight; y += 1) {
    const top = y * g.strideHeight - g.padTop;
    const kyFirst = firstTap(top, g.dilationHeight);
    const kyEnd = endTap(top, g.dilationHeight, g.kernelHeight, g.inHeight);
    for (let xx = 0; xx < g.outWidth; xx += 1) {
      const left = xx * g.strideWidth - g.padLeft;
      const kxFirst = firstTap(left, g.dilationWidth);
      const kxEnd = endTap(left, g.dilationWidth, g.kernelWidth, g.inWidth);
      let place = (top + kyFirst * g.dilationHeight) * g.inWidth + left + kxFirst * g.dilationWidth;
      let best = x[xStart + place] as number;
      for (let ky = kyFirst; ky < kyEnd; ky += 1) {
        let p = (top + ky * g.dilationHeight) * g.inWidth + left + kxFirst * g.dilationWidth;
        for (let kx = kxFirst; kx < kxEnd; kx += 1, p += g.dilationWidth) {
          const value = x[xStart + p] as number;
          // A NaN wins over every number, and over the NaNs before it.
          if (value > best || Number.isNaN(value)) {
            best = value;
            place = p;
          }
        }
      }
      maxima[maximaStart + t] = best;
      indices[indicesStart + t] = place;
      t += 1;
    }
  }
}

/** What the sum of the window at (top, left) is divided by; 1 for a window that holds nothing, whose average is 0. */
function divisor(g: AvgPoolGeometry, top: number, left: number): number {
  if (g.divisorOverride !== null) return g.divisorOverride;
  const padded = g.countIncludePad ? 1 : 0;
  const kyFirst = padded ? 0 : firstTap(top, g.dilationHeight);
  const kxFirst = padded ? 0 : firstTap(left, g.dilationWidth);
  const kyEnd = endTap(top, g.dilationHeight, g.kernelHeight, g.inHeight + padded * g.padBottom);
  const kxEnd = endTap(left, g.dilationWidth, g.kernelWidth, g.inWidth + padded * g.padRight);
  return Math.max(0, kyEnd - kyFirst) * Math.max(0, kxEnd - kxFirst) || 1;
}
