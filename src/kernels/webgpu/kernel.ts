/** A kernel: its text in WGSL, and what it takes. */

/** Type of the elements of a storage buffer in WGSL: `f32`, `i32`, `u32`, `vec4<f32>`, `atomic<u32>`. */
export type ElementType = string;

/** Type of one number among a kernel's uniforms. */
export type UniformType = "f32" | "i32" | "u32";

/** Bytes of one launch's uniforms, each of four: as far apart as WebGPU wants them. */
export const UNIFORM_BYTES = 256;

/** What a kernel is made of; see {@link Runtime} for how to write one. */
export interface KernelText {
  /** For messages and labels. */
  readonly name: string;
  /** Extensions of WGSL that it takes. */
  readonly extensions?: readonly string[];
  /** Arrays that are written, and may be read: element types by name. They come first in a launch. */
  readonly outputs: Readonly<Record<string, ElementType>>;
  /** Arrays that are only read. */
  readonly inputs?: Readonly<Record<string, ElementType>>;
  /** Numbers, read as `u.name`, in the order of a launch. At most 64. */
  readonly uniforms?: Readonly<Record<string, UniformType>>;
  /** Invocations of a workgroup along x, y, z. Default [256, 1, 1]; the product must not exceed 256. */
  readonly workgroup?: readonly [number, number, number];
  /** Functions, structures, workgroup variables (16 KiB in all). */
  readonly declarations?: string;
  /** The body of `main`; see {@link Runtime} for the names in sight. */
  readonly body: string;
}

/** A kernel that was compiled; only {@link Runtime.kernel} makes it. */
export interface Kernel {
  readonly name: string;
  readonly text: KernelText;
  /** The same for float16 arrays in some places, of which each has a bit. */
  readonly forHalves: Map<number, Kernel>;
  readonly pipeline: GPUComputePipeline;
  readonly groupLayout: GPUBindGroupLayout;
  readonly outputCount: number;
  /** For each uniform whether it is a float. */
  readonly floats: readonly boolean[];
  /** Invocations of a workgroup. */
  readonly size: number;
}

/** Helpers that every kernel can use. */
const prelude = `
// A constant could be folded away, or refused: WGSL has no literals for these.
var<private> infinityBits: u32 = 0x7f800000u;
var<private> nanBits: u32 = 0x7fc00000u;
fn infinity() -> f32 { return bitcast<f32>(infinityBits); }
fn nan() -> f32 { return bitcast<f32>(nanBits); }
// Compilers may take comparisons to hold no NaN; they cannot for bits.
fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn isInf(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }
`;

/** The whole text of a kernel. */
export function assemble(text: KernelText): string {
  const { outputs, inputs = {}, uniforms = {}, workgroup = [256, 1, 1], declarations = "" } = text;
  const lines: string[] = [];
  const enables = (text.extensions ?? []).map((name) => `enable ${name};\n`).join("");
  const uniformBinding = Object.keys(outputs).length + Object.keys(inputs).length;
  for (const [name, type] of Object.entries(outputs)) {
    lines.push(`@group(0) @binding(${lines.length}) var<storage, read_write> ${name}: array<${type}>;`);
  }
  for (const [name, type] of Object.entries(inputs)) {
    lines.push(`@group(0) @binding(${lines.length}) var<storage, read> ${name}: array<${type}>;`);
  }
  const fields = Object.entries(uniforms).map(([name, type]) => `${name}: ${type}`);
  if (fields.length > 0) {
    lines.push(
      `struct Uniforms { ${fields.join(", ")} }`,
      `@group(0) @binding(${uniformBinding}) var<uniform> u: Uniforms;`,
    );
  }
  return `${enables}${lines.join("\n")}
${prelude}
${declarations}
@compute @workgroup_size(${workgroup.join(", ")})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * ${workgroup[0] * workgroup[1] * workgroup[2]}u + lane;
${text.body}
}
`;
}
