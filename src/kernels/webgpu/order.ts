/**
 * The order of rows: a merge sort in which each element looks up how many of the neighbouring run come before it. Running sums: in
 * each pass an element takes what lies twice as far away as in the last.
 */
import type { KernelSet } from "../kernelSet.js";
import { at, denseStrides, elementCount } from "../strides.js";
import { relaid } from "./axes.js";
import type { KernelText } from "./kernel.js";
import { array, runMap } from "./map.js";
import type { Runtime } from "./runtime.js";
import { type WgslType, wgslType } from "./types.js";

export function orderKernels(runtime: Runtime): Pick<KernelSet, "argSort" | "cumsum"> {
  return {
    argSort(x, descending, out) {
      const count = elementCount(x.shape);
      if (count === 0) return;
      const length = x.shape.at(-1) ?? 1;
      const wanted = out.shape.at(-1) ?? 1;
      if (wanted < length) {
        runtime.scratch(count * 4, (memory) => {
          const all = relaid(out, { buffer: memory, shape: x.shape, strides: denseStrides(x.shape), offset: 0 });
          this.argSort(x, descending, all);
          const first = relaid(all, { shape: out.shape });
          runMap(runtime, { name: "copy", expression: "x", operands: [array("x", first)], out });
        });
        return;
      }
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

    cumsum(x, axis, backwards, out) {
      const count = elementCount(x.shape);
      if (count === 0) return;
      const extent = at(x.shape, axis);
      const inner = elementCount(x.shape.slice(axis + 1));
      const type = wgslType(x.dtype);
      const adding = runtime.kernel(`cumsum/${type}/${backwards}`, () => runningText(type, backwards));
      const passes = Math.max(1, Math.ceil(Math.log2(extent)));
      // Sums on their way are float32, also those of float16.
      runtime.scratch(count * 4, (one) =>
        runtime.scratch(count * 4, (other) => {
          for (let pass = 1; pass <= passes; pass++) {
            const from = pass === 1 ? x : { buffer: pass % 2 === 0 ? one : other, offset: 0 };
            const to = pass === passes ? out : { buffer: pass % 2 === 0 ? other : one, offset: 0 };
            const uniforms = [count, extent, inner, 2 ** (pass - 1), from.offset, to.offset];
            runtime.launchEach(adding, [to.buffer, from.buffer], uniforms, count);
          }
        }),
      );
    },
  };
}

/** Each element and the one `shift` places before it, or behind it. */
function runningText(type: WgslType, backwards: boolean): KernelText {
  return {
    name: "cumsum",
    outputs: { sums: type },
    inputs: { parts: type },
    uniforms: { count: "u32", extent: "u32", inner: "u32", shift: "u32", partsStart: "u32", sumsStart: "u32" },
    body: `
  if (index >= u.count) { return; }
  let place = index / u.inner % u.extent;
  let at = u.partsStart + index;
  var sum = parts[at];
  if (${backwards ? "place + u.shift < u.extent" : "place >= u.shift"}) { sum += parts[at ${backwards ? "+" : "-"} u.shift * u.inner]; }
  sums[u.sumsStart + index] = sum;`,
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
