/** What the page of the browser tests runs. */
import {
  isAvailable,
  manualSeed,
  nn,
  optim,
  profile,
  randn,
  setDefaultDevice,
  type Tensor,
  webgpu,
  zeros,
} from "../../src/index.js";
import { createReferenceKernels } from "../../src/kernels/reference/index.js";
import { requestDevice } from "../../src/kernels/webgpu/adapter.js";
import { createWebGpuKernels } from "../../src/kernels/webgpu/index.js";
import { type GoldenCase, isForGpu, runGolden } from "../golden/runCase.js";
import { KernelBench } from "../kernels/bench.js";
import { kernelCases } from "../kernels/cases.js";
import { difference, toleranceOf } from "../kernels/near.js";
import { isLayerWithoutFloat64, type LayerCase, runLayerCase } from "../nn/layerCase.js";
import { train } from "./train.js";

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

/** The golden cases of ops and layers that a GPU can do. */
async function runGoldens(): Promise<TableReport> {
  await setDefaultDevice("webgpu");
  const ops = (await (await fetch("ops.json")).json()) as GoldenCase[][];
  const layers = (await (await fetch("layers.json")).json()) as LayerCase[];
  const failures: string[] = [];
  let passed = 0;
  const attempt = async (name: string, run: () => Promise<void>): Promise<void> => {
    try {
      await run();
      passed++;
    } catch (error) {
      failures.push(`${name}: ${String(error)}`);
    }
  };
  for (const each of ops.flat()) {
    const name = `${each.op}: ${each.name}`;
    if (isForGpu(name, each)) await attempt(name, () => runGolden(each, "webgpu"));
  }
  for (const each of layers) {
    if (isLayerWithoutFloat64(each)) await attempt(`${each.layer}: ${each.name}`, () => runLayerCase(each));
  }
  return { passed, failures };
}

/** What a worker that trains has to say. */
function trainInWorker(): Promise<{ losses?: number[]; error?: string }> {
  const worker = new Worker("worker.js", { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data as { losses?: number[]; error?: string });
    worker.onerror = ({ message }) => reject(new Error(message));
  }).finally(() => worker.terminate()) as Promise<{ losses?: number[]; error?: string }>;
}

/** A loop that never waits, as far as a browser lets one: the losses of its first and last step. */
async function trainWithoutWaiting(steps: number): Promise<number[]> {
  await setDefaultDevice("webgpu");
  manualSeed(1);
  const layer = new nn.Linear(4, 1);
  const [inputs, targets] = [randn([8, 4]), randn([8, 1])];
  const optimizer = new optim.SGD(layer.parameters(), { lr: 0.01 });
  const losses: Tensor[] = [];
  for (let step = 0; step < steps; step++) {
    optimizer.zeroGrad();
    const loss = nn.functional.mseLoss(layer.forward(inputs), targets);
    loss.backward();
    optimizer.step();
    losses.push(loss);
  }
  return Promise.all([losses[0], losses.at(-1)].map((loss) => loss?.item() ?? Number.NaN));
}

/** The profile of a training step on a device, and what it says of writing a file. */
async function profileStep(device: "cpu" | "webgpu") {
  await setDefaultDevice(device);
  const layer = new nn.Linear(64, 64);
  const optimizer = new optim.SGD(layer.parameters(), { lr: 0.01 });
  const x = randn([64, 64]);
  const step = async (): Promise<void> => {
    optimizer.zeroGrad();
    const loss = layer.forward(x).relu().sum();
    loss.backward();
    optimizer.step();
    await loss.item();
  };
  await step();
  const result = await profile(step);
  const { gpuTimes, rows } = result;
  const written = await result.exportChromeTrace("trace.json").then(String, String);
  return { gpuTimes, rows, written, table: String(result), trace: result.chromeTrace() };
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

let held: Tensor | null = null;

/** A tensor on the GPU that waits for what happens to it. */
async function hold(): Promise<string> {
  await setDefaultDevice("webgpu");
  held = randn([10]).mul(0);
  return String(await held.sum().item());
}

/** What reading the tensor says, and what launching says, once the device is gone; and a number that a new one works out. */
async function recover(): Promise<{ read: string; launch: string; next: number }> {
  const x = held ?? zeros([1]);
  const say = (error: Error): string => `${error.name}: ${error.message}`;
  const read = await x.data().then(String, say);
  let launch = "nothing";
  try {
    x.exp();
  } catch (error) {
    launch = say(error as Error);
  }
  // The browser starts its GPU process anew, and takes its time.
  for (let attempt = 0; attempt < 50 && !(await isAvailable("webgpu")); attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await setDefaultDevice("webgpu");
  return { read, launch, next: await zeros([10]).exp().sum().item() };
}

const page = {
  runTable,
  runGoldens,
  train,
  trainInWorker,
  trainWithoutWaiting,
  profileStep,
  loseDevice,
  hold,
  recover,
  isAvailable: () => isAvailable("webgpu"),
};
export type Page = typeof page;
Object.assign(globalThis, { page });
