/**
 * float16 arrays in kernels that compute in float32: elements are widened when they are read and rounded when they are written. Kernels
 * are written for float32; what they say about an array that turns out to be float16 is changed here, for all of them.
 *
 * @module
 */
import type { KernelText } from "./kernel.js";

/**
 * How float16 arrays are stored: `"native"`, as WGSL's f16, which takes the feature shader-f16; or `"rounded"`, as f32 rounded to
 * float16, which computes the same on any adapter and saves nothing: for tests.
 */
export type HalfForm = "native" | "rounded";

/** Bytes of one element. */
export function bytesPerHalf(form: HalfForm): number {
  return form === "native" ? 2 : 4;
}

/** How the arrays of a kernel are declared, and read and written, by element type. */
const conversions = {
  native: {
    types: { f32: "f16", "vec4<f32>": "vec4<f16>" },
    declarations: `
fn toHalf(x: f32) -> f16 { return f16(x); }
fn toHalves(x: vec4<f32>) -> vec4<f16> { return vec4<f16>(x); }`,
  },
  rounded: {
    types: { f32: "f32", "vec4<f32>": "vec4<f32>" },
    declarations: `
// Not by pack2x16float, which may lose infinities and what is below 2⁻¹⁴.
fn toHalf(x: f32) -> f32 {
  if (isNan(x) || isInf(x)) { return x; }
  let exponent = max(i32((bitcast<u32>(x) >> 23u) & 255u), 113);
  let unit = bitcast<f32>(u32(exponent - 10) << 23u);
  let rounded = round(x / unit) * unit;
  return select(rounded, select(infinity(), -infinity(), x < 0.0), abs(rounded) > 65504.0);
}
fn toHalves(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(toHalf(x.x), toHalf(x.y), toHalf(x.z), toHalf(x.w)); }`,
  },
} as const;

type WideType = keyof (typeof conversions)["native"]["types"];

/** The kernel with float16 in place of float32 in the named arrays. */
export function withHalves(text: KernelText, names: ReadonlySet<string>, form: HalfForm): KernelText {
  const { types, declarations } = conversions[form];
  const all = { ...text.outputs, ...text.inputs };
  const wide = new Map<string, WideType>();
  for (const name of names) {
    const type = all[name];
    if (type === "f32" || type === "vec4<f32>") wide.set(name, type);
  }
  const changed = (arrays: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(arrays).map(([name, type]) => {
        const from = wide.get(name);
        return [name, from === undefined ? type : types[from]];
      }),
    );
  return {
    ...text,
    ...(form === "native" && { extensions: ["f16"] }),
    outputs: changed(text.outputs),
    inputs: changed(text.inputs ?? {}),
    declarations: `${declarations}\n${rewritten(text.declarations ?? "", wide)}`,
    body: rewritten(text.body, wide),
  };
}

/** `name[place]` is widened where it is read; `name[place] = value;`, also of one component of it, rounds the value. */
function rewritten(text: string, wide: ReadonlyMap<string, WideType>): string {
  const access = new RegExp(`(?<![\\w.])(${[...wide.keys()].join("|")})\\[`, "g");
  let result = "";
  let done = 0;
  for (let found = access.exec(text); found !== null; found = access.exec(text)) {
    const type = wide.get(found[1] ?? "") ?? "f32";
    const close = closing(text, access.lastIndex);
    const element = `${found[0]}${rewritten(text.slice(access.lastIndex, close), wide)}]`;
    result += text.slice(done, found.index);
    const assignment = /^(\.[xyzw])? = /.exec(text.slice(close + 1, close + 7));
    if (assignment === null) {
      result += `${type}(${element})`;
      done = close + 1;
    } else {
      const [operator, component] = assignment;
      const start = close + 1 + operator.length;
      const end = text.indexOf(";", start);
      const round = type === "f32" || component !== undefined ? "toHalf" : "toHalves";
      result += `${element}${operator}${round}(${rewritten(text.slice(start, end), wide)})`;
      done = end;
    }
    access.lastIndex = done;
  }
  return result + text.slice(done);
}

/** Place of the bracket that closes the one before `start`. */
function closing(text: string, start: number): number {
  let depth = 1;
  for (let place = start; place < text.length; place++) {
    if (text[place] === "[") depth++;
    else if (text[place] === "]" && --depth === 0) return place;
  }
  return text.length;
}
