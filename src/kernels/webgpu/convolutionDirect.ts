/**
 * Convolution and its gradients, straight from the definition: one invocation sums up each element that is written. For
 * groups of few channels, where a tile of a matrix product would be mostly empty.
 *
 * @module
 */
import type { Dense, KernelSet } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import type { Runtime } from "./runtime.js";
import { convNumbers, convUniforms, forEachInput, forEachTap, inPlace, outPlace } from "./windowGeometry.js";

/** Invocations that sum up one element of a weight's gradient. */
const TEAM = 64;

export type ConvolutionKernels = Pick<KernelSet, "conv2d" | "conv2dInputGrad" | "conv2dWeightGrad">;

export function directConvolution(runtime: Runtime): ConvolutionKernels {
  /** Uniforms of a bias that may be missing. */
  const biasOf = (bias: Dense | null): { buffers: Dense["buffer"][]; start: number } => ({
    buffers: bias === null ? [] : [bias.buffer],
    start: bias?.offset ?? 0,
  });

  return {
    conv2d(x, weight, bias, out, g) {
      const kernel = runtime.kernel(`conv2d/${bias !== null}`, () => ({
        name: "conv2d",
        outputs: { result: "f32" },
        inputs: { image: "f32", weight: "f32", ...(bias !== null && { bias: "f32" }) },
        uniforms: {
          count: "u32",
          resultStart: "i32",
          imageStart: "i32",
          weightStart: "i32",
          biasStart: "i32",
          ...convUniforms,
        },
        body: `
  if (index >= u.count) { return; }
  ${outPlace}
  let filterIndex = plane % u.outChannels;
  let depth = u.channels / u.groups;
  let first = filterIndex / (u.outChannels / u.groups) * depth;
  let taps = u.kernelHeight * u.kernelWidth;
  var sum = ${bias === null ? "0.0" : "bias[u.biasStart + filterIndex]"};
  for (var c = 0; c < depth; c++) {
    let start = u.imageStart + (plane / u.outChannels * u.channels + first + c) * u.inHeight * u.inWidth;
    let weights = u.weightStart + (filterIndex * depth + c) * taps;
    // A chain for each channel, so that rounding errors grow slowly.
    var part = 0.0;
    ${forEachInput("part += image[start + y * u.inWidth + x] * weight[weights + ky * u.kernelWidth + kx];")}
    sum += part;
  }
  result[u.resultStart + i32(index)] = sum;`,
      }));
      const count = elementCount(out.shape);
      const { buffers, start } = biasOf(bias);
      const uniforms = [count, out.offset, x.offset, weight.offset, start, ...convNumbers(g)];
      runtime.launchEach(kernel, [out.buffer, x.buffer, weight.buffer, ...buffers], uniforms, count);
    },

    conv2dInputGrad(outGrad, weight, bias, xGrad, g) {
      const kernel = runtime.kernel(`conv2dInputGrad/${bias !== null}`, () => ({
        name: "conv2dInputGrad",
        outputs: { result: "f32" },
        inputs: { grad: "f32", weight: "f32", ...(bias !== null && { bias: "f32" }) },
        uniforms: {
          count: "u32",
          resultStart: "i32",
          gradStart: "i32",
          weightStart: "i32",
          biasStart: "i32",
          ...convUniforms,
        },
        body: `
  if (index >= u.count) { return; }
  ${inPlace}
  let channel = plane % u.channels;
  let depth = u.channels / u.groups;
  let filters = u.outChannels / u.groups;
  let first = channel / depth * filters;
  let taps = u.kernelHeight * u.kernelWidth;
  var sum = ${bias === null ? "0.0" : "bias[u.biasStart + channel]"};
  for (var o = first; o < first + filters; o++) {
    let start = u.gradStart + (plane / u.channels * u.outChannels + o) * u.outHeight * u.outWidth;
    let weights = u.weightStart + (o * depth + channel % depth) * taps;
    var part = 0.0;
    ${forEachTap("part += grad[start + oy * u.outWidth + ox] * weight[weights + ky * u.kernelWidth + kx];")}
    sum += part;
  }
  result[u.resultStart + i32(index)] = sum;`,
      }));
      const count = elementCount(xGrad.shape);
      const { buffers, start } = biasOf(bias);
      const uniforms = [count, xGrad.offset, outGrad.offset, weight.offset, start, ...convNumbers(g)];
      runtime.launchEach(kernel, [xGrad.buffer, outGrad.buffer, weight.buffer, ...buffers], uniforms, count);
    },

    conv2dWeightGrad(outGrad, x, weightGrad, g) {
      const kernel = runtime.kernel("conv2dWeightGrad", () => ({
        name: "conv2dWeightGrad",
        outputs: { result: "f32" },
        inputs: { grad: "f32", image: "f32" },
        uniforms: { count: "u32", resultStart: "i32", gradStart: "i32", imageStart: "i32", ...convUniforms },
        workgroup: [TEAM, 1, 1],
        declarations: `var<workgroup> parts: array<f32, ${TEAM}>;`,
        body: `
  let flat = group.y * groups.x + group.x;
  if (flat >= u.count) { return; }
  let element = i32(flat);
  let kx = element % u.kernelWidth;
  let ky = element / u.kernelWidth % u.kernelHeight;
  let plane = element / u.kernelWidth / u.kernelHeight;
  let depth = u.channels / u.groups;
  let filterIndex = plane / depth;
  let channel = filterIndex / (u.outChannels / u.groups) * depth + plane % depth;
  let places = u.outHeight * u.outWidth;
  var sum = 0.0;
  for (var n = 0; n < u.batch; n++) {
    let start = u.imageStart + (n * u.channels + channel) * u.inHeight * u.inWidth;
    let grads = u.gradStart + (n * u.outChannels + filterIndex) * places;
    // A chain for each image, so that rounding errors grow slowly.
    var part = 0.0;
    for (var place = i32(lane); place < places; place += ${TEAM}) {
      let y = place / u.outWidth * u.strideHeight - u.padTop + ky * u.dilationHeight;
      let x = place % u.outWidth * u.strideWidth - u.padLeft + kx * u.dilationWidth;
      if (y >= 0 && y < u.inHeight && x >= 0 && x < u.inWidth) {
        part += grad[grads + place] * image[start + y * u.inWidth + x];
      }
    }
    sum += part;
  }
  parts[lane] = sum;
  for (var half = ${TEAM / 2}u; half > 0u; half = half / 2u) {
    workgroupBarrier();
    if (lane < half) { parts[lane] += parts[lane + half]; }
  }
  if (lane == 0u) { result[u.resultStart + element] = parts[0]; }`,
      }));
      const count = elementCount(weightGrad.shape);
      const uniforms = [count, weightGrad.offset, outGrad.offset, x.offset, ...convNumbers(g)];
      runtime.launchFlat(kernel, [weightGrad.buffer, outGrad.buffer, x.buffer], uniforms, count);
    },
  };
}
