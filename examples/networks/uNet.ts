import { cat, nn, type Tensor } from "tapegrad";

/** Settings of {@link UNet}. */
export interface UNetOptions {
  /** Channels at the top; each level below has twice those of the one above. Default 64. */
  readonly width?: number;
  /** How often the extents are halved. Default 4. */
  readonly depth?: number;
}

/**
 * U-Net: down by pools, up by transposed convolutions, and at each level what was seen on the way down beside what comes up.
 * Its convolutions are padded, so that the extents stay, and followed by batch norms. 31,037,698 parameters for 3 channels
 * and 2 classes.
 *
 * @see O. Ronneberger, P. Fischer, T. Brox: U-Net: Convolutional Networks for Biomedical Image Segmentation, 2015, https://arxiv.org/abs/1505.04597
 */
export class UNet extends nn.Module {
  down = new nn.ModuleList<DoubleConv>();
  bottom: DoubleConv;
  up = new nn.ModuleList<nn.ConvTranspose2d>();
  merge = new nn.ModuleList<DoubleConv>();
  last: nn.Conv2d;

  constructor(inChannels: number, numClasses: number, { width = 64, depth = 4 }: UNetOptions = {}) {
    super();
    let channels = inChannels;
    for (let level = 0; level < depth; level++) {
      this.down.append(new DoubleConv(channels, width * 2 ** level));
      channels = width * 2 ** level;
    }
    this.bottom = new DoubleConv(channels, width * 2 ** depth);
    for (let level = depth - 1; level >= 0; level--) {
      const below = width * 2 ** (level + 1);
      this.up.append(new nn.ConvTranspose2d(below, below / 2, 2, { stride: 2 }));
      this.merge.append(new DoubleConv(below, below / 2));
    }
    this.last = new nn.Conv2d(width, numClasses, 1);
  }

  /** Logits [N, numClasses, H, W] of images [N, inChannels, H, W], where 2^depth divides H and W. */
  forward(x: Tensor): Tensor {
    const seen: Tensor[] = [];
    for (const level of this.down) {
      x = level.forward(x);
      seen.push(x);
      x = x.maxPool2d(2);
    }
    x = this.bottom.forward(x);
    for (const [index, beside] of seen.reverse().entries()) {
      x = cat([beside, this.up.at(index).forward(x)], 1);
      x = this.merge.at(index).forward(x);
    }
    return this.last.forward(x);
  }
}

/** Twice a convolution of 3×3, a batch norm and a ReLU. */
class DoubleConv extends nn.Sequential {
  constructor(inChannels: number, channels: number) {
    super(
      new nn.Conv2d(inChannels, channels, 3, { padding: 1, bias: false }),
      new nn.BatchNorm2d(channels),
      new nn.ReLU({ inplace: true }),
      new nn.Conv2d(channels, channels, 3, { padding: 1, bias: false }),
      new nn.BatchNorm2d(channels),
      new nn.ReLU({ inplace: true }),
    );
  }
}
