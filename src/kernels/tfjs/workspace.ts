/** Arrays as TensorFlow.js wants them: without gaps, from the start of a buffer that holds nothing else that is written. */
import type { Dense, Strided } from "../kernelSet.js";
import { at, denseStrides, elementCount, isDense } from "../strides.js";
import type { GpuMemory } from "../webgpu/bufferPool.js";
import type { WebGpuKernels } from "../webgpu/index.js";

/** Memory for the time of one call. */
export class Workspace {
  private readonly lent: GpuMemory[] = [];

  private constructor(private readonly kernels: WebGpuKernels) {}

  /** Calls `use`, and takes back all that it was lent. */
  static lend(kernels: WebGpuKernels, use: (workspace: Workspace) => void): void {
    const workspace = new Workspace(kernels);
    try {
      use(workspace);
    } finally {
      for (const memory of workspace.lent) kernels.runtime.pool.give(memory);
    }
  }

  /** An array of float32, uninitialised. */
  array(shape: readonly number[]): Dense {
    const buffer = this.kernels.runtime.pool.take(elementCount(shape) * 4);
    this.lent.push(buffer);
    return { buffer, dtype: "float32", shape, strides: denseStrides(shape), offset: 0 };
  }

  /** `x`, or a copy where it lies in another way or in the buffer of `out`. */
  input(x: Strided, out: Strided): Dense {
    const { buffer, dtype, shape, strides, offset } = x;
    if (offset === 0 && buffer !== out.buffer && isDense(shape, strides)) {
      return { buffer, dtype, shape, strides: denseStrides(shape), offset };
    }
    const copy = this.array(shape);
    this.kernels.copy(x, copy);
    return copy;
  }

  /**
   * A copy of a matrix, whose columns are the last axis and whose rows all others, with zeros behind it until it has a multiple of
   * `unit` rows. The array that comes back has the shape of `x`.
   */
  padded(x: Strided, unit: number): Dense {
    const columns = at(x.shape, x.shape.length - 1);
    const count = elementCount(x.shape);
    const whole = Math.ceil(count / columns / unit) * unit * columns;
    const { buffer } = this.array([whole]);
    const copy: Dense = { buffer, dtype: "float32", shape: x.shape, strides: denseStrides(x.shape), offset: 0 };
    this.kernels.copy(x, copy);
    if (whole > count) {
      this.kernels.fill({ buffer, dtype: "float32", shape: [whole - count], strides: [1], offset: count }, 0);
    }
    return copy;
  }

  /** Calls `write` with `out`, or with an array that is then copied there where `out` does not begin with its buffer. */
  output(out: Dense, write: (target: Dense) => void): void {
    if (out.offset === 0) {
      write(out);
      return;
    }
    const target = this.array(out.shape);
    write(target);
    this.kernels.copy(target, out);
  }
}

/** The same elements, their axes in another order. */
export function permuted(x: Strided, axes: readonly number[]): Strided {
  const { buffer, dtype, offset } = x;
  const pick = (list: readonly number[]): number[] => axes.map((axis) => list[axis] ?? 0);
  return { buffer, dtype, offset, shape: pick(x.shape), strides: pick(x.strides) };
}
