/** Thousands of training steps on a GPU without a single dispose, in flat memory. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  data,
  manualSeed,
  memoryStats,
  nn,
  noGrad,
  optim,
  randn,
  setDefaultDevice,
  type Tensor,
  webgpu,
  zeros,
} from "../../../src/index.js";
import { requestDevice } from "../../../src/kernels/webgpu/adapter.js";
import { collectAndFinalize, collectGarbage } from "../../support/collectGarbage.js";
import { KernelBench } from "../bench.js";
import { describeOnGpu, newKernels } from "./gpu.js";

const steps = 5000;
/** Bytes of the smallest buffers, which serve all of this net, and of the chunks in which small arrays are read together. */
const [smallestBuffer, chunkBytes] = [256, 2 ** 18];

describeOnGpu("without dispose", () => {
  const warn = vi.spyOn(console, "warn");
  beforeEach(() => void warn.mockReset());
  afterEach(() => setDefaultDevice("cpu"));

  test("5,000 small steps without a read, all losses kept, leave memory as it was", { timeout: 600_000 }, async () => {
    await setDefaultDevice("webgpu");
    manualSeed(1);
    const net = new nn.Sequential(new nn.Linear(4, 8), new nn.Tanh(), new nn.Linear(8, 1));
    const inputs = randn([800, 4], { device: "cpu" });
    const targets = inputs.mul(inputs).sum(1, { keepdim: true });
    const loader = new data.DataLoader(new data.TensorDataset(inputs, targets), { batchSize: 8, shuffle: true });
    const optimizer = new optim.Adam(net.parameters(), { lr: 1e-3 });
    const losses: Tensor[] = [];
    const epoch = async () => {
      for await (const [x, y] of loader) {
        optimizer.zeroGrad();
        const loss = nn.functional.mseLoss(net.forward(x.to("webgpu")), y.to("webgpu"));
        loss.backward();
        optimizer.step();
        losses.push(loss);
      }
      // Batches that moved to the GPU wait for the collector, and the pool keeps the room of all that waited together. By itself
      // the collector comes after hundreds of steps or thousands, as it likes; so it is those of one epoch.
      collectGarbage();
    };
    const measure = async () => {
      const loss = await losses.at(-1)?.item();
      await collectAndFinalize();
      const { used, idle } = webgpu.info().memory;
      return { loss, used, total: used + idle, ...memoryStats(), process: process.memoryUsage().rss };
    };
    // The driver's threads and the compiler take theirs in the first thousand.
    while (losses.length < 1000) await epoch();
    const before = await measure();
    let mostBytes = 0;
    while (losses.length < steps) {
      await epoch();
      const { used, idle } = webgpu.info().memory;
      mostBytes = Math.max(mostBytes, used + idle);
    }
    const after = await measure();
    // What leaks leaks more often than in every hundredth step.
    const few = (steps - 1000) / 100;
    expect(after.tensors - before.tensors).toBeLessThan(few);
    expect(after.used - before.used).toBeLessThan(few * smallestBuffer);
    // One chunk more, on its way or idle, and inputs and targets of two epochs: finalizers may run in the middle of the next one.
    const most = chunkBytes + 2 * 2 * loader.length * smallestBuffer;
    expect(mostBytes - before.total).toBeLessThanOrEqual(most);
    expect(after.total - before.total).toBeLessThanOrEqual(most);
    expect(after.process - before.process).toBeLessThan(100 * 2 ** 20);
    expect(warn).not.toHaveBeenCalled();
    // All of them can still be read.
    const values = await Promise.all(losses.map((loss) => loss.item()));
    expect(values).toHaveLength(steps);
    expect(values.at(-1)).toBe(after.loss);
    const mean = (of: number[]): number => of.reduce((sum, value) => sum + value, 0) / of.length;
    expect(mean(values.slice(-100))).toBeLessThan(mean(values.slice(0, 100)) / 2);
  });
});

describeOnGpu("what is sent and has not run yet", () => {
  const warn = vi.spyOn(console, "warn");
  beforeEach(() => void warn.mockReset().mockImplementation(() => undefined));

  test("stays little where a loop waits", async () => {
    const kernels = await newKernels();
    const { runtime } = kernels;
    const bench = new KernelBench(kernels);
    const x = bench.input("float32", [100, 100]);
    const out = bench.output("float32", [100, 100]);
    let finished = 0;
    const finish = async (batch: number) => {
      await runtime.device.queue.onSubmittedWorkDone();
      finished = batch;
    };
    for (let i = 1; i <= 100; i++) {
      kernels.matmul(x, x, null, out);
      runtime.flush();
      if (i % 8 === 0) void finish(i);
      await runtime.backlog.caughtUp();
      expect(i - finished).toBeLessThan(50);
    }
    expect(finished).toBeGreaterThan(0);
    expect(await bench.read(out)).toHaveLength(10_000);
  });

  test("is waited for by loaders", async () => {
    const device = await requestDevice({});
    await webgpu.init({ device });
    const x = zeros([20_000], { device: "webgpu" });
    let isHalfDone = false;
    const half = async () => {
      await device.queue.onSubmittedWorkDone();
      isHalfDone = true;
    };
    for (let i = 0; i < 60 * 128; i++) {
      if (i === 25 * 128) void half();
      noGrad(() => void x.add_(1));
    }
    expect(isHalfDone).toBe(false);
    for await (const _ of new data.DataLoader({ length: 2, get: (i: number) => i })) break;
    expect(isHalfDone).toBe(true);
    expect(await x.sum().item()).toBe(20_000 * 60 * 128);
  });

  test("is warned of once where a loop never waits", async () => {
    const kernels = await newKernels();
    const x = new KernelBench(kernels).input("float32", [4]);
    for (let i = 0; i < 4200; i++) {
      kernels.fill(x, i);
      kernels.runtime.flush();
    }
    expect(warn.mock.calls).toEqual([
      [
        "webgpu: got 4096 batches of launches without a pause; expected loops to wait now and then, as what the GPU has not run " +
          "yet takes up memory. Take batches from a DataLoader, or read a loss with await loss.item().",
      ],
    ]);
    await kernels.runtime.backlog.caughtUp();
    expect(await new KernelBench(kernels).read(x)).toEqual([4199, 4199, 4199, 4199]);
  });
});
