/** What the page of the browser tests runs. */
import { networks } from "../../examples/models.js";
import { isAvailable, manualSeed, nn, optim, randint, randn, setDefaultDevice, webgpu } from "../../src/index.js";
import { createReferenceKernels } from "../../src/kernels/reference/index.js";
import { requestDevice } from "../../src/kernels/webgpu/adapter.js";
import { createWebGpuKernels } from "../../src/kernels/webgpu/index.js";
import { KernelBench } from "../kernels/bench.js";
import { kernelCases } from "../kernels/cases.js";
import { difference, toleranceOf } from "../kernels/near.js";

/** The cases of the kernel table that passed, and what those that did not say. */
export interface TableReport {
  readonly passed: number;
  readonly failures: readonly string[];
}

async function runTable(): Promise<TableReport> {
  const kernels = createWebGpuKernels(await requestDevice({}), { poison: true });
  const reference = createReferenceKernels();
  const failures: string[] = [];
  let passed = 0;
  for (const kernelCase of kernelCases) {
    if (!kernelCase.dtypes.every((dtype) => kernels.supports(dtype))) continue;
    try {
      const got = await kernelCase.run(new KernelBench(kernels));
      const expected = await kernelCase.run(new KernelBench(reference));
      const message = difference(got, expected, toleranceOf(kernelCase));
      if (message === null) passed++;
      else failures.push(`${kernelCase.name}: ${message}`);
    } catch (error) {
      failures.push(`${kernelCase.name}: ${String(error)}`);
    }
  }
  return { passed, failures };
}

/** Losses of the smallest network on a device; the numbers come from a seed. */
async function train(device: "cpu" | "webgpu", steps: number): Promise<number[]> {
  await setDefaultDevice(device);
  manualSeed(7);
  const model = networks.scratch.make();
  const [images, labels] = [randn([4, 1, 28, 28]), randint(0, 10, [4])];
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    optimizer.zeroGrad();
    const loss = nn.functional.nllLoss(model.forward(images), labels);
    loss.backward();
    optimizer.step();
    losses.push(await loss.item());
  }
  return losses;
}

/** The error that a use of the device gives after it was lost, and a number that a new one works out. */
async function loseDevice(): Promise<{ message: string; next: number }> {
  const device = await requestDevice({});
  await webgpu.init({ device });
  await setDefaultDevice("webgpu");
  const x = randn([10]);
  device.destroy();
  const message = await x.data().then(String, (error: Error) => `${error.name}: ${error.message}`);
  await setDefaultDevice("webgpu");
  return { message, next: await randn([10]).mul(0).exp().sum().item() };
}

const page = { runTable, train, loseDevice, isAvailable: () => isAvailable("webgpu") };
export type Page = typeof page;
Object.assign(globalThis, { page });
