/** The kernels of TensorFlow.js as users of the device "webgpu" choose them. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import {
  ArgumentError,
  DeviceError,
  manualSeed,
  nn,
  optim,
  randint,
  randn,
  setDefaultDevice,
  type Tensor,
  webgpu,
} from "../../../src/index.js";
import { loadLibrary } from "../../../src/kernels/tfjs/library.js";
import { requestDevice } from "../../../src/kernels/webgpu/adapter.js";
import { collectAndFinalize } from "../../support/collectGarbage.js";
import { describeOnGpu } from "../webgpu/gpu.js";

afterEach(() => setDefaultDevice("cpu"));

async function measured(): Promise<string[]> {
  const times = await webgpu.profile();
  return times.map(({ kernel }) => kernel).filter((kernel) => kernel.startsWith("tfjs"));
}

/** Losses of some steps of a network in which TensorFlow.js has a part in all that it serves. */
async function train(steps: number): Promise<number[]> {
  manualSeed(3);
  const net = new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1 }),
    new nn.Tanh(),
    new nn.AvgPool2d(2),
    new nn.Conv2d(8, 12, 3, { stride: 2 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(12, 10),
  );
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
  const images = randn([4, 1, 12, 12]);
  const labels = randint(10, [4]);
  const losses: Tensor[] = [];
  for (let step = 0; step < steps; step++) {
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(net.forward(images), labels);
    loss.backward();
    optimizer.step();
    losses.push(loss);
  }
  return Promise.all(losses.map((loss) => loss.item()));
}

