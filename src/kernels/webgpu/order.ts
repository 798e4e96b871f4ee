/** The order of rows: a merge sort in which each element looks up how many of the neighbouring run come before it. */
import type { KernelSet } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import type { KernelText } from "./kernel.js";
import type { Runtime } from "./runtime.js";
import { type WgslType, wgslType } from "./types.js";

export function orderKernels(runtime: Runtime): Pick<KernelSet, "argSort"> {
  return {
    argSort(x, descending, out) {
      const count = elementCount(x.shape);
      if (count === 0) return;
      const length = x.shape.at(-1) ?? 1;
      const type = wgslType(x.dtype);
      const numbering = runtime.kernel("argSort/places", () => placesText);
      const merging = runtime.kernel(`argSort/${type}/${descending}`, () => mergeText(type, descending));
      const passes = Math.ceil(Math.log2(length));
      runtime.scratch(count * 4, (spare) => {
        // The last pass has to end in `out`.
        const halves = [
          { buffer: out.buffer, offset: out.offset },
          { buffer: spare, offset: 0 },
        ] as const;
        const half = (pass: number) => ((passes - pass) % 2 === 0 ? halves[0] : halves[1]);
        runtime.launchEach(numbering, [half(0).buffer], [count, length, half(0).offset], count);
        for (let pass = 0; pass < passes; pass++) {
          const [from, to] = [half(pass), half(pass + 1)];
          const uniforms = [count, length, 2 ** pass, x.offset, from.offset, to.offset];
          runtime.launchEach(merging, [to.buffer, x.buffer, from.buffer], uniforms, count);
        }
      });
    },
  };
}

const placesText: KernelText = {
  name: "argSort places",
  outputs: { places: "i32" },
  inputs: {},
  uniforms: { count: "u32", length: "u32", placesStart: "u32" },
  body: `
  if (index >= u.count) { return; }
  places[u.placesStart + index] = i32(index % u.length);`,
};

function mergeText(type: WgslType, descending: boolean): KernelText {
  const sign = descending ? ">" : "<";
  // NaN is greater than everything.
  const nan = descending ? "isNan(a) && !isNan(b)" : "isNan(b) && !isNan(a)";
  return {
    name: "argSort",
    outputs: { merged: "i32" },
    inputs: { keys: type, places: "i32" },
    uniforms: { count: "u32", length: "u32", width: "u32", keysStart: "u32", placesStart: "u32", mergedStart: "u32" },
    declarations: `
fn precedes(a: ${type}, b: ${type}) -> bool {
  return ${type === "f32" ? `(a ${sign} b && !isNan(a) && !isNan(b)) || (${nan})` : `a ${sign} b`};
}`,
    body: `
  if (index >= u.count) { return; }
  let place = index % u.length;
  let row = index - place;
  let start = place - place % (2u * u.width);
  let middle = min(start + u.width, u.length);
  let end = min(middle + u.width, u.length);
  let own = places[u.placesStart + index];
  let key = keys[u.keysStart + row + u32(own)];
  let first = place < middle;
  var low = select(start, middle, first);
  let lowest = low;
  var high = select(middle, end, first);
  while (low < high) {
    let probe = (low + high) / 2u;
    let other = keys[u.keysStart + row + u32(places[u.placesStart + row + probe])];
    // Of equals those of the first run come first.
    let before = select(!precedes(key, other), precedes(other, key), first);
    if (before) { low = probe + 1u; } else { high = probe; }
  }
  let passed = low - lowest;
  let spot = select(start + (place - middle) + passed, place + passed, first);
  merged[u.mergedStart + row + spot] = own;`,
  };
}
