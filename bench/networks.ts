/** Networks that are measured only. bench/pytorch.py has the same. */
import { nn, type Tensor } from "tapegrad";

/** The network of PyTorch's own MNIST example. @see https://github.com/pytorch/examples/tree/main/mnist */
export class PyTorchExample extends nn.Module {
  conv1 = new nn.Conv2d(1, 32, 3);
  conv2 = new nn.Conv2d(32, 64, 3);
  dropout1 = new nn.Dropout(0.25);
  dropout2 = new nn.Dropout(0.5);
  fc1 = new nn.Linear(9216, 128);
  fc2 = new nn.Linear(128, 10);

  forward(x: Tensor): Tensor {
    x = this.conv2.forward(this.conv1.forward(x).relu()).relu();
    x = this.dropout1.forward(x.maxPool2d(2)).flatten(1);
    x = this.dropout2.forward(this.fc1.forward(x).relu());
    return this.fc2.forward(x).logSoftmax(1);
  }
}

/** Two convolutions with batch norm and a way around them. */
class Block extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  shortcut: nn.Sequential | null;

  constructor(inChannels: number, outChannels: number, stride: number) {
    super();
    this.conv1 = new nn.Conv2d(inChannels, outChannels, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(outChannels);
    this.conv2 = new nn.Conv2d(outChannels, outChannels, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(outChannels);
    this.shortcut =
      stride === 1
        ? null
        : new nn.Sequential(
            new nn.Conv2d(inChannels, outChannels, 1, { stride, bias: false }),
            new nn.BatchNorm2d(outChannels),
          );
  }

  forward(x: Tensor): Tensor {
    const direct = this.shortcut === null ? x : this.shortcut.forward(x);
    const deep = this.bn2.forward(this.conv2.forward(this.bn1.forward(this.conv1.forward(x)).relu()));
    return deep.add(direct).relu();
  }
}

/** A small residual network for images of 32×32×3: a block each of 16, 32 and 64 channels. */
export class ResNet extends nn.Module {
  conv = new nn.Conv2d(3, 16, 3, { padding: 1, bias: false });
  bn = new nn.BatchNorm2d(16);
  blocks = new nn.Sequential(new Block(16, 16, 1), new Block(16, 32, 2), new Block(32, 64, 2));
  fc = new nn.Linear(64, 10);

  forward(x: Tensor): Tensor {
    x = this.blocks.forward(this.bn.forward(this.conv.forward(x)).relu());
    return this.fc.forward(x.mean([2, 3]));
  }
}
