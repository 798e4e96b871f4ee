/** Batched matrix product. */
import type { KernelSet, Strided } from "../kernelSet.js";
import { at, denseStrides } from "../strides.js";
import type { ArrayOf } from "./arrays.js";
import { type Matrix, multiply } from "./gemm.js";
import { forEachRow, type Lane, lane } from "./rows.js";

export function matmulKernels(arrayOf: ArrayOf): Pick<KernelSet, "matmul"> {
  return {
    matmul(a, b, bias, out) {
      const rank = out.shape.length;
      const rows = at(out.shape, rank - 2);
      const columns = at(out.shape, rank - 1);
      const depth = at(a.shape, rank - 1);
      const product = out.dtype === "int32" ? multiplyIntegers : multiply;

      // The batch axes are walked; each step is one product.
      const walk = (x: Strided, strides: readonly number[]) => lane(arrayOf(x), x.offset, strides.slice(0, -2));
      const outStrides = denseStrides(out.shape);
      const [left, right, target] = [walk(a, a.strides), walk(b, b.strides), walk(out, outStrides)];
      const added = bias === null ? null : walk(bias, bias.strides);
      const lanes = added === null ? [left, right, target] : [left, right, target, added];
      forEachRow(out.shape.slice(0, -2), lanes, (length) => {
        for (let i = 0; i < length; i += 1) {
          product(
            rows,
            columns,
            depth,
            matrixOf(left, i, a.strides),
            matrixOf(right, i, b.strides),
            added && bias && matrixOf(added, i, bias.strides),
            matrixOf(target, i, outStrides),
          );
        }
      });
    },
  };
}

/** The i-th matrix of a row of a batch. */
function matrixOf(batch: Lane, i: number, strides: readonly number[]): Matrix {
  const rank = strides.length;
  const offset = batch.start + i * batch.step;
  return { array: batch.array, offset, rowStride: at(strides, rank - 2), columnStride: at(strides, rank - 1) };
}

/** As `multiply`, on int32 with results that wrap: doubles do not hold the products. */
function multiplyIntegers(
  rows: number,
  columns: number,
  depth: number,
  a: Matrix,
  b: Matrix,
  bias: Matrix | null,
  out: Matrix,
): void {
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < columns; j += 1) {
      let sum = bias === null ? 0 : (bias.array[bias.offset + i * bias.rowStride + j * bias.columnStride] as number);
      for (let k = 0; k < depth; k += 1) {
        const left = a.array[a.offset + i * a.rowStride + k * a.columnStride] as number;
        const right = b.array[b.offset + k * b.rowStride + j * b.columnStride] as number;
        sum = (sum + Math.imul(left, right)) | 0;
      }
      out.array[out.offset + i * out.rowStride + j * out.columnStride] = sum;
    }
  }
}
