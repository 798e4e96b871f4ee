import { cat, nn, type Tensor, zeros } from "tapegrad";

/** Settings of {@link VisionTransformer}. */
export interface VisionTransformerOptions {
  /** Rows and columns of an image. Default 32. */
  readonly imageSize?: number;
  /** Rows and columns of a patch; divides those of the image. Default 4. */
  readonly patchSize?: number;
  /** Default 10. */
  readonly numClasses?: number;
  /** Features of a patch. Default 192. */
  readonly dim?: number;
  /** Blocks. Default 6. */
  readonly depth?: number;
  /** Heads of attention; divides the features. Default 3. */
  readonly heads?: number;
  /** Hidden features of a block. Default four times the features. */
  readonly mlpDim?: number;
  /** Probability with which a feature is dropped in training. Default 0. */
  readonly dropout?: number;
}

/**
 * A vision transformer: an image as a sequence of patches, and a token among them whose last state tells the class. 2,693,578
 * parameters.
 *
 * @see A. Dosovitskiy et al.: An Image is Worth 16×16 Words, 2020, https://arxiv.org/abs/2010.11929
 */
export class VisionTransformer extends nn.Module {
  patches: nn.Conv2d;
  token: nn.Parameter;
  positions: nn.Parameter;
  dropout: nn.Dropout;
  blocks: nn.Sequential;
  norm: nn.LayerNorm;
  head: nn.Linear;

  constructor(options: VisionTransformerOptions = {}) {
    super();
    const { imageSize = 32, patchSize = 4, numClasses = 10, dim = 192, depth = 6, heads = 3 } = options;
    const { mlpDim = 4 * dim, dropout = 0 } = options;
    this.patches = new nn.Conv2d(3, dim, patchSize, { stride: patchSize });
    this.token = new nn.Parameter(zeros([1, 1, dim]));
    this.positions = new nn.Parameter(zeros([1, 1 + (imageSize / patchSize) ** 2, dim]));
    this.dropout = new nn.Dropout(dropout);
    this.blocks = new nn.Sequential(
      ...Array.from({ length: depth }, () => new EncoderBlock(dim, heads, mlpDim, dropout)),
    );
    this.norm = new nn.LayerNorm(dim, { eps: 1e-6 });
    this.head = new nn.Linear(dim, numClasses);
    nn.init.truncNormal_(this.token, 0, 0.02);
    nn.init.truncNormal_(this.positions, 0, 0.02);
  }

  /** Logits [N, numClasses] of images [N, 3, imageSize, imageSize]. */
  forward(x: Tensor): Tensor {
    x = this.patches.forward(x).flatten(2).transpose(1, 2);
    x = cat([this.token.expand([x.size(0), -1, -1]), x], 1).add(this.positions);
    x = this.norm.forward(this.blocks.forward(this.dropout.forward(x)));
    return this.head.forward(x.select(1, 0));
  }
}

/** Attention and a small network for each patch, each after a layer norm and with a way around. */
class EncoderBlock extends nn.Module {
  norm1: nn.LayerNorm;
  attention: nn.MultiheadAttention;
  norm2: nn.LayerNorm;
  mlp: nn.Sequential;

  constructor(dim: number, heads: number, mlpDim: number, dropout: number) {
    super();
    this.norm1 = new nn.LayerNorm(dim, { eps: 1e-6 });
    this.attention = new nn.MultiheadAttention(dim, heads, { dropout, batchFirst: true });
    this.norm2 = new nn.LayerNorm(dim, { eps: 1e-6 });
    this.mlp = new nn.Sequential(
      new nn.Linear(dim, mlpDim),
      new nn.GELU(),
      new nn.Dropout(dropout),
      new nn.Linear(mlpDim, dim),
      new nn.Dropout(dropout),
    );
  }

  forward(x: Tensor): Tensor {
    const normed = this.norm1.forward(x);
    const [attended] = this.attention.forward(normed, normed, normed, { needWeights: false });
    x = x.add(attended);
    return x.add(this.mlp.forward(this.norm2.forward(x)));
  }
}
