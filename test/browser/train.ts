import { networks } from "../../examples/models.js";
import { manualSeed, nn, optim, randint, randn, setDefaultDevice } from "../../src/index.js";

/** Losses of the smallest network on a device; the numbers come from a seed. */
export async function train(device: "cpu" | "webgpu", steps: number): Promise<number[]> {
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
