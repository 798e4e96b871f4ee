/** im2col and col2im. */
import { pointer } from "./environment";
import {
  dilationHeight, dilationWidth, endInside, firstInside, inHeight, inWidth, kernelHeight, kernelWidth, outHeight, outWidth,
  padLeft, padTop, strideHeight, strideWidth,
} from "./windowsGeometry";
import { strided4 } from "./pool";

/** Arguments: 0 x, 1 columns, and the geometry. Unit: a row of the columns, which is one tap of one plane. */
export function unfold(begin: i32, end: i32): void {
  const kernel = kernelHeight() * kernelWidth();
  const width = outWidth();
  const stride = strideWidth();
  for (let unit = begin; unit < end; unit++) {
    const plane = unit / kernel;
    const tap = unit - plane * kernel;
    const ky = tap / kernelWidth();
    const reach = (tap - ky * kernelWidth()) * dilationWidth();
    const first = firstInside(reach, stride, padLeft(), width);
    const last = endInside(reach, stride, padLeft(), width, inWidth());
    const x = pointer(0) + ((<usize>plane * (inHeight() * inWidth())) << 2);
    let out = pointer(1) + ((<usize>unit * (outHeight() * width)) << 2);
    for (let y = 0; y < outHeight(); y++, out += <usize>width << 2) {
      const inY = y * strideHeight() + ky * dilationHeight() - padTop();
      if (inY < 0 || inY >= inHeight() || first >= last) {
        memory.fill(out, 0, <usize>width << 2);
        continue;
      }
      const from = x + (<usize>(inY * inWidth() + first * stride + reach - padLeft()) << 2);
      for (let i = 0; i < first; i++) store<f32>(out + (<usize>i << 2), 0);
      const to = out + (<usize>first << 2);
      if (stride == 1) copyRow(1, to, from, last - first);
      else if (stride == 2) copyRow(2, to, from, last - first);
      else copyRow(stride, to, from, last - first);
      for (let i = last; i < width; i++) store<f32>(out + (<usize>i << 2), 0);
    }
  }
}

/** Every `stride`-th of the floats at `from`. */
@inline
function copyRow(stride: i32, to: usize, from: usize, n: i32): void {
  if (n >= 4) {
    for (let i = 0; i < n; i += 4) {
      const at = <usize>min(i, n - 4);
      v128.store(to + (at << 2), strided4(from + ((at * stride) << 2), stride));
    }
  } else {
    for (let i = 0; i < n; i++) store<f32>(to + (<usize>i << 2), load<f32>(from + (<usize>(i * stride) << 2)));
  }
}

/** Arguments: 0 columns, 1 out, and the geometry. Unit: a plane. */
export function fold(begin: i32, end: i32): void {
  const inSize = inHeight() * inWidth();
  const outSize = outHeight() * outWidth();
  const width = outWidth();
  const stride = strideWidth();
  const kernel = kernelHeight() * kernelWidth();
  for (let plane = begin; plane < end; plane++) {
    const out = pointer(1) + ((<usize>plane * inSize) << 2);
    memory.fill(out, 0, <usize>inSize << 2);
    let columns = pointer(0) + ((<usize>plane * (kernel * outSize)) << 2);
    for (let ky = 0; ky < kernelHeight(); ky++) {
      for (let kx = 0; kx < kernelWidth(); kx++, columns += <usize>outSize << 2) {
        const reach = kx * dilationWidth();
        const first = firstInside(reach, stride, padLeft(), width);
        const last = endInside(reach, stride, padLeft(), width, inWidth());
        if (first >= last) continue;
        for (let y = 0; y < outHeight(); y++) {
          const inY = y * strideHeight() + ky * dilationHeight() - padTop();
          if (inY < 0 || inY >= inHeight()) continue;
          const from = columns + (<usize>(y * width + first) << 2);
          const to = out + (<usize>(inY * inWidth() + first * stride + reach - padLeft()) << 2);
          addRow(to, stride, from, last - first);
        }
      }
    }
  }
}

/** Adds to every `stride`-th of the floats at `to`. */
@inline
function addRow(to: usize, stride: i32, from: usize, n: i32): void {
  let i = 0;
  if (stride == 1) {
    for (; i + 4 <= n; i += 4) {
      const at = <usize>i << 2;
      v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(from + at)));
    }
  }
  for (; i < n; i++) {
    const at = to + (<usize>(i * stride) << 2);
    store<f32>(at, load<f32>(at) + load<f32>(from + (<usize>i << 2)));
  }
}
