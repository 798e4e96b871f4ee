/** Every op against PyTorch, forward and backward, on a GPU. */
import { describe, expect, test } from "vitest";
import { DeviceError } from "../../src/errors.js";
import { setDefaultDevice } from "../../src/tensor/device.js";
import { describeOnGpu } from "../kernels/webgpu/gpu.js";
import { goldenCases, goldenFiles } from "./golden.js";
import { isWithoutFloat64, onCpuOnly, runGolden } from "./runCase.js";

describeOnGpu("on a GPU", async () => {
  await setDefaultDevice("webgpu");
  const tables = goldenFiles.map((file) => ({
    file,
    cases: goldenCases(file).filter(([, each]) => isWithoutFloat64(each)),
  }));
  describe.each(tables.filter(({ cases }) => cases.length > 0))("$file", ({ cases }) => {
    test.each(cases)("%s", async (name, each) => {
      if (onCpuOnly.includes(name)) await expect(runGolden(each, "webgpu")).rejects.toThrow(DeviceError);
      else await runGolden(each, "webgpu");
    });
  });
});
