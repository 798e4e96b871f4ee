/**
 * Convolution and its gradients, straight from the definition, for groups of few channels: a tile of a matrix product would be
 * mostly empty. One invocation sums up some elements that lie side by side, and reads what they share once.
 *
 * @module
 */
import type { Dense, KernelSet } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import { addParts } from "./product.js";
import type { Runtime } from "./runtime.js";
import { convNumbers, convUniforms, insideText } from "./windowGeometry.js";

/** Elements that one invocation sums up, where the rows have so many. */
const WIDE = 4;
/** Invocations that sum up elements of a weight's gradient together. */
const TEAM = 64;
/** Workgroups that keep a GPU busy. */
const BUSY = 128;

export type ConvolutionKernels = Pick<KernelSet, "conv2d" | "conv2dInputGrad" | "conv2dWeightGrad">;

export function directConvolution(runtime: Runtime): ConvolutionKernels {
  return {
    conv2d(x, weight, bias, out, g) {
      const wide = g.outWidth < WIDE ? 1 : WIDE;
      const kernel = runtime.kernel(`conv2d/${bias !== null}/${wide}`, () => forwardText(bias !== null, wide));
      const blocks = Math.ceil(g.outWidth / wide);
      const count = g.batch * g.outChannels * g.outHeight * blocks;
      const buffers = [out.buffer, x.buffer, weight.buffer, ...(bias === null ? [] : [bias.buffer])];
      const starts = [out.offset, x.offset, weight.offset, bias?.offset ?? 0];
      runtime.launchEach(kernel, buffers, [count, blocks, ...starts, ...convNumbers(g)], count);
    },

    conv2dInputGrad(outGrad, weight, bias, xGrad, g) {
      // Elements a stride apart are seen through the same taps: a block has elements of one such phase.
      const phases = Math.min(g.strideWidth, g.inWidth);
      const inPhase = Math.ceil(g.inWidth / g.strideWidth);
      const wide = inPhase < WIDE ? 1 : WIDE;
      const strided = g.strideHeight !== 1 || g.strideWidth !== 1;
      const kernel = runtime.kernel(`conv2dInputGrad/${bias !== null}/${wide}/${strided}`, () =>
        inputGradText(bias !== null, wide, strided),
      );
      const blocks = Math.ceil(inPhase / wide);
      const count = g.batch * g.channels * g.inHeight * blocks * phases;
      const buffers = [xGrad.buffer, outGrad.buffer, weight.buffer, ...(bias === null ? [] : [bias.buffer])];
      const starts = [xGrad.offset, outGrad.offset, weight.offset, bias?.offset ?? 0];
      runtime.launchEach(kernel, buffers, [count, blocks * phases, phases, ...starts, ...convNumbers(g)], count);
    },

    conv2dWeightGrad(outGrad, x, weightGrad, g) {
      const wide = Math.min(g.kernelWidth, WIDE);
      const count = elementCount(weightGrad.shape);
      if (count === 0) return;
      const blocks = Math.ceil(g.kernelWidth / wide);
      const teams = (count / g.kernelWidth) * blocks;
      const splits = Math.max(1, Math.min(g.batch, Math.floor(BUSY / teams)));
      const kernel = runtime.kernel(`conv2dWeightGrad/${wide}`, () => weightGradText(wide));
      const launch = (target: Dense["buffer"], start: number): void => {
        const own = [
          teams * splits,
          blocks,
          splits,
          Math.ceil(g.batch / splits),
          count,
          start,
          outGrad.offset,
          x.offset,
        ];
        const steps = [TEAM % g.outWidth, Math.floor(TEAM / g.outWidth)];
        runtime.launchFlat(
          kernel,
          [target, outGrad.buffer, x.buffer],
          [...own, ...steps, ...convNumbers(g)],
          teams * splits,
        );
      };
      if (splits === 1) launch(weightGrad.buffer, weightGrad.offset);
      else addParts(runtime, "f32", { buffer: weightGrad.buffer, start: weightGrad.offset, count }, splits, launch);
    },
  };
}

/** Elements of a block: text for each, and a vector of them. */
function block(wide: number) {
  const places = Array.from({ length: wide }, (_, i) => i);
  return {
    /** A number, or a vector of so many. */
    type: wide === 1 ? "f32" : `vec${wide}<f32>`,
    vector: (element: (i: number) => string): string =>
      wide === 1 ? element(0) : `vec${wide}<f32>(${places.map(element).join(", ")})`,
    each: (statement: (i: number, part: string) => string): string =>
      places.map((i) => statement(i, wide === 1 ? "" : `[${i}]`)).join("\n  "),
  };
}

