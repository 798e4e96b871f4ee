/** Convolutions large enough for every tile, in geometries that the table of cases has only for few channels. */
import { test } from "vitest";
import { createReferenceKernels } from "../../../src/kernels/reference/index.js";
import { expectSame } from "../compare.js";
import { convGeometry, convolutionOutputs } from "../windowCases.js";
import { describeOnGpu, newKernels } from "./gpu.js";

const convolutions = [
  { name: "stride 2 and 3", size: [9, 11], kernel: [3, 3], stride: [2, 3], pad: [1, 1, 1, 1] },
  { name: "stride 4, dilation 2", size: [9, 9], kernel: [3, 2], stride: [4, 4], dilation: [2, 2], pad: [2, 1, 2, 1] },
  { name: "stride 2, dilation 3", size: [11, 10], kernel: [3, 3], stride: [2, 2], dilation: [3, 3], pad: [3, 2, 3, 3] },
  { name: "stride larger than the kernel", size: [10, 9], kernel: [2, 1], stride: [4, 3] },
  { name: "asymmetric padding", size: [5, 6], kernel: [4, 2], pad: [1, 0, 2, 1] },
  { name: "three groups", size: [6, 7], kernel: [3, 3], groups: 3, channels: 15, outChannels: 18, stride: [2, 1] },
  { name: "more channels than a tile", size: [4, 5], kernel: [3, 3], channels: 33, outChannels: 70, pad: [1, 1, 1, 1] },
  { name: "1x1", size: [8, 8], kernel: [1, 1], channels: 70, outChannels: 6 },
  { name: "batch 0", size: [4, 4], kernel: [2, 2], batch: 0 },
] as const;

describeOnGpu("convolutions in tiles agree with the reference set", async () => {
  const reference = createReferenceKernels();
  const kernels = await newKernels({ poison: true });
  test.each(convolutions.map((spec) => [spec.name, spec] as const))("%s", async (name, spec) => {
    const geometry = convGeometry({ channels: 6, outChannels: 7, ...spec });
    await expectSame(
      { name, dtypes: ["float32"], tolerance: 3e-5, run: (bench) => convolutionOutputs(bench, "float32", geometry) },
      kernels,
      reference,
    );
  });
});
