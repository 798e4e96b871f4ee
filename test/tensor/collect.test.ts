import { expect, it } from "vitest";
import { data, memoryStats, resetPeakMemory, zeros } from "../../src/index.js";
import { createReferenceKernels } from "../../src/kernels/reference/index.js";
import { registerKernels } from "../../src/tensor/device.js";
import { Tensor } from "../../src/tensor/tensor.js";

const MIB = 2 ** 20;

it("asks for a collection when memory that the collector does not see piles up", async () => {
  // Buffers as on a GPU: handles of a few bytes, for memory of which JavaScript knows nothing.
  registerKernels("webgpu", {
    ...createReferenceKernels(),
    alloc: (_, length) => ({ byteLength: 4 * length }),
    free: () => undefined,
  });
  const { bytes } = memoryStats();
  resetPeakMemory();
  const samples = new data.DataLoader({ length: 200, get: (i) => i });
  for await (const _ of samples) Tensor.allocate([8, MIB], "float32", "webgpu", "test");
  // 200 × 32 MiB were made, of which nobody holds any.
  expect(memoryStats().peakBytes - bytes).toBeLessThan(512 * MIB);
});

it("lets a loop without a loader, which awaits its losses, give back what only the collector can find", async () => {
  const weight = zeros([MIB]);
  const before = memoryStats().bytes;
  resetPeakMemory();
  for (let step = 0; step < 300; step++) {
    // 4 MiB each that no tape, scope or loader knows of.
    await weight.add(step).mean().item();
  }
  expect(memoryStats().peakBytes - before).toBeLessThan(400 * MIB);
});
