/** Window geometry among the uniforms of a kernel. */
import {
  type AvgPoolGeometry,
  CONV_FIELDS,
  type ConvGeometry,
  WINDOW_FIELDS,
  type WindowGeometry,
} from "../geometry.js";

function integers(names: readonly string[]): Record<string, "i32"> {
  return Object.fromEntries(names.map((name) => [name, "i32" as const]));
}

export const windowUniforms = integers(WINDOW_FIELDS);
export const convUniforms = integers(CONV_FIELDS);

export function windowNumbers(g: WindowGeometry): number[] {
  return WINDOW_FIELDS.map((name) => g[name]);
}

export function convNumbers(g: ConvGeometry): number[] {
  return CONV_FIELDS.map((name) => g[name]);
}

/** Whether 0 ≤ value < extent. What lies outside is padding. */
export const insideText = `
fn inside(value: i32, extent: i32) -> bool { return u32(value) < u32(extent); }`;

/** Of average pooling, the window's divisor: the function `divisorOf(oy, ox)` goes with these. */
export const divisorUniforms = integers(["padBottom", "padRight", "countPadding", "divisor"]);

export function divisorNumbers(g: AvgPoolGeometry): number[] {
  return [g.padBottom, g.padRight, g.countIncludePad ? 1 : 0, commonDivisor(g) ?? 0];
}

/** The divisor of all windows; null where they differ. */
export function commonDivisor(g: AvgPoolGeometry): number | null {
  if (g.divisorOverride !== null) return g.divisorOverride;
  const counts = (pad: number): number => (g.countIncludePad ? pad : 0);
  const bottom = (g.outHeight - 1) * g.strideHeight - g.padTop + (g.kernelHeight - 1) * g.dilationHeight;
  const right = (g.outWidth - 1) * g.strideWidth - g.padLeft + (g.kernelWidth - 1) * g.dilationWidth;
  const isWhole =
    counts(g.padTop) === g.padTop &&
    counts(g.padLeft) === g.padLeft &&
    bottom < g.inHeight + counts(g.padBottom) &&
    right < g.inWidth + counts(g.padRight);
  return isWhole ? g.kernelHeight * g.kernelWidth : null;
}

export const commonDivisorText = `
fn divisorOf(oy: i32, ox: i32) -> f32 { return f32(u.divisor); }`;

export const divisorText = `
fn taps(start: i32, dilation: i32, count: i32, low: i32, high: i32) -> i32 {
  // Taps k of 0 … count − 1 with low ≤ start + k·dilation < high.
  let first = max(0, (low - start + dilation - 1) / dilation);
  let end = min(count, (high - start + dilation - 1) / dilation);
  return max(0, end - select(0, first, low > start));
}
fn divisorOf(oy: i32, ox: i32) -> f32 {
  let y = oy * u.strideHeight - u.padTop;
  let x = ox * u.strideWidth - u.padLeft;
  let pad = u.countPadding;
  let rows = taps(y, u.dilationHeight, u.kernelHeight, -u.padTop * pad, u.inHeight + u.padBottom * pad);
  let columns = taps(x, u.dilationWidth, u.kernelWidth, -u.padLeft * pad, u.inWidth + u.padRight * pad);
  // A window that holds nothing has the average 0.
  return f32(max(rows * columns, 1));
}
`;

/** How windows lie: their taps apart, or the windows themselves, so that a place is seen through one at most. */
export type WindowKind = "dilated" | "overlapping" | "apart";

export function kindOf(g: WindowGeometry): WindowKind {
  if (isDilated(g)) return "dilated";
  return g.strideHeight >= g.kernelHeight && g.strideWidth >= g.kernelWidth ? "apart" : "overlapping";
}

/** Whether taps lie apart, so that some places between them see nothing. */
export function isDilated(g: WindowGeometry): boolean {
  return g.dilationHeight !== 1 || g.dilationWidth !== 1;
}

/** Text that runs `body` for each place (y, x) of the input that the output's (oy, ox) sees. */
export function forEachInput(dilated: boolean, body: string): string {
  const first = (start: string, dilation: string): string =>
    dilated ? `${start} + (max(-${start}, 0) + ${dilation} - 1) / ${dilation} * ${dilation}` : `max(${start}, 0)`;
  const next = (place: string, dilation: string): string => (dilated ? `${place} += ${dilation}` : `${place}++`);
  return `
  let top = oy * u.strideHeight - u.padTop;
  let left = ox * u.strideWidth - u.padLeft;
  let bottom = min(top + u.kernelHeight * u.dilationHeight, u.inHeight);
  let right = min(left + u.kernelWidth * u.dilationWidth, u.inWidth);
  let firstX = ${first("left", "u.dilationWidth")};
  for (var y = ${first("top", "u.dilationHeight")}; y < bottom; ${next("y", "u.dilationHeight")}) {
    for (var x = firstX; x < right; ${next("x", "u.dilationWidth")}) {
      ${body}
    }
  }`;
}

/**
 * Text that runs `body` for each place (oy, ox) of the output that sees the input's (y, x), with the tap (ky, kx) through
 * which it does. It goes by places and not by taps: of a large window that moves in large steps there are few.
 */
export function forEachWindow(kind: WindowKind, body: string): string {
  if (kind === "apart") {
    return `
  let oy = (y + u.padTop) / u.strideHeight;
  let ox = (x + u.padLeft) / u.strideWidth;
  let ky = y + u.padTop - oy * u.strideHeight;
  let kx = x + u.padLeft - ox * u.strideWidth;
  if ((oy < u.outHeight) & (ox < u.outWidth) & (ky < u.kernelHeight) & (kx < u.kernelWidth)) {
    ${body}
  }`;
  }
  const dilated = kind === "dilated";
  const tap = (from: string, dilation: string): string =>
    dilated ? `if (${from} % ${dilation} != 0) { continue; }` : "";
  const over = (from: string, dilation: string): string => (dilated ? `${from} / ${dilation}` : from);
  return `
  let down = y + u.padTop;
  let across = x + u.padLeft;
  let lastX = min(across / u.strideWidth, u.outWidth - 1);
  for (var oy = min(down / u.strideHeight, u.outHeight - 1); oy >= 0; oy--) {
    let fromTop = down - oy * u.strideHeight;
    if (fromTop >= u.kernelHeight * u.dilationHeight) { break; }
    ${tap("fromTop", "u.dilationHeight")}
    let ky = ${over("fromTop", "u.dilationHeight")};
    for (var ox = lastX; ox >= 0; ox--) {
      let fromLeft = across - ox * u.strideWidth;
      if (fromLeft >= u.kernelWidth * u.dilationWidth) { break; }
      ${tap("fromLeft", "u.dilationWidth")}
      let kx = ${over("fromLeft", "u.dilationWidth")};
      ${body}
    }
  }`;
}

/** Text that takes the flat index of an output element apart: `ox`, `oy` and `plane` (batch · channels + channel). */
export const outPlace = takeApart("ox", "u.outWidth", "oy", "u.outHeight");

/** The same of an input element: `x`, `y` and `plane`. */
export const inPlace = takeApart("x", "u.inWidth", "y", "u.inHeight");

/** Divides twice alone: whole divisions are what costs most in small kernels. */
function takeApart(x: string, width: string, y: string, height: string): string {
  return `
  let flatRow = i32(index) / ${width};
  let ${x} = i32(index) - flatRow * ${width};
  let plane = flatRow / ${height};
  let ${y} = flatRow - plane * ${height};`;
}
