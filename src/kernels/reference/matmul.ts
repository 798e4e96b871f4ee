/** Batched matrix product. */
import type { KernelSet, Strided } from "../kernelSet.js";
import { type ArrayOf, at, denseStrides } from "./arrays.js";
import { type Matrix, multiply } from "./gemm.js";
import { forEachRow, type Walked } from "./rows.js";

export function matmulKernels(arrayOf: ArrayOf): Pick<KernelSet, "matmul"> {
  return {
    matmul(a, b, bias, out) {
      const rank = out.shape.length;
      const rows = at(out.shape, rank - 2);
      const columns = at(out.shape, rank - 1);
      const depth = at(a.shape, rank - 1);
      const product = out.dtype === "int32" ? multiplyIntegers : multiply;
      const { buffer, dtype, shape, offset } = out;
      const dense = { buffer, dtype, shape, offset, strides: denseStrides(shape) };
      const aLast = lastTwo(arrayOf, a);
      const bLast = lastTwo(arrayOf, b);
      const biasLast = bias === null ? null : lastTwo(arrayOf, bias);
      const outLast = lastTwo(arrayOf, dense);

      const walked = [a, b, dense, ...(bias === null ? [] : [bias])].map(batchAxes);
      forEachRow(out.shape.slice(0, rank - 2), walked, (offsets, steps, length) => {
        for (let i = 0; i < length; i += 1) {
          const [p = 0, q = 0, t = 0, s = 0] = offsets.map((offset, k) => offset + i * at(steps, k));
          product(
            rows,
            columns,
            depth,
            { ...aLast, offset: p },
            { ...bLast, offset: q },
            biasLast && { ...biasLast, offset: s },
            { ...outLast, offset: t },
          );
        }
      });
    },
  };
}

function lastTwo(arrayOf: ArrayOf, x: Strided): Matrix {
  const rank = x.shape.length;
  return {
    array: arrayOf(x),
    offset: x.offset,
    rowStride: at(x.strides, rank - 2),
    columnStride: at(x.strides, rank - 1),
  };
}

function batchAxes(x: Strided): Walked {
  return { strides: x.strides.slice(0, -2), offset: x.offset };
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
