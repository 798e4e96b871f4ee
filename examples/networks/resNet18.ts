import { nn, type Tensor } from "tapegrad";

/** Settings of {@link ResNet18}. */
export interface ResNet18Options {
  /** Default 10. */
  readonly numClasses?: number;
  /** Default 3. */
  readonly inChannels?: number;
  /** Channels of the first stage; each of the others has twice those of the one before. Default 64. */
  readonly width?: number;
  /** Blocks of each stage. Default [2, 2, 2, 2]. */
  readonly layers?: readonly [number, number, number, number];
}

/**
 * ResNet-18 for small images such as CIFAR's: the stem is a convolution of 3×3 with no pool after it. State dicts have
 * torchvision's names. 11,173,962 parameters.
 *
 * @see K. He, X. Zhang, S. Ren, J. Sun: Deep Residual Learning for Image Recognition, 2015, https://arxiv.org/abs/1512.03385
 */
export class ResNet18 extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  layer1: nn.Sequential;
  layer2: nn.Sequential;
  layer3: nn.Sequential;
  layer4: nn.Sequential;
  fc: nn.Linear;

  constructor({ numClasses = 10, inChannels = 3, width = 64, layers = [2, 2, 2, 2] }: ResNet18Options = {}) {
    super();
    this.conv1 = new nn.Conv2d(inChannels, width, 3, { padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(width);
    this.layer1 = stage(width, width, layers[0], 1);
    this.layer2 = stage(width, 2 * width, layers[1], 2);
    this.layer3 = stage(2 * width, 4 * width, layers[2], 2);
    this.layer4 = stage(4 * width, 8 * width, layers[3], 2);
    this.fc = new nn.Linear(8 * width, numClasses);
    for (const module of this.modules()) {
      if (module instanceof nn.Conv2d) nn.init.kaimingNormal_(module.weight, { mode: "fanOut", nonlinearity: "relu" });
    }
  }

  /** Logits [N, numClasses] of images [N, inChannels, H, W]. */
  forward(x: Tensor): Tensor {
    x = this.bn1.forward(this.conv1.forward(x)).relu();
    x = this.layer2.forward(this.layer1.forward(x));
    x = this.layer4.forward(this.layer3.forward(x));
    return this.fc.forward(x.adaptiveAvgPool2d(1).flatten(1));
  }
}

/** Blocks one after another, of which the first has the stride. */
function stage(inChannels: number, channels: number, blocks: number, stride: number): nn.Sequential {
  const others = Array.from({ length: blocks - 1 }, () => new BasicBlock(channels, channels, 1));
  return new nn.Sequential(new BasicBlock(inChannels, channels, stride), ...others);
}

/** Two convolutions of 3×3, and a way around them. */
class BasicBlock extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  downsample: nn.Sequential | null = null;

  constructor(inChannels: number, channels: number, stride: number) {
    super();
    this.conv1 = new nn.Conv2d(inChannels, channels, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(channels);
    this.conv2 = new nn.Conv2d(channels, channels, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(channels);
    if (stride !== 1 || inChannels !== channels) {
      this.downsample = new nn.Sequential(
        new nn.Conv2d(inChannels, channels, 1, { stride, bias: false }),
        new nn.BatchNorm2d(channels),
      );
    }
  }

  forward(x: Tensor): Tensor {
    const around = this.downsample?.forward(x) ?? x;
    const deep = this.bn1.forward(this.conv1.forward(x)).relu();
    return this.bn2.forward(this.conv2.forward(deep)).add(around).relu();
  }
}
