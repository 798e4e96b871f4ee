/** Thousands of training steps on a GPU without a single dispose, in flat memory. */
import { expect, test } from "vitest";
import {
  manualSeed,
  memoryStats,
  nn,
  optim,
  randn,
  setDefaultDevice,
  type Tensor,
  webgpu,
} from "../../../src/index.js";
import { collectAndFinalize } from "../../support/collectGarbage.js";
import { describeOnGpu } from "./gpu.js";

describeOnGpu("without dispose", () => {
  test("5,000 small steps with all losses kept leave memory as it was", { timeout: 600_000 }, async () => {
    await setDefaultDevice("webgpu");
    manualSeed(1);
    const net = new nn.Sequential(new nn.Linear(4, 20), new nn.Tanh(), new nn.Linear(20, 1));
    const inputs = randn([64, 4]);
    const targets = inputs.mul(inputs).sum(1, { keepdim: true });
    const optimizer = new optim.Adam(net.parameters(), { lr: 1e-3 });
    const losses: Tensor[] = [];
    const step = () => {
      optimizer.zeroGrad();
      const loss = nn.functional.mseLoss(net.forward(inputs), targets);
      loss.backward();
      optimizer.step();
      losses.push(loss);
      return loss;
    };
    const settle = async () => {
      const loss = await step().item();
      await collectAndFinalize();
      return loss;
    };
    // The driver's threads and the compiler take theirs in the first thousand.
    for (let i = 0; i < 1000; i++) step();
    const first = await settle();
    const before = { ...webgpu.info().memory, ...memoryStats(), process: process.memoryUsage().rss };
    for (let i = 1000; i < 5000; i++) {
      const loss = step();
      if (i % 100 === 0) await loss.item();
    }
    const last = await settle();
    const after = { ...webgpu.info().memory, ...memoryStats(), process: process.memoryUsage().rss };
    expect(last).toBeLessThan(first / 2);
    expect(after.tensors - before.tensors).toBeLessThan(100);
    // Chunks of losses on their way, of 256 KiB.
    expect(after.used + after.idle - before.used - before.idle).toBeLessThan(2 ** 20);
    expect(after.process - before.process).toBeLessThan(100 * 2 ** 20);
    // All of them can still be read.
    const values = await Promise.all([losses[0], losses[2500], losses.at(-1)].map((loss) => loss?.item()));
    expect(values[2]).toBe(last);
    expect(values[0]).toBeGreaterThan(values[1] ?? Number.NaN);
  });
});
