import { ArgumentError } from "../errors.js";
import { relu } from "../tensor/ops/activations.js";
import { add } from "../tensor/ops/arithmetic.js";
import { gelu } from "../tensor/ops/smoothActivations.js";
import { defaultGenerator } from "../tensor/random.js";
import type { Tensor } from "../tensor/tensor.js";
import { formatSetting } from "../tensor/window.js";
import { checkCount, checkOptions, checkRange, settings } from "./arguments.js";
import { MultiheadAttention } from "./attention.js";
import { Dropout } from "./dropout.js";
import { inLayer } from "./errorPlace.js";
import { type Held, renamed } from "./fields.js";
import { LayerNorm } from "./groupNorm.js";
import { Linear } from "./linear.js";
import { type Layer, Module } from "./module.js";
import type { ParameterPlace } from "./newParameter.js";

/** Settings of {@link TransformerEncoderLayer}. */
export interface TransformerEncoderLayerOptions extends ParameterPlace {
  /** Features between the two linear layers. Default 2048. */
  readonly dimFeedforward?: number;
  /** Probability with which elements are dropped in training, at four places. Default 0.1. */
  readonly dropout?: number;
  /** What is between the two linear layers. Default `"relu"`. */
  readonly activation?: "relu" | "gelu" | ((x: Tensor) => Tensor);
  /** Added to the variance in both norms. Default 1e-5. */
  readonly layerNormEps?: number;
  /** Whether inputs are [N, L, E] rather than [L, N, E]. Default false. */
  readonly batchFirst?: boolean;
  /** Whether each part normalises what it is given, rather than what it has added to it. Default false. */
  readonly normFirst?: boolean;
  /** Whether biases are learnt, in the norms too. Default true. */
  readonly bias?: boolean;
}

/** Settings of a call of {@link TransformerEncoderLayer}. Masks are bool, and true where a place does not count. */
export interface TransformerEncoderLayerCall {
  /** Which places do not count for which place, [L, L] or [N·nhead, L, L]. Default: none. */
  readonly srcMask?: Tensor | null;
  /** Places that do not count, [N, L] (or [L] without a batch). Default: none. */
  readonly srcKeyPaddingMask?: Tensor | null;
  /** Whether place i sees places 0 to i alone. Default false. */
  readonly isCausal?: boolean;
}

const layerOptions = [
  "dimFeedforward",
  "dropout",
  "activation",
  "layerNormEps",
  "batchFirst",
  "normFirst",
  "bias",
  "dtype",
  "device",
] as const;

/**
 * A block of a transformer: attention of each place to all, then two linear layers, each part added to what it was given.
 *
 * [L, N, dModel], with `batchFirst` [N, L, dModel], or without N → the same shape. State dicts have PyTorch's names.
 *
 * @throws ArgumentError where a setting is out of its range, or the heads do not divide the features.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html
 * @see A. Vaswani et al.: Attention Is All You Need, https://arxiv.org/abs/1706.03762, section 3.1
 */
export class TransformerEncoderLayer extends Module {
  readonly dModel: number;
  readonly nhead: number;
  readonly normFirst: boolean;
  selfAttn: MultiheadAttention;
  linear1: Linear;
  dropout: Dropout;
  linear2: Linear;
  norm1: LayerNorm;
  norm2: LayerNorm;
  dropout1: Dropout;
  dropout2: Dropout;
  readonly #options: TransformerEncoderLayerOptions;
  readonly #activation: (x: Tensor) => Tensor;