function forwardText(hasBias: boolean, wide: number) {
  const { type, vector, each } = block(wide);
  return {
    name: "conv2d",
    outputs: { result: "f32" },
    inputs: { image: "f32", weight: "f32", ...(hasBias && { bias: "f32" }) },
    uniforms: {
      count: "u32",
      blocks: "i32",
      resultStart: "i32",
      imageStart: "i32",
      weightStart: "i32",
      biasStart: "i32",
      ...convUniforms,
    },
    declarations: pixelText,
    body: `
  if (index >= u.count) { return; }
  let row = i32(index) / u.blocks;
  let ox = (i32(index) - row * u.blocks) * ${wide};
  let plane = row / u.outHeight;
  let oy = row - plane * u.outHeight;
  let picture = plane / u.outChannels;
  let filterIndex = plane - picture * u.outChannels;
  let depth = u.channels / u.groups;
  let first = filterIndex / (u.outChannels / u.groups) * depth;
  let top = oy * u.strideHeight - u.padTop;
  let left = ox * u.strideWidth - u.padLeft;
  let right = left + u.kernelWidth * u.dilationWidth;
  let start = u.imageStart + (picture * u.channels + first) * u.inHeight * u.inWidth;
  var w = u.weightStart + filterIndex * depth * u.kernelHeight * u.kernelWidth;
  var sum = ${type}(${hasBias ? "bias[u.biasStart + filterIndex]" : ""});
  for (var c = 0; c < depth; c++) {
    // A chain for each channel, so that rounding errors grow slowly.
    var part = ${type}();
    for (var ky = 0; ky < u.kernelHeight; ky++) {
      let y = top + ky * u.dilationHeight;
      let line = start + (c * u.inHeight + y) * u.inWidth;
      // Padding counts as zeros: a weight without bounds makes NaN of them.
      let isRow = inside(y, u.inHeight);
      for (var x = left; x < right; x += u.dilationWidth) {
        part += weight[w] * ${vector((i) => `pixel(isRow, line, x + ${i} * u.strideWidth)`)};
        w += 1;
      }
    }
    sum += part;
  }
  let at = u.resultStart + row * u.outWidth + ox;
  ${each((i, part) => `if (ox + ${i} < u.outWidth) { result[at + ${i}] = sum${part}; }`)}`,
  } as const;
}

function inputGradText(hasBias: boolean, wide: number, strided: boolean) {
  const { type, vector, each } = block(wide);
  const places = (from: string, stride: string): string =>
    strided ? `if (${from} < 0 || ${from} % ${stride} != 0) { continue; }` : "";
  const over = (from: string, stride: string): string => (strided ? `${from} / ${stride}` : from);
  return {
    name: "conv2dInputGrad",
    outputs: { result: "f32" },
    inputs: { grad: "f32", weight: "f32", ...(hasBias && { bias: "f32" }) },
    uniforms: {
      count: "u32",
      blocks: "i32",
      phases: "i32",
      resultStart: "i32",
      gradStart: "i32",
      weightStart: "i32",
      biasStart: "i32",
      ...convUniforms,
    },
    declarations: `${insideText}
// What lies outside adds nothing, whatever the weight.
fn term(w: f32, line: i32, x: i32) -> f32 { return select(0.0, w * grad[line + x], inside(x, u.outWidth)); }`,
    body: `
  if (index >= u.count) { return; }
  let row = i32(index) / u.blocks;
  let blockIndex = i32(index) - row * u.blocks;
  let blockInPhase = blockIndex / u.phases;
  let x = blockIndex - blockInPhase * u.phases + blockInPhase * ${wide} * u.strideWidth;
  let plane = row / u.inHeight;
  let y = row - plane * u.inHeight;
  let picture = plane / u.channels;
  let channel = plane - picture * u.channels;
  let depth = u.channels / u.groups;
  let groupIndex = channel / depth;
  let filters = u.outChannels / u.groups;
  let taps = u.kernelHeight * u.kernelWidth;
  var sum = ${type}(${hasBias ? "bias[u.biasStart + channel]" : ""});
  for (var o = groupIndex * filters; o < (groupIndex + 1) * filters; o++) {
    let start = u.gradStart + (picture * u.outChannels + o) * u.outHeight * u.outWidth;
    let weights = u.weightStart + (o * depth + channel - groupIndex * depth) * taps;
    var part = ${type}();
    for (var ky = 0; ky < u.kernelHeight; ky++) {
      let down = y + u.padTop - ky * u.dilationHeight;
      ${places("down", "u.strideHeight")}
      let oy = ${over("down", "u.strideHeight")};
      if (oy < 0 || oy >= u.outHeight) { continue; }
      let line = start + oy * u.outWidth;
      for (var kx = 0; kx < u.kernelWidth; kx++) {
        let across = x + u.padLeft - kx * u.dilationWidth;
        ${strided ? "if (across % u.strideWidth != 0) { continue; }" : ""}
        let ox = ${over("across", "u.strideWidth")};
        let w = weight[weights + ky * u.kernelWidth + kx];
        part += ${vector((i) => `term(w, line, ox + ${i})`)};
      }
    }
    sum += part;
  }
  let at = u.resultStart + row * u.inWidth + x;
  ${each((i, part) => `if (x + ${i} * u.strideWidth < u.inWidth) { result[at + ${i} * u.strideWidth] = sum${part}; }`)}`,
  } as const;
}

