/** The table of cases on the set that TensorFlow.js serves, in memory that holds NaN until it is written to. */
import { expect, test } from "vitest";
import { createReferenceKernels } from "../../../src/kernels/reference/index.js";
import { loadTfjs } from "../../../src/kernels/tfjs/index.js";
import { kernelCases } from "../cases.js";
import { expectSame } from "../compare.js";
import { asTensorsCall, describeOnGpu, newKernels } from "../webgpu/gpu.js";

/** What TensorFlow.js has a part in. */
const served = ["matmul", "conv2d", "conv2dInputGrad", "conv2dWeightGrad", "avgPool2d", "avgPool2dGrad"];

describeOnGpu("the tfjs set", async () => {
  const reference = createReferenceKernels();
  const own = await newKernels({ poison: true });
  const tfjs = (await loadTfjs())(own);
  const kernels = asTensorsCall(tfjs);

  test("has all kernels of the WebGPU set, which are tested there, but those that TensorFlow.js serves", () => {
    expect(Object.keys(tfjs)).toEqual(Object.keys(own));
    const replaced = Object.entries(tfjs).filter(([name, kernel]) => Reflect.get(own, name) !== kernel);
    expect(replaced.map(([name]) => name)).toEqual(["name", "supports", ...served].sort((a, b) => order(a) - order(b)));
  });
  const order = (name: string): number => Object.keys(own).indexOf(name);

  const cases = kernelCases.filter(
    ({ name, dtypes }) => /^(matmul|convolution|avgPool)/.test(name) && dtypes.every((dtype) => own.supports(dtype)),
  );
  test.each(cases.map((it) => [it.name, it] as const))("agrees with the reference set: %s", async (_, kernelCase) => {
    await expectSame(kernelCase, kernels, reference);
  });
});
