/** Convolution and its gradients as matrix products whose columns are never stored: what finds their elements. */
import type { ProductText } from "./matmulTiles.js";
import { convUniforms } from "./windowGeometry.js";

/** What lies outside is padding. */
const insideText = `
fn inside(value: i32, extent: i32) -> bool { return value >= 0 && value < extent; }`;

/** The next tap, and the next plane after the last one: `plane` counts elements of an array, `step` those of a plane. */
function nextTap(height: string, width: string, step: string): string {
  return `
  var d = before;
  d.kx += 1;
  if (d.kx == ${width}) {
    d.kx = 0;
    d.ky += 1;
    if (d.ky == ${height}) { d.ky = 0; d.plane += ${step}; }
  }`;
}

/** out [filters, (image, place)] = weight [filters, (channel, tap)] · image, for each group. */
export function forwardText(hasBias: boolean): ProductText {
  return {
    name: `conv2d${hasBias ? ", bias" : ""}`,
    type: "f32",
    inputs: ["image", "weight", ...(hasBias ? ["bias"] : [])],
    uniforms: { imageStart: "i32", weightStart: "i32", biasStart: "i32", ...convUniforms },
    declarations: `${insideText}
struct Place { depth: u32, group: i32 }
struct Row { at: i32 }
struct Column { at: i32, y: i32, x: i32 }
struct Depth { k: i32, plane: i32, ky: i32, kx: i32 }
fn placeOf(batch: u32) -> Place {
  return Place(u32(u.channels / u.groups * u.kernelHeight * u.kernelWidth), i32(batch));
}
fn rowOf(p: Place, m: u32) -> Row {
  return Row(u.weightStart + (p.group * i32(u.rows) + i32(m)) * i32(p.depth));
}
fn columnOf(p: Place, n: u32) -> Column {
  let places = u.outHeight * u.outWidth;
  let place = i32(n) % places;
  let channel = i32(n) / places * u.channels + p.group * (u.channels / u.groups);
  return Column(
    u.imageStart + channel * u.inHeight * u.inWidth,
    place / u.outWidth * u.strideHeight - u.padTop,
    place % u.outWidth * u.strideWidth - u.padLeft,
  );
}
fn depthOf(p: Place, k: u32) -> Depth {
  let row = i32(k) / u.kernelWidth;
  return Depth(i32(k), row / u.kernelHeight * u.inHeight * u.inWidth, row % u.kernelHeight, i32(k) % u.kernelWidth);
}
fn next(p: Place, before: Depth) -> Depth {
  ${nextTap("u.kernelHeight", "u.kernelWidth", "u.inHeight * u.inWidth")}
  d.k += 1;
  return d;
}
fn loadA(p: Place, row: Row, d: Depth) -> f32 { return weight[row.at + d.k]; }
fn loadB(p: Place, column: Column, d: Depth) -> f32 {
  let y = column.y + d.ky * u.dilationHeight;
  let x = column.x + d.kx * u.dilationWidth;
  if (!inside(y, u.inHeight) || !inside(x, u.inWidth)) { return 0.0; }
  return image[column.at + d.plane + y * u.inWidth + x];
}
fn resultAt(p: Place, m: u32, n: u32) -> i32 {
  let places = u.outHeight * u.outWidth;
  let plane = i32(n) / places * u.outChannels + p.group * i32(u.rows) + i32(m);
  return u.resultStart + plane * places + i32(n) % places;
}
fn added(p: Place, m: u32, n: u32) -> f32 {
  return ${hasBias ? "bias[u.biasStart + p.group * i32(u.rows) + i32(m)]" : "0.0"};
}`,
  };
}

/**
 * xGrad [channels, (image, place)] = weightᵀ [channels, (filter, tap)] · outGrad, for each group and for each phase: the
 * places of one remainder of y and x by the strides. They are seen through the same taps, so that none are in vain.
 */
