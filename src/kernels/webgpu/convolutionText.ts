/** Convolution and its gradients as matrix products whose columns are never stored: what finds their elements. */
import type { ProductText } from "./productText.js";
import { convUniforms, insideText } from "./windowGeometry.js";

/*
 * Elements are found by adding: what a column and a step of the depth each have to say of place, y and x is summed up. Loads are
 * as dear as the sums that they feed, so they do no more than that. They go without branches, as do the steps: those are
 * dearer than a read and a few sums in vain, above all where a CPU computes four invocations at a time.
 */

/** out [filters, (image, place)] = weight [filters, (channel, tap)] · image, for each group. */
export function forwardText(hasBias: boolean): ProductText {
  return {
    name: `conv2d${hasBias ? ", bias" : ""}`,
    type: "f32",
    inputs: ["image", "weight", ...(hasBias ? ["bias"] : [])],
    uniforms: { imageStart: "i32", weightStart: "i32", biasStart: "i32", ...convUniforms },
    declarations: `${insideText}
// Height and width are those that the taps reach over; nextRow and nextChannel what is to add at their ends.
struct Place { depth: u32, group: i32, height: i32, width: i32, nextRow: i32, nextChannel: i32 }
struct Row { at: i32 }
struct Column { at: i32, y: i32, x: i32 }
struct Depth { k: i32, at: i32, y: i32, x: i32 }
fn placeOf(batch: u32) -> Place {
  let depth = u32(u.channels / u.groups * u.kernelHeight * u.kernelWidth);
  let height = u.kernelHeight * u.dilationHeight;
  let width = u.kernelWidth * u.dilationWidth;
  let nextRow = u.dilationHeight * u.inWidth - width;
  return Place(depth, i32(batch), height, width, nextRow, (u.inHeight - height) * u.inWidth);
}
fn rowOf(p: Place, m: u32) -> Row {
  return Row(u.weightStart + (p.group * i32(u.rows) + i32(m)) * i32(p.depth));
}
fn columnOf(p: Place, n: u32) -> Column {
  let places = u.outHeight * u.outWidth;
  let place = i32(n) % places;
  let channel = i32(n) / places * u.channels + p.group * (u.channels / u.groups);
  let y = place / u.outWidth * u.strideHeight - u.padTop;
  let x = place % u.outWidth * u.strideWidth - u.padLeft;
  return Column(u.imageStart + (channel * u.inHeight + y) * u.inWidth + x, y, x);
}
fn depthOf(p: Place, k: u32) -> Depth {
  let row = i32(k) / u.kernelWidth;
  let y = row % u.kernelHeight * u.dilationHeight;
  let x = i32(k) % u.kernelWidth * u.dilationWidth;
  return Depth(i32(k), (row / u.kernelHeight * u.inHeight + y) * u.inWidth + x, y, x);
}
fn next(p: Place, before: Depth) -> Depth {
  var d = before;
  d.k += 1;
  d.x += u.dilationWidth;
  let isRow = d.x == p.width;
  d.x = select(d.x, 0, isRow);
  d.y += select(0, u.dilationHeight, isRow);
  let isChannel = d.y == p.height;
  d.y = select(d.y, 0, isChannel);
  d.at += u.dilationWidth + select(0, p.nextRow, isRow) + select(0, p.nextChannel, isChannel);
  return d;
}
fn loadA(p: Place, row: Row, d: Depth) -> f32 { return weight[row.at + d.k]; }
fn loadB(p: Place, column: Column, d: Depth) -> f32 {
  let isInside = inside(column.y + d.y, u.inHeight) & inside(column.x + d.x, u.inWidth);
  return select(0.0, image[column.at + d.at], isInside);
}
fn resultAt(p: Place, n: u32) -> i32 {
  let places = u.outHeight * u.outWidth;
  let plane = i32(n) / places * u.outChannels + p.group * i32(u.rows);
  return u.resultStart + plane * places + i32(n) % places;
}
fn resultStep(p: Place) -> i32 { return u.outHeight * u.outWidth; }
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
// From tap to tap, the output goes back by backY and backX; height and width are how far all taps go. At their ends, what is
// to add to the place of the weight and to that of the output.
struct Place {
  depth: u32, group: i32, y: i32, x: i32, ky: Phase, kx: Phase, backY: i32, backX: i32, height: i32, width: i32,
  nextRowWeight: i32, nextRow: i32, nextFilterWeight: i32, nextFilter: i32
}
struct Row { at: i32 }
struct Column { at: i32, y: i32, x: i32 }
struct Depth { weightAt: i32, at: i32, y: i32, x: i32 }
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
  let backY = u.stepHeight * u.dilationHeight / u.strideHeight;
  let backX = u.stepWidth * u.dilationWidth / u.strideWidth;
  let group = i32(batch) / (u.strideHeight * u.strideWidth);
  let depth = u32(filters * ky.count * kx.count);
  let height = ky.count * backY;
  let width = kx.count * backX;
  return Place(
    depth, group, y, x, ky, kx, backY, backX, height, width,
    u.stepHeight * u.kernelWidth - kx.count * u.stepWidth,
    width - backY * u.outWidth,
    (i32(u.rows) * u.kernelHeight - ky.count * u.stepHeight) * u.kernelWidth,
    (u.outHeight + height) * u.outWidth,
  );
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
  let y = place / u.phaseWidth + p.ky.out;
  let x = place % u.phaseWidth + p.kx.out;
  return Column(u.gradStart + (filterIndex * u.outHeight + y) * u.outWidth + x, y, x);
}
fn depthOf(p: Place, k: u32) -> Depth {
  let row = i32(k) / p.kx.count;
  let filterIndex = row / p.ky.count;
  let ky = row % p.ky.count;
  let kx = i32(k) % p.kx.count;
  return Depth(
    (filterIndex * i32(u.rows) * u.kernelHeight + ky * u.stepHeight) * u.kernelWidth + kx * u.stepWidth,
    (filterIndex * u.outHeight - ky * p.backY) * u.outWidth - kx * p.backX,
    ky * p.backY,
    kx * p.backX,
  );
}
fn next(p: Place, before: Depth) -> Depth {
  var d = before;
  d.x += p.backX;
  let isRow = d.x == p.width;
  d.x = select(d.x, 0, isRow);
  d.y += select(0, p.backY, isRow);
  let isFilter = d.y == p.height;
  d.y = select(d.y, 0, isFilter);
  d.weightAt += u.stepWidth + select(0, p.nextRowWeight, isRow) + select(0, p.nextFilterWeight, isFilter);
  d.at += select(0, p.nextRow, isRow) + select(0, p.nextFilter, isFilter) - p.backX;
  return d;
}
fn loadA(p: Place, row: Row, d: Depth) -> f32 { return weight[row.at + d.weightAt]; }
fn loadB(p: Place, column: Column, d: Depth) -> f32 {
  return select(grad[column.at + d.at], 0.0, isAbsent(p, column, d));
}
fn isAbsent(p: Place, column: Column, d: Depth) -> bool {
  return !inside(column.y - d.y, u.outHeight) | !inside(column.x - d.x, u.outWidth);
}
fn mayMiss(p: Place, column: Column) -> bool {
  return !inside(column.y, u.outHeight) | !inside(column.x, u.outWidth)
    | !inside(column.y - p.height + p.backY, u.outHeight) | !inside(column.x - p.width + p.backX, u.outWidth);
}
fn resultAt(p: Place, n: u32) -> i32 {
  let places = u.phaseHeight * u.phaseWidth;
  let place = i32(n) % places;
  let y = place / u.phaseWidth * u.strideHeight + p.y;
  let x = place % u.phaseWidth * u.strideWidth + p.x;
  if (y >= u.inHeight || x >= u.inWidth) { return -1; }
  let plane = i32(n) / places * u.channels + p.group * i32(u.rows);
  return u.resultStart + (plane * u.inHeight + y) * u.inWidth + x;
}
fn resultStep(p: Place) -> i32 { return u.inHeight * u.inWidth; }
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
// Height and width are those that the windows' corners reach over. At their ends, what is to add to the place of the output's
// gradient and to that of the image.
struct Place {
  depth: u32, group: i32, height: i32, width: i32, nextRow: i32, nextImageGrad: i32, nextImage: i32
}
struct Row { at: i32 }
struct Column { at: i32, y: i32, x: i32 }
struct Depth { gradAt: i32, at: i32, y: i32, x: i32 }
fn placeOf(batch: u32) -> Place {
  let depth = u32(u.batch * u.outHeight * u.outWidth);
  let height = u.outHeight * u.strideHeight;
  let width = u.outWidth * u.strideWidth;
  return Place(
    depth, i32(batch), height, width,
    u.strideHeight * u.inWidth - width,
    (u.outChannels - 1) * u.outHeight * u.outWidth,
    (u.channels * u.inHeight - height) * u.inWidth,
  );
}
fn rowOf(p: Place, m: u32) -> Row {
  return Row(u.gradStart + (p.group * i32(u.rows) + i32(m)) * u.outHeight * u.outWidth);
}
fn columnOf(p: Place, n: u32) -> Column {
  let row = i32(n) / u.kernelWidth;
  let channel = row / u.kernelHeight + p.group * (u.channels / u.groups);
  let y = row % u.kernelHeight * u.dilationHeight - u.padTop;
  let x = i32(n) % u.kernelWidth * u.dilationWidth - u.padLeft;
  return Column(u.imageStart + (channel * u.inHeight + y) * u.inWidth + x, y, x);
}
fn depthOf(p: Place, k: u32) -> Depth {
  let places = u.outHeight * u.outWidth;
  let image = i32(k) / places;
  let place = i32(k) % places;
  let y = place / u.outWidth * u.strideHeight;
  let x = place % u.outWidth * u.strideWidth;
  let at = (image * u.channels * u.inHeight + y) * u.inWidth + x;
  return Depth(image * u.outChannels * places + place, at, y, x);
}
fn next(p: Place, before: Depth) -> Depth {
  var d = before;
  d.x += u.strideWidth;
  let isRow = d.x == p.width;
  d.x = select(d.x, 0, isRow);
  d.y += select(0, u.strideHeight, isRow);
  let isImage = d.y == p.height;
  d.y = select(d.y, 0, isImage);
  d.gradAt += 1 + select(0, p.nextImageGrad, isImage);
  d.at += u.strideWidth + select(0, p.nextRow, isRow) + select(0, p.nextImage, isImage);
  return d;
}
fn loadA(p: Place, row: Row, d: Depth) -> f32 { return grad[row.at + d.gradAt]; }
fn loadB(p: Place, column: Column, d: Depth) -> f32 {
  let isInside = inside(column.y + d.y, u.inHeight) & inside(column.x + d.x, u.inWidth);
  return select(0.0, image[column.at + d.at], isInside);
}
fn resultAt(p: Place, n: u32) -> i32 { return u.resultStart + p.group * i32(u.rows * u.columns) + i32(n); }
fn resultStep(p: Place) -> i32 { return i32(u.columns); }
fn added(p: Place, m: u32, n: u32) -> f32 { return 0.0; }`,
};
