/** Sums and extremes over any axes, and the places of extremes along one. */
import type { KernelSet, ReduceOp } from "../kernelSet.js";
import { at, elementCount } from "../strides.js";
import { inParts, MOST_AXES, relaid, walkNumbers, walkOver, walkText, walkUniforms } from "./axes.js";
import { binaryText } from "./elementwiseText.js";
import { array } from "./map.js";
import { type Combination, runReduction } from "./reduction.js";
import type { Runtime } from "./runtime.js";
import { type WgslType, wgslType } from "./types.js";

const lowest: Record<WgslType, string> = { f32: "-infinity()", i32: "(-2147483647 - 1)", u32: "0u" };
const highest: Record<WgslType, string> = { f32: "infinity()", i32: "2147483647", u32: "1u" };

/** Zero of each type. */
const zero: Record<WgslType, string> = { f32: "0.0", i32: "0", u32: "0u" };

/** One of each type. */
const one: Record<WgslType, string> = { f32: "1.0", i32: "1", u32: "1u" };

function combinationOf(op: ReduceOp, type: WgslType): Combination {
  if (op === "prod") return { name: op, initial: one[type], expression: "a * b" };
  if (op === "sum" || op === "sumSquares") return { name: "sum", initial: zero[type], expression: "a + b" };
  const initial = op === "amax" ? lowest[type] : highest[type];
  const expression = binaryText(op === "amax" ? "maximum" : "minimum", type) ?? "a";
  return { name: op, initial, expression };
}

/** Elements of an axis from which on a workgroup looks for the extreme. */
const TEAM_EXTENT = 512;
const TEAM = 64;

export function reduceKernels(runtime: Runtime): Pick<KernelSet, "reduce" | "argReduce"> {
  return {
    reduce(op, x, out) {
      const [from, to] = [wgslType(x.dtype), wgslType(out.dtype)];
      runReduction(runtime, {
        name: `${op} ${from}`,
        combination: combinationOf(op, to),
        term: op === "sumSquares" ? "x * x" : from === to ? "x" : `${to}(x)`,
        operands: [array("x", x)],
        shape: x.shape,
        out,
      });
    },

    argReduce(op, x, axis, out) {
      if (elementCount(out.shape) === 0) return;
      const extent = at(x.shape, axis);
      const type = wgslType(x.dtype);
      const walk = walkOver(out.shape, [out, relaid(x, { strides: x.strides.with(axis, 0) })]);
      const rank = Math.min(walk.shape.length, MOST_AXES);
      const together = extent >= TEAM_EXTENT;
      const kernel = runtime.kernel(`arg ${op}/${rank}/${type}/${together}`, () => ({
        name: `arg ${op}`,
        outputs: { outArray: "i32" },
        inputs: { xArray: type },
        uniforms: { count: "u32", extent: "i32", along: "i32", ...walkUniforms(rank, ["out", "x"]) },
        workgroup: [together ? TEAM : 256, 1, 1],
        declarations: argDeclarations(op, type, together),
        body: argBody(rank, together),
      }));
      inParts(walk, (part) => {
        const count = elementCount(part.shape);
        const uniforms = [count, extent, at(x.strides, axis)];
        walkNumbers(part, uniforms);
        if (together) runtime.launchFlat(kernel, [out.buffer, x.buffer], uniforms, count);
        else runtime.launchEach(kernel, [out.buffer, x.buffer], uniforms, count);
      });
    },
  };
}

function argDeclarations(op: "amax" | "amin", type: WgslType, together: boolean): string {
  const sign = op === "amax" ? ">" : "<";
  const nanTest = (name: string): string => (type === "f32" ? `isNan(${name})` : "false");
  return `
struct Best { value: ${type}, place: i32 }
// Whether b stands before a: NaN is the extreme, and of equals the first one is.
fn precedes(b: Best, a: Best) -> bool {
  if (a.place < 0) { return true; }
  if (b.place < 0) { return false; }
  let aNan = ${nanTest("a.value")};
  let bNan = ${nanTest("b.value")};
  if (aNan || bNan) { return bNan && (!aNan || b.place < a.place); }
  return b.value ${sign} a.value || (b.value == a.value && b.place < a.place);
}
fn search(first: i32, step: i32, base: i32) -> Best {
  var best = Best(${zero[type]}, -1);
  for (var i = first; i < u.extent; i += step) {
    let found = Best(xArray[base + i * u.along], i);
    if (precedes(found, best)) { best = found; }
  }
  return best;
}
${together ? `var<workgroup> bests: array<Best, ${TEAM}>;` : ""}`;
}

function argBody(rank: number, together: boolean): string {
  if (!together) {
    return `
  if (index >= u.count) { return; }
  ${walkText(rank, ["out", "x"], "index")}
  outArray[outAt] = search(0, 1, xAt).place;`;
  }
  return `
  let flat = group.y * groups.x + group.x;
  ${walkText(rank, ["out", "x"], "min(flat, u.count - 1u)")}
  bests[lane] = search(i32(lane), ${TEAM}, xAt);
  for (var half = ${TEAM / 2}u; half > 0u; half = half / 2u) {
    workgroupBarrier();
    if (lane < half && precedes(bests[lane + half], bests[lane])) { bests[lane] = bests[lane + half]; }
  }
  if (lane == 0u && flat < u.count) { outArray[outAt] = bests[0].place; }`;
}
