/** The network that the page trains. */
import { nn, type Tensor } from "tapegrad";
import { filters } from "./messages.js";

/** What the pixels of [0, 1] are normalised with: MNIST's own mean and deviation. */
export const pixels = { mean: 0.1307, std: 0.3081 } as const;

/** Two convolutions, two pools and a linear layer: 9,226 parameters. */
export class DigitNet extends nn.Module {
  conv1 = new nn.Conv2d(1, filters.count, filters.size, { padding: 2 });
  conv2 = new nn.Conv2d(filters.count, 16, 3, { padding: 1 });
  fc = new nn.Linear(16 * 7 * 7, 10);

  /** Logits [N, 10] of normalised images [N, 1, 28, 28]. */
  forward(x: Tensor): Tensor {
    x = this.seen(x).maxPool2d(2);
    x = this.conv2.forward(x).relu().maxPool2d(2);
    return this.fc.forward(x.flatten(1));
  }

  /** What the filters of the first convolution find, [N, 8, 28, 28]. */
  seen(x: Tensor): Tensor {
    return this.conv1.forward(x).relu();
  }
}
