/** Matrix products of any strides and batches: one invocation for each element of the product. */
import type { KernelSet } from "../kernelSet.js";
import { at, elementCount } from "../strides.js";
import { inParts, MOST_AXES, walkNumbers, walkOver, walkText, walkUniforms } from "./axes.js";
import type { Runtime } from "./runtime.js";
import { wgslType } from "./types.js";

export function matmulKernels(runtime: Runtime): Pick<KernelSet, "matmul"> {
  return {
    matmul(a, b, bias, out) {
      if (elementCount(out.shape) === 0) return;
      const row = out.shape.length - 2;
      const column = row + 1;
      const depth = at(a.shape, column);
      const type = wgslType(out.dtype);
      // Of the product's axes, a stands still along the columns and b along the rows.
      const still = [
        { ...a, shape: out.shape, strides: a.strides.with(column, 0) },
        { ...b, shape: out.shape, strides: b.strides.with(row, 0) },
        ...(bias === null ? [] : [bias]),
      ];
      const names = ["out", "a", "b", ...(bias === null ? [] : ["bias"])];
      const walk = walkOver(out.shape, [out, ...still]);
      const rank = Math.min(walk.shape.length, MOST_AXES);
      const kernel = runtime.kernel(`matmul/${rank}/${type}/${bias !== null}`, () => ({
        name: "matmul",
        outputs: { outArray: type },
        inputs: { aArray: type, bArray: type, ...(bias !== null && { biasArray: type }) },
        uniforms: { count: "u32", depth: "i32", aAlong: "i32", bAlong: "i32", ...walkUniforms(rank, names) },
        body: `
  if (index >= u.count) { return; }
  ${walkText(rank, names, "index")}
  var sum = ${bias === null ? `${type}(0)` : "biasArray[biasAt]"};
  for (var k = 0; k < u.depth; k++) { sum += aArray[aAt + k * u.aAlong] * bArray[bAt + k * u.bAlong]; }
  outArray[outAt] = sum;`,
      }));
      const buffers = [out.buffer, a.buffer, b.buffer, ...(bias === null ? [] : [bias.buffer])];
      inParts(walk, (part) => {
        const count = elementCount(part.shape);
        const uniforms = [count, depth, at(a.strides, column), at(b.strides, row)];
        walkNumbers(part, uniforms);
        runtime.launchEach(kernel, buffers, uniforms, count);
      });
    },
  };
}