  constructor(dModel: number, nhead: number, options: TransformerEncoderLayerOptions = {}) {
    super();
    const where = "TransformerEncoderLayer";
    checkOptions(where, options, layerOptions);
    const { dimFeedforward = 2048, dropout = 0.1, layerNormEps = 1e-5, batchFirst = false, bias = true } = options;
    checkCount(where, "dModel", dModel);
    checkCount(where, "nhead", nhead);
    checkCount(where, "dimFeedforward", dimFeedforward);
    checkRange(where, "dropout", dropout, 0, 1);
    this.dModel = dModel;
    this.nhead = nhead;
    this.normFirst = options.normFirst ?? false;
    this.#options = { ...options };
    this.#activation = activationOf(where, options.activation);
    const { dtype, device } = options;
    const place = { ...(dtype === undefined ? {} : { dtype }), ...(device === undefined ? {} : { device }) };
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst, ...place });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias, ...place });
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias, ...place });
    this.norm1 = new LayerNorm(dModel, { eps: layerNormEps, bias, ...place });
    this.norm2 = new LayerNorm(dModel, { eps: layerNormEps, bias, ...place });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
  }

  /**
   * @throws ShapeError where the input or a mask does not fit.
   * @throws ArgumentError where an option is unknown.
   */
  forward(src: Tensor, call: TransformerEncoderLayerCall = {}): Tensor {
    return inLayer(this, () => {
      checkOptions("TransformerEncoderLayer.forward", call, ["srcMask", "srcKeyPaddingMask", "isCausal"]);
      const { norm1, norm2, normFirst } = this;
      if (normFirst) {
        const x = add(src, this.attend(norm1.forward(src), call));
        return add(x, this.feedForward(norm2.forward(x)));
      }
      const x = norm1.forward(add(src, this.attend(src, call)));
      return norm2.forward(add(x, this.feedForward(x)));
    });
  }

  private attend(x: Tensor, call: TransformerEncoderLayerCall): Tensor {
    const { srcMask = null, srcKeyPaddingMask = null, isCausal = false } = call;
    const masks = { attnMask: srcMask, keyPaddingMask: srcKeyPaddingMask, isCausal };
    const [attended] = this.selfAttn.forward(x, x, x, { ...masks, needWeights: false });
    return this.dropout1.forward(attended);
  }

  private feedForward(x: Tensor): Tensor {
    const hidden = this.dropout.forward(this.#activation(this.linear1.forward(x)));
    return this.dropout2.forward(this.linear2.forward(hidden));
  }

  /** @internal Another layer with the same settings and weights. It draws no random numbers. */
  copy(): TransformerEncoderLayer {
    const state = defaultGenerator.getState();
    const other = new TransformerEncoderLayer(this.dModel, this.nhead, this.#options);
    defaultGenerator.setState(state);
    const device = this.linear1.weight.device;
    if (other.linear1.weight.device !== device) other.to(device);
    other.loadStateDict(this.stateDict());
    const originals = new Map(this.namedParameters());
    for (const [name, parameter] of other.namedParameters()) {
      parameter.requiresGrad_(originals.get(name)?.requiresGrad ?? true);
    }
    return other.train(this.training);
  }

  protected override fields(): Iterable<Held<object>> {
    return renamed(super.fields(), { selfAttn: "self_attn" });
  }

  override extraRepr(): string {
    return settings({ normFirst: this.normFirst || undefined });
  }
}

function activationOf(where: string, activation: TransformerEncoderLayerOptions["activation"] = "relu") {
  if (activation === "relu") return relu;
  if (activation === "gelu") return (x: Tensor) => gelu(x);
  if (typeof activation === "function") return activation;
  throw new ArgumentError(
    `${where}: got activation ${formatSetting(activation)}; expected "relu", "gelu" or a function of a tensor. Choose one of them.`,
  );
}

/** Settings of {@link TransformerEncoder}. */
export interface TransformerEncoderOptions {
  /** A norm for what comes out of the last layer. Default: none. */
  readonly norm?: Layer | null;
}

/** Settings of a call of {@link TransformerEncoder}. Masks are bool, and true where a place does not count. */
export interface TransformerEncoderCall {
  /** Which places do not count for which place, [L, L] or [N·nhead, L, L]. Default: none. */
  readonly mask?: Tensor | null;
  /** Places that do not count, [N, L] (or [L] without a batch). Default: none. */
  readonly srcKeyPaddingMask?: Tensor | null;
  /** Whether place i sees places 0 to i alone. Default false. */
  readonly isCausal?: boolean;
}

/**
 * A stack of blocks, which all begin as copies of one, as in PyTorch: with its weights.
 *
 * [L, N, dModel], with `batchFirst` [N, L, dModel], or without N → the same shape. State dicts have PyTorch's names.
 *
 * @throws ArgumentError where the block is no {@link TransformerEncoderLayer}, or their number no whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.TransformerEncoder.html
 */
export class TransformerEncoder extends Module {
  readonly numLayers: number;
  layers: TransformerEncoderLayer[];
  norm: Layer | null;

  constructor(encoderLayer: TransformerEncoderLayer, numLayers: number, options: TransformerEncoderOptions = {}) {
    super();
    checkOptions("TransformerEncoder", options, ["norm"]);
    if (!(encoderLayer instanceof TransformerEncoderLayer)) {
      throw new ArgumentError(
        `TransformerEncoder: got ${String(encoderLayer)} as encoderLayer; expected a TransformerEncoderLayer, which is copied. ` +
          `For layers of your own use a ModuleList.`,
      );
    }
    checkCount("TransformerEncoder", "numLayers", numLayers);
    this.numLayers = numLayers;
    this.layers = Array.from({ length: numLayers }, () => encoderLayer.copy());
    this.norm = options.norm ?? null;
  }

  /**
   * @throws ShapeError where the input or a mask does not fit.
   * @throws ArgumentError where an option is unknown.
   */
  forward(src: Tensor, call: TransformerEncoderCall = {}): Tensor {
    return inLayer(this, () => {
      checkOptions("TransformerEncoder.forward", call, ["mask", "srcKeyPaddingMask", "isCausal"]);
      const { mask = null, srcKeyPaddingMask = null, isCausal = false } = call;
      const masks = { srcMask: mask, srcKeyPaddingMask, isCausal };
      const encoded = this.layers.reduce((x, layer) => layer.forward(x, masks), src);
      return this.norm === null ? encoded : this.norm.forward(encoded);
    });
  }
}
