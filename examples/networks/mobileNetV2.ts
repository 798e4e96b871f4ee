import { nn, type Tensor } from "tapegrad";

/** Settings of {@link MobileNetV2}. */
export interface MobileNetV2Options {
  /** Default 10. */
  readonly numClasses?: number;
  /** What all numbers of channels are multiplied by, and rounded to multiples of 8. Default 1. */
  readonly widthMult?: number;
  /** Expansion, channels, blocks and first stride of each stage. Default: the paper's, with strides for images of 32×32. */
  readonly stages?: readonly (readonly [number, number, number, number])[];
  /** Probability with which the classifier drops a feature in training. Default 0.2. */
  readonly dropout?: number;
}

/** The paper has stride 2 in the second row, too, and in the convolution before the first one. */
const cifarStages = [
  [1, 16, 1, 1],
  [6, 24, 2, 1],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * MobileNetV2 for small images such as CIFAR's. State dicts have torchvision's names. 2,236,682 parameters.
 *
 * @see M. Sandler et al.: MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018, https://arxiv.org/abs/1801.04381
 */
export class MobileNetV2 extends nn.Module {
  features: nn.Sequential;
  classifier: nn.Sequential;

  constructor(options: MobileNetV2Options = {}) {
    super();
    const { numClasses = 10, widthMult = 1, stages = cifarStages, dropout = 0.2 } = options;
    let channels = inEights(32 * widthMult);
    const features: nn.Layer[] = [new ConvNormActivation(3, channels, 3)];
    for (const [expansion, base, blocks, firstStride] of stages) {
      for (let block = 0; block < blocks; block++) {
        const next = inEights(base * widthMult);
        features.push(new InvertedResidual(channels, next, block === 0 ? firstStride : 1, expansion));
        channels = next;
      }
    }
    const last = inEights(1280 * Math.max(1, widthMult));
    this.features = new nn.Sequential(...features, new ConvNormActivation(channels, last, 1));
    this.classifier = new nn.Sequential(new nn.Dropout(dropout), new nn.Linear(last, numClasses));
    for (const module of this.modules()) {
      if (module instanceof nn.Conv2d) nn.init.kaimingNormal_(module.weight, { mode: "fanOut" });
      if (module instanceof nn.Linear) nn.init.normal_(module.weight, 0, 0.01);
    }
  }

  /** Logits [N, numClasses] of images [N, 3, H, W]. */
  forward(x: Tensor): Tensor {
    return this.classifier.forward(this.features.forward(x).mean([2, 3]));
  }
}

/** The nearest multiple of 8 that is not below nine tenths. */
function inEights(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

/** A convolution that keeps the extents but for its stride, a batch norm, and a ReLU that ends at 6. */
class ConvNormActivation extends nn.Sequential {
  constructor(inChannels: number, channels: number, kernelSize: number, stride = 1, groups = 1) {
    super(
      new nn.Conv2d(inChannels, channels, kernelSize, { stride, padding: (kernelSize - 1) / 2, groups, bias: false }),
      new nn.BatchNorm2d(channels),
      new nn.ReLU6({ inplace: true }),
    );
  }
}

/** More channels, a convolution of each by itself, fewer channels; and a way around where the shape stays. */
class InvertedResidual extends nn.Module {
  conv: nn.Sequential;
  readonly isResidual: boolean;

  constructor(inChannels: number, channels: number, stride: number, expansion: number) {
    super();
    const hidden = inChannels * expansion;
    this.isResidual = stride === 1 && inChannels === channels;
    this.conv = new nn.Sequential(
      ...(expansion === 1 ? [] : [new ConvNormActivation(inChannels, hidden, 1)]),
      new ConvNormActivation(hidden, hidden, 3, stride, hidden),
      new nn.Conv2d(hidden, channels, 1, { bias: false }),
      new nn.BatchNorm2d(channels),
    );
  }

  forward(x: Tensor): Tensor {
    return this.isResidual ? x.add(this.conv.forward(x)) : this.conv.forward(x);
  }
}