/** A workgroup sums up the gradients of `wide` weights side by side, over a part of the batch. */
function weightGradText(wide: number) {
  const { type, vector, each } = block(wide);
  return {
    name: "conv2dWeightGrad",
    outputs: { result: "f32" },
    inputs: { grad: "f32", image: "f32" },
    uniforms: {
      count: "u32",
      blocks: "i32",
      splits: "i32",
      pictures: "i32",
      resultCount: "i32",
      resultStart: "i32",
      gradStart: "i32",
      imageStart: "i32",
      stepX: "i32",
      stepY: "i32",
      ...convUniforms,
    },
    workgroup: [TEAM, 1, 1],
    declarations: `${pixelText}
var<workgroup> parts: array<${type}, ${TEAM}>;`,
    body: `
  let flat = group.y * groups.x + group.x;
  if (flat >= u.count) { return; }
  let split = i32(flat) % u.splits;
  let team = i32(flat) / u.splits;
  let row = team / u.blocks;
  let kx = (team - row * u.blocks) * ${wide};
  let ky = row % u.kernelHeight;
  let plane = row / u.kernelHeight;
  let depth = u.channels / u.groups;
  let filterIndex = plane / depth;
  let channel = filterIndex / (u.outChannels / u.groups) * depth + plane % depth;
  let places = u.outHeight * u.outWidth;
  let down = ky * u.dilationHeight - u.padTop;
  let across = kx * u.dilationWidth - u.padLeft;
  let firstY = i32(lane) / u.outWidth;
  let firstX = i32(lane) % u.outWidth;
  var sum = ${type}();
  for (var n = split * u.pictures; n < min((split + 1) * u.pictures, u.batch); n++) {
    let start = u.imageStart + (n * u.channels + channel) * u.inHeight * u.inWidth;
    let grads = u.gradStart + (n * u.outChannels + filterIndex) * places;
    // A chain for each image, so that rounding errors grow slowly.
    var part = ${type}();
    var oy = firstY;
    var ox = firstX;
    for (var place = i32(lane); place < places; place += ${TEAM}) {
      let y = oy * u.strideHeight + down;
      let x = ox * u.strideWidth + across;
      let isRow = inside(y, u.inHeight);
      let line = start + y * u.inWidth;
      part += grad[grads + place] * ${vector((i) => `pixel(isRow, line, x + ${i} * u.dilationWidth)`)};
      ox += u.stepX;
      oy += u.stepY;
      if (ox >= u.outWidth) {
        ox -= u.outWidth;
        oy += 1;
      }
    }
    sum += part;
  }
  parts[lane] = sum;
  for (var half = ${TEAM / 2}u; half > 0u; half = half / 2u) {
    workgroupBarrier();
    if (lane < half) { parts[lane] += parts[lane + half]; }
  }
  if (lane != 0u) { return; }
  sum = parts[0];
  let at = u.resultStart + split * u.resultCount + row * u.kernelWidth + kx;
  ${each((i, part) => `if (kx + ${i} < u.kernelWidth) { result[at + ${i}] = sum${part}; }`)}`,
  } as const;
}

/** An element of an image's row that begins at `line`; 0 in padding, where something is read and not used. */
const pixelText = `${insideText}
fn pixel(isRow: bool, line: i32, x: i32) -> f32 {
  return select(0.0, image[line + x], isRow & inside(x, u.inWidth));
}`;
