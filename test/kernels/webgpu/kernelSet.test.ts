/** The table of cases on the WebGPU set, in memory that holds NaN until it is written to. */
import { expect, test } from "vitest";
import { createReferenceKernels } from "../../../src/kernels/reference/index.js";
import type { KernelCase } from "../bench.js";
import { kernelCases } from "../cases.js";
import { expectSame } from "../compare.js";
import { matrixCases, matrixWrapCase } from "../matrixCases.js";
import { windowCases } from "../windowCases.js";
import { asTensorsCall, describeOnGpu, newKernels, productForms } from "./gpu.js";

const products = new Set([...matrixCases, matrixWrapCase, ...windowCases]);

for (const [index, form] of productForms.entries()) {
  // What has no products is the same in all forms.
  const cases: readonly KernelCase[] = index === 0 ? kernelCases : kernelCases.filter((it) => products.has(it));

  describeOnGpu(`the WebGPU set agrees with the reference set, products in ${form.name}`, async () => {
    const reference = createReferenceKernels();
    const kernels = asTensorsCall(await newKernels({ poison: true, products: form }));
    const supported = cases.filter(({ dtypes }) => dtypes.every((dtype) => kernels.supports(dtype)));

    test.each(supported.map((kernelCase) => [kernelCase.name, kernelCase] as const))("%s", async (_, kernelCase) => {
      await expectSame(kernelCase, kernels, reference);
    });

    test("it has every kernel", () => {
      expect(Object.keys(reference).filter((name) => !(name in kernels))).toEqual([]);
    });
  });
}
