/** Compiles kernels, each once. */
import { TapegradError } from "../../errors.js";
import type { DeviceBuffer } from "../kernelSet.js";
import { GpuMemory } from "./bufferPool.js";
import type { Faults } from "./faults.js";
import { COMPUTE_STAGE } from "./flags.js";
import { type HalfForm, withHalves } from "./halves.js";
import { assemble, type Kernel, type KernelText, UNIFORM_BYTES } from "./kernel.js";

export class CompiledKernels {
  private readonly kernels = new Map<string, Map<number, Kernel>>();
  private readonly groupLayouts = new Map<string, GPUBindGroupLayout>();

  constructor(
    private readonly device: GPUDevice,
    private readonly faults: Faults,
  ) {}

  /** The kernel of that key and variant, compiled when first asked for. */
  get(key: string, variant: number, make: () => KernelText): Kernel {
    let kernel = this.kernels.get(key)?.get(variant);
    if (kernel === undefined) {
      this.faults.checkAlive();
      kernel = this.compile(make());
      const variants = this.kernels.get(key) ?? new Map<number, Kernel>();
      this.kernels.set(key, variants.set(variant, kernel));
    }
    return kernel;
  }

  /** The kernel for those of the buffers that are float16. */
  forHalves(kernel: Kernel, form: HalfForm, buffers: readonly DeviceBuffer[]): Kernel {
    let places = 0;
    for (let i = 0; i < buffers.length; i++) {
      const buffer = buffers[i];
      if (buffer instanceof GpuMemory && buffer.isHalf) places |= 1 << i;
    }
    if (places === 0) return kernel;
    let changed = kernel.forHalves.get(places);
    if (changed === undefined) {
      const { text } = kernel;
      const names = [...Object.keys(text.outputs), ...Object.keys(text.inputs ?? {})];
      changed = this.compile(withHalves(text, new Set(names.filter((_, i) => (places >> i) & 1)), form));
      kernel.forHalves.set(places, changed);
    }
    return changed;
  }

  private compile(text: KernelText): Kernel {
    const { outputs, inputs = {}, uniforms = {}, workgroup = [256, 1, 1] } = text;
    if (Object.keys(uniforms).length > UNIFORM_BYTES / 4) {
      throw new TapegradError(
        `webgpu: kernel "${text.name}" has ${Object.keys(uniforms).length} uniforms; expected ${UNIFORM_BYTES / 4} or fewer. ` +
          "This is a bug in the library: please report it.",
      );
    }
    const outputCount = Object.keys(outputs).length;
    const groupLayout = this.groupLayout(outputCount, Object.keys(inputs).length);
    const pipeline = this.faults.scoped(`compiling kernel "${text.name}"`, () =>
      this.device.createComputePipeline({
        label: text.name,
        layout: this.device.createPipelineLayout({ bindGroupLayouts: [groupLayout] }),
        compute: {
          module: this.device.createShaderModule({ label: text.name, code: assemble(text) }),
          entryPoint: "main",
        },
      }),
    );
    return {
      name: text.name,
      text,
      forHalves: new Map(),
      pipeline,
      groupLayout,
      outputCount,
      floats: Object.values(uniforms).map((type) => type === "f32"),
      size: workgroup[0] * workgroup[1] * workgroup[2],
    };
  }

  private groupLayout(outputs: number, inputs: number): GPUBindGroupLayout {
    const access = `${outputs}+${inputs}`;
    let layout = this.groupLayouts.get(access);
    if (layout === undefined) {
      const entries = Array.from({ length: outputs + inputs }, (_, binding): GPUBindGroupLayoutEntry => {
        const type = binding < outputs ? "storage" : "read-only-storage";
        return { binding, visibility: COMPUTE_STAGE, buffer: { type } };
      });
      const uniforms = { type: "uniform", hasDynamicOffset: true } as const;
      entries.push({ binding: outputs + inputs, visibility: COMPUTE_STAGE, buffer: uniforms });
      layout = this.device.createBindGroupLayout({ label: access, entries });
      this.groupLayouts.set(access, layout);
    }
    return layout;
  }
}
