import { cosineSimilarity } from "../tensor/ops/lengths.js";
import { type LocalResponseNormOptions, localResponseNorm } from "../tensor/ops/localResponseNorm.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkCount, checkOptions, checkRange, settings } from "./arguments.js";
import { inLayer } from "./errorPlace.js";
import { Module } from "./module.js";

/** Settings of {@link CosineSimilarity}. */
export interface CosineSimilarityOptions {
  /** The axis of the vectors. Default 1. */
  readonly dim?: number;
  /** What lengths are not below, against division by 0. Default 1e-8. */
  readonly eps?: number;
}

/**
 * The cosine of the angle between the vectors of two tensors, along one axis.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html
 */
export class CosineSimilarity extends Module {
  readonly dim: number;
  readonly eps: number;

  constructor(options: CosineSimilarityOptions = {}) {
    super();
    checkOptions("CosineSimilarity", options, ["dim", "eps"]);
    const { dim = 1, eps = 1e-8 } = options;
    checkCount("CosineSimilarity", "dim", dim, -Infinity);
    checkRange("CosineSimilarity", "eps", eps, 0, Infinity);
    this.dim = dim;
    this.eps = eps;
  }

  forward(a: Tensor, b: Tensor): Tensor {
    return inLayer(this, () => cosineSimilarity(a, b, this.dim, { eps: this.eps }));
  }

  override extraRepr(): string {
    return settings({ dim: this.dim, eps: this.eps });
  }
}

/**
 * x / (k + alpha · mean of x² over `size` neighbouring channels)ᵝ for [N, C, …]; see `localResponseNorm`.
 *
 * @throws ArgumentError where a setting is out of its range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html
 */
export class LocalResponseNorm extends Module {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  constructor(size: number, options: LocalResponseNormOptions = {}) {
    super();
    checkOptions("LocalResponseNorm", options, ["alpha", "beta", "k"]);
    const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
    checkCount("LocalResponseNorm", "size", size);
    for (const [name, value] of Object.entries({ alpha, beta, k })) {
      checkRange("LocalResponseNorm", name, value, -Infinity, Infinity);
    }
    this.size = size;
    this.alpha = alpha;
    this.beta = beta;
    this.k = k;
  }

  forward(x: Tensor): Tensor {
    const { size, alpha, beta, k } = this;
    return inLayer(this, () => localResponseNorm(x, size, { alpha, beta, k }));
  }

  override extraRepr(): string {
    const { size, alpha, beta, k } = this;
    return `${size}, ${settings({ alpha, beta, k })}`;
  }
}
