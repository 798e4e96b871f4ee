/** Convolution and its gradients, straight from the definition: one invocation sums up each element that is written. */
import type { Dense, KernelSet } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import type { Runtime } from "./runtime.js";
import { convNumbers, convUniforms, forEachInput, forEachTap, inPlace, outPlace } from "./windowGeometry.js";

type ConvolutionKernels = Pick<KernelSet, "conv2d" | "conv2dInputGrad" | "conv2dWeightGrad">;

export function convolutionKernels(runtime: Runtime): ConvolutionKernels {
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
        body: `
  if (index >= u.count) { return; }
  let kx = i32(index) % u.kernelWidth;
  let ky = i32(index) / u.kernelWidth % u.kernelHeight;
  let plane = i32(index) / u.kernelWidth / u.kernelHeight;
  let depth = u.channels / u.groups;
  let filterIndex = plane / depth;
  let channel = filterIndex / (u.outChannels / u.groups) * depth + plane % depth;
  var sum = 0.0;
  for (var n = 0; n < u.batch; n++) {
    let start = u.imageStart + (n * u.channels + channel) * u.inHeight * u.inWidth;
    let grads = u.gradStart + (n * u.outChannels + filterIndex) * u.outHeight * u.outWidth;
    // A chain for each image, so that rounding errors grow slowly.
    var part = 0.0;
    for (var oy = 0; oy < u.outHeight; oy++) {
      let y = oy * u.strideHeight - u.padTop + ky * u.dilationHeight;
      if (y < 0 || y >= u.inHeight) { continue; }
      for (var ox = 0; ox < u.outWidth; ox++) {
        let x = ox * u.strideWidth - u.padLeft + kx * u.dilationWidth;
        if (x < 0 || x >= u.inWidth) { continue; }
        part += grad[grads + oy * u.outWidth + ox] * image[start + y * u.inWidth + x];
      }
    }
    sum += part;
  }
  result[u.resultStart + i32(index)] = sum;`,
      }));
      const count = elementCount(weightGrad.shape);
      const uniforms = [count, weightGrad.offset, outGrad.offset, x.offset, ...convNumbers(g)];
      runtime.launchEach(kernel, [weightGrad.buffer, outGrad.buffer, x.buffer], uniforms, count);
    },
  };
}
