/** Softmax and its logarithm along the last axis: a row by one invocation where rows are short, else by a workgroup. */
import type { Dense, KernelSet } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import type { Kernel, KernelText } from "./kernel.js";
import type { Runtime } from "./runtime.js";

/** Longest row of one invocation. */
const ALONE = 64;
const TEAM = 64;

export function softmaxKernels(runtime: Runtime): Pick<KernelSet, "softmax" | "softmaxGrad"> {
  function launch(make: (together: boolean) => KernelText, arrays: readonly Dense[], out: Dense): void {
    const classes = out.shape.at(-1) ?? 1;
    const size = elementCount(out.shape);
    if (size === 0) return;
    const together = classes > ALONE;
    const text = make(together);
    const kernel: Kernel = runtime.kernel(`${text.name}/${together}`, () => text);
    const rows = size / classes;
    const buffers = [out.buffer, ...arrays.map(({ buffer }) => buffer)];
    const uniforms = [rows, classes, out.offset, ...arrays.map(({ offset }) => offset)];
    if (together) runtime.launchFlat(kernel, buffers, uniforms, rows);
    else runtime.launchEach(kernel, buffers, uniforms, rows);
  }

  return {
    softmax(x, out, logarithm) {
      launch((together) => softmaxText(logarithm, together), [x], out);
    },

    softmaxGrad(outGrad, y, xGrad, logarithm) {
      launch((together) => softmaxGradText(logarithm, together), [outGrad, y], xGrad);
    },
  };
}

/** Functions that a row's invocations call together, each with its own part, to get the whole. */
function combiners(together: boolean): string {
  if (!together)
    return "fn maximumOf(lane: u32, x: f32) -> f32 { return x; } fn sumOf(lane: u32, x: f32) -> f32 { return x; }";
  const combiner = (name: string, expression: string): string => `
fn ${name}(lane: u32, x: f32) -> f32 {
  workgroupBarrier();
  parts[lane] = x;
  for (var half = ${TEAM / 2}u; half > 0u; half = half / 2u) {
    workgroupBarrier();
    if (lane < half) { parts[lane] = ${expression}; }
  }
  workgroupBarrier();
  return parts[0];
}`;
  return `var<workgroup> parts: array<f32, ${TEAM}>;
${combiner("maximumOf", "max(parts[lane], parts[lane + half])")}
${combiner("sumOf", "parts[lane] + parts[lane + half]")}`;
}

/** Sets `row` (past the last one: the last), `writes`, `first` and `step`. */
function rowText(together: boolean): string {
  return together
    ? `
  let flat = group.y * groups.x + group.x;
  let row = i32(min(flat, u.rows - 1u));
  let writes = flat < u.rows;
  let first = i32(lane);
  let step = ${TEAM};`
    : `
  if (index >= u.rows) { return; }
  let row = i32(index);
  let writes = true;
  let first = 0;
  let step = 1;`;
}

function softmaxText(logarithm: boolean, together: boolean): KernelText {
  const result = logarithm ? "select(d - log(sum), sum, isNan(sum))" : "power(d) / sum";
  return {
    name: logarithm ? "logSoftmax" : "softmax",
    outputs: { result: "f32" },
    inputs: { x: "f32" },
    uniforms: { rows: "u32", classes: "i32", resultStart: "i32", xStart: "i32" },
    workgroup: [together ? TEAM : 64, 1, 1],
    declarations: `${combiners(together)}
fn power(x: f32) -> f32 { return select(exp(x), x, isNan(x)); }`,
    body: `${rowText(together)}
  let at = u.xStart + row * u.classes;
  var largest = -infinity();
  for (var i = first; i < u.classes; i += step) { largest = max(largest, x[at + i]); }
  largest = maximumOf(lane, largest);
  var sum = 0.0;
  for (var i = first; i < u.classes; i += step) { sum += power(x[at + i] - largest); }
  sum = sumOf(lane, sum);
  if (writes) {
    for (var i = first; i < u.classes; i += step) {
      let d = x[at + i] - largest;
      result[u.resultStart + row * u.classes + i] = ${result};
    }
  }`,
  };
}

function softmaxGradText(logarithm: boolean, together: boolean): KernelText {
  const term = logarithm ? "g[gAt + i]" : "g[gAt + i] * y[yAt + i]";
  const result = logarithm ? "g[gAt + i] - exp(y[yAt + i]) * sum" : "y[yAt + i] * (g[gAt + i] - sum)";
  return {
    name: logarithm ? "logSoftmaxGrad" : "softmaxGrad",
    outputs: { result: "f32" },
    inputs: { g: "f32", y: "f32" },
    uniforms: { rows: "u32", classes: "i32", resultStart: "i32", gStart: "i32", yStart: "i32" },
    workgroup: [together ? TEAM : 64, 1, 1],
    declarations: combiners(together),
    body: `${rowText(together)}
  let gAt = u.gStart + row * u.classes;
  let yAt = u.yStart + row * u.classes;
  var sum = 0.0;
  for (var i = first; i < u.classes; i += step) { sum += ${term}; }
  sum = sumOf(lane, sum);
  if (writes) {
    for (var i = first; i < u.classes; i += step) { result[u.resultStart + row * u.classes + i] = ${result}; }
  }`,
  };
}
