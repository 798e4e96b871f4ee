/** Matrix products that take another road on a GPU than small ones: every tile and block, batches joined, depths cut. */
import { test } from "vitest";
import { createReferenceKernels } from "../../../src/kernels/reference/index.js";
import type { Layout } from "../bench.js";
import { expectSame } from "../compare.js";
import { describeOnGpu, newKernels, productForms } from "./gpu.js";

interface Product {
  readonly name: string;
  readonly batch?: readonly number[];
  readonly sizes: readonly [rows: number, columns: number, depth: number];
  readonly a?: Layout;
  readonly b?: Layout;
  readonly bias?: Layout;
}

const products: readonly Product[] = [
  { name: "deep, with bias", sizes: [9, 10, 1300], bias: { repeat: [0], offset: 3 } },
  { name: "deep, in a batch", batch: [2], sizes: [5, 6, 700], a: { order: [0, 2, 1] }, bias: {} },
  {
    name: "one b for all",
    batch: [3, 2],
    sizes: [5, 6, 7],
    b: { repeat: [0, 1], offset: 1 },
    bias: { repeat: [0, 1, 2] },
  },
  { name: "one b, a repeated", batch: [3], sizes: [5, 6, 7], a: { repeat: [0] }, b: { repeat: [0] } },
  { name: "one b, a transposed", batch: [3], sizes: [5, 6, 7], a: { order: [0, 2, 1] }, b: { repeat: [0] } },
  { name: "large", sizes: [400, 390, 20], b: { order: [1, 0] } },
  { name: "flat", sizes: [30, 2100, 17] },
  { name: "very flat", sizes: [7, 2100, 17] },
  { name: "tall", sizes: [2100, 30, 17], a: { order: [1, 0] } },
];

for (const form of productForms) {
  describeOnGpu(`matrix products in ${form.name} agree with the reference set`, async () => {
    const reference = createReferenceKernels();
    const kernels = await newKernels({ poison: true, products: form });
    const rows = products.flatMap((product) =>
      (["float32", "int32"] as const).map((dtype) => [`${product.name}, ${dtype}`, dtype, product] as const),
    );
    test.each(rows)("%s", async (name, dtype, { batch = [], sizes: [rows, columns, depth], a, b, bias }) => {
      await expectSame(
        {
          name,
          dtypes: [dtype],
          tolerance: 5e-5,
          run: async (bench) => {
            const out = bench.output(dtype, [...batch, rows, columns], { offset: 2 });
            const left = bench.input(dtype, [...batch, rows, depth], undefined, a);
            const right = bench.input(dtype, [...batch, depth, columns], undefined, b);
            const added = bias === undefined ? null : bench.input(dtype, [...batch, rows, columns], undefined, bias);
            bench.kernels.matmul(left, right, added, out);
            return { out: await bench.read(out) };
          },
        },
        kernels,
        reference,
      );
    });
  });
}
