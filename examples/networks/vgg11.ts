import { nn, type Tensor } from "tapegrad";

/** Settings of {@link VGG11}. */
export interface VGG11Options {
  /** Default 10. */
  readonly numClasses?: number;
  /** Whether a batch norm follows each convolution. Default false. */
  readonly batchNorm?: boolean;
  /** Channels of the first convolution; the others have 2, 4 or 8 times as many. Default 64. */
  readonly width?: number;
  /** Rows and columns that the classifier sees: 1 for images of 32×32, 7 as in the paper for 224×224. Default 1. */
  readonly poolSize?: number;
  /** Features of the classifier's hidden layers; 4096 in the paper. Default 512. */
  readonly hidden?: number;
  /** Probability with which the classifier drops a feature in training. Default 0.5. */
  readonly dropout?: number;
}

/** Channels of the convolutions by the first one's, and "M" for a pool: configuration A of the paper. */
const configuration = [1, "M", 2, "M", 4, 4, "M", 8, 8, "M", 8, 8, "M"] as const;

/**
 * VGG-11: eight convolutions of 3×3, five pools, three linear layers. State dicts have torchvision's names. 9,750,922
 * parameters; with `{ numClasses: 1000, poolSize: 7, hidden: 4096 }` the 132,863,336 of the paper.
 *
 * @see K. Simonyan, A. Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014, https://arxiv.org/abs/1409.1556
 */
export class VGG11 extends nn.Module {
  features: nn.Sequential;
  avgpool: nn.AdaptiveAvgPool2d;
  classifier: nn.Sequential;

  constructor(options: VGG11Options = {}) {
    super();
    const { numClasses = 10, batchNorm = false, width = 64, poolSize = 1, hidden = 512, dropout = 0.5 } = options;
    const layers: nn.Layer[] = [];
    let channels = 3;
    for (const step of configuration) {
      if (step === "M") {
        layers.push(new nn.MaxPool2d(2));
        continue;
      }
      layers.push(new nn.Conv2d(channels, step * width, 3, { padding: 1 }));
      channels = step * width;
      if (batchNorm) layers.push(new nn.BatchNorm2d(channels));
      layers.push(new nn.ReLU({ inplace: true }));
    }
    this.features = new nn.Sequential(...layers);
    this.avgpool = new nn.AdaptiveAvgPool2d(poolSize);
    this.classifier = new nn.Sequential(
      new nn.Linear(channels * poolSize ** 2, hidden),
      new nn.ReLU({ inplace: true }),
      new nn.Dropout(dropout),
      new nn.Linear(hidden, hidden),
      new nn.ReLU({ inplace: true }),
      new nn.Dropout(dropout),
      new nn.Linear(hidden, numClasses),
    );
    this.apply(initialize);
  }

  /** Logits [N, numClasses] of images [N, 3, H, W], from 32×32 on. */
  forward(x: Tensor): Tensor {
    return this.classifier.forward(this.avgpool.forward(this.features.forward(x)).flatten(1));
  }
}

function initialize(module: nn.Module): void {
  if (module instanceof nn.Conv2d) nn.init.kaimingNormal_(module.weight, { mode: "fanOut", nonlinearity: "relu" });
  else if (module instanceof nn.Linear) nn.init.normal_(module.weight, 0, 0.01);
  else return;
  if (module.bias !== null) nn.init.zeros_(module.bias);
}
