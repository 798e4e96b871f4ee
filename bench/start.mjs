// One loss of one batch, with the built package: what it takes to start. bench/start.py is the same in PyTorch.
import { nn, noGrad, randint, randn } from "tapegrad";

const model = new nn.Sequential(
  new nn.Conv2d(1, 16, 3, { padding: 1 }),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Conv2d(16, 32, 3, { padding: "same", bias: false }),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Flatten(),
  new nn.Linear(32 * 7 * 7, 10),
);
const loss = noGrad(() => nn.functional.crossEntropy(model.forward(randn([64, 1, 28, 28])), randint(10, [64])));
console.log(await loss.item());