export function inputGradText(hasBias: boolean): ProductText {
  return {
    name: `conv2dInputGrad${hasBias ? ", bias" : ""}`,
    type: "f32",
    absent: true,
    inputs: ["grad", "weight", ...(hasBias ? ["bias"] : [])],
    uniforms: {
      gradStart: "i32",
      weightStart: "i32",
      biasStart: "i32",
      phaseHeight: "i32",
      phaseWidth: "i32",
      stepHeight: "i32",
      stepWidth: "i32",
      ...convUniforms,
    },
    declarations: `${insideText}
// Of one axis: the first tap through which the first place of a phase is seen, how many there are, and at which output.
struct Phase { tap: i32, count: i32, out: i32 }
struct Place { depth: u32, group: i32, y: i32, x: i32, ky: Phase, kx: Phase }
struct Row { at: i32 }
struct Column { at: i32, y: i32, x: i32 }
struct Depth { filterAt: i32, plane: i32, ky: i32, kx: i32 }
struct Seen { y: i32, x: i32 }
fn phaseOf(first: i32, stride: i32, dilation: i32, step: i32, taps: i32) -> Phase {
  for (var tap = 0; tap < min(step, taps); tap++) {
    let up = first - tap * dilation;
    if (up % stride == 0) { return Phase(tap, (taps - tap + step - 1) / step, up / stride); }
  }
  return Phase(0, 0, 0);
}
fn placeOf(batch: u32) -> Place {
  let phase = i32(batch) % (u.strideHeight * u.strideWidth);
  let y = phase / u.strideWidth;
  let x = phase % u.strideWidth;
  let ky = phaseOf(y + u.padTop, u.strideHeight, u.dilationHeight, u.stepHeight, u.kernelHeight);
  let kx = phaseOf(x + u.padLeft, u.strideWidth, u.dilationWidth, u.stepWidth, u.kernelWidth);
  let filters = u.outChannels / u.groups;
  return Place(u32(filters * ky.count * kx.count), i32(batch) / (u.strideHeight * u.strideWidth), y, x, ky, kx);
}
fn rowOf(p: Place, m: u32) -> Row {
  let taps = u.kernelHeight * u.kernelWidth;
  let first = p.group * (u.outChannels / u.groups) * i32(u.rows) + i32(m);
  return Row(u.weightStart + first * taps + p.ky.tap * u.kernelWidth + p.kx.tap);
}
fn columnOf(p: Place, n: u32) -> Column {
  let places = u.phaseHeight * u.phaseWidth;
  let place = i32(n) % places;
  let filterIndex = i32(n) / places * u.outChannels + p.group * (u.outChannels / u.groups);
  return Column(
    u.gradStart + filterIndex * u.outHeight * u.outWidth,
    place / u.phaseWidth + p.ky.out,
    place % u.phaseWidth + p.kx.out,
  );
}
fn depthOf(p: Place, k: u32) -> Depth {
  let row = i32(k) / p.kx.count;
  let filterIndex = row / p.ky.count;
  return Depth(
    filterIndex * i32(u.rows) * u.kernelHeight * u.kernelWidth,
    filterIndex * u.outHeight * u.outWidth,
    row % p.ky.count,
    i32(k) % p.kx.count,
  );
}
fn next(p: Place, before: Depth) -> Depth {
  ${nextTap("p.ky.count", "p.kx.count", "u.outHeight * u.outWidth")}
  if (d.plane != before.plane) { d.filterAt += i32(u.rows) * u.kernelHeight * u.kernelWidth; }
  return d;
}
fn seenThrough(column: Column, ky: i32, kx: i32) -> Seen {
  return Seen(
    column.y - ky * (u.stepHeight * u.dilationHeight / u.strideHeight),
    column.x - kx * (u.stepWidth * u.dilationWidth / u.strideWidth),
  );
}
fn loadA(p: Place, row: Row, d: Depth) -> f32 {
  return weight[row.at + d.filterAt + d.ky * u.stepHeight * u.kernelWidth + d.kx * u.stepWidth];
}
fn loadB(p: Place, column: Column, d: Depth) -> f32 {
  let seen = seenThrough(column, d.ky, d.kx);
  if (!inside(seen.y, u.outHeight) || !inside(seen.x, u.outWidth)) { return 0.0; }
  return grad[column.at + d.plane + seen.y * u.outWidth + seen.x];
}
fn isAbsent(p: Place, column: Column, d: Depth) -> bool {
  let seen = seenThrough(column, d.ky, d.kx);
  return !inside(seen.y, u.outHeight) || !inside(seen.x, u.outWidth);
}
fn mayMiss(p: Place, column: Column) -> bool {
  let last = seenThrough(column, p.ky.count - 1, p.kx.count - 1);
  return !inside(column.y, u.outHeight) || !inside(column.x, u.outWidth)
    || !inside(last.y, u.outHeight) || !inside(last.x, u.outWidth);
}
fn resultAt(p: Place, m: u32, n: u32) -> i32 {
  let places = u.phaseHeight * u.phaseWidth;
  let place = i32(n) % places;
  let y = place / u.phaseWidth * u.strideHeight + p.y;
  let x = place % u.phaseWidth * u.strideWidth + p.x;
  if (y >= u.inHeight || x >= u.inWidth) { return -1; }
  let plane = i32(n) / places * u.channels + p.group * i32(u.rows) + i32(m);
  return u.resultStart + (plane * u.inHeight + y) * u.inWidth + x;
}
fn added(p: Place, m: u32, n: u32) -> f32 {
  return ${hasBias ? "bias[u.biasStart + p.group * i32(u.rows) + i32(m)]" : "0.0"};
}`,
  };
}

