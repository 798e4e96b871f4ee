import type { DType } from "../../src/kernels/kernelSet.js";
import type { KernelCase, Layout } from "./bench.js";

const floats: readonly DType[] = ["float32", "float64"];

interface Product {
  readonly name: string;
  readonly batch?: readonly number[];
  readonly sizes: readonly [rows: number, columns: number, depth: number];
  readonly a?: Layout;
  readonly b?: Layout;
  /** Absent: no bias. */
  readonly bias?: Layout;
}

const products: readonly Product[] = [
  { name: "1 by 1", sizes: [1, 1, 1] },
  { name: "small", sizes: [2, 3, 4] },
  { name: "odd sizes", sizes: [7, 5, 9] },
  { name: "row by matrix", sizes: [1, 6, 5] },
  { name: "matrix by column", sizes: [6, 1, 5] },
  { name: "outer product", sizes: [5, 6, 1] },
  { name: "inner product", sizes: [1, 1, 300] },
  { name: "multiples of four", sizes: [8, 12, 16] },
  { name: "a transposed", sizes: [6, 5, 7], a: { order: [1, 0], offset: 2 } },
  { name: "b transposed", sizes: [6, 5, 7], b: { order: [1, 0] } },
  { name: "both transposed", sizes: [6, 5, 7], a: { order: [1, 0] }, b: { order: [1, 0], offset: 3 } },
  { name: "spread", sizes: [6, 5, 7], a: { spread: 2 }, b: { spread: 3, offset: 1 } },
  { name: "one row repeated", sizes: [6, 5, 7], a: { repeat: [0] } },
  { name: "bias", sizes: [6, 5, 7], bias: {} },
  { name: "bias by column", sizes: [6, 5, 7], bias: { repeat: [0], offset: 2 } },
  { name: "bias by row", sizes: [6, 5, 7], bias: { repeat: [1] } },
  { name: "batch", batch: [3], sizes: [4, 5, 6], bias: { repeat: [0, 1] } },
  { name: "two batch axes", batch: [2, 3], sizes: [4, 3, 5] },
  { name: "a for all of the batch", batch: [2, 3], sizes: [4, 3, 5], a: { repeat: [0, 1] } },
  { name: "b for part of the batch", batch: [2, 3], sizes: [4, 3, 5], b: { repeat: [0] }, bias: { repeat: [1, 2] } },
  { name: "permuted batch", batch: [2, 3], sizes: [4, 3, 5], a: { order: [2, 1, 3, 0] }, b: { order: [3, 0, 2, 1] } },
  { name: "no rows", sizes: [0, 3, 4] },
  { name: "no columns", sizes: [3, 0, 4] },
  { name: "no depth", sizes: [3, 4, 0], bias: {} },
  { name: "no depth, no bias", sizes: [3, 4, 0] },
  { name: "empty batch", batch: [0], sizes: [3, 4, 5] },
  { name: "more rows than a tile", sizes: [261, 6, 5], a: { order: [1, 0] } },
  { name: "more columns than a tile", sizes: [3, 1027, 4] },
  { name: "deeper than a tile", sizes: [5, 6, 1030], bias: {} },
];

export const matrixCases: readonly KernelCase[] = products.flatMap((product) =>
  ([...floats, "int32"] as const).map(
    (dtype): KernelCase => ({
      name: `matmul ${dtype}, ${product.name}`,
      dtypes: [dtype],
      tolerance: 2e-5,
      run: async (bench) => {
        const { batch = [], sizes, a = {}, b = {}, bias } = product;
        const [rows, columns, depth] = sizes;
        const out = bench.output(dtype, [...batch, rows, columns], { offset: 2 });
        bench.kernels.matmul(
          bench.input(dtype, [...batch, rows, depth], undefined, a),
          bench.input(dtype, [...batch, depth, columns], undefined, b),
          bias === undefined ? null : bench.input(dtype, [...batch, rows, columns], undefined, bias),
          out,
        );
        return { out: await bench.read(out) };
      },
    }),
  ),
);

export const matrixWrapCase: KernelCase = {
  name: "matmul int32 wraps round",
  dtypes: ["int32"],
  run: async (bench) => {
    const out = bench.output("int32", [1, 2]);
    const a = bench.input("int32", [1, 2], [123456789, 2147483647]);
    bench.kernels.matmul(a, bench.input("int32", [2, 2], [987654321, 65536, 2147483647, -2147483648]), null, out);
    return { out: await bench.read(out) };
  },
};
