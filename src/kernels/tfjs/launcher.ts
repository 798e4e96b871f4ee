/**
 * Runs kernels of TensorFlow.js on memory of ours, among the commands of ours.
 *
 * A kernel of TensorFlow.js makes its output itself, runs one program or more, and submits when it thinks fit. Here its programs
 * are written down at first; once the kernel has said which array is the result, that array is given the memory where the result
 * belongs, and the programs are recorded into the commands under way. So nothing is copied, and order is that of the calls.
 *
 * @module
 */
import { TapegradError } from "../../errors.js";
import type { Dense } from "../kernelSet.js";
import { elementCount } from "../strides.js";
import type { GpuMemory } from "../webgpu/bufferPool.js";
import type { Runtime } from "../webgpu/runtime.js";
import type { Backend, Library, Program, TensorInfo, Uniforms } from "./library.js";
import { UniformBuffers } from "./uniformBuffers.js";

interface Step {
  readonly program: Program & { readonly outputShape: readonly number[] };
  readonly inputs: readonly TensorInfo[];
  readonly uniforms: Uniforms | undefined;
  readonly output: TensorInfo;
}

export class Launcher {
  private readonly backend: Backend;
  /** As the backend came: runs a program. */
  private readonly runProgram: Backend["runWebGPUProgram"];
  private steps: Step[] = [];

  constructor(
    private readonly tfjs: Library,
    readonly runtime: Runtime,
  ) {
    const backend = tfjs.newBackend(runtime.device);
    const uniforms = new UniformBuffers(runtime);
    this.runProgram = backend.runWebGPUProgram.bind(backend);
    this.backend = Object.assign(backend, {
      runWebGPUProgram: (
        program: Step["program"],
        inputs: readonly TensorInfo[],
        dtype: string,
        programUniforms?: Uniforms,
        given?: TensorInfo,
      ): TensorInfo => {
        const output = given ?? backend.makeTensorInfo(program.outputShape, dtype);
        this.steps.push({ program, inputs, uniforms: programUniforms, output });
        return output;
      },
      bufferManager: { acquireBuffer: (size: number) => uniforms.take(size), releaseBuffer: () => undefined },
      tensorToBinding: ({ dataId }: TensorInfo) => ({ buffer: backend.tensorMap.get(dataId).resource }),
      // Memory is found, and given back, by `run`; commands are sent by the runtime.
      uploadToGPU: () => undefined,
      disposeData: () => true,
      endComputePassEncoder: () => undefined,
      submitQueue: () => undefined,
      // The other roads add with atomics, in any order, or unfold images into products with rests (see matmul.ts).
      thresholdToIncreaseWorkgroups: 0,
    });
  }

  /**
   * Runs a kernel. All arrays begin where their buffers begin, and `out` shares its buffer with no input.
   *
   * @param attrs As the kernel has them in TensorFlow.js.
   */
  run(
    name: string,
    inputs: Readonly<Record<string, Dense>>,
    attrs: Readonly<Record<string, unknown>>,
    out: Dense,
  ): void {
    const { runtime, backend } = this;
    const memories = new Map<object, GpuMemory>();
    const lent: GpuMemory[] = [];
    this.steps = [];
    try {
      const infos = Object.entries(inputs).map(([key, x]) => [key, this.adopt(x, memories)] as const);
      const result = this.call(name, Object.fromEntries(infos), attrs, out);
      memories.set(result.dataId, runtime.memoryOf(out.buffer));
      for (const { inputs, output } of this.steps) {
        for (const { dataId, shape } of [output, ...inputs]) {
          let memory = memories.get(dataId);
          if (memory === undefined) {
            memory = runtime.pool.take(elementCount(shape) * 4);
            lent.push(memory);
            memories.set(dataId, memory);
          }
          backend.tensorMap.get(dataId).resource = memory.buffer;
        }
      }
      for (const step of this.steps) this.record(`tfjs ${name}`, step, memories);
    } catch (error) {
      throw error instanceof TapegradError ? error : this.bug(name, error);
    } finally {
      for (const dataId of memories.keys()) backend.tensorMap.delete(dataId);
      for (const memory of lent) runtime.pool.give(memory);
      this.steps = [];
    }
  }

  private record(name: string, { program, inputs, uniforms, output }: Step, memories: Map<object, GpuMemory>): void {
    const { backend } = this;
    const used = [output, ...inputs].flatMap(({ dataId }) => memories.get(dataId) ?? []);
    this.runtime.record(name, used, (encoder, pass) => {
      backend.commandEncoder = encoder;
      backend.computePassEncoder = pass;
      this.runProgram(program, inputs, output.dtype, uniforms, output);
      backend.commandEncoder = backend.computePassEncoder = null;
      // They come back by themselves.
      backend.uniformPendingDisposal.length = 0;
    });
  }

  private call(
    name: string,
    inputs: Readonly<Record<string, TensorInfo>>,
    attrs: Readonly<Record<string, unknown>>,
    out: Dense,
  ): TensorInfo {
    const result = this.tfjs.kernel(name)({ inputs, attrs, backend: this.backend });
    if (elementCount(result.shape) === elementCount(out.shape)) return result;
    throw new Error(`got a result of shape [${result.shape}]; expected [${out.shape}]`);
  }

  private bug(name: string, cause: unknown): TapegradError {
    return new TapegradError(
      `webgpu: the kernel "${name}" of TensorFlow.js failed: ${cause instanceof Error ? cause.message : String(cause)}. ` +
        'This is a bug in the library: please report it, and leave kernels: "tfjs" out meanwhile.',
      { cause },
    );
  }

  /** An array of ours as one of TensorFlow.js, in the same memory. */
  private adopt({ buffer, shape }: Dense, memories: Map<object, GpuMemory>): TensorInfo {
    const memory = this.runtime.memoryOf(buffer);
    const dataId = {};
    const dtype = "float32";
    this.backend.tensorMap.set(dataId, {
      dtype,
      shape,
      values: null,
      refCount: 1,
      external: true,
      resource: memory.buffer,
    });
    memories.set(dataId, memory);
    return { dataId, shape, dtype };
  }
}