describeOnGpu("the kernels of a device", () => {
  test("are chosen when it becomes the default one, and stay until others are asked for", async () => {
    await setDefaultDevice("webgpu");
    expect(webgpu.info().kernels).toBe("wgsl");
    const x = randn([4, 4]);
    await setDefaultDevice("webgpu", { kernels: "tfjs" });
    expect(webgpu.info().kernels).toBe("tfjs");
    const y = randn([4, 4]);
    for (let i = 0; i < 2; i++) {
      await setDefaultDevice("webgpu");
      await setDefaultDevice("webgpu", { kernels: "tfjs" });
      expect(await y.matmul(randn([4, 4])).data()).toHaveLength(16);
    }
    expect(() => y.matmul(x)).toThrow("got a tensor of another GPUDevice");
    await setDefaultDevice("webgpu", { kernels: "wgsl" });
    expect(webgpu.info().kernels).toBe("wgsl");
    expect(await x.data()).toHaveLength(16);
  });

  test("compute on a device of the user's own", async () => {
    await webgpu.init({ device: await requestDevice({}), kernels: "tfjs", profile: true });
    await setDefaultDevice("webgpu");
    const x = randn([5, 32]);
    const product = await x.matmul(x.transpose(0, 1)).data();
    expect(await measured()).toEqual(["tfjs BatchMatMul"]);
    expect(product[0]).toBeCloseTo((await x.square().sum(1).data())[0] ?? Number.NaN, 4);
  });

  test("train to the losses of the CPU, whoever they are", { timeout: 200_000 }, async () => {
    const onCpu = await train(6);
    await webgpu.init({ kernels: "tfjs", profile: true });
    await setDefaultDevice("webgpu");
    const onGpu = await train(6);
    onGpu.forEach((loss, i) => {
      expect(loss).toBeCloseTo(onCpu[i] ?? Number.NaN, 3);
    });
    expect((await measured()).sort()).toEqual(
      ["AvgPool", "AvgPoolGrad", "BatchMatMul", "Conv2D", "Conv2DBackpropFilter", "Conv2DBackpropInput"].map(
        (name) => `tfjs ${name}`,
      ),
    );
  });

  test("give the same numbers to the bit from run to run", async () => {
    await webgpu.init({ kernels: "tfjs" });
    await setDefaultDevice("webgpu");
    const run = async () => {
      manualSeed(1);
      return (
        await randn([40, 3000])
          .matmul(randn([3000, 20]))
          .data()
      ).join();
    };
    expect(await run()).toBe(await run());
  });

  test("leave the process as it was: it ends by itself, prints nothing, and is no browser", () => {
    const script = `
      import { ones, setDefaultDevice } from "tapegrad";
      const before = JSON.stringify(Object.getOwnPropertyDescriptor(globalThis, "navigator"));
      await setDefaultDevice("webgpu", { kernels: "tfjs" });
      console.log(await ones([3, 40]).matmul(ones([40, 2])).sum().item());
      console.log(JSON.stringify(Object.getOwnPropertyDescriptor(globalThis, "navigator")) === before);`;
    const args = ["--import", "tsx", "--input-type=module", "--eval", script];
    const cwd = fileURLToPath(new URL("../../..", import.meta.url));
    expect(execFileSync(process.execPath, args, { cwd, encoding: "utf8" })).toBe("240\ntrue\n");
  });

  test("that there are not are refused", async () => {
    await expect(setDefaultDevice("cpu", { kernels: "tfjs" })).rejects.toThrow(
      new ArgumentError(
        'setDefaultDevice: got kernels "tfjs" for "cpu"; expected them for "webgpu" only. ' +
          "Leave them out; for the CPU, call configureCpu({ kernels }) before the first tensor.",
      ),
    );
    await expect(webgpu.init({ kernels: "cuda" as "tfjs" })).rejects.toThrow(
      new ArgumentError('webgpu: got kernels "cuda"; expected "wgsl" or "tfjs". Leave it out for this library\'s own.'),
    );
  });

  test("5,000 small steps leave memory as it was", { timeout: 600_000 }, async () => {
    await setDefaultDevice("webgpu", { kernels: "tfjs" });
    manualSeed(1);
    const net = new nn.Linear(4, 8);
    const inputs = randn([16, 4]);
    const optimizer = new optim.SGD(net.parameters(), { lr: 1e-3 });
    const step = () => {
      optimizer.zeroGrad();
      const loss = net.forward(inputs).sum();
      loss.backward();
      optimizer.step();
      return loss;
    };
    const memory = async () => {
      await step().item();
      await collectAndFinalize();
      const { used, idle } = webgpu.info().memory;
      return { gpu: used + idle, process: process.memoryUsage().rss };
    };
    for (let i = 0; i < 1000; i++) {
      const loss = step();
      if (i % 100 === 0) await loss.item();
    }
    const before = await memory();
    for (let i = 1000; i < 5000; i++) {
      const loss = step();
      if (i % 100 === 0) await loss.item();
    }
    const after = await memory();
    expect(after.gpu - before.gpu).toBeLessThan(2 ** 20);
    expect(after.process - before.process).toBeLessThan(100 * 2 ** 20);
  });
});

test("without its packages, the error says which one was looked for, and how to get it", async () => {
  const missing = (name: string) => Promise.reject(new Error(`Cannot find package '${name}'\nand a stack`));
  await expect(loadLibrary(missing)).rejects.toThrow(
    new DeviceError(
      'webgpu: got kernels "tfjs", looked for the npm package "@tensorflow/tfjs-core", which has them, and could not load it ' +
        "(Cannot find package '@tensorflow/tfjs-core'). Install it with: npm install @tensorflow/tfjs-core " +
        '@tensorflow/tfjs-backend-webgpu (in a page, name both in an import map), or leave "kernels" out.',
    ),
  );
});

test("a version without a kernel is told apart", async () => {
  const library = await loadLibrary(() => Promise.resolve({ getKernel: () => undefined, WebGPUBackend: Object }));
  expect(() => library.kernel("Conv2D")).toThrow(
    new DeviceError(
      'webgpu: got a version of @tensorflow/tfjs-backend-webgpu without the kernel "Conv2D"; expected one like 4.22. ' +
        "Install that: npm install @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-webgpu@4.22.0",
    ),
  );
});