/** weightGrad [filters, (channel, tap)] = outGrad [filters, (image, place)] · imageᵀ, for each group. */
export const weightGradText: ProductText = {
  name: "conv2dWeightGrad",
  type: "f32",
  inputs: ["grad", "image"],
  uniforms: { gradStart: "i32", imageStart: "i32", ...convUniforms },
  declarations: `${insideText}
struct Place { depth: u32, group: i32 }
struct Row { at: i32 }
struct Column { at: i32, y: i32, x: i32 }
struct Depth { gradAt: i32, imageAt: i32, y: i32, x: i32 }
fn placeOf(batch: u32) -> Place {
  return Place(u32(u.batch * u.outHeight * u.outWidth), i32(batch));
}
fn rowOf(p: Place, m: u32) -> Row {
  return Row(u.gradStart + (p.group * i32(u.rows) + i32(m)) * u.outHeight * u.outWidth);
}
fn columnOf(p: Place, n: u32) -> Column {
  let row = i32(n) / u.kernelWidth;
  let channel = row / u.kernelHeight + p.group * (u.channels / u.groups);
  return Column(
    u.imageStart + channel * u.inHeight * u.inWidth,
    row % u.kernelHeight * u.dilationHeight - u.padTop,
    i32(n) % u.kernelWidth * u.dilationWidth - u.padLeft,
  );
}
fn depthOf(p: Place, k: u32) -> Depth {
  let places = u.outHeight * u.outWidth;
  let image = i32(k) / places;
  let place = i32(k) % places;
  return Depth(
    image * u.outChannels * places + place,
    image * u.channels * u.inHeight * u.inWidth,
    place / u.outWidth,
    place % u.outWidth,
  );
}
fn next(p: Place, before: Depth) -> Depth {
  var d = before;
  d.gradAt += 1;
  d.x += 1;
  if (d.x == u.outWidth) {
    d.x = 0;
    d.y += 1;
    if (d.y == u.outHeight) {
      d.y = 0;
      d.gradAt += (u.outChannels - 1) * u.outHeight * u.outWidth;
      d.imageAt += u.channels * u.inHeight * u.inWidth;
    }
  }
  return d;
}
fn loadA(p: Place, row: Row, d: Depth) -> f32 { return grad[row.at + d.gradAt]; }
fn loadB(p: Place, column: Column, d: Depth) -> f32 {
  let y = d.y * u.strideHeight + column.y;
  let x = d.x * u.strideWidth + column.x;
  if (!inside(y, u.inHeight) || !inside(x, u.inWidth)) { return 0.0; }
  return image[column.at + d.imageAt + y * u.inWidth + x];
}
fn resultAt(p: Place, m: u32, n: u32) -> i32 {
  return u.resultStart + (p.group * i32(u.rows) + i32(m)) * i32(u.columns) + i32(n);
}
fn added(p: Place, m: u32, n: u32) -> f32 { return 0.0; }`,
};
