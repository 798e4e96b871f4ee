/** Kernels that read or write along an axis at given places. Places out of range are noted, and touch nothing. */
import type { KernelSet, Strided } from "../kernelSet.js";
import { at, elementCount } from "../strides.js";
import { inParts, MOST_AXES, relaid, walkNumbers, walkOver, walkText, walkUniforms } from "./axes.js";
import { IndexFaults } from "./indexFaults.js";
import type { Runtime } from "./runtime.js";
import { wgslType } from "./types.js";

/** Lines from which on each is done by one invocation. */
const MANY_LINES = 64;
/** Comparisons of a place with an index that are too many. */
const MOST_COMPARISONS = 2 ** 24;

export function indexKernels(runtime: Runtime): Pick<KernelSet, "gather" | "scatter" | "scatterAdd"> {
  const { indexFaults } = runtime;
  const notes = indexFaults.memory;
  /** Adds to what is there, or takes its place. */
  function scatterWith(name: string, adds: boolean, x: Strided, axis: number, index: Strided, out: Strided): void {
    if (elementCount(x.shape) === 0) return;
    const type = wgslType(x.dtype);
    // A sum of bools is "or".
    const sum = !adds ? "value" : type === "u32" ? "total | value" : "total + value";
    const lengths = at(x.shape, axis);
    const extent = at(out.shape, axis);
    const lineShape = x.shape.with(axis, 1);
    const lines = elementCount(lineShape);
    // There are no atomic sums of floats: whoever writes an element takes all that goes there, in order.
    const byLine = lines >= MANY_LINES || lengths * extent > MOST_COMPARISONS;
    const names = ["out", "places", "x"];
    const still = [out, index, x].map((array) => relaid(array, { strides: array.strides.with(axis, 0) }));
    const walk = walkOver(lineShape, still);
    const rank = Math.min(walk.shape.length, MOST_AXES);
    const kernel = runtime.kernel(`${name}/${rank}/${type}/${byLine}`, () => ({
      name,
      outputs: { outArray: type, notes: "atomic<i32>" },
      inputs: { placesArray: "i32", xArray: type },
      uniforms: {
        count: "u32",
        op: "i32",
        extent: "i32",
        lengths: "i32",
        outAlong: "i32",
        placesAlong: "i32",
        xAlong: "i32",
        ...walkUniforms(rank, names),
      },
      declarations: IndexFaults.declaration,
      body: byLine
        ? `
  if (index >= u.count) { return; }
  ${walkText(rank, names, "index")}
  for (var i = 0; i < u.lengths; i++) {
    let place = placesArray[placesAt + i * u.placesAlong];
    if (place < 0 || place >= u.extent) {
      noteIndex(place, u.extent);
      continue;
    }
    let total = outArray[outAt + place * u.outAlong];
    let value = xArray[xAt + i * u.xAlong];
    outArray[outAt + place * u.outAlong] = ${sum};
  }`
        : `
  if (index >= u.count * u32(max(u.extent, 1))) { return; }
  ${walkText(rank, names, "index / u32(max(u.extent, 1))")}
  let own = i32(index % u32(max(u.extent, 1)));
  var total = ${type}(0);
  if (own < u.extent) { total = outArray[outAt + own * u.outAlong]; }
  for (var i = 0; i < u.lengths; i++) {
    let place = placesArray[placesAt + i * u.placesAlong];
    if (own == 0 && (place < 0 || place >= u.extent)) { noteIndex(place, u.extent); }
    if (place == own) {
      let value = xArray[xAt + i * u.xAlong];
      total = ${sum};
    }
  }
  if (own < u.extent) { outArray[outAt + own * u.outAlong] = total; }`,
    }));
    inParts(walk, (part) => {
      const count = elementCount(part.shape);
      const steps = [out, index, x].map(({ strides }) => at(strides, axis));
      const uniforms = [count, indexFaults.numberOf(name), extent, lengths, ...steps];
      walkNumbers(part, uniforms);
      const invocations = byLine ? count : count * Math.max(extent, 1);
      runtime.launchEach(kernel, [out.buffer, notes, index.buffer, x.buffer], uniforms, invocations);
    });
  }

  return {
    gather(x, axis, index, out, caller = "gather") {
      if (elementCount(out.shape) === 0) return;
      const type = wgslType(x.dtype);
      const names = ["out", "places", "x"];
      const walk = walkOver(out.shape, [out, index, relaid(x, { strides: x.strides.with(axis, 0) })]);
      const rank = Math.min(walk.shape.length, MOST_AXES);
      const kernel = runtime.kernel(`gather/${rank}/${type}`, () => ({
        name: "gather",
        outputs: { outArray: type, notes: "atomic<i32>" },
        inputs: { placesArray: "i32", xArray: type },
        uniforms: { count: "u32", op: "i32", extent: "i32", along: "i32", ...walkUniforms(rank, names) },
        declarations: IndexFaults.declaration,
        body: `
  if (index >= u.count) { return; }
  ${walkText(rank, names, "index")}
  let place = placesArray[placesAt];
  if (place < 0 || place >= u.extent) {
    noteIndex(place, u.extent);
    outArray[outAt] = ${type}(0);
    return;
  }
  outArray[outAt] = xArray[xAt + place * u.along];`,
      }));
      inParts(walk, (part) => {
        const count = elementCount(part.shape);
        const uniforms = [count, indexFaults.numberOf(caller), at(x.shape, axis), at(x.strides, axis)];
        walkNumbers(part, uniforms);
        runtime.launchEach(kernel, [out.buffer, notes, index.buffer, x.buffer], uniforms, count);
      });
    },

    scatter: (x, axis, index, out) => scatterWith("scatter", false, x, axis, index, out),

    scatterAdd: (x, axis, index, out) => scatterWith("scatterAdd", true, x, axis, index, out),
  };
}
