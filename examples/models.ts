/** The networks that the examples train. All take images of 28×28 with one channel and tell digits apart. */
import { nn, type Tensor } from "tapegrad";

/** Two convolutions, two pools and a linear layer: 20,458 parameters. */
export class Cnn extends nn.Module {
  conv1 = new nn.Conv2d(1, 16, 3, { padding: 1 });
  conv2 = new nn.Conv2d(16, 32, 3, { padding: "same", bias: false });
  fc = new nn.Linear(32 * 7 * 7, 10);

  /** Logits [N, 10] of images [N, 1, 28, 28]. */
  forward(x: Tensor): Tensor {
    x = this.conv1.forward(x).relu().maxPool2d(2);
    x = this.conv2.forward(x).relu().maxPool2d(2);
    return this.fc.forward(x.flatten(1));
  }
}

/**
 * LeNet-5 with scaled tanh and average pools: 61,706 parameters. It was made for images of 32×32; two rows and columns of
 * padding around the first convolution stand for the rest.
 *
 * @see Y. LeCun et al.: Gradient-based learning applied to document recognition, 1998, section II.B and appendix A
 */
export class LeNet5 extends nn.Module {
  conv1 = new nn.Conv2d(1, 6, 5, { padding: 2 });
  conv2 = new nn.Conv2d(6, 16, 5);
  fc1 = new nn.Linear(400, 120);
  fc2 = new nn.Linear(120, 84);
  fc3 = new nn.Linear(84, 10);

  /** Logits [N, 10] of images [N, 1, 28, 28]. */
  forward(x: Tensor): Tensor {
    x = scaledTanh(this.conv1.forward(x)).avgPool2d(2);
    x = scaledTanh(this.conv2.forward(x)).avgPool2d(2);
    x = scaledTanh(this.fc1.forward(x.flatten(1)));
    x = scaledTanh(this.fc2.forward(x));
    return this.fc3.forward(x);
  }
}

function scaledTanh(x: Tensor): Tensor {
  return x.tanh().mul(1.7159);
}

/** A convolution without padding, or what stands in for it. */
export type ConvolutionLayer = nn.Layer;

/** Four small convolutions without padding, two linear layers with dropout: 3,832 parameters. */
export class Scratch extends nn.Module {
  features: nn.Sequential;
  head: nn.Sequential;

  /**
   * @param dropout probability with which an element is set to 0 in training
   * @param conv makes a convolution of so many channels in, out, and that size
   */
  constructor(
    dropout = 0.2,
    conv: (inChannels: number, outChannels: number, kernelSize: number) => ConvolutionLayer = (...sizes) =>
      new nn.Conv2d(...sizes),
  ) {
    super();
    this.features = new nn.Sequential(
      conv(1, 3, 3),
      new nn.ReLU(),
      conv(3, 3, 3),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      conv(3, 6, 3),
      new nn.ReLU(),
      conv(6, 6, 3),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
    );
    this.head = new nn.Sequential(
      new nn.Dropout(dropout),
      new nn.Linear(96, 30),
      new nn.ReLU(),
      new nn.Dropout(dropout),
      new nn.Linear(30, 10),
      new nn.LogSoftmax(1),
    );
  }

  /** Logarithms of probabilities [N, 10] of images [N, 1, 28, 28]. */
  forward(x: Tensor): Tensor {
    return this.head.forward(this.features.forward(x));
  }
}

type LossFunction = (output: Tensor, labels: Tensor, options?: { reduction?: "mean" | "sum" }) => Tensor;

/** A network to choose by name, and the loss that goes with what it gives. */
export interface Network {
  readonly make: () => nn.Layer;
  readonly loss: LossFunction;
}

const { crossEntropy, nllLoss } = nn.functional;

export const networks: Readonly<Record<"cnn" | "lenet5" | "scratch", Network>> = {
  cnn: { make: () => new Cnn(), loss: crossEntropy },
  lenet5: { make: () => new LeNet5(), loss: crossEntropy },
  scratch: { make: () => new Scratch(), loss: nllLoss },
};
