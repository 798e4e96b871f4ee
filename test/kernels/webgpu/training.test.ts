/** The example networks on a GPU: the losses of the CPU. */
import { expect, test } from "vitest";
import { networks } from "../../../examples/models.js";
import {
  type Device,
  manualSeed,
  optim,
  randint,
  randn,
  setDefaultDevice,
  type Tensor,
  webgpu,
} from "../../../src/index.js";
import { describeOnGpu } from "./gpu.js";

const steps = 50;

async function losses(network: (typeof networks)[keyof typeof networks], device: Device): Promise<number[]> {
  await setDefaultDevice("cpu");
  manualSeed(7);
  const model = network.make();
  const data = randn([4, 1, 28, 28]);
  const classes = randint(0, 10, [4]);
  if (device === "webgpu") await webgpu.init();
  await setDefaultDevice(device);
  model.to(device);
  const [images, labels] = [data.to(device), classes.to(device)];
  // Plain descent, because Adam divides by gradients near 0 and makes much of their rounding.
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  manualSeed(8);
  const found: Tensor[] = [];
  for (let step = 0; step < steps; step++) {
    optimizer.zeroGrad();
    const loss = network.loss(model.forward(images), labels);
    loss.backward();
    optimizer.step();
    found.push(loss);
  }
  return Promise.all(found.map((loss) => loss.item()));
}

describeOnGpu(`${steps} training steps`, () => {
  test.each(Object.entries(networks))("of %s", { timeout: 400_000 }, async (_, network) => {
    const [onCpu, onGpu] = [await losses(network, "cpu"), await losses(network, "webgpu")];
    onGpu.forEach((loss, step) => {
      expect(Math.abs(loss - (onCpu[step] ?? Number.NaN)), `step ${step}: ${loss}, ${onCpu[step]}`).toBeLessThan(1e-3);
    });
    expect(onGpu.at(-1)).toBeLessThan(onGpu[0] ?? 0);
  });
});
