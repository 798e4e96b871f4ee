/**
 * Products of matrices of float32 by TensorFlow.js. It works in tiles; where the depth ends within one, it takes zeros for the rest
 * of a, but goes on reading b: what lies behind, if it is infinite or NaN, spoils the sum. So b must have whole tiles.
 *
 * @module
 */
import type { KernelSet, Strided } from "../kernelSet.js";
import { at, elementCount, isDense } from "../strides.js";
import type { WebGpuKernels } from "../webgpu/index.js";
import type { Launcher } from "./launcher.js";
import { permuted, Workspace } from "./workspace.js";

/** Depth of a tile, and of one where a is a single row. */
const TILE = 32;
export const ROW_TILE = 128;

/** A factor as TensorFlow.js takes it: [batch, rows, columns], or [batch, columns, rows] where it is transposed. */
interface Factor {
  readonly x: Strided;
  readonly transposed: boolean;
}

export function matmulKernels(kernels: WebGpuKernels, launcher: Launcher): Pick<KernelSet, "matmul"> {
  const { maxComputeWorkgroupsPerDimension: widest } = launcher.runtime.device.limits;
  return {
    matmul(a, b, bias, out) {
      const { shape } = out;
      const rank = shape.length;
      const [rows, columns, depth] = [at(shape, rank - 2), at(shape, rank - 1), at(a.shape, rank - 1)];
      const batch = elementCount(shape.slice(0, -2));
      const tile = rows === 1 ? ROW_TILE : TILE;
      const whole = depth % tile === 0;
      const served =
        out.dtype === "float32" &&
        Math.min(batch, rows, columns, depth) > 0 &&
        Math.max(batch, rows, columns) <= widest &&
        (whole || isSingle(b)) &&
        !(batch > 1 && isSingle(a) && isSingle(b));
      if (!served) {
        kernels.matmul(a, b, bias, out);
        return;
      }
      Workspace.lend(kernels, (workspace) => {
        const left = factorOf(workspace, a, out);
        const right = whole ? factorOf(workspace, b, out) : paddedFactor(workspace, b, tile);
        const attrs = { transposeA: left.transposed, transposeB: right.transposed };
        workspace.output(out, (target) => launcher.run("BatchMatMul", { a: left.x, b: right.x }, attrs, target));
        if (bias !== null) kernels.binary("add", out, bias, out);
      });
    },
  };
}

/** Whether one matrix serves the whole batch. */
function isSingle({ shape, strides }: Strided): boolean {
  return shape.slice(0, -2).every((extent, axis) => extent === 1 || strides[axis] === 0);
}

function factorOf(workspace: Workspace, x: Strided, out: Strided): Factor {
  const matrix = isSingle(x) ? matrixOf(x) : x;
  const rank = matrix.shape.length;
  const swapped = permuted(matrix, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
  const transposed = !isDense(matrix.shape, matrix.strides) && isDense(swapped.shape, swapped.strides);
  const dense = workspace.input(transposed ? swapped : matrix, out);
  const batch = elementCount(dense.shape.slice(0, -2));
  return { x: { ...dense, shape: [batch, at(dense.shape, rank - 2), at(dense.shape, rank - 1)] }, transposed };
}

/** The one matrix of a batch, with rows of zeros behind it. */
function paddedFactor(workspace: Workspace, x: Strided, tile: number): Factor {
  const copy = workspace.padded(matrixOf(x), tile);
  return { x: { ...copy, shape: [1, ...copy.shape] }, transposed: false };
}

function matrixOf({ buffer, dtype, offset, shape, strides }: Strided): Strided {
  return { buffer, dtype, offset, shape: shape.slice(-2), strides: strides.slice(-2) };
}
