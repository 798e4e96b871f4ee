/**
 * Makes the CPU unforgiving for the tests that import this: new memory holds NaN, and a launch reads all of its inputs
 * before it writes, so that elements that are one place in memory cannot be added up in one launch by accident.
 */
import type { Strided } from "../../src/kernels/kernelSet.js";
import { createReferenceKernels } from "../../src/kernels/reference/index.js";
import { registerKernels } from "../../src/tensor/device.js";
import { denseStrides, elementCount } from "../../src/tensor/shape.js";

const kernels = createReferenceKernels({ poison: true });

function withCopy<T>(x: Strided | number, use: (copy: Strided | number) => T): T {
  if (typeof x === "number") return use(x);
  const buffer = kernels.alloc(x.dtype, elementCount(x.shape));
  const copy = { buffer, dtype: x.dtype, shape: x.shape, strides: denseStrides(x.shape), offset: 0 };
  kernels.copy(x, copy);
  const result = use(copy);
  kernels.free(buffer);
  return result;
}

registerKernels("cpu", {
  ...kernels,
  binary(op, a, b, out) {
    withCopy(a, (left) => {
      withCopy(b, (right) => kernels.binary(op, left, right, out));
    });
  },
});
