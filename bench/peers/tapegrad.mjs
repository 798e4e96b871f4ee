/** LeNet-5 in tapegrad, as in examples/models.ts. */
import { manualSeed, nn, optim, randint, randn } from "tapegrad";
import { LeNet5 } from "../../examples/models.js";

/** What is measured: a training step with Adam on random images, which gives its loss. */
export function crossEntropyStep(batch) {
  manualSeed(0);
  const model = new LeNet5();
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  const images = randn([batch, 1, 28, 28]);
  const labels = randint(10, [batch]);
  return async () => {
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(model.forward(images), labels);
    loss.backward();
    optimizer.step();
    return loss.item();
  };
}
