/** im2col and its transpose: one invocation for each element that is written. */
import type { KernelSet } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import type { Runtime } from "./runtime.js";
import {
  forEachWindow,
  inPlace,
  insideText,
  kindOf,
  outPlace,
  windowNumbers,
  windowUniforms,
} from "./windowGeometry.js";

export function windowKernels(runtime: Runtime): Pick<KernelSet, "unfold" | "fold"> {
  return {
    unfold(x, columns, g) {
      const kernel = runtime.kernel("unfold", () => ({
        name: "unfold",
        outputs: { columns: "f32" },
        inputs: { image: "f32" },
        uniforms: { count: "u32", columnsStart: "i32", imageStart: "i32", ...windowUniforms },
        declarations: insideText,
        body: `
  if (index >= u.count) { return; }
  ${outPlace}
  let tapRow = plane / u.kernelWidth;
  let kx = plane - tapRow * u.kernelWidth;
  let channel = tapRow / u.kernelHeight;
  let ky = tapRow - channel * u.kernelHeight;
  let y = oy * u.strideHeight - u.padTop + ky * u.dilationHeight;
  let x = ox * u.strideWidth - u.padLeft + kx * u.dilationWidth;
  let isInside = inside(y, u.inHeight) & inside(x, u.inWidth);
  // Outside, something is read and not used: that is cheaper than a branch.
  let value = image[u.imageStart + (channel * u.inHeight + y) * u.inWidth + x];
  columns[u.columnsStart + i32(index)] = select(0.0, value, isInside);`,
      }));
      const count = elementCount(columns.shape);
      const uniforms = [count, columns.offset, x.offset, ...windowNumbers(g)];
      runtime.launchEach(kernel, [columns.buffer, x.buffer], uniforms, count);
    },

    fold(columns, out, g) {
      const kind = kindOf(g);
      const kernel = runtime.kernel(`fold/${kind}`, () => ({
        name: "fold",
        outputs: { image: "f32" },
        inputs: { columns: "f32" },
        uniforms: { count: "u32", imageStart: "i32", columnsStart: "i32", ...windowUniforms },
        body: `
  if (index >= u.count) { return; }
  ${inPlace}
  let places = u.outHeight * u.outWidth;
  var sum = 0.0;
  ${forEachWindow(
    kind,
    `
      let row = (plane * u.kernelHeight + ky) * u.kernelWidth + kx;
      sum += columns[u.columnsStart + row * places + oy * u.outWidth + ox];`,
  )}
  image[u.imageStart + i32(index)] = sum;`,
      }));
      const count = elementCount(out.shape);
      const uniforms = [count, out.offset, columns.offset, ...windowNumbers(g)];
      runtime.launchEach(kernel, [out.buffer, columns.buffer], uniforms, count);
    },
  };
}
