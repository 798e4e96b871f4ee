/** Window geometry among the uniforms of a kernel. */
import type { AvgPoolGeometry, ConvGeometry, WindowGeometry } from "../kernelSet.js";

const windowFields = [
  "batch",
  "channels",
  "inHeight",
  "inWidth",
  "outHeight",
  "outWidth",
  "kernelHeight",
  "kernelWidth",
  "strideHeight",
  "strideWidth",
  "padTop",
  "padLeft",
  "dilationHeight",
  "dilationWidth",
] as const satisfies readonly (keyof WindowGeometry)[];

const convFields = ["outChannels", "groups"] as const satisfies readonly (keyof ConvGeometry)[];

function integers(names: readonly string[]): Record<string, "i32"> {
  return Object.fromEntries(names.map((name) => [name, "i32" as const]));
}

export const windowUniforms = integers(windowFields);
export const convUniforms = integers([...windowFields, ...convFields]);

export function windowNumbers(g: WindowGeometry): number[] {
  return windowFields.map((name) => g[name]);
}

export function convNumbers(g: ConvGeometry): number[] {
  return [...windowNumbers(g), ...convFields.map((name) => g[name])];
}

/** Of average pooling, the window's divisor: the function `divisorOf(oy, ox)` goes with these. */
export const divisorUniforms = integers(["padBottom", "padRight", "countPadding", "divisor"]);

export function divisorNumbers(g: AvgPoolGeometry): number[] {
  return [g.padBottom, g.padRight, g.countIncludePad ? 1 : 0, g.divisorOverride ?? 0];
}

export const divisorText = `
fn taps(start: i32, dilation: i32, count: i32, low: i32, high: i32) -> i32 {
  // Taps k of 0 … count − 1 with low ≤ start + k·dilation < high.
  let first = max(0, (low - start + dilation - 1) / dilation);
  let end = min(count, (high - start + dilation - 1) / dilation);
  return max(0, end - select(0, first, low > start));
}
fn divisorOf(oy: i32, ox: i32) -> f32 {
  if (u.divisor != 0) { return f32(u.divisor); }
  let y = oy * u.strideHeight - u.padTop;
  let x = ox * u.strideWidth - u.padLeft;
  let pad = u.countPadding;
  let rows = taps(y, u.dilationHeight, u.kernelHeight, -u.padTop * pad, u.inHeight + u.padBottom * pad);
  let columns = taps(x, u.dilationWidth, u.kernelWidth, -u.padLeft * pad, u.inWidth + u.padRight * pad);
  return f32(rows * columns);
}
`;

/**
 * Text that runs `body` for each tap (ky, kx) through which the input element (y, x) is seen, with the output's
 * place (oy, ox).
 */
export function forEachTap(body: string): string {
  return `
  for (var ky = 0; ky < u.kernelHeight; ky++) {
    let up = y + u.padTop - ky * u.dilationHeight;
    let oy = up / u.strideHeight;
    if (up < 0 || up % u.strideHeight != 0 || oy >= u.outHeight) { continue; }
    for (var kx = 0; kx < u.kernelWidth; kx++) {
      let left = x + u.padLeft - kx * u.dilationWidth;
      let ox = left / u.strideWidth;
      if (left < 0 || left % u.strideWidth != 0 || ox >= u.outWidth) { continue; }
      ${body}
    }
  }`;
}

/** Text that runs `body` for each tap (ky, kx) of the output's (oy, ox), with the input's place (y, x), inside the input. */
export function forEachInput(body: string): string {
  return `
  for (var ky = 0; ky < u.kernelHeight; ky++) {
    let y = oy * u.strideHeight - u.padTop + ky * u.dilationHeight;
    if (y < 0 || y >= u.inHeight) { continue; }
    for (var kx = 0; kx < u.kernelWidth; kx++) {
      let x = ox * u.strideWidth - u.padLeft + kx * u.dilationWidth;
      if (x < 0 || x >= u.inWidth) { continue; }
      ${body}
    }
  }`;
}

/** Text that takes the flat index of an output element apart: `ox`, `oy` and `plane` (batch · channels + channel). */
export const outPlace = `
  let ox = i32(index) % u.outWidth;
  let oy = i32(index) / u.outWidth % u.outHeight;
  let plane = i32(index) / u.outWidth / u.outHeight;`;

/** The same of an input element: `x`, `y` and `plane`. */
export const inPlace = `
  let x = i32(index) % u.inWidth;
  let y = i32(index) / u.inWidth % u.inHeight;
  let plane = i32(index) / u.inWidth / u.inHeight;`;
