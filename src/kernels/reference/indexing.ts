/** Kernels that read or write along an axis at given places. */
import type { KernelSet } from "../kernelSet.js";
import { type ArrayOf, at, denseStrides } from "./arrays.js";
import { forEachRow, type Walked } from "./rows.js";

/** `x` with the given axis standing still, so that an index can choose the place along it. */
function without(axis: number, x: Walked): Walked {
  return { strides: x.strides.map((stride, i) => (i === axis ? 0 : stride)), offset: x.offset };
}

export function indexKernels(arrayOf: ArrayOf): Pick<KernelSet, "gather" | "scatterAdd"> {
  return {
    gather(x, axis, index, out) {
      const source = arrayOf(x);
      const places = arrayOf(index);
      const target = arrayOf(out);
      const along = at(x.strides, axis);
      const outWalk = { strides: denseStrides(out.shape), offset: out.offset };
      forEachRow(out.shape, [without(axis, x), index, outWalk], (offsets, steps, length) => {
        let [p = 0, q = 0, t = 0] = offsets;
        const [step = 0, indexStep = 0, targetStep = 0] = steps;
        for (let i = 0; i < length; i += 1, p += step, q += indexStep, t += targetStep) {
          target[t] = source[p + (places[q] as number) * along] as number;
        }
      });
    },

    scatterAdd(x, axis, index, out) {
      const source = arrayOf(x);
      const places = arrayOf(index);
      const target = arrayOf(out);
      const along = at(out.strides, axis);
      const isBool = out.dtype === "bool";
      forEachRow(x.shape, [x, index, without(axis, out)], (offsets, steps, length) => {
        let [p = 0, q = 0, t = 0] = offsets;
        const [step = 0, indexStep = 0, targetStep = 0] = steps;
        for (let i = 0; i < length; i += 1, p += step, q += indexStep, t += targetStep) {
          const place = t + (places[q] as number) * along;
          const sum = (target[place] as number) + (source[p] as number);
          target[place] = isBool && sum > 1 ? 1 : sum;
        }
      });
    },
  };
}
