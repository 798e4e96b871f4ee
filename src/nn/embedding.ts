import { ArgumentError } from "../errors.js";
import { withGradMode } from "../tensor/autograd.js";
import { embedding } from "../tensor/ops/embedding.js";
import { zero_ } from "../tensor/ops/fill.js";
import { select } from "../tensor/ops/slicing.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkCount, checkDType, checkOptions, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { normal_ } from "./init.js";
import { Module } from "./module.js";
import { newParameter, type ParameterPlace } from "./newParameter.js";
import type { Parameter } from "./parameter.js";

/** Settings of {@link Embedding}. */
export interface EmbeddingLayerOptions extends ParameterPlace {
  /** A row that starts as zeros and is not learnt; negative ones count from the end. Default: none. */
  readonly paddingIdx?: number | null;
}

/**
 * A table of vectors that are learnt: indices (int32) of any shape [...] → [..., embeddingDim].
 *
 * `weight` [numEmbeddings, embeddingDim] starts normally distributed.
 *
 * @throws ArgumentError where an extent is not a whole number of 1 or more, or `paddingIdx` is no row.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html
 */
export class Embedding extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly paddingIdx: number | null;
  weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingLayerOptions = {}) {
    super();
    checkOptions("Embedding", options, ["paddingIdx", "dtype", "device"]);
    checkCount("Embedding", "numEmbeddings", numEmbeddings);
    checkCount("Embedding", "embeddingDim", embeddingDim);
    checkDType("Embedding", options.dtype);
    const { paddingIdx = null } = options;
    if (paddingIdx !== null) {
      checkCount("Embedding", "paddingIdx", paddingIdx, -Infinity);
      if (paddingIdx < -numEmbeddings || paddingIdx >= numEmbeddings) {
        throw new ArgumentError(
          `Embedding: got paddingIdx ${paddingIdx}; expected a row from ${-numEmbeddings} to ${numEmbeddings - 1}. Correct paddingIdx.`,
        );
      }
    }
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.paddingIdx = paddingIdx !== null && paddingIdx < 0 ? paddingIdx + numEmbeddings : paddingIdx;
    this.weight = newParameter([numEmbeddings, embeddingDim], options);
    this.resetParameters();
  }

  /** Draws all vectors anew. */
  resetParameters(): void {
    const { weight, paddingIdx } = this;
    normal_(weight);
    if (paddingIdx !== null) withGradMode(false, () => zero_(select(weight, 0, paddingIdx)).dispose());
  }

  forward(indices: Tensor): Tensor {
    return inLayer(this, () => embedding(indices, this.weight, { paddingIdx: this.paddingIdx }));
  }

  override extraRepr(): string {
    const { numEmbeddings, embeddingDim, paddingIdx } = this;
    return `${numEmbeddings}, ${embeddingDim}${paddingIdx === null ? "" : `, ${settings({ paddingIdx })}`}`;
  }
}
