/** Pooling, one invocation for each output element; its gradients, one for each input element, which gathers what is its. */
import type { KernelSet } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import type { Runtime } from "./runtime.js";
import {
  commonDivisor,
  commonDivisorText,
  divisorNumbers,
  divisorText,
  divisorUniforms,
  forEachInput,
  forEachWindow,
  inPlace,
  isDilated,
  kindOf,
  outPlace,
  windowNumbers,
  windowUniforms,
} from "./windowGeometry.js";

type PoolKernels = Pick<KernelSet, "maxPool2d" | "maxPool2dGrad" | "avgPool2d" | "avgPool2dGrad">;

export function poolKernels(runtime: Runtime): PoolKernels {
  return {
    maxPool2d(x, out, indices, g) {
      const dilated = isDilated(g);
      const kernel = runtime.kernel(`maxPool2d/${dilated}`, () => ({
        name: "maxPool2d",
        outputs: { result: "f32", places: "i32" },
        inputs: { image: "f32" },
        uniforms: { count: "u32", resultStart: "i32", placesStart: "i32", imageStart: "i32", ...windowUniforms },
        body: `
  if (index >= u.count) { return; }
  ${outPlace}
  let start = u.imageStart + plane * u.inHeight * u.inWidth;
  var largest = -infinity();
  var place = -1;
  var found = false;
  ${forEachInput(
    dilated,
    `
      let at = y * u.inWidth + x;
      let value = image[start + at];
      let isNumber = !isNan(value);
      // After a NaN only another one wins.
      if (place < 0 || !isNumber || (value > largest && !found)) {
        largest = value;
        place = at;
        found = found || !isNumber;
      }`,
  )}
  result[u.resultStart + i32(index)] = largest;
  places[u.placesStart + i32(index)] = place;`,
      }));
      const count = elementCount(out.shape);
      const uniforms = [count, out.offset, indices.offset, x.offset, ...windowNumbers(g)];
      runtime.launchEach(kernel, [out.buffer, indices.buffer, x.buffer], uniforms, count);
    },

    maxPool2dGrad(outGrad, indices, xGrad, g, gate = null) {
      const kind = kindOf(g);
      const isGated = gate !== null;
      const kernel = runtime.kernel(`maxPool2dGrad/${kind}/${isGated}`, () => ({
        name: "maxPool2dGrad",
        outputs: { result: "f32" },
        inputs: { grad: "f32", places: "i32", ...(isGated ? { gate: "f32" } : {}) },
        uniforms: {
          ...{ count: "u32", resultStart: "i32", gradStart: "i32", placesStart: "i32", gateStart: "i32" },
          ...windowUniforms,
        },
        body: `
  if (index >= u.count) { return; }
  ${inPlace}
  let own = y * u.inWidth + x;
  var sum = 0.0;
  ${forEachWindow(
    kind,
    `
      let at = (plane * u.outHeight + oy) * u.outWidth + ox;
      ${isGated ? "let level = gate[u.gateStart + at];" : ""}
      let wins = places[u.placesStart + at] == own${isGated ? " && (level > 0.0 || isNan(level))" : ""};
      sum += select(0.0, grad[u.gradStart + at], wins);`,
  )}
  result[u.resultStart + i32(index)] = sum;`,
      }));
      const count = elementCount(xGrad.shape);
      const uniforms = [count, xGrad.offset, outGrad.offset, indices.offset, gate?.offset ?? 0, ...windowNumbers(g)];
      const buffers = [xGrad.buffer, outGrad.buffer, indices.buffer, ...(gate === null ? [] : [gate.buffer])];
      runtime.launchEach(kernel, buffers, uniforms, count);
    },

    avgPool2d(x, out, g) {
      const dilated = isDilated(g);
      const even = commonDivisor(g) !== null;
      const kernel = runtime.kernel(`avgPool2d/${dilated}/${even}`, () => ({
        name: "avgPool2d",
        outputs: { result: "f32" },
        inputs: { image: "f32" },
        uniforms: { count: "u32", resultStart: "i32", imageStart: "i32", ...windowUniforms, ...divisorUniforms },
        declarations: even ? commonDivisorText : divisorText,
        body: `
  if (index >= u.count) { return; }
  ${outPlace}
  let start = u.imageStart + plane * u.inHeight * u.inWidth;
  var sum = 0.0;
  ${forEachInput(dilated, "sum += image[start + y * u.inWidth + x];")}
  result[u.resultStart + i32(index)] = sum / divisorOf(oy, ox);`,
      }));
      const count = elementCount(out.shape);
      const uniforms = [count, out.offset, x.offset, ...windowNumbers(g), ...divisorNumbers(g)];
      runtime.launchEach(kernel, [out.buffer, x.buffer], uniforms, count);
    },

    avgPool2dGrad(outGrad, xGrad, g) {
      const kind = kindOf(g);
      const even = commonDivisor(g) !== null;
      const kernel = runtime.kernel(`avgPool2dGrad/${kind}/${even}`, () => ({
        name: "avgPool2dGrad",
        outputs: { result: "f32" },
        inputs: { grad: "f32" },
        uniforms: { count: "u32", resultStart: "i32", gradStart: "i32", ...windowUniforms, ...divisorUniforms },
        declarations: even ? commonDivisorText : divisorText,
        body: `
  if (index >= u.count) { return; }
  ${inPlace}
  var sum = 0.0;
  ${forEachWindow(kind, "sum += grad[u.gradStart + (plane * u.outHeight + oy) * u.outWidth + ox] / divisorOf(oy, ox);")}
  result[u.resultStart + i32(index)] = sum;`,
      }));
      const count = elementCount(xGrad.shape);
      const uniforms = [count, xGrad.offset, outGrad.offset, ...windowNumbers(g), ...divisorNumbers(g)];
      runtime.launchEach(kernel, [xGrad.buffer, outGrad.buffer], uniforms, count);
    },
  };
}
