/** The table of cases on the WebGPU set, in memory that holds NaN until it is written to. */
import { expect, test } from "vitest";
import { createReferenceKernels } from "../../../src/kernels/reference/index.js";
import { kernelCases } from "../cases.js";
import { expectSame } from "../compare.js";
import { asTensorsCall, describeOnGpu, newKernels } from "./gpu.js";

const namedCases = kernelCases.map((kernelCase) => [kernelCase.name, kernelCase] as const);

describeOnGpu("the WebGPU set agrees with the reference set", async () => {
  const reference = createReferenceKernels();
  const kernels = asTensorsCall(await newKernels({ poison: true }));
  const supported = namedCases.filter(([, { dtypes }]) => dtypes.every((dtype) => kernels.supports(dtype)));

  test.each(supported)("%s", async (_, kernelCase) => {
    await expectSame(kernelCase, kernels, reference);
  });

  test("it has every kernel", () => {
    expect(Object.keys(reference).filter((name) => !(name in kernels))).toEqual([]);
  });
});
