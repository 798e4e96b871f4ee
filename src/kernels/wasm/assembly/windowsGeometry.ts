/** The window geometry of a job, from argument 16 on (written by `writeGeometry`), and which taps and places lie inside the input. */
import { argument } from "./environment";
import { GEOMETRY } from "./kernelIds";

@inline
export function channels(): i32 {
  return argument(GEOMETRY + 1);
}

@inline
export function inHeight(): i32 {
  return argument(GEOMETRY + 2);
}

@inline
export function inWidth(): i32 {
  return argument(GEOMETRY + 3);
}

@inline
export function outHeight(): i32 {
  return argument(GEOMETRY + 4);
}

@inline
export function outWidth(): i32 {
  return argument(GEOMETRY + 5);
}

@inline
export function kernelHeight(): i32 {
  return argument(GEOMETRY + 6);
}

@inline
export function kernelWidth(): i32 {
  return argument(GEOMETRY + 7);
}

@inline
export function strideHeight(): i32 {
  return argument(GEOMETRY + 8);
}

@inline
export function strideWidth(): i32 {
  return argument(GEOMETRY + 9);
}

@inline
export function padTop(): i32 {
  return argument(GEOMETRY + 10);
}

@inline
export function padLeft(): i32 {
  return argument(GEOMETRY + 11);
}

@inline
export function dilationHeight(): i32 {
  return argument(GEOMETRY + 12);
}

@inline
export function dilationWidth(): i32 {
  return argument(GEOMETRY + 13);
}

/** First tap of a window starting at `start` that lies inside the input. */
@inline
export function firstTap(start: i32, dilation: i32): i32 {
  return start < 0 ? (dilation - 1 - start) / dilation : 0;
}

/** One past the last tap, of `taps`, that lies before `extent`. */
@inline
export function endTap(start: i32, dilation: i32, taps: i32, extent: i32): i32 {
  if (start + (taps - 1) * dilation < extent) return taps;
  return max(0, (extent - start + dilation - 1) / dilation);
}

/** First output place for which the tap that lies `reach` behind the window's start is not before the input. */
@inline
export function firstInside(reach: i32, stride: i32, pad: i32, outExtent: i32): i32 {
  return pad <= reach ? 0 : min(outExtent, (pad - reach + stride - 1) / stride);
}

/** One past the last output place for which the tap that lies `reach` behind the window's start is not past the input. */
@inline
export function endInside(reach: i32, stride: i32, pad: i32, outExtent: i32, inExtent: i32): i32 {
  const last = inExtent - 1 + pad - reach;
  return last < 0 ? 0 : min(outExtent, last / stride + 1);
}
